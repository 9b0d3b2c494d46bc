"""The front of cost and worth, worked out by hand, and what must hold of any points."""

import math
import random

import pytest

from leaderboard.pareto import best_within, front

BEATEN = [(1, 50), (2, 40), (3, 60), (4, 60), (5, 70)]  # 2 is dearer and worse than 1, 4 dearer and no better than 3


@pytest.mark.parametrize(
    ("points", "places"),
    [
        ([], []),
        ([(7, 1)], [0]),
        (BEATEN, [0, 2, 4]),
        (BEATEN[::-1], [4, 2, 0]),  # the order in which they come changes nothing but their places
        ([(1, 50), (1, 60)], [1]),  # as dear and worse
        ([(1, 50), (1, 50), (2, 50)], [0, 1]),  # equal in both: neither beats the other
        ([(1, -5), (2, -3)], [0, 1]),  # below the floor is still a score
    ],
)
def test_the_front(points, places):
    assert front(points) == places


def test_what_lacks_a_number_is_off_the_front_and_beats_nothing():
    assert front([(None, 90), (1, None), (math.nan, 99), (3, math.nan), (2, 10)]) == [4]


def test_the_best_within_a_limit():
    assert best_within(BEATEN, 4) == 2  # of equals the cheaper
    assert best_within(BEATEN, 2) == 0
    assert best_within(BEATEN, 0.5) is None
    assert best_within([(None, 90), (1, None)], 5) is None


def test_of_any_points_the_front_is_what_nothing_beats():
    dice = random.Random(8)
    for _round in range(200):
        points = [(dice.randint(0, 6), dice.randint(0, 6)) for _point in range(dice.randint(1, 25))]
        on = set(front(points))
        for place, (cost, worth) in enumerate(points):
            is_beaten = any(c <= cost and w >= worth and (c, w) != (cost, worth) for c, w in points)
            assert (place in on) is not is_beaten
        shuffled = dice.sample(points, len(points))
        assert sorted(points[place] for place in on) == sorted(shuffled[place] for place in front(shuffled))
