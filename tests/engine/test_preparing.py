"""A benchmark file becomes questions without answers, or an error that names the line."""

import json

import pytest

from tests.engine.builders import LABELS, write_jsonl
from worker.engine.contracts import EngineError, PrepareSpec
from worker.engine.rows import prepare, read_questions


@pytest.fixture
def run(tmp_path):
    def prepare_file(content: str | bytes, name: str = "test.jsonl", **fields: str) -> int:
        data = tmp_path / name
        data.write_bytes(content.encode() if isinstance(content, str) else content)
        return prepare(
            PrepareSpec(
                task="text-classification",
                files={"test": str(data)},
                fields=fields,
                settings={"labels": LABELS},
                inputs=str(tmp_path / "inputs.jsonl"),
                gold=str(tmp_path / "gold.jsonl"),
            )
        )

    return prepare_file


def lines(path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_questions_hold_no_answer_and_answers_no_question(run, tmp_path):
    assert run('{"text": "很好\u2028really", "label": "positive"}\n\n{"id": "b", "text": "no", "label": 0}\n') == 2
    assert lines(tmp_path / "gold.jsonl") == [{"id": "0", "label": "positive"}, {"id": "b", "label": "negative"}]
    assert [set(row) for row in lines(tmp_path / "inputs.jsonl")] == [{"id", "text"}] * 2
    assert read_questions(tmp_path / "inputs.jsonl").values[0]["text"] == "很好\u2028really"


def test_pairs_and_other_column_names_come_from_csv_too(run, tmp_path):
    run('s1,s2,y\n"a, b",c,1\nd,"e\nf",negative\n', "test.csv", input="s1", input2="s2", target="y")
    assert lines(tmp_path / "inputs.jsonl")[1] == {"id": "1", "text": "d", "text2": "e\nf"}
    assert [row["label"] for row in lines(tmp_path / "gold.jsonl")] == ["positive", "negative"]


def test_a_file_without_a_telling_name_is_recognised(run):
    assert run("text,label\nx,positive\n", "0a1b2c") == 1
    assert run('\ufeff{"text": "x", "label": "positive"}\n', "0a1b2c") == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no rows"),
        ('{"text": "x"}\n', 'line 1: it has no field "label"'),
        ('{"text": "x", "label": "positive"}\n{"text": "x", "label": "other"}\n', "line 2: .*not one of the labels"),
        ('{"text": "x", "label": 2}\n', "not one of the labels"),
        ('{"text": "x", "label": true}\n', "not one of the labels"),
        ('{"text": " ", "label": 1}\n', "not empty"),
        ('{"text": "\\ud800", "label": 1}\n', "surrogate"),
        ('{"id": "a", "text": "x", "label": 1}\n{"id": "a", "text": "y", "label": 1}\n', "used twice"),
        ('{"id": 1.5, "text": "x", "label": 1}\n', "whole number"),
        ('{"text": "x", "text": "y", "label": 1}\n', "a key is given twice"),
        ("[1]\n", "JSON object"),
        ('{"text": NaN, "label": 1}\n', "not JSON"),
        ("[" * 100_000 + "\n", "not JSON"),
        (b'{"text": "\xff", "label": 1}\n', "not UTF-8"),
    ],
)
def test_rows_that_cannot_be_used_are_named(run, content, says):
    with pytest.raises(EngineError, match=says) as caught:
        run(content)
    assert caught.value.code == "bad_data"


@pytest.mark.parametrize("content", ["text,label\nx\n", "text,text\nx,positive\n", 'text,label\n"x,positive\n'])
def test_broken_csv_is_refused(run, content):
    with pytest.raises(EngineError) as caught:
        run(content, "test.csv")
    assert caught.value.code == "bad_data"


def test_a_missing_file_is_a_typed_error(tmp_path):
    write_jsonl(tmp_path / "other.jsonl", [])
    with pytest.raises(EngineError, match="cannot be read"):
        read_questions(tmp_path / "absent.jsonl")
