"""The ledger of reputation: what a line weighs, what the caps leave of it, and how lines are taken back."""

import math
import random
from datetime import timedelta

import pytest
from django.utils import timezone

from forum.models import Reaction
from portal import evidence, reputation, seasons
from portal.errors import InvalidInput, NotAllowed
from portal.evidence import Fact
from portal.models import Award, Event, Placing, Reputation, ReputationLine, Season, SeasonPoints
from tests.badges import world
from tests.badges.world import ago, person

pytestmark = pytest.mark.django_db


def line(user, giver=None, *, kind="post.liked", points=2.0, weight=1.0, days=0.0, key="post:1") -> ReputationLine:
    return ReputationLine.objects.create(
        user=user, giver=giver, kind=kind, track="help", points=points, weight=weight, at=ago(days), key=key
    )


def total(user) -> float:
    reputation.recompute([user.pk])
    return sum(Reputation.objects.filter(user=user).values_list("points", flat=True))


def test_a_line_weighs_by_the_trust_in_its_giver_and_fades():
    one, givers = person(), [person(level=level) for level in (0, 1, 2, 3)]
    world.react(world.post(world.topic(person()), one), givers, days=0)
    reputation.reconcile([one.pk])
    assert sorted(ReputationLine.objects.values_list("weight", flat=True)) == [0, 0.5, 1, 1.5]
    assert total(one) == pytest.approx(6.0, abs=0.1)
    ReputationLine.objects.update(at=ago(365))
    assert total(one) == pytest.approx(6.0 / math.e, abs=0.1)


def test_one_giver_gives_at_most_twenty_in_thirty_days_and_a_day_a_hundred():
    one, friend = person(), person()
    for number in range(3):
        line(one, friend, points=10, key=f"post:{number}")
    assert total(one) == pytest.approx(20, abs=0.1)
    for other in world.people(9):
        line(one, other, points=10)
    assert total(one) == pytest.approx(100, abs=0.5)


def test_what_was_verified_is_outside_of_the_caps():
    one = person()
    for number in range(10):
        line(one, person(), kind="answer.accepted", points=15, key=f"post:{number}")
    assert total(one) == pytest.approx(150, abs=0.5)


def test_a_giver_who_gives_one_person_most_counts_nothing_there():
    one, partial = person(), person()
    for number in range(4):
        line(one, partial, key=f"post:{number}")
    assert evidence.partial({(one.pk, partial.pk)}) == {(one.pk, partial.pk)}
    assert total(one) == 0
    for number, other in enumerate(world.people(10)):
        line(other, partial, key=f"post:{number + 9}")
    assert total(one) > 0


def test_a_vote_that_is_taken_back_is_reversed_by_a_line_that_stays():
    one, giver = person(), person()
    world.react(world.post(world.topic(person()), one), [giver])
    assert reputation.reconcile([one.pk]) == 1
    assert reputation.reconcile([one.pk]) == 0
    Reaction.objects.all().delete()
    reputation.reconcile([one.pk])
    assert [round(row.points) for row in ReputationLine.objects.order_by("id")] == [2, -2]
    assert total(one) == 0
    world.react(world.post(world.topic(person()), one), [giver])
    reputation.reconcile([one.pk])
    assert total(one) > 0


def test_votes_in_series_are_reversed_and_not_given_again():
    one, giver = person(), person()
    on = world.topic(person())
    for _turn in range(5):
        world.react(world.post(on, one), [giver], days=1)
    reputation.reconcile([one.pk])
    assert reputation.reverse_series() == 5
    assert set(ReputationLine.objects.filter(points__lt=0).values_list("reason", flat=True)) == {reputation.IN_SERIES}
    assert reputation.reconcile([one.pk]) == 0
    assert total(one) == 0


def test_after_many_random_acts_the_ledger_equals_the_rows():
    chance = random.Random(7)
    one, givers = person(), world.people(5)
    posts = [world.post(world.topic(person()), one) for _turn in range(4)]
    for _step in range(60):
        giver, post = chance.choice(givers), chance.choice(posts)
        found = Reaction.objects.filter(post=post, user=giver)
        if found.exists():
            found.delete()
        else:
            world.react(post, [giver])
        if chance.random() < 0.3:
            reputation.reconcile([one.pk])
    reputation.reconcile([one.pk])
    standing = set(reputation.standing_lines().values_list("giver_id", "key"))
    assert standing == {(row.user_id, f"post:{row.post_id}") for row in Reaction.objects.all()}


@pytest.mark.parametrize(
    ("one", "other", "close"),
    [("8.8.1.1", "8.8.1.9", True), ("8.8.1.1", "8.8.2.1", False), ("10.0.0.1", "10.0.0.2", False),
     ("2a00:1:2::1", "2a00:1:2:9::1", True)],
)  # fmt: skip
def test_people_of_one_network_are_close_unless_it_is_everybodys(one, other, close):
    pair = (person(address=one).pk, person(address=other).pk)
    assert bool(evidence.close({pair})) is close


def test_who_may_speak_is_known_in_a_constant_number_of_queries(django_assert_max_num_queries):
    one, givers = person(), world.people(6)
    with django_assert_max_num_queries(12):
        assert len(evidence.honest(Fact(one.pk, "x", ago(1), giver.pk) for giver in givers)) == 6


def test_a_season_is_a_quarter_in_utc_and_begins_with_nothing():
    season = seasons.current()
    assert (season.ends_at - season.starts_at).days in {90, 91, 92}
    one = person()
    line(one, person(), kind="answer.accepted", points=15)
    ReputationLine.objects.create(
        user=one, kind="answer.accepted", track="help", points=15, at=season.starts_at - timedelta(seconds=1), key="x"
    )
    seasons.compute(season)
    assert SeasonPoints.objects.get(user=one).points == 15


def over() -> Season:
    now = seasons.current()
    return Season.objects.create(slug="2020-Q1", starts_at=ago(400), ends_at=min(now.starts_at, ago(4)))


def test_a_season_that_is_over_is_closed_once_with_its_fronts():
    season = over()
    seasons.close_over()
    seasons.close_over()
    season.refresh_from_db()
    assert season.closed_at
    assert Event.objects.filter(kind="season.closed").count() == 1


def test_staff_give_an_award_to_one_of_the_ten_with_a_reason():
    season, one, staff = over(), person(), person(is_staff=True)
    SeasonPoints.objects.create(season=season, user=one, track="help", points=9)
    for by, key, reason, refusal in (
        (one, f"user:{one.pk}", "x", NotAllowed), (staff, "user:0", "x", InvalidInput),
        (staff, f"user:{one.pk}", " ", InvalidInput),
    ):  # fmt: skip
        with pytest.raises(refusal):
            seasons.give(season, Award.Kind.HELPER, key=key, by=by, reason=reason)
    seasons.give(season, Award.Kind.HELPER, key=f"user:{one.pk}", by=staff, reason="Helped most.")
    assert Award.objects.get().user == one


def test_a_place_can_be_objected_to_for_seven_days_and_struck():
    one, staff = person(), person(is_staff=True)
    repo = world.model(one)
    score = world.evaluation(repo, world.benchmark(person(), test_is_public=False), one)
    place = seasons.place(
        seasons.current(),
        board="Mood",
        rank=1,
        user=one,
        key=f"evaluation:{score.pk}",
        code=f"repo:{repo.pk}",
        by=staff,
    )
    assert not Placing.objects.final().exists()
    Placing.objects.update(objections_until=timezone.now() - timedelta(days=4))
    assert Placing.objects.final().exists()
    seasons.strike(place, by=staff, reason="The code was not its own.")
    assert not Placing.objects.final().exists()
