"""Short answers are read and compared as people would."""

from decimal import Decimal

import pytest

from tests.engine.real_data import rows_of
from worker.engine.measures import text_answers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("She makes 9 * 2 = <<9*2=18>>18.\n#### 18", 18),
        ("#### 1,234", 1234),
        ("#### $70,000.50 and 3 more", Decimal("70000.5")),
        ("The answer is 42.", 42),
        ("First 3, then -7", -7),
        ("答案是１２个。", 12),
        ("about .5", Decimal("0.5")),
        ("#### unknown", None),
        ("no number", None),
        ("", None),
    ],
)
def test_the_number_of_an_answer(text, number):
    assert text_answers.number_in(text) == number


@pytest.mark.parametrize("name", ["open/gsm8k", "open/mgsm_zh"])
def test_solutions_of_real_data_come_to_their_number(name):
    rows = rows_of(name)
    found = text_answers.same_number([row["final"] for row in rows], [row["answer"] for row in rows])
    assert found.mean() == 1.0
    assert text_answers.same_number([row["final"] for row in rows], ["#### 0.123"] * len(rows)).sum() == 0


def test_the_same_number_may_be_written_in_other_ways():
    assert text_answers.same_number(["18", "18", "1000"], ["18.00", "eighteen", "1,000"]).tolist() == [1.0, 0.0, 1.0]


def test_a_monstrous_number_is_read_no_further():
    assert text_answers.number_in("9" * 100_000) is not None


def test_exact_match_heeds_neither_case_nor_signs_nor_width():
    golds = [["Paris"], ["北京"], ["1.5"], ["a b"], ["yes", "true"]]
    predictions = [" paris. ", "北京。", "１.５", "a  b", "True"]
    assert text_answers.exact_match(golds, predictions).tolist() == [1.0] * 5


def test_exact_match_can_be_strict():
    golds, predictions = [["Paris"], ["Paris"]], ["paris", "Paris."]
    assert text_answers.exact_match(golds, predictions, ignore_case=False).tolist() == [0.0, 1.0]
    assert text_answers.exact_match(golds, predictions, ignore_punctuation=False).tolist() == [1.0, 0.0]
