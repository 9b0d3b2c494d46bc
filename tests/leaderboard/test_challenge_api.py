"""/api/v1/challenges: taking part from the command line."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from leaderboard.challenges import drafting
from leaderboard.models import Challenge, Entry
from models_hub.models import Repo
from portal.models import User
from tests.challenging import OPENS, draft, judged, opened, predictions
from tests.evaluating import model_files

pytestmark = pytest.mark.django_db
Ask = Callable[..., Client]


@pytest.fixture
def challenge(alice: User, morgan: User, clock: Callable) -> Challenge:
    made = opened(alice, morgan)
    clock(OPENS)
    return made


@pytest.fixture
def ask(token_of: Callable[..., str]) -> Ask:
    return lambda user: Client(headers={"Authorization": f"Bearer {token_of(user)}"})


def upload(raw: bytes) -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile("guess.csv", raw)}


def test_a_file_is_entered_as_curl_does(challenge: Challenge, bob: User, ask: Ask) -> None:
    api, url = ask(bob), f"/api/v1/challenges/{challenge.slug}"
    assert api.post(f"{url}/entries", upload(predictions())).json()["code"] == "rules_not_accepted"
    assert api.get(f"{url}/questions").status_code == 404
    assert api.post(f"{url}/membership", {"accept_rules": True}, "application/json").status_code == 201
    assert b"question 1" in b"".join(api.get(f"{url}/questions").streaming_content)
    answer = api.post(f"{url}/entries", upload(predictions()))
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["public_score"]) == ("queued", None)
    [listed] = api.get(f"{url}/entries").json()["results"]
    assert listed["file_name"] == "guess.csv"
    assert api.delete(f"{url}/entries/{listed['id']}").status_code == 204


def test_the_same_key_sends_the_same_file_once_and_no_other(challenge: Challenge, bob: User, ask: Ask) -> None:
    api, url = ask(bob), f"/api/v1/challenges/{challenge.slug}"
    api.post(f"{url}/membership", {"accept_rules": True}, "application/json")
    key = {"Idempotency-Key": "once"}
    first = api.post(f"{url}/entries", upload(predictions()), headers=key)
    again = api.post(f"{url}/entries", upload(predictions()), headers=key)
    assert first.json()["id"] == again.json()["id"]
    other = api.post(f"{url}/entries", upload(predictions(wrong=lambda n: n == 1)), headers=key)
    assert other.json()["code"] == "idempotency_key_reused"
    assert Entry.objects.count() == 1


def test_wrong_lines_come_back_with_their_numbers(challenge: Challenge, bob: User, ask: Ask) -> None:
    api, url = ask(bob), f"/api/v1/challenges/{challenge.slug}"
    api.post(f"{url}/membership", {"accept_rules": True}, "application/json")
    answer = api.post(f"{url}/entries", upload(b"id,label\n1,positive\n1,good\n2,meh\n"))
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_predictions"
    assert [one["line"] for one in answer.json()["lines"]] == [3, 4]
    assert answer.json()["lines"][0]["error"] == "the id 1 was on line 2 already"
    assert not Entry.objects.exists()


def test_a_model_is_entered_by_its_name(
    challenge: Challenge, bob: User, ask: Ask, make_repo: Callable[..., Repo]
) -> None:
    api, url = ask(bob), f"/api/v1/challenges/{challenge.slug}"
    api.post(f"{url}/membership", {"accept_rules": True}, "application/json")
    make_repo(bob, "mine", files=model_files())
    answer = api.post(f"{url}/entries", {"model": "bob/mine"}, "application/json")
    assert (answer.status_code, answer.json()["model"]) == (201, "bob/mine")
    assert api.post(f"{url}/entries", {"model": "bob/none"}, "application/json").status_code == 404


def test_standings_are_rounded_and_drafts_are_nobodys(
    challenge: Challenge, alice: User, bob: User, charlie: User, ask: Ask
) -> None:
    api = ask(bob)
    url = f"/api/v1/challenges/{challenge.slug}"
    api.post(f"{url}/membership", {"accept_rules": True}, "application/json")
    judged(challenge, bob, 0.8345, 0.1234)
    answer = api.get(f"{url}/standings")
    [line] = answer.json()["results"]
    assert (line["rank"], line["team"], line["score"], line["low"]) == (1, "bob", 0.83, None)
    assert b"0.1234" not in answer.content + api.get(f"{url}/entries").content
    own = draft(alice, "own")
    assert ask(charlie).get(f"/api/v1/challenges/{own.slug}").status_code == 404
    assert ask(alice).get(f"/api/v1/challenges/{own.slug}").json()["phase"] == "draft"
    drafting.withdraw(own, by=alice)
