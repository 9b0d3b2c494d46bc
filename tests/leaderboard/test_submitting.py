"""Asking for an evaluation: once for the same thing, refused early where it must fail."""

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser

from leaderboard import fitting, submitting
from leaderboard.models import Benchmark, Evaluation
from models_hub import publishing
from models_hub.models import Repo
from models_hub.publishing import PutFile
from portal import allowances
from portal.errors import NotAllowed, NotFound, QuotaExceeded, SignInRequired
from portal.models import Job, Organization, User
from tests.evaluating import make_benchmark, model_files, safetensors

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]


@pytest.fixture
def benchmark(make_repo: MakeRepo, morgan: User) -> Benchmark:
    return make_benchmark(make_repo, morgan)


@pytest.fixture
def model(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, files=model_files())


def commit(repo: Repo, by: User, path: str, content: bytes) -> None:
    publishing.commit(repo=repo, by=by, changes=[PutFile(path, content)], title="Change")
    repo.refresh_from_db()


def test_a_request_makes_an_evaluation_and_its_job(model: Repo, benchmark: Benchmark, alice: User) -> None:
    evaluation, is_new = submitting.submit(model, benchmark, by=alice)
    assert is_new
    assert (evaluation.state, evaluation.commit_oid, evaluation.seed) == ("queued", model.head, benchmark.seed)
    assert evaluation.job is not None
    assert evaluation.job.spec["reads"] == [model.pk, benchmark.dataset_id]
    assert evaluation.job.owner == alice


def test_the_same_request_is_answered_by_what_is_there(
    model: Repo, benchmark: Benchmark, alice: User, charlie: User
) -> None:
    first, _is_new = submitting.submit(model, benchmark, by=alice)
    assert submitting.submit(model, benchmark, by=charlie) == (first, False)
    assert Job.objects.count() == 1


def test_a_commit_that_changes_nothing_an_evaluation_reads_needs_no_other(
    model: Repo, benchmark: Benchmark, alice: User
) -> None:
    first, _is_new = submitting.submit(model, benchmark, by=alice)
    commit(model, alice, "README.md", b"# Better words\n")
    assert submitting.submit(model, benchmark, by=alice) == (first, False)


@pytest.mark.parametrize(
    ("path", "content"),
    [("model.safetensors", safetensors(7.0)), ("tokenizer.json", b'{"swapped": true}')],
    ids=["weights", "vocabulary"],
)
def test_other_weights_or_another_vocabulary_are_another_evaluation(
    model: Repo, benchmark: Benchmark, alice: User, path: str, content: bytes
) -> None:
    first, _is_new = submitting.submit(model, benchmark, by=alice)
    commit(model, alice, path, content)
    second, is_new = submitting.submit(model, benchmark, by=alice)
    assert is_new
    assert second.pk != first.pk


def test_an_older_revision_may_be_asked_for(model: Repo, benchmark: Benchmark, alice: User) -> None:
    old = model.head
    commit(model, alice, "model.safetensors", safetensors(7.0))
    evaluation, _is_new = submitting.submit(model, benchmark, by=alice, revision=old)
    assert evaluation.commit_oid == old
    assert evaluation.is_outdated


def test_a_cancelled_evaluation_may_be_asked_for_again(model: Repo, benchmark: Benchmark, alice: User) -> None:
    first, _is_new = submitting.submit(model, benchmark, by=alice)
    assert first.job is not None
    first.job.cancel(by=alice)
    again, is_new = submitting.submit(model, benchmark, by=alice)
    assert is_new
    assert again.pk == first.pk
    assert Evaluation.objects.count() == 1
    assert again.state == "queued"


def without(*paths: str) -> dict[str, bytes | str]:
    return {path: content for path, content in model_files().items() if path not in paths}


def with_config(**changes: object) -> dict[str, bytes | str]:
    config = json.loads(model_files()["config.json"]) | changes
    return model_files() | {"config.json": json.dumps(config)}


