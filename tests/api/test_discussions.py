"""/api/v1/…/discussions."""

from collections.abc import Callable

import pytest

from models_hub.models import Repo
from portal.models import User
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]
HERE = "models/alice/bert/discussions"


@pytest.fixture(autouse=True)
def bert(alice: User, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(alice, "bert", files={"a.txt": "a"})


def test_a_discussion_is_begun_answered_and_closed(api: Api, alice: User, charlie: User) -> None:
    stranger, owner = api(charlie), api(alice)
    made = stranger("POST", HERE, {"title": "Why?", "text": "I **wonder**."}).json()
    assert (made["number"], made["status"], made["change"]) == (1, "open", None)
    assert owner("POST", f"{HERE}/1/posts", {"text": "Because."}).status_code == 201
    posts = stranger("GET", f"{HERE}/1/posts").json()["results"]
    assert [post["text"] for post in posts] == ["I **wonder**.", "Because."]
    assert "<strong>wonder</strong>" in posts[0]["html"]
    closed = owner("PATCH", f"{HERE}/1", {"status": "closed", "title": "Why so?", "comment": "Done."}).json()
    assert (closed["title"], closed["status"]) == ("Why so?", "closed")
    assert stranger("GET", f"{HERE}?status=open").json()["results"] == []


def test_a_comment_is_edited_by_its_author_and_hidden_by_the_owner(api: Api, alice: User, charlie: User) -> None:
    stranger, owner = api(charlie), api(alice)
    stranger("POST", HERE, {"title": "Why?"})
    post = stranger("POST", f"{HERE}/1/posts", {"text": "One"}).json()["id"]
    assert stranger("PATCH", f"{HERE}/1/posts/{post}", {"text": "Two"}).json()["text"] == "Two"
    assert owner("PATCH", f"{HERE}/1/posts/{post}", {"text": "Mine"}).status_code == 403
    assert owner("DELETE", f"{HERE}/1/posts/{post}").status_code == 204
    hidden = stranger("GET", f"{HERE}/1/posts").json()["results"][-1]
    assert (hidden["is_hidden"], hidden["text"], hidden["html"]) == (True, "", "")


def test_a_pull_request_is_opened_filled_and_merged(api: Api, alice: User, charlie: User) -> None:
    stranger, owner = api(charlie), api(alice)
    made = stranger("POST", HERE, {"title": "Mend", "is_pull_request": True}).json()
    assert (made["status"], made["change"]["ref"]) == ("draft", "refs/pr/1")
    change = {"title": "Mend", "branch": "refs/pr/1", "changes": [{"path": "b.txt", "text": "b"}]}
    assert stranger("POST", "models/alice/bert/commits", change).status_code == 201
    stranger("PATCH", f"{HERE}/1", {"status": "open"})
    assert stranger("POST", f"{HERE}/1/merge", {}).status_code == 403
    assert owner("POST", f"{HERE}/1/merge", {"method": "squash"}).json()["status"] == "merged"
    paths = [row["path"] for row in owner("GET", "models/alice/bert/tree/main").json()["results"]]
    assert "b.txt" in paths


def test_what_is_asked_wrongly_is_named(api: Api, alice: User) -> None:
    call = api(alice)
    assert call("GET", f"{HERE}?status=strange").status_code == 400
    assert "title" in call("POST", HERE, {}).json()["fields"]
    assert call("GET", f"{HERE}/7").status_code == 404
