"""Counting which rows of a test are found again in other texts."""

from leaderboard.ngrams import Shared, shared

WORDS = [f"word{n}" for n in range(40)]
CHINESE = "今天的天气非常好我们一起去公园散步"


def compare(test: list[list[str]], others: list[list[str]]) -> Shared:
    return shared(lambda: test, others)


def test_a_run_of_thirteen_words_is_found_whatever_surrounds_it_and_however_it_is_set():
    row = " ".join(WORDS[:20])
    other = "Before, " + ", ".join(WORDS[3:16]).upper() + "; after."
    assert compare([[row]], [[other]]) == Shared(tested=1, shared=1, short=0, rows=1, is_whole=True)


def test_twelve_words_are_not_enough():
    assert compare([[" ".join(WORDS[:20])]], [["x " + " ".join(WORDS[3:15]) + " y"]]).shared == 0


def test_eight_chinese_characters_are_found_across_punctuation():
    assert compare([[CHINESE]], [["前文。" + CHINESE[4:8] + "，" + CHINESE[8:12] + "。hello"]]).shared == 1
    assert compare([[CHINESE]], [["另外" + CHINESE[4:11] + "其他"]]).shared == 0


def test_short_rows_count_when_a_whole_text_is_the_same():
    found = compare(
        [["a nice short film"], ["a dull short film"]], [["A nice, short film."], ["and a dull short film too"]]
    )
    assert (found.tested, found.shared, found.short) == (2, 1, 2)


def test_rows_too_short_to_say_anything_are_not_compared():
    assert compare([["yes"], ["不好"], [""], []], [["yes"], ["不好"]]).tested == 0


def test_a_phrase_that_many_rows_have_in_common_proves_nothing():
    phrase = " ".join(WORDS[:15])
    rows = [[f"{phrase} {n}"] for n in range(30)]
    assert compare(rows, [[f"{phrase} and more"]]).shared == 0
    assert compare([*rows, [" ".join(WORDS[20:40])]], [[" ".join(WORDS[20:40])]]).shared == 1


def test_any_text_of_a_row_may_be_the_one():
    assert compare([["unseen words here now", " ".join(WORDS[:13])]], [["x", " ".join(WORDS)]]).shared == 1