@pytest.mark.parametrize(
    ("files", "code"),
    [
        (without("config.json"), "missing_config"),
        (without("tokenizer.json"), "missing_tokenizer"),
        (without("model.safetensors"), "missing_weights"),
        (without("model.safetensors") | {"pytorch_model.bin": b"\x80\x04"}, "unsafe_weights"),
        (with_config(architectures=["BertForMaskedLM"]), "wrong_architecture"),
        (with_config(architectures=None), "wrong_architecture"),
        (with_config(architectures="BertForSequenceClassification"), "wrong_architecture"),
        (with_config(auto_map={"AutoModel": "code.Model"}), "custom_code"),
        (model_files() | {"config.json": "{"}, "bad_config"),
        (model_files() | {"config.json": "[" * 100_000}, "bad_config"),
        (model_files() | {"config.json": "[]"}, "bad_config"),
        (model_files() | {"config.json": " " * 1_100_000 + "{}"}, "bad_config"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_only_fail_is_refused_before_a_job_is_made(
    make_repo: MakeRepo, alice: User, benchmark: Benchmark, files: dict[str, bytes | str], code: str
) -> None:
    with pytest.raises(fitting.NotEvaluable) as refused:
        submitting.submit(make_repo(alice, "broken", files=files), benchmark, by=alice)
    assert refused.value.code == code
    assert not Job.objects.exists()
    assert not Evaluation.objects.exists()


def test_a_data_set_is_no_model(benchmark: Benchmark, morgan: User) -> None:
    with pytest.raises(fitting.NotEvaluable) as refused:
        submitting.submit(benchmark.dataset, benchmark, by=morgan)
    assert refused.value.code == "not_a_model"


def test_a_revision_that_is_not_there_is_refused(model: Repo, benchmark: Benchmark, alice: User) -> None:
    with pytest.raises(NotFound):
        submitting.submit(model, benchmark, by=alice, revision="nowhere")


def test_anybody_with_an_account_may_have_a_public_model_evaluated(
    model: Repo, benchmark: Benchmark, charlie: User
) -> None:
    assert submitting.submit(model, benchmark, by=charlie)[1]
    with pytest.raises(SignInRequired):
        submitting.submit(model, benchmark, by=AnonymousUser())


def test_a_private_model_is_evaluated_for_its_writers_only(
    make_repo: MakeRepo, benchmark: Benchmark, team: Organization, alice: User, bob: User, charlie: User
) -> None:
    team.add(charlie, role="read", by=alice)
    model = make_repo(alice, "secret", namespace="team", private=True, files=model_files())
    with pytest.raises(NotAllowed):
        submitting.submit(model, benchmark, by=charlie)
    assert submitting.submit(model, benchmark, by=bob)[1]


def test_nobody_fills_the_queue_alone(
    model: Repo, benchmark: Benchmark, alice: User, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowances, "MAX_UNFINISHED", 1)
    Job.enqueue("evaluate", spec={}, owner=alice, title="")
    with pytest.raises(QuotaExceeded):
        submitting.submit(model, benchmark, by=alice)
    assert submitting.submit(model, benchmark, by=charlie)[1]


def test_evaluations_are_seen_where_model_and_data_set_are(
    make_repo: MakeRepo, alice: User, charlie: User, morgan: User
) -> None:
    public, secret = make_benchmark(make_repo, alice, "open"), make_benchmark(make_repo, alice, "shut", private=True)
    shown = make_repo(alice, "shown", files=model_files(1.0))
    hidden = make_repo(alice, "hidden", files=model_files(2.0), private=True)
    pairs = {(m, b): submitting.submit(m, b, by=alice)[0] for m in (shown, hidden) for b in (public, secret)}
    assert set(Evaluation.objects.visible_to(alice)) == set(pairs.values())
    assert list(Evaluation.objects.visible_to(charlie)) == [pairs[shown, public]]
    assert list(Evaluation.objects.public()) == [pairs[shown, public]]
