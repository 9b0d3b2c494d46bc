"""Rows worth labelling: which are open, which are picked, and how answers get back into the file."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from worker.engine.contracts import EngineError
from worker.engine.progress import Progress
from worker.engine.tuning.picking.contracts import KNOWN, POOL, POOL_REPORT, FillSpec, PickSpec, PoolSpec
from worker.engine.tuning.picking.doubts import of_probabilities
from worker.engine.tuning.picking.filling import fill
from worker.engine.tuning.picking.picking import pick
from worker.engine.tuning.picking.pool import pool
from worker.engine.tuning.picking.spreading import choose

SILENT = Progress(io.StringIO())
ROWS = [
    {"text": "the film is good", "label": "positive"},
    {"text": "a dull evening", "label": None},
    {"text": "bright and warm", "label": ""},
    {"text": "nothing at all"},
    {"text": "nothing at all"},
    {"text": ""},
    {"text": "poor", "label": "negative"},
]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return str(path)


def test_rows_without_an_answer_are_found_with_their_lines(tmp_path: Path) -> None:
    file = write(tmp_path / "train.jsonl", ROWS)
    report = pool(PoolSpec(task="text-classification", file=file, out_dir=str(tmp_path)), SILENT)
    assert report == {"rows": 7, "known": 2, "unreadable": 1, "too_long": 0, "doubled": 1, "open": 3, "pool": 3}
    assert [(row["id"], row["text"]) for row in lines(tmp_path / POOL)] == [
        ("2", "a dull evening"), ("3", "bright and warm"), ("4", "nothing at all"),
    ]  # fmt: skip
    assert [row["question"]["text"] for row in lines(tmp_path / KNOWN)] == ["the film is good", "poor"]
    assert json.loads((tmp_path / POOL_REPORT).read_text())["labels"] == ["negative", "positive"]


def test_a_sample_of_a_large_pool_is_the_same_for_a_seed(tmp_path: Path) -> None:
    file = write(tmp_path / "train.jsonl", [{"text": f"text {number}"} for number in range(50)])
    taken = []
    for seed in (1, 1, 2):
        pool(PoolSpec(task="text-classification", file=file, out_dir=str(tmp_path), most=5, seed=seed), SILENT)
        taken.append([row["id"] for row in lines(tmp_path / POOL)])
    assert taken[0] == taken[1] != taken[2]
    assert [len(one) for one in taken] == [5, 5, 5]


def test_no_label_is_an_answer_where_a_row_may_have_several(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [{"text": "a", "labels": []}, {"text": "b"}, {"text": "c", "labels": ["x"]}])
    pool(PoolSpec(task="multi-label-classification", file=file, out_dir=str(tmp_path)), SILENT)
    assert [row["text"] for row in lines(tmp_path / POOL)] == ["b"]


def test_doubt_is_one_between_equals_and_nothing_where_all_is_clear() -> None:
    shares = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    assert of_probabilities(shares, "margin") == pytest.approx([1, 0, 1])
    assert of_probabilities(shares, "entropy") == pytest.approx([np.log(2) / np.log(3), 0, 1], abs=1e-9)


def test_near_duplicates_are_not_all_asked() -> None:
    texts = ["the film was long and dull", "the film was long and dull.", "a bright song", "a warm evening outside"]
    found = choose(texts, np.array([0.9, 0.89, 0.5, 0.4]), ["a warm evening outside!"], 4)
    assert found.rows == [0, 2]  # the second says what the first does, and the last one is labelled already
    assert found.passed == 2


def predicted(label: str, share: float) -> dict[str, Any]:
    other = "negative" if label == "positive" else "positive"
    return {"label": label, "scores": {label: share, other: round(1 - share, 6)}}


def picked(tmp_path: Path, predictions: list[dict[str, Any]] | None, **changes: Any) -> list[dict[str, Any]]:
    texts = ["good and fine", "so so", "a dull evening"]
    inputs = write(tmp_path / POOL, [{"id": str(n + 7), "text": text} for n, text in enumerate(texts)])
    said = predictions and write(
        tmp_path / "said.jsonl", [{"id": str(n + 7), **row} for n, row in enumerate(predictions)]
    )
    spec = PickSpec(
        task="text-classification",
        settings={"labels": ["negative", "positive"]},
        pool=inputs,
        known=write(tmp_path / KNOWN, []),
        predictions=said or None,
        out=str(tmp_path / "picked.jsonl"),
        **{"count": 2, **changes},
    )
    pick(spec, SILENT)
    return lines(tmp_path / "picked.jsonl")


def test_the_least_sure_rows_are_picked_with_their_guess(tmp_path: Path) -> None:
    said = [predicted("positive", 0.99), predicted("negative", 0.51), predicted("negative", 0.8)]
    rows = picked(tmp_path, said)
    assert [(row["line"], row["guess"]["value"], row["doubt"]) for row in rows] == [
        (8, "negative", 0.98), (9, "negative", 0.4),
    ]  # fmt: skip
    assert [row["line"] for row in picked(tmp_path, None, order="spread", count=3)] != []


@pytest.mark.parametrize("wrong", [{"label": "positive"}, {"label": "angry", "scores": {}}, {"x": 1}])
def test_what_a_hostile_model_wrote_is_not_believed(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="row 2"):
        picked(tmp_path, [predicted("positive", 0.9), wrong, predicted("positive", 0.9)])


def filled(tmp_path: Path, name: str, content: bytes, answers: list[dict[str, Any]], **changes: Any) -> tuple[Any, str]:
    (tmp_path / name).write_bytes(content)
    spec = FillSpec(
        file=str(tmp_path / name),
        answers=write(tmp_path / "answers.jsonl", answers),
        out=str(tmp_path / "out"),
        **{"task": "text-classification", **changes},
    )
    return fill(spec, SILENT), (tmp_path / "out").read_bytes().decode()


def answer(line: int, text: str, value: Any) -> dict[str, Any]:
    return {"line": line, "question": {"text": text}, "value": value}


def test_only_answered_lines_change(tmp_path: Path) -> None:
    before = b'{"text":"one",  "label": "x"}\r\n\n{"text":"two","more":[1]}\r\n{"text":"\xc3\xa9"}'
    counts, after = filled(tmp_path, "a.jsonl", before, [answer(3, "two", "y"), answer(1, "one", "z")])
    assert counts == {"written": 1, "answered_before": 1, "gone": 0}
    assert after == '{"text":"one",  "label": "x"}\r\n\n{"text": "two", "more": [1], "label": "y"}\r\n{"text":"é"}'


def test_rows_that_moved_are_found_by_their_text(tmp_path: Path) -> None:
    content = b'{"text":"new"}\n{"text":"two"}\n'
    counts, after = filled(tmp_path, "a.jsonl", content, [answer(1, "two", "y"), answer(2, "lost", "y")])
    assert counts == {"written": 1, "answered_before": 0, "gone": 1}
    assert json.loads(after.splitlines()[1]) == {"text": "two", "label": "y"}
    assert after.splitlines()[0] == '{"text":"new"}'


def test_a_table_keeps_its_other_lines_and_gets_a_column_where_it_has_none(tmp_path: Path) -> None:
    content = b'text,label,"n"\n"one, two",x,1\n"three\nlines",,2\nfour,,3\n'
    counts, after = filled(tmp_path, "a.csv", content, [answer(4, "three\nlines", 'y "z"')])
    assert counts["written"] == 1
    assert after == 'text,label,"n"\n"one, two",x,1\n"three\nlines","y ""z""",2\nfour,,3\n'
    counts, after = filled(tmp_path, "b.csv", b"text\none\ntwo\n", [answer(3, "two", "y")])
    assert after == "text,label\none,\ntwo,y\n"


def test_labels_are_written_as_numbers_where_the_file_does_so(tmp_path: Path) -> None:
    content = b'{"text":"one","label":1}\n{"text":"two"}\n'
    _counts, after = filled(
        tmp_path, "a.jsonl", content, [answer(2, "two", "positive")], labels=["negative", "positive"]
    )
    assert json.loads(after.splitlines()[1])["label"] == 1


def test_tags_go_into_a_table_as_json(tmp_path: Path) -> None:
    content = b'tokens,tags\n"[""Ann"",""left""]",\n'
    said = {"line": 2, "question": {"tokens": ["Ann", "left"]}, "value": ["B-PER", "O"]}
    _counts, after = filled(
        tmp_path, "a.csv", content, [said], task="token-classification", labels=["O", "B-PER", "I-PER"]
    )
    [_header, row] = csv.reader(io.StringIO(after))
    assert json.loads(row[1]) == ["B-PER", "O"]
