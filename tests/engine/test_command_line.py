"""The command line: JSON lines on standard output, a status, a typed error; torch only where it is needed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import LABELS, ROOT, last_line, run_engine, toy_rows, write_jsonl
from worker.sandbox.output import LINE_BYTES

FAKE = {"PORTAL_FAKE_ENGINE": "1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data file and the place for everything else."""
    write_jsonl(tmp_path / "data.jsonl", toy_rows(12))
    (tmp_path / "model").mkdir(exist_ok=True)
    return tmp_path


def spec_of(verb: str, folder: Path, **changes: object) -> str:
    specs: dict[str, dict[str, object]] = {
        "prepare": {"files": {"test": str(folder / "data.jsonl")}, "inputs": "inputs.jsonl", "gold": "gold.jsonl"},
        "evaluate": {"model_dir": "model", "inputs": "inputs.jsonl", "out_dir": "out"},
        "score": {"gold": "gold.jsonl", "predictions": "out/predictions.jsonl", "out": "score.json", "bootstrap": 100},
        "train": {"train": "data.jsonl", "dev": "data.jsonl", "out_dir": "model", "epochs": 2},
    }
    paths = {"inputs", "gold", "model_dir", "out_dir", "predictions", "out", "train", "dev"}
    spec = {name: str(folder / str(value)) if name in paths else value for name, value in specs[verb].items()}
    labels: dict[str, object] = {"labels": LABELS}
    spec |= (labels if verb == "train" else {"task": "text-classification", "settings": labels}) | changes
    path = folder / f"{verb}.json"
    path.write_text(json.dumps(spec))
    return str(path)


def chain(folder: Path, *verbs: str, **environment: str) -> list[dict[str, Any]]:
    results = []
    for verb in verbs:
        process = run_engine("worker.engine", verb, spec_of(verb, folder), **environment)
        assert process.returncode == 0, process.stderr
        results.append(last_line(process)["result"])
    return results


def test_prepare_and_score_run_without_torch(folder):
    chain(folder, "prepare")
    rows = (json.loads(line) for line in (folder / "gold.jsonl").read_text().splitlines())
    (folder / "out").mkdir()
    write_jsonl(
        folder / "out" / "predictions.jsonl",
        (row | {"scores": {label: float(label == row["label"]) for label in LABELS}} for row in rows),
    )
    for verb in ("prepare", "score"):
        code = (
            "import sys; from worker.engine import cli; "
            f"status = cli.run([{verb!r}, {spec_of(verb, folder)!r}]); "
            "heavy = {'torch', 'transformers', 'sklearn', 'django'} & set(sys.modules); "
            "sys.exit(status or bool(heavy))"
        )
        process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
    assert json.loads((folder / "score.json").read_text())["primary"]["value"] == 1.0


def test_a_long_result_is_said_in_brief_and_written_whole(folder):
    labels = [f"label {number}" for number in range(60)]
    write_jsonl(folder / "gold.jsonl", ({"id": label, "label": label} for label in labels))
    scores = dict.fromkeys(labels, 0.0)
    (folder / "out").mkdir()
    write_jsonl(
        folder / "out" / "predictions.jsonl",
        ({"id": label, "label": label, "scores": {**scores, label: 1.0}} for label in labels),
    )
    process = run_engine("worker.engine", "score", spec_of("score", folder, settings={"labels": labels}))
    said, written = last_line(process)["result"], json.loads((folder / "score.json").read_text())
    assert len(process.stdout.splitlines()[-1]) < LINE_BYTES
    assert said["primary"] == written["primary"]
    assert set(written) - set(said) >= {"confusion", "per_class"}


def test_a_typed_error_is_the_last_line_and_status_3(folder):
    (folder / "data.jsonl").write_text('{"text": "x"}\n')
    process = run_engine("worker.engine", "prepare", spec_of("prepare", folder))
    assert process.returncode == 3
    assert last_line(process) == {"error": {"code": "bad_data", "message": 'line 1: it has no field "label"'}}


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "cannot be read as JSON"), ("[]", "must hold a JSON object"), ('{"a": 1}', "unknown keys: a")],
)
def test_a_spec_that_cannot_be_read_is_bad_spec(folder, content, says):
    (folder / "spec.json").write_text(content)
    process = run_engine("worker.engine", "score", str(folder / "spec.json"))
    error = last_line(process)["error"]
    assert (process.returncode, error["code"]) == (3, "bad_spec")
    assert says in error["message"]


