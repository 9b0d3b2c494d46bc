"""Asking for many at once, a day's allowance, and standing orders for new versions."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from leaderboard import remeasuring, submitting
from leaderboard.models import Benchmark, Evaluation, StandingOrder
from models_hub import publishing
from models_hub.models import Repo
from models_hub.publishing import PutFile
from portal.errors import NotAllowed, QuotaExceeded
from portal.models import Event, Job, User
from tests.evaluating import make_benchmark, model_files, safetensors
from worker.relay import deliver_events

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
LEASE = timedelta(minutes=1)


@pytest.fixture
def model(make_repo: MakeRepo, alice: User) -> Repo:
    return make_repo(alice, files=model_files())


@pytest.fixture
def benchmarks(make_repo: MakeRepo, morgan: User) -> list[Benchmark]:
    return [make_benchmark(make_repo, morgan, name) for name in ("mood", "tone")]


def end(evaluation: Evaluation, *, failed: bool = False) -> None:
    """Let the evaluation's job end as a worker does, its score without what pages show of it."""
    job = Job.claim(evaluation.job_id, worker="one", lease=LEASE)
    assert job is not None
    if failed:
        job.fail(code="weights_incomplete", reason="Some weights are missing.")
        return
    job.finish({})
    Evaluation.objects.filter(pk=evaluation.pk).update(value=0.5, finished_at=timezone.now())


def push(model: Repo, by: User, path: str = "model.safetensors", content: bytes = safetensors(7.0)) -> None:
    publishing.commit(repo=model, by=by, changes=[PutFile(path, content)], title="Change")
    model.refresh_from_db()


def test_the_form_asks_for_several_at_once(model, benchmarks, bob, as_user) -> None:
    first = submitting.submit(model, benchmarks[0], by=bob)[0]
    chosen = {"benchmark": [row.pk for row in benchmarks]}
    page = as_user(bob).post("/alice/bert/evaluations", chosen, follow=True).text
    assert "1 evaluation was asked for. 1 was there already." in page
    assert Evaluation.objects.exclude(pk=first.pk).get().benchmark == benchmarks[1]


def test_one_that_is_refused_holds_up_no_other_and_is_named(model, benchmarks, bob, as_user, settings) -> None:
    settings.EVALUATIONS_PER_DAY = 1
    chosen = {"benchmark": [row.pk for row in benchmarks]}
    answer = as_user(bob).post("/alice/bert/evaluations", chosen)
    assert answer.status_code == 507
    assert "You may have 1 evaluations in 24 hours" in answer.text
    assert Evaluation.objects.count() == 1


def test_what_a_run_usually_takes_and_what_is_left_of_the_day_stand_beside_the_choice(
    make_repo: MakeRepo, benchmarks, alice, bob, as_user, settings
) -> None:
    settings.EVALUATIONS_PER_DAY = 50
    for number in range(3):
        other = make_repo(alice, f"other{number}", files=model_files(float(number)))
        end(submitting.submit(other, benchmarks[0], by=bob)[0])
    Job.objects.update(started_at=timezone.now(), finished_at=timezone.now() + timedelta(seconds=40))
    page = as_user(bob).get("/alice/other0/evaluations").text
    assert "about 40 s" in page
    assert "You may start 47 more of 50 in 24 hours" in page


