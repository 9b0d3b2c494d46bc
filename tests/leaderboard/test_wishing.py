"""Votes on what to measure next: for what is public and unasked; idle workers take them where staff said so."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser

from leaderboard import submitting, wishing
from leaderboard.models import Benchmark, Evaluation, IdleRule, Vote, Wish
from leaderboard.not_evaluable import NotEvaluable
from models_hub import publishing
from models_hub.models import Repo
from models_hub.publishing import PutFile
from portal.errors import Conflict, InvalidInput, NotAllowed, QuotaExceeded, SignInRequired
from portal.models import Event, Job, User, WorkerNode
from tests.evaluating import make_benchmark, model_files
from worker import idle

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
PAGE = "/benchmarks/wishes"


@pytest.fixture
def benchmark(make_repo: MakeRepo, morgan: User) -> Benchmark:
    return make_benchmark(make_repo, morgan)


@pytest.fixture
def model(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, files=model_files())


@pytest.fixture
def node() -> WorkerNode:
    WorkerNode.hello("one", queues=["cpu"], slots=1, capabilities={})
    return WorkerNode.objects.get()


@pytest.fixture
def switched_on(morgan: User) -> None:
    wishing.let_idle_workers(take=True, by=morgan)


def test_each_person_has_one_vote_and_may_take_it_back(model, benchmark, bob, charlie) -> None:
    for voter in (bob, charlie, bob):
        wish = wishing.vote(model, benchmark, by=voter)
    assert wish.votes == Vote.objects.count() == 2
    for _ in range(2):
        wishing.take_back(wish, by=bob)
    wish.refresh_from_db()
    assert wish.votes == 1
    wishing.take_back(wish, by=charlie)
    assert not Wish.objects.open().exists()


def test_what_is_not_public_cannot_be_evaluated_or_was_asked_for_takes_no_votes(
    make_repo: MakeRepo, model, benchmark, alice, bob
) -> None:
    secret = make_repo(alice, "secret", files=model_files(), private=True)
    broken = make_repo(alice, "broken", files={"config.json": "{}"})
    with pytest.raises(InvalidInput):
        wishing.vote(secret, benchmark, by=alice)
    with pytest.raises(NotEvaluable):
        wishing.vote(broken, benchmark, by=bob)
    with pytest.raises(SignInRequired):
        wishing.vote(model, benchmark, by=AnonymousUser())
    wishing.vote(model, benchmark, by=bob)
    submitting.submit(model, benchmark, by=alice)
    assert not Wish.objects.open().exists()
    with pytest.raises(Conflict):
        wishing.vote(model, benchmark, by=bob)


def test_votes_are_bounded(make_repo: MakeRepo, model, benchmark, bob, alice, monkeypatch) -> None:
    monkeypatch.setattr(wishing, "MAX_VOTES", 1)
    wishing.vote(model, benchmark, by=bob)
    with pytest.raises(QuotaExceeded):
        wishing.vote(make_repo(alice, "second", files=model_files(2.0)), benchmark, by=bob)


def test_a_wish_about_what_became_private_is_shown_to_nobody(model, benchmark, bob, as_user) -> None:
    wishing.vote(model, benchmark, by=bob)
    assert "alice/bert" in as_user(None).get(PAGE).text
    Repo.objects.filter(pk=model.pk).update(private=True)
    for reader in (None, bob, model.created_by):
        assert "alice/bert" not in as_user(reader).get(PAGE).text


def test_idle_workers_take_the_most_wanted_only_where_staff_said_so(
    make_repo: MakeRepo, model, benchmark, alice, bob, charlie, morgan, node
) -> None:
    wanted = make_repo(alice, "wanted", files=model_files(2.0))
    wishing.vote(model, benchmark, by=bob)
    for voter in (bob, charlie):
        wishing.vote(wanted, benchmark, by=voter)
    assert idle.start_wishes() == 0
    with pytest.raises(NotAllowed):
        wishing.let_idle_workers(take=True, by=alice)
    wishing.let_idle_workers(take=True, by=morgan)
    assert idle.start_wishes() == 1
    evaluation = Evaluation.objects.get()
    assert (evaluation.model, evaluation.requested_by, evaluation.job.owner) == (wanted, None, None)
    assert Event.objects.filter(kind="wishes.taken", actor=morgan).exists()
    assert idle.start_wishes() == 0  # something waits already


def test_busy_or_absent_workers_take_no_wish(model, benchmark, bob, alice, switched_on) -> None:
    wishing.vote(model, benchmark, by=bob)
    assert idle.start_wishes() == 0
    WorkerNode.hello("one", queues=["cpu"], slots=1, capabilities={})
    job = Job.enqueue("evaluate", spec={}, owner=alice, title="")
    Job.objects.filter(pk=job.pk).update(state="running", worker="one")
    assert idle.start_wishes() == 0


def test_a_wish_that_cannot_be_granted_any_more_goes(model, benchmark, alice, bob, node, switched_on) -> None:
    wishing.vote(model, benchmark, by=bob)
    broken = [PutFile("config.json", b'{"architectures": ["GPT2LMHeadModel"]}')]
    publishing.commit(repo=model, by=alice, changes=broken, title="Another architecture")
    assert idle.start_wishes() == 0
    assert not Wish.objects.exists()


def test_people_vote_on_the_models_page_and_on_the_list(model, benchmark, bob, charlie, as_user) -> None:
    answer = as_user(bob).post("/alice/bert/wishes", {"benchmark": [benchmark.pk]}, follow=True)
    assert "Your vote is counted." in answer.text
    wish = Wish.objects.get()
    as_user(charlie).post(f"{PAGE}/{wish.pk}/votes")
    wish.refresh_from_db()
    assert wish.votes == 2
    as_user(bob).post(f"{PAGE}/{wish.pk}/withdrawal")
    wish.refresh_from_db()
    assert wish.votes == 1
    assert as_user(None).post(f"{PAGE}/{wish.pk}/votes").status_code == 302  # to sign in
    assert "Choose a benchmark first." in as_user(bob).post("/alice/bert/wishes", follow=True).text


def test_only_staff_see_and_use_the_switch(bob, morgan, as_user) -> None:
    assert "/benchmarks/wishes/idle" not in as_user(bob).get(PAGE).text
    assert as_user(bob).post(f"{PAGE}/idle", {"take": "1"}).status_code == 403
    as_user(morgan).post(f"{PAGE}/idle", {"take": "1"})
    assert IdleRule.holds()
    as_user(morgan).post(f"{PAGE}/idle", {"take": "0"})
    assert not IdleRule.holds()


def test_the_list_goes_on_and_costs_the_same_for_many(
    make_repo: MakeRepo, model, benchmark, alice, as_user, monkeypatch, django_assert_max_num_queries
) -> None:
    monkeypatch.setattr("leaderboard.views.wishes.PAGE", 4)
    models = [make_repo(alice, f"wish-{number}") for number in range(6)]
    Wish.objects.bulk_create(Wish(model=row, benchmark=benchmark, votes=3 - n // 2) for n, row in enumerate(models))
    client = as_user(alice)
    with django_assert_max_num_queries(12):
        page = client.get(PAGE).text
    assert [f"wish-{n}" in page for n in range(6)] == [True] * 4 + [False] * 2
    last = Wish.objects.most_wanted()[3]
    assert f"after={last.votes}-{last.pk}" in page
    rest = client.get(f"{PAGE}?after={last.votes}-{last.pk}").text
    assert [f"wish-{n}" in rest for n in range(6)] == [False] * 4 + [True] * 2
    assert client.get(f"{PAGE}?after=nonsense").status_code == 200
