"""Models that were measured on different tasks, by hand."""

import numpy as np
import pytest

from worker.engine.statistics.incomplete import adjusted, linked

GAP = np.nan


def test_without_gaps_it_is_the_mean() -> None:
    scores = np.array([[80.0, 60.0], [70.0, 40.0]])
    assert adjusted(scores) == pytest.approx([70.0, 55.0])


def test_who_lacks_a_hard_task_gains_nothing_by_that() -> None:
    # The second task is 20 points harder for the first model, so the second would have had 70 there: (90 + 70) / 2.
    scores = np.array([[80.0, 60.0], [90.0, GAP]])
    assert adjusted(scores) == pytest.approx([70.0, 80.0])


def test_the_order_of_models_changes_nothing() -> None:
    scores = np.array([[80.0, 60.0, GAP], [90.0, GAP, 30.0], [GAP, 50.0, 20.0]])
    turned = adjusted(scores[::-1])[::-1]
    assert adjusted(scores) == pytest.approx(turned)


def test_models_are_linked_by_tasks_that_they_share_with_others() -> None:
    scores = np.array([[1.0, GAP, GAP], [1.0, 2.0, GAP], [GAP, 2.0, GAP], [GAP, GAP, 3.0], [GAP, GAP, GAP]])
    groups = linked(scores)
    assert groups[0] == groups[1] == groups[2]
    assert len({groups[0], groups[3], groups[4]}) == 3
