"""Files of predictions: what is taken, and how wrong lines are named."""

import json

import pytest

from leaderboard.challenges import answer_files
from leaderboard.challenges.answer_files import BadAnswers, read
from leaderboard.models import Challenge
from portal.errors import TooLarge

LABELS = ["negative", "positive"]


def of(task: str, **settings: object) -> Challenge:
    return Challenge(task=task, labels=LABELS, settings=settings)


def lines(challenge: Challenge, raw: str | bytes, name: str = "a.csv", rows: int = 2) -> list[dict]:
    data = raw.encode() if isinstance(raw, str) else raw
    return [json.loads(line) for line in read(challenge, name, [data[:5], data[5:]], rows)]


def refusal(raw: str | bytes, name: str = "a.csv", task: str = "text-classification", rows: int = 2) -> BadAnswers:
    with pytest.raises(BadAnswers) as caught:
        lines(of(task), raw, name, rows)
    return caught.value


def test_labels_become_what_the_engine_reads_in_the_order_of_the_ids() -> None:
    found = lines(of("text-classification"), "\ufeffid,label\n2,positive\n\n1,negative\n")
    assert found == [
        {"id": "1", "label": "negative", "scores": {"negative": 1.0, "positive": 0.0}},
        {"id": "2", "label": "positive", "scores": {"negative": 0.0, "positive": 1.0}},
    ]


def test_a_column_for_each_label_holds_probabilities() -> None:
    found = lines(of("text-classification"), "id,negative,positive\n1,0.25,0.75\n2,0.9,0.1005\n")
    assert [row["label"] for row in found] == ["positive", "negative"]
    assert sum(found[1]["scores"].values()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("task", "row", "value"),
    [
        ("multi-label-classification", {"labels": ["positive"]}, ["positive"]),
        ("text-regression", {"value": 2.5}, 2.5),
        ("sentence-similarity", {"similarity": -1}, -1),
        ("question-answering", {"text": "Dogs"}, "Dogs"),
        ("text-generation", {"text": ""}, ""),
    ],
)
def test_each_kind_of_answer_is_taken_from_json_lines(task: str, row: dict, value: object) -> None:
    [found] = lines(of(task), json.dumps({"id": 1, **row}), "a.jsonl", rows=1)
    assert found[next(iter(row))] == value


def test_every_wrong_line_is_named_with_its_number() -> None:
    error = refusal("id,label\n1,good\n1,positive\n1,positive\n9,positive\n2\n", rows=3)
    assert [one["line"] for one in error.data["lines"]] == [2, 3, 4, 5, 6]
    assert "line 2: “good” is none of the labels" in error.message
    assert "was on line 2 already" in error.message
    assert "2 ids are missing: 2, 3" in error.message


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"id,label\n1,\xff\n", "a.csv"),
        ("label\npositive\n", "a.csv"),
        ('id,label\n1,"positive\n', "a.csv"),
        ("id,label\n1,positive\x00\n2,negative\n", "a.csv"),
        ('{"id": 1, "label": NaN}\n{"id": 2, "label": 1e999}', "a.jsonl"),
        ("[" * 100_000, "a.jsonl"),
        ('{"id": true, "label": "positive"}', "a.jsonl"),
        ('{"id": ' + "9" * 5000 + "}", "a.jsonl"),
        ('{"id": 1, "scores": {"negative": -0.5, "positive": 1.5}}', "a.jsonl"),
        ('{"id": 1, "label": "' + "x" * 300_000 + '"}', "a.jsonl"),
        ("", "a.jsonl"),
    ],
)
def test_hostile_files_are_refused(raw: str | bytes, name: str) -> None:
    assert refusal(raw, name).code == "bad_predictions"


def test_a_large_file_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_files, "MAX_BYTES", 10)
    with pytest.raises(TooLarge):
        lines(of("text-classification"), "id,label\n1,positive\n")
