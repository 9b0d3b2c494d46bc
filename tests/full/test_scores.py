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


def fetch(portal: FullPortal, evaluation: dict[str, Any], folder: Path) -> tuple[Path, Path]:
    """Download the model and the data of an evaluation as anybody can."""
    recipe = evaluation["recipe"]
    code = (
        "from huggingface_hub import snapshot_download, hf_hub_download\n"
        f"print(snapshot_download({recipe['model']['repo']!r}, revision={recipe['model']['commit']!r}))\n"
        f"print(hf_hub_download({recipe['dataset']['repo']!r}, {recipe['dataset']['path']!r}, repo_type='dataset',"
        f" revision={recipe['dataset']['commit']!r}))\n"
    )
    model, data = client(portal, folder, code).split()
    return Path(model), Path(data)


def independent(evaluation: dict[str, Any], model: Path, data: Path) -> dict[str, float]:
    spec = evaluation["recipe"]["spec"]
    script = Path(__file__).with_name("independent.py")
    labels = json.dumps(spec["settings"]["labels"])
    command = [sys.executable, str(script), str(model), str(data), labels, str(spec["max_length"])]
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def assert_equal_to_independent(portal: FullPortal, evaluation: dict[str, Any], folder: Path) -> None:
    expected = independent(evaluation, *fetch(portal, evaluation, folder))
    for name in METRICS:
        assert evaluation["metrics"][name]["value"] == pytest.approx(expected[name], abs=1e-9), name


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
    for row in full_portal.api("evaluations")["results"]:
        folder = tmp_path / str(row["id"])
        folder.mkdir()
        assert_equal_to_independent(full_portal, full_portal.api(f"evaluations/{row['id']}"), folder)


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
    assert_equal_to_independent(full_portal, evaluation, tmp_path)
    done = reproduce(full_portal, asked["id"])
    assert done.returncode == 0, done.stdout + done.stderr


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
