"""Answers in passages are compared by the rules of SQuAD and CMRC 2018, to the letter."""

import random
import re
import string
from collections import Counter

import numpy as np
import pytest
from nltk.tokenize.destructive import NLTKWordTokenizer

from tests.engine.real_data import rows_of
from worker.engine.measures import spans

SIGNS = [*"-:_*^/\\~`+=，。：？！“”；’《》", "……", *"·、「」（）－～『』"]


def squad_reference(golds: list[str], prediction: str) -> tuple[float, float]:
    """The published rule, written again slowly."""

    def normal(text: str) -> list[str]:
        kept = "".join(" " if c.isspace() else c for c in text.lower() if c not in set(string.punctuation))
        return re.sub(r"\b(a|an|the)\b", " ", kept).split()

    exact, best = 0.0, 0.0
    wanted = [gold for gold in golds if normal(gold)] or [""]
    for gold in wanted:
        ours, theirs = normal(prediction), normal(gold)
        exact = max(exact, float(" ".join(ours) == " ".join(theirs)))
        if not ours or not theirs:
            best = max(best, float(ours == theirs))
            continue
        shared = sum((Counter(ours) & Counter(theirs)).values())
        if shared:
            precision, recall = shared / len(ours), shared / len(theirs)
            best = max(best, 2 * precision * recall / (precision + recall))
    return exact, best


def cmrc_reference(golds: list[str], prediction: str) -> tuple[float, float]:
    """The rule of the official script with the tokenizer it calls, and the table of common pieces in full."""

    def segments(text: str) -> list[str]:
        found, word = [], ""
        for character in text.lower().strip():
            if character in SIGNS:
                continue
            if re.search("[\u4e00-\u9fa5]", character):
                found += [*NLTKWordTokenizer().tokenize(word), character]
                word = ""
            else:
                word += character
        return found + NLTKWordTokenizer().tokenize(word)

    def common(a: list[str], b: list[str]) -> int:
        table, best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)], 0
        for i, j in ((i, j) for i in range(len(a)) for j in range(len(b))):
            if a[i] == b[j]:
                table[i + 1][j + 1] = table[i][j] + 1
                best = max(best, table[i + 1][j + 1])
        return best

    exact, best = 0.0, 0.0
    for gold in golds:
        plain = ["".join(c for c in text.lower().strip() if c not in SIGNS) for text in (gold, prediction)]
        exact = max(exact, float(plain[0] == plain[1]))
        ours, theirs = segments(prediction), segments(gold)
        if shared := common(theirs, ours):
            precision, recall = shared / len(ours), shared / len(theirs)
            best = max(best, 2 * precision * recall / (precision + recall))
    return exact, best


def guesses(rows: list[dict], seed: int) -> tuple[list[list[str]], list[str]]:
    """The right text, a longer or shorter one, one of another case, any other piece, and none."""
    chance = random.Random(seed)
    golds, predictions = [], []
    for row in rows:
        text, start = row["answers"][0]["text"], row["answers"][0]["start"]
        context = row["context"]
        other = chance.randrange(len(context))
        golds.append([answer["text"] for answer in row["answers"]])
        predictions.append(
            chance.choice(
                [
                    text,
                    context[max(0, start - 6) : start + len(text) + 3],
                    text[: max(1, len(text) // 2)],
                    f" The {text.upper()}. ",
                    context[other : other + 20],
                    "",
                ]
            )
        )
    return golds, predictions


def test_squad_on_real_data_equals_the_published_rule():
    golds, predictions = guesses(rows_of("open/xquad_en"), 1)
    found = spans.squad(golds, predictions)
    expected = np.array([squad_reference(*pair) for pair in zip(golds, predictions, strict=True)])
    assert found["exact_match"] == pytest.approx(expected[:, 0], abs=1e-9)
    assert found["f1"] == pytest.approx(expected[:, 1], abs=1e-9)
    assert 0.1 < found["exact_match"].mean() < found["f1"].mean() < 0.9


def test_cmrc_on_real_data_equals_the_official_rule():
    golds, predictions = guesses(rows_of("open/cmrc2018", 400), 2)
    found = spans.cmrc(golds, predictions)
    expected = np.array([cmrc_reference(*pair) for pair in zip(golds, predictions, strict=True)])
    assert found["exact_match"] == pytest.approx(expected[:, 0], abs=1e-9)
    assert found["f1"] == pytest.approx(expected[:, 1], abs=1e-9)
    assert 0.1 < found["exact_match"].mean() < found["f1"].mean() < 0.9


@pytest.mark.parametrize("name", ["open/xquad_en", "open/cmrc2018"])
def test_words_are_parted_as_the_reference_does(name):
    reference = NLTKWordTokenizer()
    for row in rows_of(name, 300):
        for text in re.split("[\u4e00-\u9fa5]+", row["context"].lower()):
            assert spans.words_of(text) == reference.tokenize(text)


@pytest.mark.parametrize(
    "text",
    [
        "don't, can't: they'll say \"no\" (3.5%)...",
        "'tis the u.s. economy -- 'twas 1,000.5!",
        "gonna cannot gimme",
        "`a' b's",
        "",
    ],
)
def test_words_with_signs_are_parted_as_the_reference_does(text):
    assert spans.words_of(text) == NLTKWordTokenizer().tokenize(text)


def test_hand_computed_squad_scores():
    found = spans.squad([["the Saxon Garden", "Ogród Saski"]] * 3, ["Saxon Garden!", "a big Saxon house", "Ogród"])
    assert found["exact_match"].tolist() == [1.0, 0.0, 0.0]
    # One of three words and one of two; then one of one and one of two.
    assert found["f1"] == pytest.approx([1.0, 2 / 5, 2 / 3])


def test_hand_computed_cmrc_scores():
    found = spans.cmrc([["今天天气很好"], ["光荣和ω-force"]], ["今天天气好", "光荣，和ω-Force。"])
    # Four of five characters in a row, and four of six.
    assert found["f1"] == pytest.approx([8 / 11, 1.0])
    assert found["exact_match"].tolist() == [0.0, 1.0]


def test_a_dropped_sign_does_not_part_words():
    assert spans.segment_cmrc("《GPT-2》模型 v1.5") == ["gpt2", "模", "型", "v1.5"]


@pytest.mark.parametrize("rule", [spans.squad, spans.cmrc])
def test_a_question_without_answer_is_met_by_silence(rule):
    found = rule([[], []], ["", "something"])
    assert found["exact_match"].tolist() == [1.0, 0.0]
    assert found["f1"].tolist() == [1.0, 0.0]


def test_longest_common_piece():
    assert spans.longest_common_piece("xabcy", "zabcabc") == 3
    assert spans.longest_common_piece("abc", "") == 0
    assert spans.longest_common_piece("aaa", "bbb") == 0
