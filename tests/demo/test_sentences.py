"""The committed sentences keep what the card promises."""

from collections import Counter
from dataclasses import replace

import pytest

from demo.sentences import LABELS, LANGUAGES, PHENOMENA, Sentence, near_duplicates, read_sources

PLAN = {"plain": 280, "negation": 90, "mixed": 72, "irony": 62, "comparison": 36, "understatement": 20}


@pytest.fixture(scope="module")
def sentences() -> list[Sentence]:
    return read_sources()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_language_has_560_sentences_with_stable_ids(sentences, lang):
    ids = [row.id for row in sentences if row.lang == lang]
    assert ids == [f"{lang}-{number:04d}" for number in range(1, 561)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_phenomena_are_as_planned(sentences, lang):
    assert Counter(row.phenomenon for row in sentences if row.lang == lang) == PLAN
    assert set(PLAN) == set(PHENOMENA)


def test_labels_are_balanced_within_each_topic_and_language(sentences):
    counts = Counter((row.lang, row.topic, row.label) for row in sentences)
    assert {label for _lang, _topic, label in counts} == set(LABELS)
    for lang, topic, _label in counts:
        assert counts[lang, topic, "positive"] == counts[lang, topic, "negative"]


def test_both_languages_follow_the_same_plan(sentences):
    plans = [
        Counter((row.topic, row.label, row.phenomenon) for row in sentences if row.lang == lang) for lang in LANGUAGES
    ]
    assert plans[0] == plans[1]


def test_length_does_not_give_the_label_away(sentences):
    for lang in LANGUAGES:
        means = []
        for label in LABELS:
            lengths = [len(row.text) for row in sentences if (row.lang, row.label) == (lang, label)]
            assert min(lengths) < 20 < max(lengths)
            means.append(sum(lengths) / len(lengths))
        assert means[0] == pytest.approx(means[1], rel=0.05)


def test_chinese_is_written_in_chinese_and_english_in_english(sentences):
    for row in sentences:
        has_chinese = any("\u4e00" <= character <= "\u9fff" for character in row.text)
        assert has_chinese == (row.lang == "zh"), row.id
        assert row.text == row.text.strip()


def test_no_two_sentences_are_nearly_the_same(sentences):
    assert near_duplicates(sentences) == []


@pytest.mark.parametrize(
    ("lang", "text", "other"),
    [
        ("en", "The soup was hot and fresh.", "The soup was hot, and fresh!"),
        ("zh", "这家的汤又热又鲜，真好喝。", "这家的汤又热又鲜，真好喝！"),
    ],
)
def test_a_sentence_with_other_punctuation_is_a_near_duplicate(lang, text, other):
    one = Sentence("1", text, "positive", lang, "food", "plain")
    two = replace(one, id="2", text=other)
    far = replace(one, id="3", text="Nothing alike." if lang == "en" else "完全是另外一回事。")
    assert near_duplicates([one, far, two]) == [(one, two)]