@pytest.mark.parametrize("arguments", [[], ["destroy", "x"], ["score"], ["score", "a", "b"]])
def test_wrong_usage_is_status_2_and_says_how(arguments):
    process = run_engine("worker.engine", *arguments)
    assert (process.returncode, process.stdout) == (2, "")
    assert "usage:" in process.stderr


def test_the_stand_in_keeps_the_whole_contract_without_torch(folder):
    (folder / "model" / "config.json").write_text("{}")
    prepared, report, score = chain(folder, "prepare", "evaluate", "score", **FAKE)
    assert prepared == {"rows": 12}
    assert report["engine_version"].endswith("+fake")
    assert score["prediction_digest"] == report["prediction_digest"]
    assert chain(folder, "evaluate", **FAKE)[0]["prediction_digest"] == report["prediction_digest"]
    code = "import sys, worker.engine.fake; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_nothing_that_reads_the_number_of_threads_is_imported_before_that_is_settled():
    code = "import sys, worker.engine.cli, worker.engine.reproduce; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_stand_in_fails_and_reports_on_demand(folder):
    chain(folder, "prepare")
    orders = {"error": "weights_incomplete", "message": "no head", "seconds": 0.1}
    (folder / "model" / "config.json").write_text(json.dumps({"fake_engine": orders}))
    process = run_engine("worker.engine.fake", "evaluate", spec_of("evaluate", folder))
    assert process.returncode == 3
    assert last_line(process) == {"error": {"code": "weights_incomplete", "message": "no head"}}
    assert len([line for line in process.stdout.splitlines() if "progress" in line]) == 10


def test_the_stand_in_trains_a_folder_that_it_can_evaluate(folder):
    _, summary, report = chain(folder, "prepare", "train", "evaluate", **FAKE)
    assert summary["train_rows"] == 12
    assert report["model_type"] == "bert"
    assert len((folder / "model" / "training_log.jsonl").read_text().splitlines()) == 2


@pytest.mark.engine
def test_the_stand_in_writes_the_same_keys_as_the_engine(folder, bert_folder):
    (folder / "model" / "config.json").write_text("{}")
    _, fake = chain(folder, "prepare", "evaluate", **FAKE)
    process = run_engine("worker.engine", "evaluate", spec_of("evaluate", folder, model_dir=str(bert_folder)))
    assert set(last_line(process)["result"]) == set(fake)
    small = {"hidden": 16, "layers": 1, "intermediate": 16, "vocab_size": 60, "max_length": 16}
    trained = run_engine("worker.engine", "train", spec_of("train", folder, **small))
    fake_trained = run_engine("worker.engine.fake", "train", spec_of("train", folder, **small))
    assert list(last_line(trained)["result"]) == list(last_line(fake_trained)["result"])


@pytest.mark.engine
def test_a_library_that_prints_does_not_spoil_the_lines(folder, bert_folder):
    chain(folder, "prepare")
    code = (
        "import sys, os; from worker.engine import cli, labels; "
        "import builtins; original = labels.resolve_labels\n"
        "def noisy(*a):\n"
        "    print('hello from python'); os.write(1, b'hello from C\\n'); return original(*a)\n"
        "labels.resolve_labels = noisy\n"
        f"sys.exit(cli.run(['evaluate', {spec_of('evaluate', folder, model_dir=str(bert_folder))!r}]))"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert all(isinstance(json.loads(line), dict) for line in process.stdout.splitlines())
    assert "hello from python" in process.stderr
    assert "hello from C" in process.stderr


@pytest.mark.engine
def test_threads_and_network_are_settled_before_torch_is_imported(folder, bert_folder):
    chain(folder, "prepare")
    code = (
        "import sys, os; from worker.engine import cli; "
        f"cli.run(['evaluate', {spec_of('evaluate', folder, model_dir=str(bert_folder), threads=1)!r}]); "
        "import torch; "
        "sys.exit(not (torch.get_num_threads() == 1 and os.environ['HF_HUB_OFFLINE'] == '1' "
        "and os.environ['OMP_NUM_THREADS'] == '1'))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
