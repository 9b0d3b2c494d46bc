"""Wrong answers of models that read passages, with both answers marked."""

from types import SimpleNamespace

import pytest

from leaderboard.passages import wrong_answers

FIELDS = {"input": "question", "context": "context", "target": "answers"}
ROW = {"question": "Who sleeps?", "context": "Dogs bark. The cats sleep, and dogs dream.", "answers": ["the cats"]}


def shown(row: dict, answer: dict) -> list:
    return wrong_answers(SimpleNamespace(fields=FIELDS), [(ROW | row, {"id": "a"} | answer)])


@pytest.mark.parametrize("text", ["The cats", "cats", "CATS!"])
def test_an_answer_that_differs_in_case_signs_and_articles_is_not_wrong(text):
    assert shown({}, {"text": text, "start": 11}) == []


def test_the_given_answer_is_marked_where_it_was_found():
    (mistake,) = shown({"answers": {"text": ["cats"], "answer_start": [15]}}, {"text": "dogs", "start": 31})
    marks = [(piece.text, piece.verdict) for piece in mistake.pieces if piece.verdict]
    assert marks == [("cats", "missed"), ("dogs", "wrong")]
    assert (mistake.text, mistake.label, mistake.answer) == ("Who sleeps?", "cats", "dogs")


def test_the_part_of_the_answer_that_was_found_is_told_from_the_rest():
    (mistake,) = shown({"answers": [{"text": "The cats sleep", "start": 11}]}, {"text": "sleep", "start": 20})
    assert [(piece.text, piece.verdict) for piece in mistake.pieces if piece.verdict] == [
        ("The cats ", "missed"),
        ("sleep", "right"),
    ]


def test_no_answer_is_named_on_either_side():
    (silent,) = shown({}, {"text": "", "start": None})
    assert (silent.label, silent.answer) == ("the cats", "no answer")
    (invented,) = shown({"answers": {"text": [], "answer_start": []}}, {"text": "dogs", "start": 31})
    assert (invented.label, invented.answer) == ("no answer", "dogs")
    assert shown({"answers": []}, {"text": "", "start": None}) == []


@pytest.mark.parametrize("answers", ['["the cats"]', "the cats", '{"text": ["the cats"]}', {"text": ["the cats"]}])
def test_answers_are_read_as_the_engine_reads_them(answers):
    (mistake,) = shown({"answers": answers}, {"text": "dogs", "start": 31})
    assert mistake.label == "the cats"


@pytest.mark.parametrize(
    ("row", "answer"),
    [({"context": 3}, {"text": "x"}), ({}, {"text": 3}), ({"answers": 3}, {"text": "x", "start": "y"}), ({}, {})],
)
def test_rows_of_any_shape_are_no_error(row, answer):
    assert len(shown(row, answer)) <= 1
