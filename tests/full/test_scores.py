"""Scores on the portal equal an independent computation on the same files, and can be reproduced from a shell."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from demo.models import RECIPES
from tests.full.conftest import FullPortal
from tests.live import ROOT
from tests.servers import absent

pytestmark = [pytest.mark.live, pytest.mark.engine]
SHARED = ROOT.parent / "shared" / "data" / "open" / "rotten_tomatoes"
BOARD_SECONDS = 60.0  # the relay computes a board anew soon after a score
METRICS = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "mcc")


def client(portal: FullPortal, folder: Path, code: str, token: str = "") -> str:
    """Run a few lines with the real clients in a process of their own, whose home is empty."""
    env = {**os.environ, "HF_ENDPOINT": portal.url, "HF_HOME": str(folder / "home"), "HF_TOKEN": token}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def fetch(portal: FullPortal, evaluations: list[dict[str, Any]], folder: Path) -> list[list[str]]:
    """Download model and data of each evaluation as anybody can; returns where they are."""
    code = "from huggingface_hub import snapshot_download, hf_hub_download\n"
    for evaluation in evaluations:
        model, data = evaluation["recipe"]["model"], evaluation["recipe"]["dataset"]
        code += (
            f"print(snapshot_download({model['repo']!r}, revision={model['commit']!r}))\n"
            f"print(hf_hub_download({data['repo']!r}, {data['path']!r}, repo_type='dataset',"
            f" revision={data['commit']!r}))\n"
        )
    paths = client(portal, folder, code).split()
    return [list(pair) for pair in zip(paths[::2], paths[1::2], strict=True)]


def independent(evaluations: list[dict[str, Any]], paths: list[list[str]]) -> list[dict[str, float]]:
    """Compute what each scores, in one process: loading the libraries takes longer than to score."""
    specs = [evaluation["recipe"]["spec"] for evaluation in evaluations]
    asked = [[*pair, spec["settings"]["labels"], spec["max_length"]] for pair, spec in zip(paths, specs, strict=True)]
    command = [sys.executable, str(Path(__file__).with_name("independent.py")), json.dumps(asked)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[dict[str, float]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def assert_equal_to_independent(portal: FullPortal, evaluations: list[dict[str, Any]], folder: Path) -> None:
    found = independent(evaluations, fetch(portal, evaluations, folder))
    for evaluation, expected in zip(evaluations, found, strict=True):
        for name in METRICS:
            measured = evaluation["metrics"][name]["value"]
            assert measured == pytest.approx(expected[name], abs=1e-9), (evaluation["id"], name)


def reproduce(portal: FullPortal, evaluation: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    url = f"{portal.url}/api/v1/evaluations/{evaluation}"
    command = [sys.executable, "-m", "worker.engine", "reproduce", url, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


def test_every_demo_model_is_scored_and_stands_on_the_board(full_portal: FullPortal):
    models = {f"demo/{recipe.name}" for recipe in RECIPES}
    assert len(models) >= 3
    ranked: set[str] = set()
    until = time.monotonic() + BOARD_SECONDS
    while not models <= ranked and time.monotonic() < until:
        time.sleep(0.5)
        ranked = {row["model"] for row in full_portal.api("leaderboard/sentiment")["rows"]}
    assert models <= ranked


def test_demo_scores_equal_plain_transformers_and_scikit_learn(full_portal: FullPortal, tmp_path: Path):
    rows = full_portal.api("evaluations")["results"]
    assert len(rows) >= len(RECIPES)
    assert_equal_to_independent(full_portal, [full_portal.api(f"evaluations/{row['id']}") for row in rows], tmp_path)


def test_an_evaluation_is_reproduced_from_a_shell(full_portal: FullPortal):
    row = full_portal.api("evaluations")["results"][0]
    done = reproduce(full_portal, row["id"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "f1_macro" in done.stdout


def test_rotten_tomatoes_equals_plain_transformers_and_scikit_learn(full_portal: FullPortal, tmp_path: Path):
    if not SHARED.exists():
        absent("needs the shared data")
    token = full_portal.user("rose")
    publish_rotten_tomatoes(full_portal, tmp_path, token)
    benchmark = full_portal.api("benchmarks", token, dataset="rose/rotten-tomatoes", revision="main")
    asked = full_portal.api("evaluations", token, model="rose/tomato-bert", benchmark=benchmark["id"])
    evaluation = full_portal.wait_for_score(asked["id"])
    assert evaluation["n"] == 1066
    assert evaluation["primary"]["value"] > 0.6  # it has learned: half would be chance
    assert_equal_to_independent(full_portal, [evaluation], tmp_path)


def publish_rotten_tomatoes(portal: FullPortal, folder: Path, token: str) -> None:
    """Train a small model on the training rows, then publish data and model with the ordinary client."""
    model, data = folder / "model", folder / "data"
    data.mkdir()
    (data / "eval.yaml").write_text(
        "version: 1\nname: Rotten Tomatoes\ntask: text-classification\nsplit: {path: test.jsonl}\n"
        "fields: {input: text, target: label}\nlabels: [negative, positive]\nprimary: accuracy\n"
        "max_length: 128\nseed: 0\nbootstrap: 2000\nlicense: cc-by-4.0\ntest_is_public: true\n"
        "robustness: false\n"  # the demo is also asked in other words
    )
    (data / "test.jsonl").write_bytes((SHARED / "test.jsonl").read_bytes())
    spec = folder / "train.json"
    spec.write_text(
        json.dumps({
            "train": str(SHARED / "train.jsonl"), "dev": str(SHARED / "dev.jsonl"), "labels": ["negative", "positive"],
            "out_dir": str(model), "hidden": 64, "layers": 1, "heads": 2, "intermediate": 128, "epochs": 2,
            "vocab_size": 6000, "max_length": 64, "lr": 2e-3,
        })
    )  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "worker.engine", "train", str(spec)],
        cwd=ROOT, check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    code = (
        "from huggingface_hub import HfApi\n"
        "api = HfApi()\n"
        "api.create_repo('rose/rotten-tomatoes', repo_type='dataset', exist_ok=True)\n"
        f"api.upload_folder(repo_id='rose/rotten-tomatoes', repo_type='dataset', folder_path={str(data)!r})\n"
        "api.create_repo('rose/tomato-bert', exist_ok=True)\n"
        f"api.upload_folder(repo_id='rose/tomato-bert', folder_path={str(model)!r})\n"
    )
    client(portal, folder, code, token)


def test_per_example_outputs_can_be_downloaded(full_portal: FullPortal):
    row = full_portal.api("evaluations")["results"][0]
    answer = requests.get(f"{full_portal.url}/api/v1/evaluations/{row['id']}/predictions", timeout=30)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) == full_portal.api(f"evaluations/{row['id']}")["n"]
    assert set(lines[0]) == {"id", "label", "scores"}
