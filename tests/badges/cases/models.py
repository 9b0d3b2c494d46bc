"""Badges of those who publish models."""

from django.utils import timezone

from portal.models import Device, Trust, User
from tests.badges import world
from tests.badges.cases.registry import awards, games
from tests.badges.world import person
from tests.portal.trusted import came_from


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
