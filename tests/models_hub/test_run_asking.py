"""Asking for runs: what is refused before a worker has it, and what a run then holds."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from models_hub.adapting import asking, registry, wishes
from models_hub.models import Repo, Run
from portal.errors import DomainError, InvalidInput, NotAllowed, NotFound, QuotaExceeded, SignInRequired
from portal.models import Job, User
from tests.tuning import ask, make_base, make_data, wish

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]


@pytest.fixture
def data(make_repo: MakeRepo, alice: User) -> Repo:
    return make_data(make_repo, alice)


@pytest.fixture
def base(make_repo: MakeRepo, alice: User) -> Repo:
    return make_base(make_repo, alice)


def test_a_run_keeps_the_commits_that_it_was_asked_for_with(base: Repo, data: Repo, alice: User) -> None:
    run = ask(alice, recipe={"lr": 1e-4, "epochs": 2.0})
    assert (run.base, run.base_commit, run.data, run.data_commit) == (base, base.head, data, data.head)
    assert run.recipe == {"lr": 1e-4, "epochs": 2.0, "method": "full"}
    assert run.job is not None
    assert run.job.spec["reads"] == [base.pk, data.pk]


def test_a_new_model_needs_no_base(data: Repo, alice: User) -> None:
    run = ask(alice, base="", architecture={"hidden": 32, "heads": 2})
    assert run.base is None
    assert run.architecture["hidden"] == 32
    assert run.architecture["model_type"] == "bert"


def test_a_new_model_has_the_recipe_and_sizes_that_are_usual_for_its_task(data: Repo, alice: User) -> None:
    asked = wish(base="", task="translation", architecture={"layers": 1}, recipe={"lr": 5e-5}, labels=[])
    read = wishes.read(asked)
    task = registry.find_task("translation")
    # A value that is usual for other models is kept, also when it is read again.
    assert read.recipe == {**task.scratch_recipe, "lr": 5e-5, "method": "full"}
    assert wishes.read(read.as_json()) == read
    assert read.architecture.items() >= {"model_type": "bart", "layers": 1, **task.scratch_sizes}.items()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"task": "telepathy"}, "telepathy"),
        ({"task": "question-answering", "recipe": {"mixup": 0.2}}, "mixup"),
        ({"recipe": {"lr": 7.0}}, "lr"),
        ({"recipe": {"lr": "fast"}}, "lr"),
        ({"recipe": {"epochs": True}}, "epochs"),
        ({"recipe": {"optimizer": "lion"}}, "optimizer"),
        ({"recipe": {"speed": 1}}, "speed"),
        ({"recipe": {"method": "magic"}}, "magic"),
        ({"recipe": {"method": "lora", "method_options": {"ranks": 4}}}, "rank"),
        ({"recipe": {"method": "lora", "method_options": {"rank": 0}}}, "rank"),
        ({"files": {}}, "file"),
        ({"files": {"train": "absent.jsonl"}}, "absent.jsonl"),
        ({"recipe": {"augment_synonyms": 0.1}}, "lexicon"),
        ({"files": {"train": "train.jsonl", "lexicon": "train.jsonl"}}, "lexicon"),
        ({"fields": {"soul": "text"}}, "fields"),
        ({"labels": [1]}, "labels"),
        ({"dev_share": 0.9}, "dev_share"),
        ({"seed": -1}, "seed"),
        ({"target": "tuned"}, "target"),
        ({"target": "alice/a--b"}, "--"),
        ({"base": ""}, "model to begin from"),
        ({"base": "", "architecture": {"hidden": 33, "heads": 2}}, "heads"),
        ({"base": "", "architecture": {"hidden": 32}, "recipe": {"method": "lora"}}, "full"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_names_what_to_mend(
    base: Repo, data: Repo, alice: User, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(alice, **changes)
    assert named in refused.value.message
    assert not Run.objects.exists()
    assert not Job.objects.exists()


def test_a_method_that_the_architecture_cannot_take_is_refused_with_the_reason(
    make_repo: MakeRepo, data: Repo, alice: User
) -> None:
    files = {
        "config.json": '{"model_type": "distilbert"}',
        "tokenizer.json": "{}",
        "model.safetensors": b"\x08" + b"\0" * 7 + b"{}      ",
    }
    make_repo(alice, "bert", files=files)
    with pytest.raises(InvalidInput, match="keys and values from outside"):
        ask(alice, recipe={"method": "prefix"})


@pytest.mark.parametrize("what", ["base", "data"])
def test_what_one_may_not_see_is_as_if_it_were_not_there(
    make_repo: MakeRepo, alice: User, bob: User, what: str
) -> None:
    make_base(make_repo, alice)
    make_data(make_repo, alice)
    Repo.objects.filter(kind="model" if what == "base" else "dataset").update(private=True)
    with pytest.raises(NotFound) as hidden:
        ask(bob, target="bob/tuned")
    with pytest.raises(NotFound) as missing:
        ask(bob, **{what: "alice/nothing"}, target="bob/tuned")
    named = hidden.value.message.replace("alice/bert", "X").replace("alice/moods", "X")
    assert named == missing.value.message.replace("alice/nothing", "X")


def test_gated_files_are_not_trained_on(make_repo: MakeRepo, base: Repo, data: Repo, bob: User) -> None:
    Repo.objects.filter(pk=data.pk).update(gated="manual")
    with pytest.raises(NotAllowed):
        ask(bob, target="bob/tuned")


def test_the_result_goes_only_where_one_may_write(base: Repo, data: Repo, bob: User) -> None:
    with pytest.raises(NotAllowed):
        ask(bob, target="alice/tuned")


def test_guests_are_asked_to_sign_in(base: Repo, data: Repo) -> None:
    with pytest.raises(SignInRequired):
        ask(AnonymousUser())  # type: ignore[arg-type]


def test_a_day_has_so_many_runs(base: Repo, data: Repo, alice: User, settings: Any) -> None:
    settings.RUNS_PER_DAY = 1
    ask(alice)
    with pytest.raises(QuotaExceeded, match="1 runs in 24 hours"):
        ask(alice)


def test_every_wish_can_be_sent_again(base: Repo, data: Repo, alice: User) -> None:
    run = ask(alice, recipe={"method": "lora", "method_options": {"rank": 4}})
    again = wishes.read(asking.wish_of(run).as_json())
    assert again.recipe == run.recipe
    assert again.data_revision == data.head


def test_bounds_are_those_of_the_registry() -> None:
    for name, option in registry.options().items():
        ends = (None if option.least is None else option.least - 1, None if option.most is None else option.most + 1)
        for outside in (end for end in ends if end is not None and option.type in ("int", "float")):
            with pytest.raises(DomainError, match=name):
                option.read(outside)


def test_a_wish_of_other_types_is_refused_and_never_an_error() -> None:
    for name in ("task", "base", "data", "files", "fields", "labels", "recipe", "architecture", "seed", "target"):
        for value in (None, 3, [], {}, True, "x" * 300):
            try:
                wishes.read(wish(**{name: value}))
            except DomainError:
                continue


@pytest.mark.parametrize(
    ("lost", "said"), [("base", "model that this run begins from"), ("data", "data set of this run")]
)
def test_a_run_whose_model_or_data_is_gone_is_not_tried_again(
    make_repo: MakeRepo, alice: User, bob: User, lost: str, said: str
) -> None:
    repos = {"base": make_base(make_repo, bob), "data": make_data(make_repo, bob)}
    run = ask(alice, base="bob/bert", data="bob/moods")
    assert run.job is not None
    run.job.cancel(by=alice)
    Repo.objects.filter(pk=repos[lost].pk).update(private=True)
    with pytest.raises(InvalidInput, match=said):
        asking.ask_again(run, by=alice)
