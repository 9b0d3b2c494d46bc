"""Whatever people do in whatever order, counters, what is unread and reputation are what a recount finds."""

import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django.plugin import DjangoDbBlocker

from forum import discussing, opening, reading, recounting
from forum.admission import Admission
from forum.models import Category, CategoryReader, Level, Tag, Topic, TopicReader
from portal import evidence, reputation
from portal.models import Reputation, ReputationLine, User
from tests.badges.world import person
from tests.forum.life import VERBS, Life
from tests.worker import postgres

OPERATIONS = int(os.environ.get("FORUM_OPERATIONS", "240"))
FEW = OPERATIONS < 1000
RUNS = 4 if FEW else 20
OFTEN = [
    "begin",
    "answer",
    "answer",
    "answer",
    "react",
    "react",
    "vote",
    "follow",
    "read",
    "accept",
    "lift_floor",
    "relay",
]
STEPS = st.tuples(st.sampled_from(OFTEN + VERBS), st.integers(0, 2**32))


@pytest.fixture
def life(db: None, monkeypatch: pytest.MonkeyPatch) -> Life:
    return begun(monkeypatch)


@pytest.fixture
def life_on_postgresql(django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    with postgres.cluster() as url, django_db_blocker.unblock(), postgres.instead_of_ours(url):
        yield begun(monkeypatch)


def begun(monkeypatch: pytest.MonkeyPatch) -> Life:
    """Staff and three others; one text of eight waits to be let in, and none is rendered: that is tried elsewhere."""
    categories = [Category.objects.create(slug=slug) for slug in ("one", "two")]
    found = Life([person(is_staff=True), person(), person(), person()], categories)

    def admit(**given: object) -> Admission:
        return Admission(held=found.dice.random() < 0.125, text=str(given["text"]))

    for module in (opening, discussing):
        monkeypatch.setattr(module, "admit", admit)
    monkeypatch.setattr("models_hub.rendering.comment_html", lambda text, **_options: text)
    return found


# To make hundreds of steps fewer takes longer than to look at what they were.
by_chance = settings(
    max_examples=RUNS, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
LENGTH = OPERATIONS // RUNS


@by_chance
@given(steps=st.lists(STEPS, min_size=LENGTH, max_size=LENGTH))
def test_all_that_is_counted_equals_a_recount_after_random_operations(life: Life, steps: list[tuple[str, int]]):
    live_and_recount(life, steps)


@pytest.mark.live
@settings(by_chance, max_examples=1 if FEW else RUNS)
@given(steps=st.lists(STEPS, min_size=LENGTH, max_size=LENGTH))
def test_so_it_does_on_postgresql(life_on_postgresql: Life, steps: list[tuple[str, int]]):
    live_and_recount(life_on_postgresql, steps)


def live_and_recount(life: Life, steps: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        life.told = 0
        done = [verb for verb, seed in steps if life.do(verb, seed)]
        life.relay()
        reputation.recompute({one.pk for one in life.people})

        assert [str(wrong) for wrong in recounting.check()] == [], done
        for one in life.people:
            assert list(reading.unread(one)) == unread_by_hand(one), done
            # They fade meanwhile, which shows after some minutes.
            assert points_kept(one) == pytest.approx(points_by_hand(one), rel=1e-3), done
        assert reputation.reconcile({one.pk for one in life.people}) == 0, done
        transaction.set_rollback(True)


def unread_by_hand(reader: User) -> list[Topic]:
    """Return what the person follows and has not read to its end, without any aid of queries, the latest first."""
    marks = {row.topic_id: row for row in TopicReader.objects.filter(user=reader)}
    rooms = {row.category_id: row for row in CategoryReader.objects.filter(user=reader)}
    found = []
    for topic in Topic.objects.filter(deleted_at=None, hidden_at=None, held_at=None).order_by("-last_post"):
        mark, room = marks.get(topic.pk), rooms.get(topic.category_id or 0)
        own, whole = mark.level if mark else Level.NORMAL, room.level if room else Level.NORMAL
        follows = own >= Level.TRACKING or (own == Level.NORMAL and whole >= Level.TRACKING)
        is_past = room is not None and (topic.last_post_id or 0) <= room.read_floor
        if follows and not is_past and topic.last_number > (mark.last_read if mark else 0):
            found.append(topic)
    return found


def points_kept(one: User) -> dict[str, float]:
    return dict(Reputation.objects.filter(user=one).values_list("track", "points"))


def points_by_hand(one: User) -> dict[str, float]:
    """Return the points of what others did for the person, after the caps of a day and of a pair."""
    found: dict[str, float] = defaultdict(float)
    day: dict[object, float] = defaultdict(float)
    pair: list[tuple[int | None, datetime, float]] = []
    lines = ReputationLine.objects.filter(user=one, reverses=None, reversal=None)
    partial = evidence.partial({(one.pk, line.giver_id) for line in lines if line.giver_id})
    for line in lines.order_by("at", "pk"):
        points = line.points * line.weight
        if reputation.KINDS[line.kind].is_vote:
            since = line.at - timedelta(days=30)
            given_lately = sum(part for giver, at, part in pair if giver == line.giver_id and at > since)
            points = 0 if (one.pk, line.giver_id) in partial else points
            points = max(0, min(points, 100 - day[line.at.date()], 20 - given_lately))
            day[line.at.date()] += points
            pair.append((line.giver_id, line.at, points))
        found[line.track] += points
    return {track: points for track, points in found.items() if points > 0}


def test_the_command_says_what_is_wrong_and_mends_it(life: Life):
    topic = life.begin()
    Topic.objects.filter(pk=topic.pk).update(comments=7)
    Tag.objects.create(name="unused", topic_count=3)

    with pytest.raises(CommandError):
        call_command("recount_forum", "--check", stdout=(said := StringIO()))
    call_command("recount_forum", stdout=StringIO())

    assert f"topic:{topic.pk} comments: 7 is kept, 0 is counted" in said.getvalue()
    assert list(recounting.check()) == []


def test_every_verb_is_tried(life: Life):
    """A verb that is always refused would say nothing."""
    worked: set[str] = set()
    for seed in range(60):
        worked |= {verb for verb in [*OFTEN, *VERBS] if life.do(verb, seed)}
        if worked == set(VERBS):
            break

    assert worked == set(VERBS)
