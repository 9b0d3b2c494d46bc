"""Badges of those who answer, ask, write and review."""

from django.core.cache import cache
from django.utils import timezone

from portal.models import Invitation, User
from tests.badges import world
from tests.badges.cases.registry import awards, games
from tests.badges.world import ago, person


@awards("first-answer")
def answered_once() -> User:
    one = person()
    world.answered(person(), one)
    return one


@games("first-answer")
def answered_oneself() -> User:
    one = person()
    world.answered(one, one)
    return one


@games("first-answer")
def answered_whom_one_invited() -> User:
    one, other = person(), person()
    Invitation.objects.create(
        organization=world.team(person()), user=other, role="read", digest="x", invited_by=one, expires_at=ago(0)
    )
    world.answered(other, one)
    return one


@games("first-answer")
def answered_an_hour_ago() -> User:
    one, asker = person(), person()
    on = world.topic(asker, days=0.1)
    world.accept(on, world.post(on, one, days=0.05), days=0.04)
    return one


@games("first-answer")
def answered_and_was_hidden() -> User:
    one = person()
    on = world.answered(person(), one)
    on.posts.filter(author=one).update(hidden_at=timezone.now())
    return one


@awards("problem-solver")
def solved() -> User:
    one = person()
    for asker in world.people(5):
        world.answered(asker, one)
    return one


@games("problem-solver")
def solved_for_one_friend() -> User:
    one, friend = person(), person()
    for _turn in range(10):
        world.answered(friend, one)
    return one


def _welcomed(one: User, newcomers: list[User], *, hours: float = 2, thanked: bool = True) -> User:
    for asker in newcomers:
        on = world.topic(asker, days=10)
        reply = world.post(on, one, days=10 - hours / 24)
        if thanked:
            world.react(reply, [asker], "thanks")
    return one


@awards("welcomer")
def welcomed() -> User:
    return _welcomed(person(), world.people(5, level=0))


@games("welcomer")
def welcomed_one_newcomer_often() -> User:
    return _welcomed(person(), [person(level=0)] * 5)


@games("welcomer")
def welcomed_without_thanks() -> User:
    return _welcomed(person(), world.people(5, level=0), thanked=False)


@games("welcomer")
def welcomed_late() -> User:
    return _welcomed(person(), world.people(5, level=0), hours=30)


def _asked(one: User, voters: list[User], text: str = "```\nTraceback\n```") -> User:
    on = world.topic(one, text=text)
    world.accept(on, world.post(on, person()))
    world.react(on.posts.get(number=1), voters)
    return one


@awards("good-question")
def asked() -> User:
    return _asked(person(), world.people(5))


@games("good-question")
def asked_before_a_farm_of_new_accounts() -> User:
    return _asked(person(), world.people(5, level=0))


@games("good-question")
def asked_before_one_classroom_of_accounts() -> User:
    return _asked(person(address="5.5.5.1"), [person(address=f"5.5.5.{number}") for number in range(2, 7)])


@games("good-question")
def asked_without_anything_to_reproduce() -> User:
    return _asked(person(), world.people(5), text="It does not work.")


def _documented(one: User, merger: User, paths: list[str]) -> User:
    for _turn in range(3):
        pull = world.pull(one, world.model(merger), merger)
        cache.set(f"pull-paths:{pull.pk}", paths)
    return one


@awards("doc-writer")
def documented() -> User:
    return _documented(person(), person(), ["README.md"])


@games("doc-writer")
def documented_for_a_teammate() -> User:
    one, other = world.people(2)
    world.team(one, other)
    return _documented(one, other, ["README.md"])


@games("doc-writer")
def documented_beside_other_changes() -> User:
    return _documented(person(), person(), ["README.md", "model.safetensors"])


@awards("bridge")
def translated() -> User:
    return _documented(person(), person(level=3), ["README_zh.md"])


@games("bridge")
def translated_for_somebody_of_level_two() -> User:
    return _documented(person(), person(level=2), ["README_zh.md"])


@awards("sharp-eye")
def reported() -> User:
    one = person()
    for _turn in range(5):
        world.report(one)
    return one


@games("sharp-eye")
def reported_everything() -> User:
    one = person()
    for number in range(30):
        world.report(one, agreed=number % 3 == 0, days=40 - number)
    return one


def _reviewed(one: User, author: User, *, heeded: bool = True) -> User:
    for number in range(1, 6):
        repo = world.model(person())
        on = world.topic(author, repo=repo, number=number, is_pull_request=True, status="merged", kind="discussion")
        world.post(on, one, "", kind="review", data={"verdict": "changes"})
        if heeded:
            world.post(on, author, "", kind="commit")
    return one


@awards("peer-reviewer")
def reviewed() -> User:
    return _reviewed(person(), person())


@games("peer-reviewer")
def reviewed_and_was_not_heeded() -> User:
    return _reviewed(person(), person(), heeded=False)
