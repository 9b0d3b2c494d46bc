"""Badges of those who evaluate, and build what is evaluated with."""

from portal.models import Reason, User
from tests.badges import world
from tests.badges.cases.registry import awards, games
from tests.badges.world import person


def _evaluated(one: User, by: list[User], number: int = 3) -> User:
    on = world.benchmark(person())
    for turn in range(number):
        world.run_again(world.evaluation(world.model(one), on, one), by[turn % len(by)])
    return one


@awards("evaluator")
def evaluated() -> User:
    return _evaluated(person(), world.people(1))


@games("evaluator")
def evaluated_and_repeated_oneself() -> User:
    one = person()
    return _evaluated(one, [one])


@games("evaluator")
def evaluated_with_a_friend_in_the_same_network() -> User:
    return _evaluated(person(address="5.6.7.8"), [person(address="5.6.7.9")])


@awards("reproducer")
def reproduced() -> User:
    one, on = person(), world.benchmark(person())
    for other in world.people(3):
        world.run_again(world.evaluation(world.model(other), on, other), one)
    return one


@games("reproducer")
def reproduced_ones_own_model() -> User:
    one, on, other = person(), world.benchmark(person()), person()
    for _turn in range(3):
        world.run_again(world.evaluation(world.model(one), on, other), one)
    return one


@games("reproducer")
def reproduced_one_score_often() -> User:
    one, other = person(), person()
    score = world.evaluation(world.model(other), world.benchmark(person()), other)
    for _turn in range(3):
        world.run_again(score, one)
    return one


@games("reproducer")
def reproduced_outside_of_the_interval() -> User:
    one, on = person(), world.benchmark(person())
    for other in world.people(3):
        world.run_again(world.evaluation(world.model(other), on, other), one, digest="f" * 64, value=0.5)
    return one


def _used(one: User, by: list[User], number: int = 10) -> User:
    on = world.benchmark(one)
    for turn in range(number):
        world.evaluation(world.model(by[0]), on, by[turn % len(by)])
    return one


@awards("benchmark-builder")
def used() -> User:
    return _used(person(), world.people(5))


@games("benchmark-builder")
def used_by_few() -> User:
    return _used(person(), world.people(4))


@games("benchmark-builder")
def used_by_newcomers() -> User:
    return _used(person(), world.people(5, level=0))


@awards("contamination-hunter")
def found_a_leak() -> User:
    one = person()
    world.report(one, reason=Reason.FALSE_SCORE)
    return one


@games("contamination-hunter")
def found_a_leak_that_was_none() -> User:
    one = person()
    world.report(one, reason=Reason.FALSE_SCORE, agreed=False)
    return one


def _steward(one: User, users: list[User]) -> User:
    data = world.model(one, kind="dataset", found=("privacy", "duplicates"), formats=[])
    for other in users:
        world.model(other, labels=[f"dataset:{data.full_name}"], days=50)
    return one


@awards("data-steward")
def kept_data() -> User:
    return _steward(person(), world.people(3))


@games("data-steward")
def kept_data_for_ones_team() -> User:
    one, *others = world.people(4)
    world.team(one, *others)
    return _steward(one, others)
