"""What a perturbation costs is counted on the same examples."""

import numpy as np
import pytest

from worker.engine.perturbing import summary
from worker.engine.statistics.resampling import mean_of

CLEAN = np.array([1.0, 1, 1, 1, 0, 0, 1, 1, 0, 1])
PERTURBED = np.array([1.0, 0, 1, 0, 0, 1, 1, 0, 0, 1])
CHANGED = np.array([1.0, 1, 1, 1, 1, 1, 1, 1, 0, 0])
FLIPPED = np.array([0.0, 1, 0, 1, 0, 1, 0, 1, 0, 0])


def test_the_drop_has_the_paired_interval():
    found = summary.of_items(CLEAN, PERTURBED, flipped=FLIPPED, changed=CHANGED)
    # Differences: three of +1, one of -1, six of 0; mean .2, sum of squares 4 - 10 * .04 = 3.6.
    error = np.sqrt(3.6 / 90)
    assert (found.n, found.changed, found.clean, found.perturbed) == (10, 8, 0.7, 0.5)
    assert found.drop.difference == pytest.approx(0.2)
    assert found.drop.low == pytest.approx(0.2 - 1.959963984540054 * error)
    assert found.drop.high == pytest.approx(0.2 + 1.959963984540054 * error)


def test_flips_are_counted_where_the_text_changed():
    found = summary.of_items(CLEAN, PERTURBED, flipped=FLIPPED, changed=CHANGED)
    assert found.flips is not None
    assert found.flips.value == 0.5
    assert (found.flips.low, found.flips.high) == pytest.approx((0.21521, 0.78479), abs=1e-5)


def test_where_nothing_changed_there_is_no_flip_rate():
    found = summary.of_items(CLEAN, CLEAN, flipped=0 * FLIPPED, changed=0 * CHANGED)
    assert found.flips is None
    assert found.as_json()["flip_rate"] is None
    assert (found.drop.low, found.drop.high) == (0.0, 0.0)


def test_a_measure_of_the_corpus_is_resampled_together():
    clean, perturbed = mean_of(CLEAN), mean_of(PERTURBED)
    found = summary.of_corpus(clean, perturbed, flipped=FLIPPED, changed=CHANGED, draws=4000, seed=1)
    assert found.drop.difference == pytest.approx(0.2)
    assert found.drop.low < 0.2 < found.drop.high
    assert found.drop.high - found.drop.low == pytest.approx(2 * 1.96 * np.sqrt(3.6 / 100), rel=0.1)


def test_clusters_keep_their_examples_together():
    clusters = np.repeat(np.arange(5), 2)
    found = summary.of_items(CLEAN, PERTURBED, flipped=FLIPPED, changed=CHANGED, clusters=clusters)
    # Sums of deviations from .2 by pair: .6, .6, -1.4, .6, -.4.
    error = np.sqrt(0.36 * 3 + 1.96 + 0.16) / 10
    assert found.drop.high - found.drop.difference == pytest.approx(1.959963984540054 * error)
    assert found.flips is not None
    assert found.flips.method == "cluster_robust"


def test_what_differs_is_marked():
    assert summary.differing(["a", ["b"], 1], ["a", ["c"], 1]).tolist() == [0, 1, 0]
