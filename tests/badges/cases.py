"""For each badge: acts that award its lowest tier, and a way to game it. Both return whom to look at."""

from collections.abc import Callable

from django.core.cache import cache
from django.utils import timezone

from portal import seasons
from portal.badge_catalogue import RULES
from portal.models import BadgeClaim, BadgeGrant, Device, Invitation, Mentorship, Placing, Reason, Trust, User
from tests.badges import world
from tests.badges.world import ago, person
from tests.portal.trusted import came_from

Case = Callable[[], User]
AWARDED: dict[str, Case] = {}
GAMED: list[tuple[str, str, Case]] = []


def awards(slug: str) -> Callable[[Case], Case]:
    def note(case: Case) -> Case:
        AWARDED[slug] = case
        return case

    return note


def games(slug: str) -> Callable[[Case], Case]:
    def note(case: Case) -> Case:
        GAMED.append((slug, case.__name__, case))
        return case

    return note


def claim(slug: str, by: User, decided_by: User, state: str = "accepted") -> BadgeClaim:
    on = world.topic(by)
    return BadgeClaim.objects.create(
        user=by, badge=slug, key=f"topic:{on.pk}", note="x", state=state, decided_by=decided_by, decided_at=ago(5)
    )


@awards("first-light")
def begun() -> User:
    one = person(about="I measure small models.")
    Trust.objects.filter(user=one).update(rules_read_at=timezone.now())
    return one


@games("first-light")
def begun_without_a_confirmed_address() -> User:
    one = begun()
    one.emailaddress_set.update(verified=False)
    return one


@awards("anniversary")
def contributed() -> User:
    one = person()
    world.answered(person(), one)
    return one


@games("anniversary")
def only_signed_in() -> User:
    one = person()
    for number in range(30):
        came_from(one, f"9.9.9.{number}")
    return one


@awards("model-author")
def published() -> User:
    one = person()
    world.model(one)
    return one


@games("model-author")
def published_the_weights_of_another() -> User:
    theirs, one = world.model(person(), weights="d" * 64), person()
    world.model(one, weights="d" * 64, days=99)
    assert theirs.pk
    return one


@games("model-author")
def published_yesterday() -> User:
    one = person()
    world.model(one, days=1)
    return one


@games("model-author")
def published_pickles() -> User:
    one = person()
    world.model(one, formats=["safetensors", "pytorch"])
    return one


@games("model-author")
def published_with_half_a_card() -> User:
    one = person()
    world.model(one, done=7)
    return one


@games("model-author")
def published_in_private() -> User:
    one = person()
    world.model(one, private=True)
    return one


@awards("safe-format")
def loaded() -> User:
    one = person()
    world.evaluation(world.model(one), world.benchmark(person()), person())
    return one


@games("safe-format")
def never_loaded() -> User:
    one = person()
    world.model(one)
    return one


@awards("adopted")
def downloaded() -> User:
    one = person()
    world.downloads(world.model(one, downloads_all_time=50), [str(number) for number in range(50)])
    return one


@games("adopted")
def downloaded_by_friends() -> User:
    from models_hub import downloading

    friends = world.people(3)
    one = person()
    for friend in friends:
        Device.note(friend, "one browser")
    Device.note(one, "one browser")
    repo = world.model(one, downloads_all_time=50)
    near = [downloading.downloader(repo.pk, f"user:{friend.pk}") for friend in friends]
    world.downloads(repo, [*near, *(str(number) for number in range(47))])
    return one


@awards("lineage")
def built_upon() -> User:
    one = person()
    base = world.model(one)
    for other in world.people(3):
        world.model(other, base=world.finetune_of(base), days=50)
    return one


@games("lineage")
def built_upon_by_copies() -> User:
    one = person()
    base = world.model(one, weights="e" * 64)
    for other in world.people(3):
        world.model(other, base=world.finetune_of(base), weights="e" * 64, days=50)
    return one


@games("lineage")
def built_upon_by_a_team() -> User:
    one, *others = world.people(4)
    world.team(one, *others)
    base = world.model(one)
    for other in others:
        world.model(other, base=world.finetune_of(base), days=50)
    return one


TRAINED = ("rate", "batch", "length", "seed", "loss")


@awards("honest-finetuner")
def told() -> User:
    one = person()
    world.model(one, base="base_model:finetune:x/y", found=TRAINED, card={"datasets": ["mood"]})
    return one


@games("honest-finetuner")
def told_without_a_curve() -> User:
    one = person()
    world.model(one, base="base_model:finetune:x/y", found=TRAINED[:-1], card={"datasets": ["mood"]})
    return one


def _measured(one: User, value: float, guard: float, **facts: object) -> User:
    base = world.model(person())
    child = world.model(one, base=world.finetune_of(base), days=50)
    target, other = world.benchmark(person()), world.benchmark(person())
    for repo, scores in ((base, (0.7, 0.7)), (child, (value, guard))):
        for on, score in zip((target, other), scores, strict=True):
            world.evaluation(repo, on, one, score, **facts)
    return one


@awards("beats-base")
def better() -> User:
    return _measured(person(), 0.8, 0.69)


@games("beats-base")
def better_here_and_much_worse_there() -> User:
    return _measured(person(), 0.9, 0.6)


@games("beats-base")
def better_within_the_noise() -> User:
    return _measured(person(), 0.71, 0.7)


@games("beats-base")
def better_by_training_on_the_test() -> User:
    return _measured(person(), 0.9, 0.7, contamination="measured")


@awards("quantizer")
def quantized() -> User:
    one, base, on = person(), world.model(person(), size=4000), world.benchmark(person())
    small = world.model(one, base=f"base_model:quantized:{base.full_name}", size=1000, days=50)
    world.evaluation(base, on, one)
    world.evaluation(small, on, one)
    return one


@games("quantizer")
def quantized_and_never_measured() -> User:
    one, base = person(), world.model(person(), size=4000)
    world.model(one, base=f"base_model:quantized:{base.full_name}", size=1000, days=50)
    return one


@awards("complete-card")
def wrote_a_card() -> User:
    one = person()
    world.model(one, found=("limits", "data", "zh", "en"))
    return one


@games("complete-card")
def wrote_a_card_in_one_language() -> User:
    one = person()
    world.model(one, found=("limits", "data", "en"))
    return one


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


assert AWARDED.keys() == RULES.keys(), RULES.keys() ^ AWARDED.keys()
