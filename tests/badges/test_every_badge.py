"""Each of the 28 badges: acts that award it, by an event and the pass that follows; and ways to game it that do not."""

import pytest

from portal import granting
from portal.badge_catalogue import RULES, Rule
from portal.models import BadgeEvidence, BadgeGrant, Event, User
from tests.badges.cases import AWARDED, GAMED, Case
from worker import standing
from worker.consumers.standing import note

pytestmark = pytest.mark.django_db


def look(rule: Rule, person: User) -> None:
    """Let something happen that has the person looked at; what has no event waits for the night."""
    if rule.events:
        note(Event.record(rule.events[0], subject=f"user:{person.pk}", by=person, user=person.pk))
        standing.catch_up()
    else:
        granting.check_all(rules=[rule])


@pytest.mark.parametrize("slug", RULES)
def test_acts_award_it_and_looking_twice_changes_nothing(slug):
    person = AWARDED[slug]()
    look(RULES[slug], person)
    grant = BadgeGrant.objects.standing().get(user=person, badge=slug, tier__gte=1, **_lowest(slug))
    assert BadgeEvidence.objects.filter(user=person, badge=slug, key=grant.evidence).exists()
    granted = BadgeGrant.objects.count(), Event.objects.filter(kind="badge.granted").count()
    granting.recheck(RULES[slug], [person.pk])
    assert granted == (BadgeGrant.objects.count(), Event.objects.filter(kind="badge.granted").count())


@pytest.mark.parametrize(
    ("slug", "case"), [pytest.param(slug, case, id=f"{slug}-{name}") for slug, name, case in GAMED]
)
def test_gaming_does_not(slug: str, case: Case):
    person = case()
    look(RULES[slug], person)
    assert not BadgeGrant.objects.filter(user=person, badge=slug).exists()


def test_every_badge_was_gamed():
    assert {slug for slug, _name, _case in GAMED} == RULES.keys()


def _lowest(slug: str) -> dict[str, int]:
    return {} if slug in {"small-giant", "challenge-medallist"} else {"tier": 1}
