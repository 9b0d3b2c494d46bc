"""Running a finished evaluation once more: what is kept, who may, and what pages and the API say of it."""

from datetime import timedelta
from typing import Any

import pytest

from leaderboard import recording, reproducing
from leaderboard.models import Evaluation, Reproduction
from models_hub import publishing
from portal.errors import Conflict, NotAllowed, SignInRequired
from portal.models import Job
from tests.evaluating import make_benchmark, make_evaluation
from tests.leaderboard.scored import REPORT, record, scores


@pytest.fixture
def finished(alice, make_repo) -> Evaluation:
    return record(make_evaluation(make_repo, alice, make_benchmark(make_repo, alice)), scores(0.9))


def end(run: Reproduction, found: dict[str, Any], **report: object) -> Reproduction:
    """Store what another worker found."""
    assert run.job is not None
    job = Job.claim(run.job.pk, worker="two", lease=timedelta(seconds=30))
    assert job is not None
    recording.record_again(run, job=job, scores=found, report=REPORT | report, worker=job.worker)
    run.refresh_from_db()
    return run


def test_another_run_is_kept_beside_the_score(finished, charlie):
    run = end(reproducing.reproduce(finished, by=charlie), scores(0.9), threads=4, device_name="Another processor")
    finished.refresh_from_db()
    assert (finished.value, Evaluation.objects.count()) == (0.9, 1)
    assert (run.worker, run.threads, run.device_name) == ("two", 4, "Another processor")
    assert run.has_same_answers
    assert run.job is not None
    assert run.job.owner == charlie
    assert reproducing.agreement_of(finished, reproducing.runs_of(finished)) == reproducing.Agreement(1, 1, 0.0)


def test_other_answers_are_shown_as_such_and_change_no_score(client, finished, charlie):
    end(reproducing.reproduce(finished, by=charlie), scores(0.9))
    end(reproducing.reproduce(finished, by=charlie), scores(0.87) | {"prediction_digest": "e" * 64})
    page = client.get(finished.get_absolute_url()).text
    assert "reproduced 2 times, spread 3.0" in page
    assert "1 run gave other answers" in page
    assert "some differ" in page
    assert "all the same" in page
    finished.refresh_from_db()
    assert finished.value == 0.9


def test_a_score_that_nobody_repeated_says_so(client, finished):
    page = client.get(finished.get_absolute_url()).text
    assert "verified here" in page
    assert "Nobody has run it once more yet." in page


def test_the_button_asks_for_another_run(as_user, charlie, finished):
    browser = as_user(charlie)
    assert "Run once more" in browser.get(finished.get_absolute_url()).text
    answer = browser.post(f"{finished.get_absolute_url()}/reproductions")
    assert answer.headers["Location"] == f"{finished.get_absolute_url()}#runs"
    assert finished.reproductions.unfinished().get().requested_by == charlie
    assert "Run once more" not in browser.get(finished.get_absolute_url()).text


def test_one_run_at_a_time(finished, alice, charlie):
    reproducing.reproduce(finished, by=charlie)
    with pytest.raises(Conflict, match="already"):
        reproducing.reproduce(finished, by=alice)


def test_a_run_that_failed_is_shown_and_makes_room_for_another(client, finished, charlie):
    run = reproducing.reproduce(finished, by=charlie)
    job = Job.claim(run.job.pk, worker="two", lease=timedelta(seconds=30))
    job.fail(code="memory", reason="There was no memory left.")
    assert "There was no memory left." in client.get(finished.get_absolute_url()).text
    reproducing.reproduce(finished, by=charlie)


def test_only_a_finished_score_of_this_engine_can_be_repeated(alice, make_repo, finished):
    waiting = make_evaluation(make_repo, alice, finished.benchmark, "other")
    with pytest.raises(Conflict, match="no score"):
        reproducing.reproduce(waiting, by=alice)
    finished.engine_version = "1.0.0"
    with pytest.raises(Conflict, match="engine"):
        reproducing.reproduce(finished, by=alice)


