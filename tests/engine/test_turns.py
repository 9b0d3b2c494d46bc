"""Answers are kept as they come: an attempt that follows answers only the rest, and gets the same digest."""

import json
import subprocess
import sys
import time
from dataclasses import asdict, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import LABELS, ROOT, toy_rows, write_jsonl
from worker.engine import fake
from worker.engine.contracts import KEPT_FILE, EvaluateSpec
from worker.engine.progress import Progress
from worker.engine.tasks import find
from worker.engine.turns import cut

ROWS = 100


class Killed(BaseException):
    """What a SIGKILL would do, as far as Python can tell."""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EvaluateSpec:
    monkeypatch.setattr(type(find("text-classification")), "turn_rows", 30)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    rows = ({"id": str(number), "text": f"{row['text']} {number}"} for number, row in enumerate(toy_rows(ROWS)))
    return EvaluateSpec(
        task="text-classification",
        model_dir=str(tmp_path / "model"),
        inputs=str(write_jsonl(tmp_path / "inputs.jsonl", rows)),
        out_dir=str(tmp_path / "out"),
        settings={"labels": LABELS},
        resume="a model on a benchmark",
    )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many questions each turn of the stand-in was asked; a zero stands for a kill in place of the third turn."""
    turns: list[int] = []
    real = fake._answer

    def answer(task: Any, spec: Any, settings: Any, questions: Any, progress: Any) -> Any:
        if len(turns) == 2 and 0 not in turns:
            turns.append(0)
            raise Killed
        turns.append(len(questions.ids))
        return real(task, spec, settings, questions, progress)

    monkeypatch.setattr(fake, "_answer", answer)
    return turns


def evaluate(spec: EvaluateSpec) -> dict[str, Any]:
    return fake.evaluate(spec, Progress(StringIO()))


def test_the_second_attempt_answers_the_rest_and_gets_the_same_digest(spec, tmp_path, monkeypatch, asked):
    with pytest.raises(Killed):
        evaluate(spec)
    again = evaluate(spec)
    assert asked == [30, 30, 0, 30, 10]
    assert again["resumed_rows"] == 60
    assert not (Path(spec.out_dir) / KEPT_FILE).exists()
    monkeypatch.undo()
    whole = evaluate(replace(spec, out_dir=str(tmp_path / "whole"), resume=None))
    assert again["prediction_digest"] == whole["prediction_digest"]
    assert (Path(spec.out_dir) / "predictions.jsonl").read_bytes() == (
        tmp_path / "whole" / "predictions.jsonl"
    ).read_bytes()


def test_a_process_that_is_killed_loses_only_the_turn_that_it_was_at(spec, monkeypatch, tmp_path):
    monkeypatch.undo()
    rows = ({"id": str(number), "text": f"{row['text']} {number}"} for number, row in enumerate(toy_rows(1100)))
    write_jsonl(Path(spec.inputs), rows)
    whole = evaluate(replace(spec, out_dir=str(tmp_path / "whole"), resume=None))
    (Path(spec.model_dir) / "config.json").write_text('{"fake_engine": {"turn_seconds": 0.3}}')
    (tmp_path / "spec.json").write_text(json.dumps(asdict(spec)))
    command = [sys.executable, "-m", "worker.engine.fake", "evaluate", str(tmp_path / "spec.json")]
    path = Path(spec.out_dir) / KEPT_FILE
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while not path.exists() or path.read_bytes().count(b"\n") < 2:
            assert process.poll() is None, "it ended before its first turn was kept"
            time.sleep(0.005)
        process.kill()
    again = evaluate(spec)
    assert 512 <= again["resumed_rows"] < 1100
    assert again["prediction_digest"] == whole["prediction_digest"]


@pytest.mark.parametrize(
    "change", [{"resume": "another model"}, {"max_length": 16}, {"seed": 1}, {"dtype": "bfloat16"}, {"resume": None}]
)
def test_answers_of_something_else_are_not_taken(spec, asked, change):
    with pytest.raises(Killed):
        evaluate(spec)
    assert evaluate(replace(spec, **change))["resumed_rows"] == 0
    assert sum(asked[3:]) == ROWS


def test_other_questions_are_other_work(spec, asked):
    with pytest.raises(Killed):
        evaluate(spec)
    Path(spec.inputs).write_text(Path(spec.inputs).read_text().replace("film", "play"))
    assert evaluate(spec)["resumed_rows"] == 0


def test_the_number_of_threads_moves_no_answer(spec, asked):
    with pytest.raises(Killed):
        evaluate(spec)
    assert evaluate(replace(spec, threads=3))["resumed_rows"] == 60


def spoilt(line: str, number: int) -> str:
    turn = json.loads(line)
    changes = [
        lambda: turn["predictions"].pop(),
        lambda: turn.update(predictions="many"),
        lambda: turn["predictions"].__setitem__(0, []),
        lambda: turn.update(turn=7),
        lambda: turn.update(report=None),
        lambda: turn["predictions"].__setitem__(0, {"answer": "none of ours"}),
    ]
    changes[number]()
    return json.dumps(turn)


@pytest.mark.parametrize("number", range(6))
def test_a_turn_that_does_not_fit_is_answered_again_and_all_after_it(spec, asked, number):
    with pytest.raises(Killed):
        evaluate(spec)
    path = Path(spec.out_dir) / KEPT_FILE
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1], spoilt(lines[2], number)]) + "\n")
    assert evaluate(spec)["resumed_rows"] == 30


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\n", b"[" * 100_000, b'{"key": 1}\n', b"null\n"])
def test_a_file_that_is_none_of_ours_is_begun_anew(spec, asked, content):
    with pytest.raises(Killed):
        evaluate(spec)
    (Path(spec.out_dir) / KEPT_FILE).write_bytes(content)
    assert evaluate(spec)["resumed_rows"] == 0


def test_a_line_that_was_torn_is_answered_again(spec, asked):
    with pytest.raises(Killed):
        evaluate(spec)
    path = Path(spec.out_dir) / KEPT_FILE
    path.write_bytes(path.read_bytes()[:-40])
    assert evaluate(spec)["resumed_rows"] == 30


def test_a_link_is_not_followed(spec, asked, tmp_path):
    with pytest.raises(Killed):
        evaluate(spec)
    path = Path(spec.out_dir) / KEPT_FILE
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert evaluate(spec)["resumed_rows"] == 0


def test_the_first_turn_is_spread_and_the_others_go_by_length():
    values = [{"text": "x" * (number % 50)} for number in range(100)]
    parts = cut(values, 20)
    assert sorted(row for part in parts for row in part) == list(range(100))
    assert (parts[0][0], parts[0][-1]) == (0, 99)
    lengths = [number % 50 for part in parts[1:] for number in part]
    assert lengths == sorted(lengths, reverse=True)
