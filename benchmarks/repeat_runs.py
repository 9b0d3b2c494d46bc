"""`python -m benchmarks.repeat_runs`: trains through the public API, and repeats each result by its exported script.

A live portal with a worker is started. Sets are published as people publish them, with `huggingface_hub`. Of each a
model begins from random numbers, and others go on from that; all are asked for, watched and fetched by the
public API alone. The script beside the result then runs in a folder of its own, in a process that sees nothing of the
portal's code, and must come to the same test score with the same weights.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import requests
from safetensors.numpy import load_file

from tests.live import LivePortal

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "open"
OWNER = "alice"
SAME = 1e-6
PATIENCE = 3600
ENCODER: dict[str, Any] = {"model_type": "bert", "hidden": 64, "layers": 2, "heads": 2, "intermediate": 128}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One set: how a model of it begins, and how it goes on."""

    task: str
    architecture: dict[str, Any]
    method: str = "full"  # of the second run
    recipe: dict[str, Any] = field(default_factory=dict)
    harden: str | None = None  # the attack of a third run, which goes on as the second


CASES = {
    "rotten_tomatoes": Case(
        task="text-classification",
        architecture={**ENCODER, "vocab_size": 3000, "max_positions": 64},
        method="lora",
        harden="worst_of_k",
    ),
    "weibo_ner": Case(
        task="token-classification",
        architecture={**ENCODER, "tokenizer": "characters", "vocab_size": 4000, "max_positions": 128},
        method="lora",
    ),
    "tatoeba_en_zh": Case(
        task="translation",
        architecture={**ENCODER, "model_type": "t5", "tokenizer": "bpe", "vocab_size": 4000, "max_positions": 64},
    ),
    "tinyshakespeare": Case(
        task="language-modeling",
        architecture={**ENCODER, "model_type": "gpt2", "tokenizer": "bpe", "vocab_size": 2000, "max_positions": 128},
        method="lora",
    ),
    "song_ci_poems": Case(
        task="language-modeling",
        architecture={
            **ENCODER, "model_type": "llama", "tokenizer": "characters", "vocab_size": 5000, "max_positions": 128
        },
    ),
}  # fmt: skip


