"""Batches hold every row once, keep to the budget and waste little."""

import random

import pytest

from worker.engine.batching import plan_batches, training_batches


def lengths_of(count: int) -> list[int]:
    return [random.Random(index).randint(3, 60) for index in range(count)]


def test_every_row_is_in_one_batch_and_no_batch_breaks_the_budget():
    lengths = lengths_of(500)
    batches = plan_batches(lengths, 256)
    assert sorted(index for batch in batches for index in batch) == list(range(500))
    assert all(len(batch) * max(lengths[index] for index in batch) <= 256 for batch in batches)


def test_a_row_over_the_budget_goes_alone():
    assert plan_batches([5, 900, 5], 100) == [[1], [0, 2]]


def test_rows_can_be_kept_apart():
    assert plan_batches([3, 3, 3], 100, max_rows=1) == [[0], [1], [2]]


def test_training_batches_are_fixed_by_the_seed_and_differ_from_epoch_to_epoch():
    lengths = lengths_of(300)
    rng = random.Random(1)
    first, second = training_batches(lengths, 200, rng), training_batches(lengths, 200, rng)
    assert first != second
    assert first == training_batches(lengths, 200, random.Random(1))
    assert sorted(index for batch in second for index in batch) == list(range(300))


def test_training_batches_are_mostly_real_tokens():
    lengths = lengths_of(2000)
    batches = training_batches(lengths, 800, random.Random(0))
    padded = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    assert sum(lengths) / padded == pytest.approx(1, abs=0.08)