def test_who_may_not_evaluate_may_not_repeat(as_user, client, alice, bob, charlie, team, make_repo, finished):
    with pytest.raises(SignInRequired):
        reproducing.reproduce(finished, by=client.get("/").wsgi_request.user)
    publishing.set_private(finished.model, by=alice, private=True)
    with pytest.raises(NotAllowed):
        reproducing.reproduce(finished, by=charlie)
    assert as_user(charlie).post(f"{finished.get_absolute_url()}/reproductions").status_code == 404
    assert as_user(charlie).get(f"{finished.get_absolute_url()}/reproductions").status_code == 405


def test_the_api_repeats_and_lists(as_user, charlie, finished):
    browser, address = as_user(charlie), f"/api/v1/evaluations/{finished.pk}"
    answer = browser.post(f"{address}/reproductions")
    assert answer.status_code == 201, answer.text
    end(finished.reproductions.get(), scores(0.91))
    listed = browser.get(f"{address}/reproductions").json()
    assert [(run["value"], run["has_same_answers"], run["worker"]) for run in listed] == [(0.91, True, "two")]
    reproduced = browser.get(address).json()["reproduced"]
    assert (reproduced["runs"], reproduced["same"], round(reproduced["spread"], 6)) == (1, 1, 0.01)


def test_the_page_costs_the_same_however_often_it_was_repeated(client, finished, charlie, django_assert_num_queries):
    def repeat() -> None:
        end(reproducing.reproduce(finished, by=charlie), scores(0.9))

    repeat()
    with django_assert_num_queries(13, exact=False):
        client.get(finished.get_absolute_url())
    repeat()
    repeat()
    with django_assert_num_queries(13, exact=False):
        client.get(finished.get_absolute_url())


# The result card


def test_the_card_holds_everything_that_makes_the_score(client, finished):
    answer = client.get(f"/api/v1/evaluations/{finished.pk}/card")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="evaluation-{finished.pk}.json"'
    card, benchmark = answer.json(), finished.benchmark
    assert card["model"] == {
        "repo": "alice/bert",
        "commit": finished.commit_oid,
        "weights_digest": finished.weights_digest,
        "files_digest": finished.files_digest,
        "files": {"config.json": "a" * 64},
    }
    for key, value in {
        "sha256": benchmark.data_sha256,
        "digest": benchmark.meaning,
        "commit": benchmark.commit_oid,
    }.items():
        assert card["benchmark"][key] == value
    assert card["result"]["primary"] == {"name": "f1_macro", "value": 0.9, "low": 0.85, "high": pytest.approx(0.95)}
    computed = card["computed"]
    assert (computed["dtype"], computed["seed"], computed["threads"], computed["device"]) == ("float32", 0, 2, "cpu")
    assert computed["versions"] == {"python": "3.11.7"}
    assert f"reproduce http://testserver/api/v1/evaluations/{finished.pk}" in card["command"]


def test_every_fact_of_the_card_is_on_the_page(client, finished):
    page = client.get(finished.get_absolute_url()).text
    card = client.get(f"/api/v1/evaluations/{finished.pk}/card").json()
    facts = [card["command"], card["model"]["commit"], *card["model"]["files"].values(), card["benchmark"]["sha256"]]
    facts += [card["benchmark"]["digest"], card["benchmark"]["commit"], card["result"]["prediction_digest"]]
    facts += [card["computed"]["engine"], card["computed"]["dtype"], "A processor", "2 threads", "namespaces"]
    for fact in facts:
        assert fact in page, fact
    assert f'href="/api/v1/evaluations/{finished.pk}/card"' in page


def test_there_is_no_card_before_there_is_a_score(client, alice, make_repo):
    waiting = make_evaluation(make_repo, alice, make_benchmark(make_repo, alice))
    assert client.get(f"/api/v1/evaluations/{waiting.pk}/card").status_code == 404