def test_programs_ask_for_pairs_of_models_and_benchmarks(
    make_repo: MakeRepo, client: Client, model, benchmarks, bob, alice, token_of
) -> None:
    make_repo(alice, "broken", files={"config.json": "{}"})
    asked = {"models": ["alice/bert", "alice/broken"], "benchmarks": [row.pk for row in benchmarks]}
    key = {"authorization": f"Bearer {token_of(bob)}"}
    answer = client.post("/api/v1/evaluations/batch", json.dumps(asked), content_type="application/json", headers=key)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["results"]
    assert [(row["model"], row["is_new"], (row["error"] or {}).get("code")) for row in rows] == [
        ("alice/bert", True, None),
        ("alice/bert", True, None),
        ("alice/broken", False, "wrong_architecture"),
        ("alice/broken", False, "wrong_architecture"),
    ]
    assert rows[0]["evaluation"]["job"]["state"] == "queued"
    assert client.post("/api/v1/evaluations/batch", json.dumps(asked), content_type="application/json").status_code in {
        401,
        403,
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [({"models": []}, "models"), ({"benchmarks": []}, "benchmarks"), ({"benchmarks": [99]}, "no benchmark 99")],
)
def test_a_batch_of_nothing_or_of_what_is_not_there_is_refused(
    client: Client, model, benchmarks, bob, token_of, change, said
) -> None:
    asked = {"models": ["alice/bert"], "benchmarks": [benchmarks[0].pk]} | change
    key = {"authorization": f"Bearer {token_of(bob)}"}
    answer = client.post("/api/v1/evaluations/batch", json.dumps(asked), content_type="application/json", headers=key)
    assert answer.status_code in {400, 404}
    assert said in answer.text


def test_only_runs_with_a_score_are_charged(model, benchmarks, alice, bob, settings) -> None:
    settings.EVALUATIONS_PER_DAY = 1
    failed = submitting.submit(model, benchmarks[0], by=bob)[0]
    with pytest.raises(QuotaExceeded) as refused:
        submitting.submit(model, benchmarks[1], by=bob)
    assert refused.value.code == "daily_limit"
    assert "0 were completed and 1 wait or run" in refused.value.message
    end(failed, failed=True)
    scored = submitting.submit(model, benchmarks[1], by=bob)[0]
    end(scored)
    assert submitting.submit(model, benchmarks[1], by=bob) == (scored, False)  # what is there costs nothing
    with pytest.raises(QuotaExceeded, match="The next one is free in about"):
        submitting.submit(model, benchmarks[0], by=bob)
    assert submitting.submit(model, benchmarks[0], by=alice)[1]


def test_yesterdays_runs_count_no_more_and_without_a_limit_none_do(model, benchmarks, bob, settings) -> None:
    settings.EVALUATIONS_PER_DAY = 1
    end(submitting.submit(model, benchmarks[0], by=bob)[0])
    Job.objects.update(finished_at=timezone.now() - timedelta(hours=25))
    assert submitting.submit(model, benchmarks[1], by=bob)[1]
    settings.EVALUATIONS_PER_DAY = 0
    end(Evaluation.objects.get(benchmark=benchmarks[1]))
    push(model, model.created_by)
    assert submitting.submit(model, benchmarks[1], by=bob)[1]


def test_a_standing_order_measures_each_new_version_on_what_it_was_measured_on(model, benchmarks, alice) -> None:
    end(submitting.submit(model, benchmarks[0], by=alice)[0])
    push(model, alice)
    deliver_events()
    assert Evaluation.objects.count() == 1  # nobody asked for it
    remeasuring.follow(model, by=alice, following=True)
    push(model, alice, content=safetensors(8.0))
    for _ in range(2):
        deliver_events()
    new = Evaluation.objects.exclude(value__isnull=False).get()
    assert (new.benchmark, new.commit_oid, new.requested_by) == (benchmarks[0], model.head, alice)
    push(model, alice, path="README.md", content=b"# Better words\n")
    deliver_events()
    assert Evaluation.objects.count() == 2


def test_a_version_that_cannot_be_evaluated_breaks_no_delivery(model, benchmarks, alice) -> None:
    end(submitting.submit(model, benchmarks[0], by=alice)[0])
    remeasuring.follow(model, by=alice, following=True)
    push(model, alice, path="config.json", content=b"{}")
    deliver_events()
    assert not Event.objects.undelivered().exists()
    assert Evaluation.objects.count() == 1


def test_only_writers_give_standing_orders(model, alice, bob, as_user) -> None:
    with pytest.raises(NotAllowed):
        remeasuring.follow(model, by=bob, following=True)
    assert as_user(bob).post("/alice/bert/standing-order", {"follow": "1"}).status_code == 403
    page = as_user(alice).post("/alice/bert/standing-order", {"follow": "1"}, follow=True).text
    assert "in the name of alice" in page
    as_user(alice).post("/alice/bert/standing-order", {"follow": "0"})
    assert not StandingOrder.objects.exists()
