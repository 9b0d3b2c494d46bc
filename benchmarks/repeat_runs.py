"""`python -m benchmarks.repeat_runs`: trains through the public API, and repeats each result by its exported script.

A live portal with a worker is started. Sets are published as people publish them, with `huggingface_hub`. Of each a
model begins from random numbers, and others go on from that; all are asked for, watched and fetched by the
public API alone. The script beside the result then runs in a folder of its own, in a process that sees nothing of the
portal's code, and must come to the same test score with the same weights. A new model has the recipe and the sizes that
are usual for its task, as a person gets them who names none. What is had without learning stands beside each score.
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

from benchmarks import floors
from tests.live import LivePortal

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "open"
OWNER = "alice"
SAME = 1e-6
PATIENCE = 3600
LOWER_IS_BETTER = frozenset({"bits_per_byte"})


@dataclass(frozen=True, kw_only=True)
class Case:
    """One set: how a model of it begins, where that is not as usual for its task, and how it goes on."""

    task: str
    rows: int  # of training, at most
    further: dict[str, Any]  # the recipe of the second run
    architecture: dict[str, Any] = field(default_factory=lambda: {"model_type": "bert"})
    harden: str | None = None  # the attack of a third run, which goes on as the second


LORA: dict[str, Any] = {"method": "lora", "epochs": 2, "lr": 1e-3}
WHOLE: dict[str, Any] = {"epochs": 2, "lr": 3e-4}
CASES = {
    "rotten_tomatoes": Case(task="text-classification", rows=8530, further=LORA, harden="worst_of_k"),
    "weibo_ner": Case(task="token-classification", rows=1270, further=LORA),
    "tatoeba_en_zh": Case(task="translation", architecture={"model_type": "bart"}, rows=8000, further=WHOLE),
    "tinyshakespeare": Case(task="language-modeling", architecture={"model_type": "gpt2"}, rows=6499, further=LORA),
    "song_ci_poems": Case(
        task="language-modeling",
        architecture={"model_type": "llama", "tokenizer": "characters", "vocab_size": 5000},
        rows=2000,
        further=WHOLE,
    ),
}


def main() -> None:
    """Run the chosen sets and say for each run whether the script came to the same scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the sets")
    parser.add_argument("--sets", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--rows", type=int, help="training rows, at most; by default as many as a set needs")
    parser.add_argument("--test-rows", type=int, default=300)
    parser.add_argument("--epochs", type=float, help="of each run; by default as many as a set needs")
    parser.add_argument(
        "--keep", type=Path, help="folder for the portal's data and the results, instead of a passing one"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = options.keep or Path(passing)
        with LivePortal(folder, with_worker=True) as portal:
            print("| set | run | rows | metric | without learning | before | portal | script | weights apart by | |")
            print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
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
    api, case = Api(portal), CASES[name]
    files = _rows(options.data / name, folder / "sets" / name, options.rows or case.rows, options.test_rows)
    api.publish(name, files)
    shared = {"task": case.task, "dataset": f"{OWNER}/{name}", "files": {"train": "train.jsonl", "test": "test.jsonl"}}
    stem, more = name.replace("_", "-"), {"epochs": options.epochs} if options.epochs else {}
    again = Again(api, folder, name, floors.of_rows(case.task, files))
    run = api.train({**shared, "architecture": case.architecture, "recipe": more, "target": f"{OWNER}/{stem}-new"})
    yield again.line("from scratch", run)
    on = {**shared, "base": f"{OWNER}/{stem}-new", "seed": 1}
    further = {**case.further, **more}
    what = further.get("method", "full")
    run = api.train({**on, "recipe": further, "target": f"{OWNER}/{stem}-on"})
    yield again.line(what, run)
    if case.harden:
        run = api.train({**on, "recipe": {**further, "harden": case.harden}, "target": f"{OWNER}/{stem}-hard"})
        yield again.line(f"{what}, {case.harden}", run)


def _rows(source: Path, target: Path, train: int, test: int) -> Path:
    target.mkdir(parents=True, exist_ok=True)
    for part, most in (("train", train), ("test", test)):
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


@dataclass(frozen=True)
class Again:
    """Repeats the runs of one set."""

    api: Api
    folder: Path
    name: str
    floors: dict[str, float]  # what is had of its rows without learning, by metric

    def line(self, what: str, run: dict[str, Any]) -> Line:
        """Run the script of a result in a folder of its own and compare its scores with those of the portal."""
        place = self.folder / "again" / run["result"]
        self.api.fetch(run["result"], place)
        done = subprocess.run(
            [sys.executable, "train.py", "--out", str(place / "made-again")],
            cwd=place / "training", env=self.api.environment, capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
        if done.returncode:
            print(f"{self.name}, {what}: the script failed\n{done.stderr[-3000:]}", file=sys.stderr)
            return Line(f"| {self.name} | {what} | – | – | – | – | – | failed | – | differs |", is_same=False)
        again = json.loads(done.stdout.splitlines()[-1])
        metrics, weights = run["scores"]["after"]["metrics"], _apart(place)
        far = {metric: abs(again[metric] - metrics[metric]["value"]) for metric in set(again) & set(metrics)}
        main = run["score"]["name"]
        is_same = main in far and all(difference <= SAME for difference in (*far.values(), weights))
        print(
            f"{self.name}, {what}: {run['seconds']:.0f} s, {json.dumps({**far, 'weights': weights})}", file=sys.stderr
        )
        score, own = metrics[main], again.get(main, float("nan"))
        shown = (
            f"| {self.name} | {what} | {again['rows']} | {main} | {self._without(main, run['scores']['after'])} "
            f"| {_before(run['scores'])} | {score['value']:.6f} ({score['low']:.3f} to {score['high']:.3f}) "
            f"| {own:.6f} | {weights:.1e} | {'the same' if is_same else 'differs'} |"
        )
        return Line(shown, is_same=is_same)

    def _without(self, metric: str, score: dict[str, Any]) -> str:
        """Return the best score that is had without learning."""
        found = {
            name: floor["metrics"][metric] for name, floor in score["floors"].items() if metric in floor["metrics"]
        }
        found |= self.floors if metric in floors.METRICS else {}
        best = (min if metric in LOWER_IS_BETTER else max)(found, key=lambda name: found[name], default=None)
        return "–" if best is None else f"{found[best]:.3f} ({best})"


def _before(scores: dict[str, Any]) -> str:
    """Return the score of the base, and how likely the difference is where there is none."""
    return (
        f"{scores['before']['primary']['value']:.4f} (p = {scores['paired']['p']:.2g})" if "before" in scores else "–"
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
