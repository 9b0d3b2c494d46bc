"""Training data is read as people have it, split without leaks, and what is wrong with it is said in numbers."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.engine.builders import LABELS, toy_rows, write_jsonl
from worker.engine.contracts import EngineError, PrepareSpec
from worker.engine.progress import Progress
from worker.engine.rows import prepare
from worker.engine.tuning.arranging import arrange
from worker.engine.tuning.contracts import ArrangeSpec


def arranged(folder: Path, rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """Arrange rows and return the report."""
    train = write_jsonl(folder / "source.jsonl", rows)
    values: dict[str, Any] = {"task": "text-classification", "files": {"train": str(train)}, "out_dir": str(folder)}
    return arrange(ArrangeSpec(**(values | changes)), Progress(StringIO()))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def found(report: dict[str, Any], code: str) -> dict[str, Any]:
    """Return the finding of a code."""
    return next(finding for finding in report["findings"] if finding["code"] == code)


def different(count: int) -> list[dict[str, Any]]:
    return [{"text": f"film number {n} is {'good' if n % 2 else 'bad'}", "label": n % 2} for n in range(count)]


def test_rows_are_split_by_label_and_the_test_part_is_as_evaluations_read_it(tmp_path: Path) -> None:
    report = arranged(tmp_path, different(200))
    assert report["settings"] == {"labels": ["0", "1"]}
    assert report["rows"] == {"train": 160, "dev": 20, "test": 20}
    assert report["labels"]["test"] == {"0": 10, "1": 10}
    assert report["cut"] == ["dev", "test"]
    assert lines(tmp_path / "train.jsonl")[0] == {
        "id": "train-1",
        "question": {"text": "film number 0 is bad"},
        "gold": {"label": "0"},
    }
    assert set(lines(tmp_path / "test_gold.jsonl")[0]) == {"id", "label"}
    assert [row["id"] for row in lines(tmp_path / "test_inputs.jsonl")] == [
        row["id"] for row in lines(tmp_path / "test_gold.jsonl")
    ]


def test_no_text_is_on_both_sides_and_the_seed_says_which_rows_are_where(tmp_path: Path) -> None:
    rows = [{**row, "text": row["text"].upper() + "!"} for row in different(60)] + different(60)
    parts = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        arranged(tmp_path / name, rows, seed=seed)
        parts.append((tmp_path / name / "dev.jsonl").read_text())
    assert parts[0] == parts[1] != parts[2]
    sides = [
        {row["question"]["text"].casefold().strip("!") for row in lines(tmp_path / "a" / f"{part}.jsonl")}
        for part in ("train", "dev")
    ]
    assert sides[1]
    assert not sides[0] & sides[1]


def test_what_is_wrong_with_the_rows_is_said_with_their_lines(tmp_path: Path) -> None:
    rows = [
        *different(100),
        {"text": "film number 3 is good", "label": 1},
        {"text": "Film number 5 is GOOD!", "label": 0},
        {"text": "  ", "label": 1},
        {"text": "no label here", "label": None},
        {"text": "long " * 500, "label": 1},
    ]
    dev = write_jsonl(tmp_path / "dev_source.jsonl", [{"text": "film number 7 is good", "label": 1}, *toy_rows(2)])
    files = {"train": str(tmp_path / "source.jsonl"), "dev": str(dev)}
    report = arranged(tmp_path, rows, files=files, test_share=0.0)
    assert found(report, "duplicates")["lines"] == [101]
    assert found(report, "near_duplicates")["lines"] == [102]
    assert found(report, "conflicting_labels") | {"lines": []} == {
        "code": "conflicting_labels", "severity": "warning", "count": 1, "rows": 2, "lines": [],
    }  # fmt: skip
    assert found(report, "empty_texts")["lines"] == [103]
    assert found(report, "empty_labels")["lines"] == [104]
    assert found(report, "long_texts")["count"] == 1
    assert found(report, "leaks")["examples"] == [{"dev": 1, "train": 8}]
    assert found(report, "unknown_labels")["labels"] == LABELS
    assert report["skipped"] == {"train": 2, "dev": 2}
    assert report["rows"] == {"train": 103, "dev": 1}


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([*different(4), *({"text": "", "label": 1} for _ in range(6))], "too_many_empty"),
        ([{**row, "label": 1} for row in different(60)], "one_label"),
    ],
)
def test_rows_that_nobody_should_learn_from_are_not_written(
    tmp_path: Path, rows: list[dict[str, Any]], code: str
) -> None:
    report = arranged(tmp_path, rows, settings={"labels": ["0", "1"]})
    assert found(report, code)["severity"] == "error"
    assert not (tmp_path / "train.jsonl").exists()


def test_imbalance_and_rare_labels_are_counted(tmp_path: Path) -> None:
    rows = [{**row, "label": "rare" if n < 3 else "often"} for n, row in enumerate(different(63))]
    report = arranged(tmp_path, rows, dev_share=0.0, test_share=0.0)
    assert found(report, "imbalance")["ratio"] == 20.0
    assert found(report, "rare_labels")["labels"] == ["rare"]


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no column sentence.*text, label"):
        arranged(tmp_path, different(5), fields={"input": "sentence"})


def test_one_label_for_all_rows_is_nothing_to_learn(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="only one label, 'same'"):
        arranged(tmp_path, [{**row, "label": "same"} for row in different(60)])


def test_csv_with_other_columns_and_a_broken_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = "".join(f'"film, {n} times",{"yes" if n % 2 else "no"}\n' for n in range(60))
    path.write_text(f"review,verdict\n{rows}broken\n", encoding="utf-8")
    fields = {"input": "review", "target": "verdict"}
    report = arranged(tmp_path, [], files={"train": str(path)}, fields=fields)
    assert report["settings"]["labels"] == ["no", "yes"]
    assert report["columns"] == ["review", "verdict"]
    assert found(report, "unreadable")["lines"] == [62]


def test_tags_are_found_with_the_ones_that_the_data_lacks(tmp_path: Path) -> None:
    rows = [{"tokens": ["Ann", "of", f"York {n}"], "tags": ["B-PER", "O", "B-LOC"]} for n in range(60)]
    report = arranged(tmp_path, rows, task="token-classification")
    assert report["settings"]["labels"] == ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


def test_questions_about_one_passage_stay_together_and_keep_where_answers_begin(tmp_path: Path) -> None:
    rows = [
        {
            "question": f"Who came in year {n}?",
            "context": f"In year {n // 4} Ann came.",
            "answers": {"text": ["Ann"], "answer_start": [10]},
        }
        for n in range(80)
    ]
    arranged(tmp_path, rows, task="question-answering")
    parts = [lines(tmp_path / f"{part}.jsonl") for part in ("train", "dev")]
    assert parts[0][0]["gold"]["starts"] == [10]
    passages = [{row["question"]["context"] for row in part} for part in parts]
    assert not passages[0] & passages[1]
    assert set(lines(tmp_path / "test_gold.jsonl")[0]) == {"id", "answers", "passage"}


def test_the_test_part_is_what_prepare_would_make_of_it(tmp_path: Path) -> None:
    rows = [{**row, "label": LABELS[row["label"]]} for row in different(60)]
    test = write_jsonl(tmp_path / "test_source.jsonl", [{**row, "id": f"test-{n + 1}"} for n, row in enumerate(rows)])
    arranged(tmp_path, rows, files={"train": str(tmp_path / "source.jsonl"), "test": str(test)})
    prepare(
        PrepareSpec(
            task="text-classification",
            files={"test": str(test)},
            settings={"labels": LABELS},
            inputs=str(tmp_path / "inputs.jsonl"),
            gold=str(tmp_path / "gold.jsonl"),
        )
    )
    assert lines(tmp_path / "test_inputs.jsonl") == lines(tmp_path / "inputs.jsonl")
    assert lines(tmp_path / "test_gold.jsonl") == lines(tmp_path / "gold.jsonl")


def test_chinese_answers_are_measured_by_characters_unless_settings_say_otherwise(tmp_path: Path) -> None:
    rows = [{"source": f"I have {n} geese.", "target": f"我有{n}只 goose 鹅。"} for n in range(60)]
    asked: dict[str, Any] = {"task": "translation"}
    assert arranged(tmp_path, rows, **asked)["settings"] == {"bleu_tokenization": "zh"}
    assert arranged(tmp_path, rows, settings={"bleu_tokenization": "char"}, **asked)["settings"] == {
        "bleu_tokenization": "char"
    }
    other = [{"source": row["target"], "target": row["source"]} for row in rows]
    assert arranged(tmp_path, other, **asked)["settings"] == {}