def main() -> None:
    """Run the chosen sets and say for each run whether the script came to the same scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the sets")
    parser.add_argument("--sets", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--rows", type=int, default=1200, help="training rows, at most")
    parser.add_argument("--test-rows", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument(
        "--keep", type=Path, help="folder for the portal's data and the results, instead of a passing one"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = options.keep or Path(passing)
        with LivePortal(folder, with_worker=True) as portal:
            print("| set | run | rows | metric | portal | script | weights apart by | |")
            print("|---|---|---|---|---|---|---|---|", flush=True)
            all_same = True
            for name in options.sets:
                for line in of_set(portal, folder, name, options):
                    print(line.text, flush=True)
                    all_same &= line.is_same
    sys.exit(not all_same)


@dataclass(frozen=True)
class Line:
    """One run in the table."""

    text: str
    is_same: bool


def of_set(portal: LivePortal, folder: Path, name: str, options: argparse.Namespace) -> Iterator[Line]:
    """Publish a set, train on it two or three times, and repeat each run."""
    api = Api(portal)
    api.publish(name, _rows(options.data / name, folder / "sets" / name, options))
    case = CASES[name]
    recipe = {"epochs": options.epochs, "batch_size": 32, "lr": 1e-3, **case.recipe}
    shared = {"task": case.task, "dataset": f"{OWNER}/{name}", "files": {"train": "train.jsonl", "test": "test.jsonl"}}
    stem = name.replace("_", "-")
    run = api.train({**shared, "architecture": case.architecture, "recipe": recipe, "target": f"{OWNER}/{stem}-new"})
    yield _repeated(api, folder, name, "from scratch", run)
    on = {**shared, "base": f"{OWNER}/{stem}-new", "seed": 1}
    further = {**recipe, "method": case.method, "lr": 1e-3}
    run = api.train({**on, "recipe": further, "target": f"{OWNER}/{stem}-on"})
    yield _repeated(api, folder, name, case.method, run)
    if case.harden:
        further["harden"] = case.harden
        run = api.train({**on, "recipe": further, "target": f"{OWNER}/{stem}-hard"})
        yield _repeated(api, folder, name, f"{case.method}, {case.harden}", run)


def _rows(source: Path, target: Path, options: argparse.Namespace) -> Path:
    target.mkdir(parents=True, exist_ok=True)
    for part, most in (("train", options.rows), ("test", options.test_rows)):
        with (source / f"{part}.jsonl").open(encoding="utf-8") as file:
            text = "".join(line for _number, line in zip(range(most), file, strict=False))
        (target / f"{part}.jsonl").write_text(text, encoding="utf-8")
    return target


class Api:
    """What a person does with a token: publish with the usual client, ask for runs, fetch what came of them."""

    def __init__(self, portal: LivePortal) -> None:
        self._url, self._token = portal.url, portal.user(OWNER)

    @property
    def environment(self) -> dict[str, str]:
        """What the usual client needs to find the portal, and nothing of this process beside it."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "HF_ENDPOINT": self._url, "HF_TOKEN": self._token, "HF_HUB_DISABLE_TELEMETRY": "1"}

    def publish(self, name: str, files: Path) -> None:
        """Make a data set of a folder."""
        self._hub(
            "api.create_repo(name, repo_type='dataset'); "
            "api.upload_folder(repo_id=name, folder_path=folder, repo_type='dataset')",
            f"{OWNER}/{name}",
            files,
        )

    def fetch(self, name: str, folder: Path) -> None:
        """Download a model."""
        self._hub("api.snapshot_download(name, local_dir=folder)", name, folder)

    def _hub(self, code: str, name: str, folder: Path) -> None:
        program = f"import sys; from huggingface_hub import HfApi; api = HfApi(); name, folder = sys.argv[1:]; {code}"
        subprocess.run(
            [sys.executable, "-c", program, name, str(folder)],
            env=self.environment, check=True, capture_output=True, timeout=600,
        )  # fmt: skip

    def train(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Ask for a run and return it when it is over."""
        run = self._json("post", "runs", json=wish)
        started = time.monotonic()
        while run["state"] not in ("succeeded", "failed", "cancelled"):
            if time.monotonic() - started > PATIENCE:
                raise SystemExit(f"{run['title']}: not over after {PATIENCE} s")
            time.sleep(1)
            run = self._json("get", f"runs/{run['id']}")
        if run["state"] != "succeeded":
            raise SystemExit(f"{run['title']}: {json.dumps(run['job'], indent=1)}")
        return {**run, "seconds": time.monotonic() - started}

    def _json(self, method: str, path: str, **sent: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = requests.request(method, f"{self._url}/api/v1/{path}", headers=headers, timeout=60, **sent)
        if not answer.ok:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text[:1000]}")
        return answer.json()


def _repeated(api: Api, folder: Path, name: str, what: str, run: dict[str, Any]) -> Line:
    """Run the script of a result in a folder of its own and compare its scores with those of the portal."""
    place = folder / "again" / run["result"]
    api.fetch(run["result"], place)
    done = subprocess.run(
        [sys.executable, "train.py", "--out", str(place / "made-again")],
        cwd=place / "training", env=api.environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    if done.returncode:
        print(f"{name}, {what}: the script failed\n{done.stderr[-3000:]}", file=sys.stderr)
        return Line(f"| {name} | {what} | – | – | – | failed | – | differs |", is_same=False)
    again = json.loads(done.stdout.splitlines()[-1])
    main, metrics = run["score"]["name"], run["scores"]["after"]["metrics"]
    shared = sorted(set(again) & set(metrics))
    far = {metric: abs(again[metric] - metrics[metric]["value"]) for metric in shared}
    weights = _apart(place)
    is_same = main in far and all(difference <= SAME for difference in (*far.values(), weights))
    print(f"{name}, {what}: {json.dumps({**far, 'weights': weights})}", file=sys.stderr)
    value, other = metrics[main]["value"], again.get(main, float("nan"))
    return Line(
        f"| {name} | {what} | {again['rows']} | {main} | {value:.6f} | {other:.6f} "
        f"| {weights:.1e} | {'the same' if is_same else 'differs'} |",
        is_same=is_same,
    )


def _apart(place: Path) -> float:
    """Return how far any weight that the script made is from the published one: a poor score says little."""
    made = next((place / "made-again").glob("*.safetensors"))
    beside = place / made.name
    published = load_file(beside if beside.exists() else place / "adapter" / made.name)
    found = load_file(made)
    shared = set(published) & set(found)
    return max((float(np.abs(published[name] - found[name]).max()) for name in shared), default=float("inf"))


if __name__ == "__main__":
    main()
