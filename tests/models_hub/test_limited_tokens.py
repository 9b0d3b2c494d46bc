"""Work on repositories as a token sees it that was given some of them: jobs, runs, searches, queues, notifications."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from models_hub.adapting import queues, studies, wishes
from models_hub.adapting.queues import QueueWish
from models_hub.models import AnnotationQueue, Repo, Run, RunAid, Study
from portal import subjects
from portal.models import AccessToken, Grant, Job, User
from portal.reach import Level
from tests.evaluating import model_files
from tests.tuning import ask, make_data, wish

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]
SPACE = {"lr": {"type": "float", "low": 1e-5, "high": 1e-1, "log": True}}
PLAN = {"trials": 4, "parallel": 2}


@pytest.fixture
def repos(make_repo: MakeRepo, alice: User) -> dict[str, Repo]:
    """Two private models, a private and a public data set."""
    return {
        "bert": make_repo(alice, "bert", files=model_files(), private=True),
        "secret": make_repo(alice, "secret", files=model_files(), private=True),
        "moods": make_data(make_repo, alice, private=True),
        "open": make_data(make_repo, alice, "open"),
    }


def token(alice: User, *given: Repo, permissions: tuple[str, ...] = ("jobs",)) -> tuple[Client, User]:
    """A client with a token for these repositories, and the person within its reach."""
    grants = [Grant(repo.namespace, Level.WRITE, repo.full_name, repo_id=repo.pk) for repo in given]
    made, secret = AccessToken.issue_fine_grained(user=alice, name="ci", grants=grants, permissions=permissions)
    opened = AccessToken.opened(pk=made.pk)
    assert opened is not None
    return Client(headers={"authorization": f"Bearer {secret}"}), opened.user


def listed(client: Client, what: str) -> list[Any]:
    answer = client.get(f"/api/v1/{what}")
    assert answer.status_code == 200, answer.content
    return [row["title"] for row in answer.json()["results"]]


def job_on(alice: User, title: str, *repos: Repo) -> Job:
    return Job.enqueue("echo", spec={"reads": [repo.pk for repo in repos]}, owner=alice, title=title)


def test_it_sees_jobs_of_its_repository_alone(alice: User, repos: dict[str, Repo]) -> None:
    mine = job_on(alice, "bert on open", repos["bert"], repos["open"])
    others = [
        job_on(alice, "secret", repos["secret"]),
        job_on(alice, "bert against secret", repos["bert"], repos["secret"]),
        job_on(alice, "open alone", repos["open"]),
        job_on(alice, "export of everything"),
    ]
    client, within = token(alice, repos["bert"])
    assert listed(client, "jobs") == ["bert on open"]
    assert client.get(f"/api/v1/jobs/{mine.pk}").status_code == client.get(f"/api/v1/jobs/{mine.pk}/log").status_code
    for job in others:
        for way in ("", "/log"):
            assert client.get(f"/api/v1/jobs/{job.pk}{way}").status_code == 404
        assert client.post(f"/api/v1/jobs/{job.pk}/cancellation").status_code == 404
    assert set(subjects.describe([f"job:{job.pk}" for job in (mine, *others)], within)) == {f"job:{mine.pk}"}
    assert Job.objects.visible_to(alice).count() == 5


def test_an_owner_given_as_a_whole_shows_the_jobs_of_all_its_repositories(alice: User, repos: dict[str, Repo]) -> None:
    job_on(alice, "bert against secret", repos["bert"], repos["secret"])
    grant = Grant(alice.namespace, Level.READ, "alice/*")
    _made, secret = AccessToken.issue_fine_grained(user=alice, name="all", grants=[grant], permissions=["jobs"])
    assert listed(Client(headers={"authorization": f"Bearer {secret}"}), "jobs") == ["bert against secret"]


def test_a_token_without_repositories_sees_no_job_that_names_a_private_one(alice: User, repos: dict[str, Repo]) -> None:
    job_on(alice, "secret", repos["secret"])
    job_on(alice, "open", repos["open"])
    job_on(alice, "export")
    assert listed(token(alice)[0], "jobs") == ["export", "open"]


def test_doubled_requests_for_a_job_name_its_repositories_once(alice: User, repos: dict[str, Repo]) -> None:
    for _again in range(2):
        spec = {"reads": [repos["bert"].pk]}
        job = Job.enqueue("echo", spec=spec, owner=alice, title="x", idempotency_key="k", about=[repos["open"].pk])
    assert set(job.repos.values_list("repo_id", flat=True)) == {repos["bert"].pk, repos["open"].pk}


def test_it_sees_runs_of_its_repository_alone(alice: User, repos: dict[str, Repo]) -> None:
    mine = ask(alice, data="alice/open", title="mine")
    hidden = [ask(alice, title="private data"), ask(alice, base="alice/secret", data="alice/open", title="other base")]
    aided = ask(alice, data="alice/open", title="with a teacher")
    RunAid.objects.create(run=aided, role=RunAid.Role.TEACHER, repo=repos["secret"], commit=repos["secret"].head)
    client, within = token(alice, repos["bert"])
    assert listed(client, "runs") == listed(client, "jobs")[-1:] == ["mine"]
    assert client.get(f"/api/v1/runs/{mine.pk}").json()["wish"]["dataset"] == "alice/open"
    for run in (*hidden, aided):
        for way in ("", "/points"):
            assert client.get(f"/api/v1/runs/{run.pk}{way}").status_code == 404
        assert client.post(f"/api/v1/runs/{run.pk}/again").status_code == 404
    keys = [f"run:{run.pk}" for run in (mine, *hidden, aided)]
    assert set(subjects.describe(keys, within)) == {f"run:{mine.pk}"}


def test_a_run_seen_by_its_public_result_alone_tells_no_more_than_to_strangers(
    alice: User, make_repo: MakeRepo, repos: dict[str, Repo]
) -> None:
    run = ask(alice, title="secret moods")
    result = make_repo(alice, "tuned", files={"config.json": "{}"})
    Run.objects.filter(pk=run.pk).update(result=result, result_commit=result.head)
    client, within = token(alice, repos["open"])
    seen = client.get(f"/api/v1/runs/{run.pk}").json()
    assert (seen["title"], seen["base"], seen["dataset"], seen["wish"], seen["job"]) == ("alice/tuned", *[None] * 4)
    assert "secret moods" not in str(subjects.describe([f"run:{run.pk}"], within))
    assert client.post(f"/api/v1/runs/{run.pk}/publication").status_code == 403


def test_it_sees_searches_and_queues_of_its_repository_alone(alice: User, repos: dict[str, Repo]) -> None:
    mine = studies.ask(wishes.read(wish(data="alice/open", title="mine")), SPACE, PLAN, by=alice)
    other = studies.ask(wishes.read(wish(title="other")), SPACE, PLAN, by=alice)
    label = {"task": "text-classification", "path": "train.jsonl", "labels": ["positive", "negative"]}
    near = queues.ask(QueueWish(data="alice/open", base="alice/bert", title="near", **label), by=alice)
    far = queues.ask(QueueWish(data="alice/open", base="alice/secret", title="far", **label), by=alice)
    client, within = token(alice, repos["bert"])
    assert listed(client, "studies") == ["mine"]
    assert listed(client, "queues") == ["near"]
    assert set(listed(client, "jobs")) == {"mine", "near"}
    assert client.get(f"/api/v1/studies/{mine.pk}").status_code == 200
    assert client.get(f"/api/v1/studies/{other.pk}").status_code == 404
    assert client.post(f"/api/v1/studies/{other.pk}/stop").status_code == 404
    assert client.get(f"/api/v1/queues/{far.pk}").status_code == 404
    keys = [f"study:{mine.pk}", f"study:{other.pk}", f"{queues.SUBJECT}:{near.pk}", f"{queues.SUBJECT}:{far.pk}"]
    assert set(subjects.describe(keys, within)) == {keys[0], keys[2]}
    assert (Study.objects.visible_to(alice).count(), AnnotationQueue.objects.visible_to(alice).count()) == (2, 2)


def test_without_the_right_it_sees_none(alice: User, repos: dict[str, Repo]) -> None:
    ask(alice, data="alice/open")
    studies.ask(wishes.read(wish(data="alice/open")), SPACE, PLAN, by=alice)
    client, _within = token(alice, repos["bert"], permissions=())
    assert [listed(client, what) for what in ("jobs", "runs", "studies")] == [[], [], []]
