"""Registering benchmarks: from eval.yaml to a row whose meaning stays."""

import hashlib
from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser

from leaderboard import benchmarks
from leaderboard.engine_facts import MAX_LABELS, engine_version
from leaderboard.models import Benchmark
from models_hub import publishing
from models_hub.models import Repo
from models_hub.publishing import PutFile
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound, SignInRequired
from portal.models import Event, Organization, User
from tests.evaluating import EVAL_YAML, data_lines, dataset_files, make_benchmark
from worker.engine import contracts

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]


def commit(repo: Repo, by: User, path: str, text: str) -> None:
    publishing.commit(repo=repo, by=by, changes=[PutFile(path, text.encode())], title="Change")
    repo.refresh_from_db()


def test_a_benchmark_pins_commit_and_bytes(make_repo: MakeRepo, alice: User) -> None:
    benchmark = make_benchmark(make_repo, alice)
    assert benchmark.commit_oid == benchmark.dataset.head
    assert benchmark.data_sha256 == hashlib.sha256(data_lines().encode()).hexdigest()
    assert Event.objects.filter(kind="benchmark.registered", subject=f"benchmark:{benchmark.pk}").count() == 1


def test_registering_twice_is_one_benchmark(make_repo: MakeRepo, alice: User) -> None:
    benchmark = make_benchmark(make_repo, alice)
    assert benchmarks.register(benchmark.dataset, by=alice) == (benchmark, False)


def test_words_may_change_under_the_same_version(make_repo: MakeRepo, alice: User) -> None:
    benchmark = make_benchmark(make_repo, alice)
    commit(benchmark.dataset, alice, "eval.yaml", EVAL_YAML.replace("name: Mood", "name: Temper"))
    same, is_new = benchmarks.register(benchmark.dataset, by=alice)
    assert (same.pk, same.name, is_new) == (benchmark.pk, "Temper", False)


@pytest.mark.parametrize(
    "change",
    [("[negative, positive]", "[positive, negative]"), ("seed: 0", "seed: 1"), ("max_length: 64", "max_length: 32")],
)
def test_another_meaning_needs_another_version(make_repo: MakeRepo, alice: User, change: tuple[str, str]) -> None:
    first = make_benchmark(make_repo, alice)
    changed = EVAL_YAML.replace(*change)
    commit(first.dataset, alice, "eval.yaml", changed)
    with pytest.raises(Conflict) as refused:
        benchmarks.register(first.dataset, by=alice)
    assert refused.value.code == "benchmark_changed"
    commit(first.dataset, alice, "eval.yaml", changed.replace("version: 1", "version: 2"))
    second, is_new = benchmarks.register(first.dataset, by=alice)
    assert is_new
    assert list(Benchmark.objects.current()) == [second]


def test_other_data_is_another_meaning(make_repo: MakeRepo, alice: User) -> None:
    benchmark = make_benchmark(make_repo, alice)
    commit(benchmark.dataset, alice, "data/test.jsonl", data_lines(6))
    with pytest.raises(Conflict):
        benchmarks.register(benchmark.dataset, by=alice)


def test_data_that_is_not_there_is_refused(make_repo: MakeRepo, alice: User) -> None:
    dataset = make_repo(alice, "mood", kind="dataset", files={"eval.yaml": EVAL_YAML})
    with pytest.raises(InvalidInput) as refused:
        benchmarks.register(dataset, by=alice)
    assert "data/test.jsonl" in refused.value.message


def test_a_data_set_without_a_definition_is_refused(make_repo: MakeRepo, alice: User) -> None:
    dataset = make_repo(alice, "mood", kind="dataset")
    with pytest.raises(NotFound):
        benchmarks.register(dataset, by=alice)


def test_a_model_is_no_benchmark(make_repo: MakeRepo, alice: User) -> None:
    with pytest.raises(InvalidInput) as refused:
        benchmarks.register(make_repo(alice, files=dataset_files()), by=alice)
    assert refused.value.code == "not_a_dataset"


def test_only_writers_register(make_repo: MakeRepo, team: Organization, alice: User, bob: User, charlie: User) -> None:
    dataset = make_repo(alice, "mood", kind="dataset", namespace="team", files=dataset_files())
    with pytest.raises(NotAllowed):
        benchmarks.register(dataset, by=charlie)
    assert benchmarks.register(dataset, by=bob)[1]


def test_nobody_registers_nothing(make_repo: MakeRepo, alice: User) -> None:
    dataset = make_repo(alice, "mood", kind="dataset", files=dataset_files())
    with pytest.raises(SignInRequired):
        benchmarks.register(dataset, by=AnonymousUser())


def test_a_benchmark_of_a_private_data_set_is_hidden(make_repo: MakeRepo, alice: User, charlie: User) -> None:
    benchmark = make_benchmark(make_repo, alice, private=True)
    assert benchmark in Benchmark.objects.visible_to(alice)
    assert benchmark not in Benchmark.objects.visible_to(charlie)


def test_what_the_site_knows_of_the_engine_is_true(settings) -> None:
    settings.FAKE_ENGINE = False
    assert engine_version() == contracts.ENGINE_VERSION
    assert MAX_LABELS == contracts.MAX_LABELS
