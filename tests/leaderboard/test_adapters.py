"""Adapters alone on boards: put on their base, which is part of what was measured, or refused with the reason."""

from collections.abc import Callable
from typing import Any

import pytest

from leaderboard import pinning, submitting
from leaderboard.models import Benchmark
from leaderboard.not_evaluable import NotEvaluable
from models_hub import publishing
from models_hub.models import Repo
from models_hub.publishing import PutFile
from portal.models import User
from tests.evaluating import adapter_files, make_benchmark, model_files, safetensors

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]


@pytest.fixture
def benchmark(make_repo: MakeRepo, morgan: User) -> Benchmark:
    return make_benchmark(make_repo, morgan)


@pytest.fixture
def base(make_repo: MakeRepo, alice: User) -> Repo:
    # What it has learned before matters not: the adapter brings its own head.
    config = model_files()["config.json"]
    assert isinstance(config, str)
    files = model_files() | {"config.json": config.replace("ForSequenceClassification", "ForMaskedLM")}
    return make_repo(alice, "bert", files=files)


@pytest.fixture
def adapter(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, "tuned", files=adapter_files())


def change(repo: Repo, by: User, path: str, content: bytes) -> None:
    publishing.commit(repo=repo, by=by, changes=[PutFile(path, content)], title="Change")
    repo.refresh_from_db()


def test_an_adapter_is_put_on_its_base_at_a_commit_that_stays(
    adapter: Repo, base: Repo, benchmark: Benchmark, alice: User
) -> None:
    evaluation, is_new = submitting.submit(adapter, benchmark, by=alice)
    assert is_new
    assert (evaluation.base, evaluation.base_commit) == (base, base.head)
    assert evaluation.job is not None
    assert evaluation.job.spec["reads"] == [adapter.pk, benchmark.dataset_id, base.pk]
    assert pinning.pinned_commits(base.pk) == {base.head}
    assert submitting.submit(adapter, benchmark, by=alice) == (evaluation, False)


def test_another_base_is_another_score(adapter: Repo, base: Repo, benchmark: Benchmark, alice: User) -> None:
    first, _is_new = submitting.submit(adapter, benchmark, by=alice)
    change(base, alice, "model.safetensors", safetensors(9.0))
    second, is_new = submitting.submit(adapter, benchmark, by=alice)
    assert is_new
    assert second.files_digest != first.files_digest


def test_the_commit_that_the_adapter_names_is_taken(
    make_repo: MakeRepo, base: Repo, benchmark: Benchmark, alice: User
) -> None:
    first = base.head
    adapter = make_repo(alice, "tuned", files=adapter_files(revision=first))
    change(base, alice, "model.safetensors", safetensors(9.0))
    evaluation, _is_new = submitting.submit(adapter, benchmark, by=alice)
    assert evaluation.base_commit == first
    gone = make_repo(alice, "older", files=adapter_files(revision="f" * 40))
    with pytest.raises(NotEvaluable, match="not here"):
        submitting.submit(gone, benchmark, by=alice)


@pytest.mark.parametrize("change", [{"private": True}, {"gated": "manual"}])
def test_a_base_that_one_may_not_read_is_as_if_it_were_not_here(
    adapter: Repo, base: Repo, benchmark: Benchmark, alice: User, charlie: User, change: dict[str, Any]
) -> None:
    Repo.objects.filter(pk=base.pk).update(**change)
    with pytest.raises(NotEvaluable, match="Publish the base here, or the adapter merged into it"):
        submitting.submit(adapter, benchmark, by=charlie)
    assert submitting.submit(adapter, benchmark, by=alice)[1]


UNFIT: list[tuple[Any, str]] = [
    (adapter_files(base="elsewhere/unknown"), "elsewhere/unknown"),
    (adapter_files(task="token-classification"), "ForTokenClassification"),
    (adapter_files() | {"adapter_config.json": "[]"}, "adapter_config.json"),
]


def test_what_could_only_fail_is_refused(make_repo: MakeRepo, base: Repo, benchmark: Benchmark, alice: User) -> None:
    for number, (files, named) in enumerate(UNFIT):
        adapter = make_repo(alice, f"tuned-{number}", files=files)
        with pytest.raises(NotEvaluable, match=named):
            submitting.submit(adapter, benchmark, by=alice)


def test_the_card_names_the_base_where_the_adapter_does_not(
    make_repo: MakeRepo, base: Repo, benchmark: Benchmark, alice: User
) -> None:
    files = adapter_files(base="/home/alice/bert") | {"README.md": "---\nbase_model: alice/bert\n---\n"}
    evaluation, _is_new = submitting.submit(make_repo(alice, "tuned", files=files), benchmark, by=alice)
    assert evaluation.base == base


def test_the_page_offers_what_the_adapter_was_trained_for(
    adapter: Repo, base: Repo, benchmark: Benchmark, alice: User, as_user: Any
) -> None:
    page = as_user(alice).get(f"{adapter.path}/evaluations")
    assert benchmark.title in page.text
    Repo.objects.filter(pk=base.pk).update(gated="manual", namespace=alice.namespace)
    Repo.objects.filter(pk=adapter.pk).update(private=False)
    refused = as_user(None).get(f"{adapter.path}/evaluations")
    assert "adapter alone" in refused.text
