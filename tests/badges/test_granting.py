"""Giving and taking back: evidence settles, voids and comes again; the back-fill says what it would do."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from forum.models import Topic
from portal import badges, granting
from portal.badge_catalogue import RULES
from portal.models import BadgeEvidence, BadgeGrant, Device, Event, Recheck, Tier
from tests.badges import world
from tests.badges.cases import helping, models
from tests.badges.world import person
from worker import standing
from worker.consumers.standing import note

pytestmark = pytest.mark.django_db
FIRST = RULES["first-answer"]


def test_evidence_counts_when_it_has_stood_for_72_hours():
    one = helping.answered_an_hour_ago()
    granting.recheck(FIRST, [one.pk])
    assert badges.progress_of(one, [FIRST])["first-answer"].settling == 1
    Event.objects.filter(kind="topic.accepted").update(created_at=timezone.now() - timedelta(hours=73))
    BadgeEvidence.objects.update(settles_at=timezone.now() - timedelta(hours=1))
    standing.hourly()
    assert BadgeGrant.objects.standing().filter(user=one, badge="first-answer").exists()


def test_void_evidence_takes_a_badge_back_and_good_evidence_gives_it_again():
    one = helping.answered_once()
    granting.recheck(FIRST, [one.pk])
    topic = Topic.objects.get()
    Topic.objects.update(accepted=None)
    note(Event.record("topic.status_changed", subject=f"topic:{topic.pk}", by=None, answerer=one.pk))
    standing.catch_up()
    grant = BadgeGrant.objects.get()
    assert (grant.revoked_at is not None, grant.reason) == (True, granting.VOID)
    assert Event.objects.get(kind="badge.revoked").payload["user"] == one.pk
    assert BadgeEvidence.objects.get().void_at
    Topic.objects.update(accepted=topic.posts.get(number=2))
    granting.recheck(FIRST, [one.pk])
    assert BadgeGrant.objects.standing().count() == 1


def test_fewer_downloads_than_before_take_nothing_back():
    one = models.downloaded()
    rule = RULES["adopted"]
    granting.recheck(rule, [one.pk])
    from models_hub.models import Downloader

    Downloader.objects.all()[:10].model.objects.filter(caller__in=["1", "2", "3"]).delete()
    granting.recheck(rule, [one.pk])
    assert BadgeGrant.objects.standing().get().tier == Tier.BRONZE


def test_a_bronze_for_something_old_is_told_to_nobody():
    granting.recheck(FIRST, [helping.answered_once().pk])
    assert Event.objects.get(kind="badge.granted").payload["quiet"] is True


def test_many_events_are_one_look():
    one = person()
    for _turn in range(5):
        note(Event.record("topic.accepted", subject="topic:1", by=one))
    assert Recheck.objects.filter(user=one, what="first-answer").count() == 1


def test_the_night_gives_what_events_missed_and_asks_no_more_for_more_people(django_assert_max_num_queries):
    people = [helping.answered_once() for _turn in range(3)]
    standing.nightly()
    assert set(BadgeGrant.objects.filter(badge="first-answer").values_list("user", flat=True)) == {
        one.pk for one in people
    }
    with django_assert_max_num_queries(12):
        granting.recheck(FIRST, [one.pk for one in people])


def test_the_backfill_shows_first_and_gives_then():
    helping.answered_once()
    told = StringIO()
    call_command("backfill_badges", "--dry-run", "--badge", "first-answer", stdout=told)
    assert "would be granted: 1" in told.getvalue()
    assert "for example" in told.getvalue()
    assert not BadgeGrant.objects.exists()
    assert not BadgeEvidence.objects.exists()
    call_command("backfill_badges", "--badge", "first-answer", stdout=StringIO())
    assert BadgeGrant.objects.count() == 1


def _give(user, badge: str, tier: int, number: int = 0, *, is_solo: bool = True) -> None:
    BadgeGrant.objects.create(user=user, badge=badge, tier=tier, evidence=f"x:{number}", is_solo=is_solo)


def test_tiers_of_a_track_are_reached_step_by_step():
    one = person()
    slugs = [slug for slug, rule in RULES.items() if "models" in rule.tracks]
    expected = []
    _give(one, slugs[0], 1)
    expected.append(badges.ranks_of(one)["models"])
    one.about = "Somebody"
    expected.append(badges.ranks_of(one)["models"])
    for slug in slugs[1:3]:
        _give(one, slug, 1)
    expected.append(badges.ranks_of(one)["models"])
    for slug in slugs[:5]:
        _give(one, slug, 2)
    _give(one, slugs[0], 3, is_solo=False)
    expected.append(badges.ranks_of(one)["models"])
    for slug in slugs[1:5]:
        _give(one, slug, 3, is_solo=False)
    expected.append(badges.ranks_of(one)["models"])
    _give(one, slugs[5], 3)
    expected.append(badges.ranks_of(one)["models"])
    assert expected == [0, 1, 2, 3, 3, 4]


def test_beside_names_stand_the_three_best_in_one_query(django_assert_num_queries):
    one = person()
    for number, (slug, tier) in enumerate([("adopted", 1), ("lineage", 3), ("bridge", 2), ("mentor", 1)]):
        _give(one, slug, tier, number)
    with django_assert_num_queries(1):
        assert [shown.slug for shown in badges.shown_of([one.pk])[one.pk]] == ["lineage", "bridge", "mentor"]


def test_signing_in_remembers_the_browser(client, alice):
    from tests.conftest import PASSWORD

    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert client.cookies["browser"]["httponly"]
    assert Device.objects.filter(user=alice).count() == 1


def test_every_rule_speaks_both_languages():
    assert all(rule.name_en and rule.name_zh and str(rule.criterion) for rule in RULES.values())
    assert len(RULES) == 28
    assert world.person().pk
