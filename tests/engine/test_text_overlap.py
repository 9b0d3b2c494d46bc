"""Texts are compared as sacrebleu and rouge-score do, and their numbers can be resampled."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from tests.engine.real_data import rows_of
from worker.engine.measures import text_overlap
from worker.engine.statistics.resampling import draws_of

TEXTS = (
    ["The cat sat on the mat.", "It is raining today", "", "a", "exactly the same sentence here"],
    [
        ["The cat is sitting on the mat.", "A cat sat on a mat."],
        ["It rains today."],
        ["something"],
        ["a b c d e"],
        ["exactly the same sentence here"],
    ],
)


class Characters:
    """What is handed to rouge-score for Chinese: the tokens that we take."""

    def tokenize(self, text: str) -> list[str]:
        return text_overlap.rouge_tokens(text, "zh")


def streams(references: Sequence[Sequence[str]]) -> list[list[str | None]]:
    most = max(map(len, references))
    return [[texts[i] if i < len(texts) else None for texts in references] for i in range(most)]


def shuffled(texts: list[str], seed: int) -> list[str]:
    """Translations with some characters gone and some words moved."""
    chance = random.Random(seed)
    found = []
    for text in texts:
        kept = [c for c in text if chance.random() > 0.08]
        cut = chance.randrange(len(kept) + 1)
        found.append("".join(kept[cut:] + kept[:cut]) if chance.random() < 0.4 else "".join(kept))
    return found


def real(language: str) -> tuple[list[str], list[list[str]]]:
    texts = [row[language] for row in rows_of("open/tatoeba_en_zh", 400)]
    return shuffled(texts, 1), [[text] for text in texts]


def cases() -> list[tuple[str, str]]:
    return [("source", "13a"), ("source", "intl"), ("target", "zh"), ("target", "char")]


@pytest.mark.parametrize(("language", "tokenization"), cases())
def test_bleu_on_real_data_equals_sacrebleu(language, tokenization):
    predictions, references = real(language)
    reference = BLEU(tokenize=tokenization)
    expected = reference.corpus_score(predictions, streams(references)).score / 100
    found = text_overlap.bleu(predictions, references, tokenization)
    assert found.statistic.value() == pytest.approx(expected, abs=1e-9)
    assert found.signature == str(reference.get_signature())
    assert 0.2 < expected < 0.95


@pytest.mark.parametrize("language", ["source", "target"])
def test_chrf_on_real_data_equals_sacrebleu(language):
    predictions, references = real(language)
    reference = CHRF(word_order=2)
    expected = reference.corpus_score(predictions, streams(references)).score / 100
    found = text_overlap.chrf(predictions, references)
    assert found.statistic.value() == pytest.approx(expected, abs=1e-9)
    assert found.signature == str(reference.get_signature())


def test_several_references_equal_sacrebleu():
    predictions, references = TEXTS
    expected = BLEU().corpus_score(predictions, streams(references)).score / 100
    assert text_overlap.bleu(predictions, references, "13a").statistic.value() == pytest.approx(expected, abs=1e-9)
    expected = CHRF(word_order=2).corpus_score(predictions, streams(references)).score / 100
    assert text_overlap.chrf(predictions, references).statistic.value() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "predictions", [["a b c d e"], ["a b x c d"], ["a x"], ["x y z"], [""], ["a b c x y z a b c x"]]
)
def test_smoothing_equals_sacrebleu(predictions):
    references = [["a b c d e f"]]
    expected = BLEU().corpus_score(predictions, streams(references)).score / 100
    assert text_overlap.bleu(predictions, references, "13a").statistic.value() == pytest.approx(expected, abs=1e-9)


def test_resampled_scores_equal_sacrebleu_on_the_drawn_texts():
    predictions, references = real("source")
    predictions, references = predictions[:40], references[:40]
    weights = next(draws_of(40, draws=8, seed=1))
    bleu = text_overlap.bleu(predictions, references, "13a").statistic.resampled(weights)
    chrf = text_overlap.chrf(predictions, references).statistic.resampled(weights)
    for row, weight in enumerate(weights):
        drawn = np.repeat(np.arange(40), weight.astype(int))
        texts, golds = [predictions[i] for i in drawn], [[references[i][0] for i in drawn]]
        assert bleu[row] == pytest.approx(BLEU().corpus_score(texts, golds).score / 100, abs=1e-9)
        assert chrf[row] == pytest.approx(CHRF(word_order=2).corpus_score(texts, golds).score / 100, abs=1e-9)


def test_rouge_on_real_data_equals_rouge_score():
    predictions, references = real("source")
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    assert_equal_to(scorer, predictions, references, "words")


def test_rouge_of_chinese_equals_rouge_score_with_characters():
    predictions, references = real("target")
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=Characters())
    assert_equal_to(scorer, predictions, references, "zh")
    assert text_overlap.rouge(predictions, references, "words")["rouge1"].mean() < 0.1


def test_rouge_takes_the_best_reference_of_each_kind():
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    assert_equal_to(scorer, *TEXTS, "words")


def assert_equal_to(scorer: RougeScorer, predictions: list[str], references: list[list[str]], tokenization) -> None:
    found = text_overlap.rouge(predictions, references, tokenization)
    for row, (prediction, texts) in enumerate(zip(predictions, references, strict=True)):
        expected = scorer.score_multi(texts, prediction)
        for name, values in found.items():
            assert values[row] == pytest.approx(expected[name].fmeasure, abs=1e-9), (name, prediction)


def test_hand_computed_rouge():
    found = text_overlap.rouge(["the cat on mat"], [["the cat sat on the mat"]], "words")
    # Four shared of four and six; one shared pair of three and five; four in order.
    assert found["rouge1"][0] == pytest.approx(2 * 4 / 10)
    assert found["rouge2"][0] == pytest.approx(2 * 1 / 8)
    assert found["rougeL"][0] == pytest.approx(2 * 4 / 10)


def test_longest_common_subsequence_equals_the_table():
    chance = random.Random(0)
    for _ in range(50):
        a, b = ("".join(chance.choice("abc") for _ in range(chance.randrange(90))) for _ in range(2))
        table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
        for i in range(len(a)):
            for j in range(len(b)):
                table[i + 1][j + 1] = table[i][j] + 1 if a[i] == b[j] else max(table[i][j + 1], table[i + 1][j])
        assert text_overlap.longest_common_subsequence(a, b) == table[-1][-1]
