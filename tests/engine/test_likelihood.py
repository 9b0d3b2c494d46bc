"""Choices by likelihood, pairs of sentences and bits per byte, as lm-eval defines and names them."""

import math

import numpy as np
import pytest

from tests.engine.real_data import rows_of
from worker.engine.measures import likelihood
from worker.engine.statistics.resampling import draws_of


def test_choices_on_real_data_are_taken_as_lm_eval_takes_them():
    random = np.random.RandomState(0)
    for row in rows_of("noncommercial/cmmlu", 300) + rows_of("open/hellaswag", 300):
        choices = row["choices"]
        scores = -random.gamma(2.0, 8.0, size=len(choices))
        found = likelihood.chosen(scores, choices)
        # lm-eval 0.4.13, api/task.py: len(choice), and len(choice.encode()) for acc_bytes.
        assert found == {
            "acc": int(np.argmax(scores)),
            "acc_norm": int(np.argmax(scores / np.array([float(len(c)) for c in choices]))),
            "acc_bytes": int(np.argmax(scores / np.array([float(len(c.encode("utf-8"))) for c in choices]))),
        }


def test_hand_computed_choices():
    # As it is: b. By character: -6/6, -5/2, -9/9 and so a, the first of two. By byte: -6/6, -5/6, -9/9.
    assert likelihood.chosen([-6.0, -5.0, -9.0], ["abcdef", "很好", "abcdefghi"]) == {
        "acc": 1,
        "acc_norm": 0,
        "acc_bytes": 1,
    }


def test_accuracy_counts_each_rule_apart():
    picks = [{"acc": 0, "acc_norm": 1, "acc_bytes": 1}, {"acc": 2, "acc_norm": 2, "acc_bytes": 0}]
    found = likelihood.choice_accuracy([1, 2], picks)
    assert {name: values.tolist() for name, values in found.items()} == {
        "acc": [0.0, 1.0],
        "acc_norm": [1.0, 1.0],
        "acc_bytes": [1.0, 0.0],
    }


def test_bits_per_byte_of_a_uniform_guess_are_eight():
    rows = [row["text"].encode() for row in rows_of("open/song_ci_poems", 50)]
    sizes = np.array([float(len(row)) for row in rows])
    found = likelihood.bits_per_byte(-sizes * math.log(256), sizes)
    assert found.value() == pytest.approx(8.0, abs=1e-12)
    assert likelihood.byte_perplexity(-sizes * math.log(256), sizes).value() == pytest.approx(256.0, abs=1e-9)


def test_hand_computed_bits_per_byte():
    # Three and six bits over two and four bytes; long texts weigh more.
    logs, sizes = np.log([1 / 8, 1 / 64, 1.0]), np.array([2.0, 4.0, 3.0])
    assert likelihood.bits_per_byte(logs, sizes).value() == pytest.approx(9 / 9)
    assert likelihood.byte_perplexity(logs, sizes).value() == pytest.approx(2.0)


def test_resampled_bits_are_those_of_the_drawn_texts():
    random = np.random.RandomState(1)
    logs, sizes = -random.gamma(2.0, 20.0, size=30), random.randint(5, 60, 30).astype(float)
    weights = next(draws_of(30, draws=10, seed=0))
    for weight, value in zip(weights, likelihood.bits_per_byte(logs, sizes).resampled(weights), strict=True):
        drawn = np.repeat(np.arange(30), weight.astype(int))
        assert value == pytest.approx(-logs[drawn].sum() / math.log(2) / sizes[drawn].sum(), abs=1e-12)


def test_a_pair_is_won_only_by_the_more_likely_sentence():
    found = likelihood.preferred(np.array([-1.0, -2.0, -3.0]), np.array([-1.5, -2.0, -1.0]))
    assert found.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ["open/blimp", "open/sling_zh"])
def test_phenomena_are_averaged_apart(name):
    rows = rows_of(name)
    values = likelihood.preferred(
        np.array([-float(len(row["good"])) for row in rows]), np.array([-float(len(row["bad"])) for row in rows])
    )
    groups = [row["phenomenon"] for row in rows]
    found = {row["group"]: (row["n"], row["value"]) for row in likelihood.by_group(values, groups)}
    assert sum(n for n, _ in found.values()) == len(rows)
    for name_of_group in set(groups):
        chosen = [value for value, group in zip(values, groups, strict=True) if group == name_of_group]
        assert found[name_of_group] == (len(chosen), pytest.approx(sum(chosen) / len(chosen), abs=1e-9))
