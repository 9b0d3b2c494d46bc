"""The private part of a challenge on every way by which somebody might read it, and drafts, which nobody sees."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client

from leaderboard.challenges import drafting, judging
from leaderboard.models import Benchmark, Challenge, ChallengeData, Evaluation, Judgement
from models_hub import contents, job_contents
from models_hub.models import RepoBlob
from portal.models import Job, User
from tests.challenging import OPENS, draft, join, note, opened, right, send

pytestmark = pytest.mark.django_db
Clock = Callable[[datetime], None]
AsUser = Callable[[User | None], Client]
ROOT = Path(__file__).resolve().parents[2]
PAGES = ("", "/data", "/standings", "/entries", "/team", "/manage", "/objections", "/questions.jsonl")
PRIVATE = 0.717273


@pytest.fixture
def challenge(alice: User, morgan: User, clock: Clock) -> Challenge:
    made = opened(alice, morgan)
    clock(OPENS)
    return made


def seen_by(client: Client, challenge: Challenge) -> Iterator[str]:
    """Everything that pages and the API tell of a challenge, its entries and its jobs."""
    jobs = Job.objects.values_list("pk", flat=True)
    api = f"/api/v1/challenges/{challenge.slug}"
    addresses = [f"/challenges/{challenge.slug}{page}" for page in PAGES]
    addresses += [*(f"/jobs/{pk}" for pk in jobs), *(f"/api/v1/jobs/{pk}" for pk in jobs)]
    addresses += [api, f"{api}/standings", f"{api}/entries", f"{api}/questions", "/api/v1/evaluations"]
    addresses += [f"{api}/entries/{one.pk}" for one in challenge.entries.all()]
    for address in addresses:
        answer = client.get(address)
        raw = b"".join(answer.streaming_content) if answer.streaming else answer.content
        yield raw.decode()


def test_no_page_tells_a_private_score_or_an_answer_before_the_reveal(
    challenge: Challenge, alice: User, bob: User, as_user: AsUser, token_of: Callable[..., str]
) -> None:
    join(challenge, bob)
    note(send(challenge, bob), 0.8, PRIVATE)
    send(challenge, bob)
    data = ChallengeData.objects.get(challenge=challenge)
    kept = [data.source.sha256, data.public_answers.sha256, data.private_answers.sha256]
    answers = [f'"id": "{n}", "label": "{right(n)}"' for n in (2, 4, 6)]
    by_token = Client(headers={"Authorization": f"Bearer {token_of(bob)}"})
    for client in (as_user(None), as_user(bob), as_user(alice), by_token):
        for text in seen_by(client, challenge):
            assert not [secret for secret in ("0.7172", "71.7", *kept, *answers) if secret in text]


def test_the_answers_are_in_no_repository_and_no_digest_opens_them(
    challenge: Challenge, bob: User, make_repo: Callable, token_of: Callable[..., str]
) -> None:
    join(challenge, bob)
    data = ChallengeData.objects.get(challenge=challenge)
    hidden = [data.source, data.public_answers, data.private_answers]
    assert not RepoBlob.objects.filter(blob__in=hidden).exists()
    make_repo(bob, "mine")
    client = Client(headers={"Authorization": f"Bearer {token_of(bob)}"})
    wanted = {
        "operation": "download", "transfers": ["basic"],
        "objects": [{"oid": blob.sha256, "size": blob.size} for blob in hidden],
    }  # fmt: skip
    answer = client.post(
        "/bob/mine.git/info/lfs/objects/batch", json.dumps(wanted), content_type="application/vnd.git-lfs+json"
    )
    assert [one["error"]["code"] for one in answer.json()["objects"]] == [404, 404, 404]
    entry = send(challenge, bob)
    address = f"/api/v1/jobs/{entry.job.pk}/content/{data.private_answers.sha256}"
    assert client.get(address).status_code in (401, 403, 404)


def test_a_running_job_may_fetch_its_own_rows_and_no_other(
    challenge: Challenge, alice: User, bob: User, morgan: User
) -> None:
    join(challenge, bob)
    entry = send(challenge, bob)
    other = draft(alice, "other")
    drafting.take_upload(other, by=alice, name="rows.jsonl", chunks=[b"{}"], public_percent=30)
    data = ChallengeData.objects.get(challenge=challenge)
    assert {data.private_answers_id, entry.answers_id} <= judging.readable_by(entry.job)
    assert data.source_id not in judging.readable_by(entry.job)
    assert judging.readable_by(other.data.job) == {other.data.source_id}
    assert job_contents.find(entry.job, data.private_answers.sha256) == data.private_answers
    stranger = Job.enqueue("judge_entry", spec={"entry": entry.pk}, owner=bob, title="x")
    assert judging.readable_by(stranger) == set()


def test_judging_makes_no_rows_that_boards_and_feeds_are_made_of(challenge: Challenge, bob: User) -> None:
    join(challenge, bob)
    entry = note(send(challenge, bob), 0.8, PRIVATE)
    assert not Evaluation.objects.exists()
    assert not Benchmark.objects.exists()
    assert "0.7172" not in json.dumps(Job.objects.get(pk=entry.job_id).result)
    assert not {ChallengeData, Judgement} & set(admin.site._registry)


def test_only_what_judges_and_reveals_reads_answers_and_judgements() -> None:
    """Whoever adds a page that reads them finds this test, and must say why here."""
    allowed = {
        "leaderboard/models/challenges.py", "leaderboard/models/__init__.py", "leaderboard/challenges/judging.py",
        "leaderboard/challenges/revealing.py", "worker/jobs/judge_entry.py", "worker/jobs/reveal_challenge.py",
        "leaderboard/admin.py",  # a comment
        "leaderboard/views/challenge_entries.py", "leaderboard/api/challenges.py",  # after the reveal alone
        "leaderboard/api/challenge_shapes.py",
    }  # fmt: skip
    found = {
        str(path.relative_to(ROOT))
        for folder in ("leaderboard", "worker", "portal", "forum", "models_hub", "templates")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".html") and "migrations" not in path.parts
        if re.search(r"\b(Judgement|private_answers|public_answers)\b|\.judgement\b", path.read_text("utf-8"))
    }
    assert found <= allowed


def test_the_questions_are_for_whoever_accepted_the_rules_once_it_is_open(
    challenge: Challenge,
    bob: User,
    charlie: User,
    as_user: AsUser,
    clock: Clock,
) -> None:
    address = f"/challenges/{challenge.slug}/questions.jsonl"
    join(challenge, bob)
    assert as_user(bob).get(address).status_code == 200
    assert as_user(charlie).get(address).status_code == as_user(None).get(address).status_code == 404
    clock(OPENS.replace(day=1, hour=11))
    assert as_user(bob).get(address).status_code == 404


def test_rows_are_asked_without_their_order_their_ids_and_their_answers(challenge: Challenge) -> None:
    questions = b"".join(contents.stream(challenge.data.questions))
    assert b"label" not in questions


def test_a_draft_is_nobodys_and_a_proposal_the_moderators(
    alice: User,
    charlie: User,
    morgan: User,
    as_user: AsUser,
    clock: Clock,
) -> None:
    own = draft(alice, "own-draft", title="A secret of spring")
    for user in (None, charlie, morgan):
        client = as_user(user)
        assert client.get("/challenges/own-draft").status_code == 404
        assert "A secret of spring" not in client.get("/challenges").content.decode()
        assert client.post("/challenges/own-draft/joining", {"accept": "1"}).status_code == 404
    assert as_user(alice).get("/challenges/own-draft").status_code == 200
    Challenge.objects.filter(pk=own.pk).update(submitted_at=OPENS)
    assert as_user(morgan).get("/challenges/own-draft").status_code == 200
    assert as_user(charlie).get("/challenges/own-draft").status_code == 404
