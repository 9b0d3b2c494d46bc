"""Badges of those who keep the place in order, win and teach."""

from django.utils import timezone

from portal import seasons
from portal.models import BadgeGrant, Mentorship, Placing, Reason, User
from tests.badges import world
from tests.badges.cases.registry import awards, claim, games
from tests.badges.world import ago, person


@awards("security-reporter")
def warned() -> User:
    one = person()
    world.report(one, reason=Reason.MALWARE)
    return one


@games("security-reporter")
def warned_of_spam() -> User:
    one = person()
    world.report(one, reason=Reason.SPAM)
    return one


@awards("bug-reporter")
def found_a_fault() -> User:
    one = person()
    claim("bug-reporter", one, person(is_staff=True))
    return one


@games("bug-reporter")
def found_a_fault_that_waits() -> User:
    one = person()
    claim("bug-reporter", one, person(is_staff=True), state="waiting")
    return one


@games("bug-reporter")
def found_a_fault_with_a_friend_among_staff() -> User:
    one, friend = person(), person(is_staff=True)
    world.team(one, friend)
    claim("bug-reporter", one, friend)
    return one


def _placed(days: float, **columns: object) -> User:
    one = person()
    values = {"kind": "challenge", "board": "Mood", "rank": 2, "key": "evaluation:1", "code": "repo:1"}
    Placing.objects.create(
        season=seasons.current(), user=one, confirmed_by=person(is_staff=True), objections_until=ago(days),
        **values | columns,
    )  # fmt: skip
    return one


@awards("challenge-medallist")
def placed() -> User:
    return _placed(5)


@games("challenge-medallist")
def placed_and_still_open_to_objections() -> User:
    return _placed(-2)


@games("challenge-medallist")
def placed_and_struck() -> User:
    return _placed(5, struck_at=timezone.now())


@games("challenge-medallist")
def placed_without_code() -> User:
    return _placed(5, code="")


@awards("small-giant")
def small() -> User:
    one = person()
    made = Placing.objects.create(season=seasons.current(), kind="front", board="b", rank=1, user=one, key="repo:1")
    Placing.objects.filter(pk=made.pk).update(created_at=ago(5))
    return one


@games("small-giant")
def small_and_eleventh() -> User:
    one = small()
    Placing.objects.filter(user=one).update(rank=11)
    return one


def _mentored(one: User, mentee: User) -> User:
    Mentorship.objects.create(mentor=one, mentee=mentee, agreed_at=ago(30))
    BadgeGrant.objects.create(user=mentee, badge="first-answer", tier=1, evidence="post:1", granted_at=ago(5))
    return one


@awards("mentor")
def mentored() -> User:
    return _mentored(person(), person(level=2))


@games("mentor")
def mentored_a_second_account() -> User:
    return _mentored(person(address="5.6.7.8"), person(level=2, address="5.6.7.9"))


@games("mentor")
def mentored_somebody_who_stayed_new() -> User:
    return _mentored(person(), person(level=1))
