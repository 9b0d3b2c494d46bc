"""What one asked to have measured: how each stands, and asking for many at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leaderboard import submissions, submitting, suites
from leaderboard.models import Evaluation
from portal.models import Job
from tests.evaluating import make_benchmark, model_files
from tests.leaderboard.scored import record, scores


@pytest.fixture
def mood(alice, make_repo):
    return make_benchmark(make_repo, alice)


@pytest.fixture
def asked(alice, make_repo, mood):
    """Ask for a score of a new model."""

    def make(name: str, by=alice) -> Evaluation:
        return submitting.submit(make_repo(by, name, files=model_files(len(name))), mood, by=by)[0]

    return make


def fail(evaluation: Evaluation, state: str = "failed") -> None:
    Job.objects.filter(pk=evaluation.job_id).update(
        state=state, reason="It is broken.", reason_code="weights_unreadable"
    )


def test_each_state_has_its_filter_and_its_count(as_user, alice, asked) -> None:
    waiting, failed, done = asked("w"), asked("ff"), asked("ddd")
    fail(failed)
    record(done, scores(0.9))
    assert submissions.counts(alice) == {"waiting": 1, "running": 0, "done": 1, "failed": 1, "cancelled": 0}
    page = as_user(alice).get("/submissions").text
    for piece in ("90.0", "place 1", "It is broken.", "weights_unreadable", "no worker serves the queue", "Try again"):
        assert piece in page
    only = as_user(alice).get("/submissions?state=failed").text
    assert f"submission-{failed.pk}" in only
    assert f"submission-{waiting.pk}" not in only
    assert f"submission-{done.pk}" in as_user(alice).get("/submissions?model=ddd").text


def test_others_see_neither_the_page_nor_its_rows(client, as_user, charlie, asked) -> None:
    evaluation = asked("w")
    assert client.get("/submissions").status_code in (302, 401, 403)
    assert f"submission-{evaluation.pk}" not in as_user(charlie).get("/submissions").text
    assert as_user(charlie).post(f"/submissions/{evaluation.pk}/cancellation").status_code == 404
    assert as_user(charlie).get("/api/v1/submissions").json()["results"] == []


def test_what_became_hidden_is_listed_no_more(as_user, bob, alice, asked, mood) -> None:
    evaluation = submitting.submit(asked("w").model, make_other(mood), by=bob)[0]
    assert [one.evaluation for one in submissions.page(submissions.of(bob), before=None, limit=9)] == [evaluation]
    model = evaluation.model
    model.private = True
    model.save()
    assert submissions.page(submissions.of(bob), before=None, limit=9) == []


def make_other(mood):
    mood.pk, mood.version = None, 2
    mood._state.adding = True
    mood.save()
    return mood


def test_a_job_can_be_cancelled_and_asked_for_again(as_user, alice, asked) -> None:
    evaluation = asked("w")
    as_user(alice).post(f"/submissions/{evaluation.pk}/cancellation")
    evaluation.refresh_from_db()
    assert evaluation.state == "cancelled"
    as_user(alice).post(f"/submissions/{evaluation.pk}/again")
    evaluation.refresh_from_db()
    assert evaluation.state == "queued"


def test_a_whole_board_is_asked_for_after_saying_what_that_would_start(as_user, morgan, alice, mood, asked) -> None:
    there = asked("w").model
    new = asked("nn").model
    Evaluation.objects.filter(model=new).delete()
    suites.create_suite(by=morgan, slug="moods", title="Moods", benchmarks=[(mood, 1.0)])
    form = {"models": f"{there.full_name}\n{new.full_name}", "board": "moods", "step": "check"}
    page = as_user(alice).post("/submissions/new", form).text
    assert "1 new, 1 there already, 0 refused" in page
    assert Evaluation.objects.count() == 1
    assert "you may ask for" in page
    as_user(alice).post("/submissions/new", form | {"step": "ask"})
    assert set(Evaluation.objects.values_list("model", flat=True)) == {there.pk, new.pk}


def test_the_api_asks_for_a_board_and_lists_what_was_asked_for(as_user, morgan, alice, mood, asked) -> None:
    model = asked("w").model
    suites.create_suite(by=morgan, slug="moods", title="Moods", benchmarks=[(mood, 1.0)])
    browser = as_user(alice)
    sent = {"models": [model.full_name], "board": "moods"}
    answer = browser.post("/api/v1/submissions", sent, content_type="application/json")
    assert [one["is_new"] for one in answer.json()["results"]] == [False]
    (listed,) = browser.get("/api/v1/submissions?state=waiting").json()["results"]
    assert listed["model"]["repo"] == model.full_name
    assert browser.get("/api/v1/submissions?state=nonsense").status_code == 400
    assert browser.get("/api/v1/submissions/allowance").json()["unfinished"] == 1


def test_the_page_costs_the_same_for_any_number(as_user, alice, asked, django_assert_num_queries) -> None:
    browser = as_user(alice)
    asked("a")
    browser.get("/submissions")
    with CaptureQueriesContext(connection) as before:
        browser.get("/submissions")
    count = len(before)
    record(asked("bb"), scores(0.9))
    asked("ccc")
    with django_assert_num_queries(count):
        browser.get("/submissions")
