"""/api/v1/…/discussions."""

from collections.abc import Callable

import pytest

from models_hub import publishing
from models_hub.changes import PutFile
from models_hub.models import RefRule, Repo
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


@pytest.fixture
def proposal(bert: Repo, charlie: User) -> Repo:
    """A pull request of charlie's to a branch that asks for an approval."""
    RefRule.objects.create(repo=bert, pattern="main", requires_pull_request=True, approvals=1)
    publishing.propose(repo=bert, by=charlie, changes=[PutFile("b.txt", b"b")], title="Mend")
    return bert


def test_an_approval_is_given_and_opens_the_branch(proposal: Repo, api: Api, alice: User, charlie: User) -> None:
    owner = api(alice)
    before = owner("GET", f"{HERE}/1/reviews").json()
    assert (before["reviews"], before["lacking"]) == ([], ["1 approval is needed, 0 is given."])
    sent = {"verdict": "approved", "head": before["head"], "comment": "Looks right."}
    made = owner("POST", f"{HERE}/1/reviews", sent)
    assert made.status_code == 201
    [review] = made.json()["reviews"]
    assert (review["reviewer"]["name"], review["verdict"], review["head"]) == ("alice", "approved", before["head"])
    assert (review["is_current"], review["counts"]) == (True, True)
    assert (made.json()["approvers"], made.json()["objectors"], made.json()["lacking"]) == (["alice"], [], [])
    posts = api(charlie)("GET", f"{HERE}/1/posts").json()["results"]
    assert [post["kind"] for post in posts[-2:]] == ["review", "comment"]
    assert owner("POST", f"{HERE}/1/merge", {}).json()["status"] == "merged"


def test_a_review_of_what_is_not_the_newest_is_refused(proposal: Repo, api: Api, alice: User, charlie: User) -> None:
    sent = {"verdict": "changes", "head": proposal.head}
    refused = api(alice)("POST", f"{HERE}/1/reviews", sent)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    head = api(alice)("GET", f"{HERE}/1/reviews").json()["head"]
    assert api(charlie)("POST", f"{HERE}/1/reviews", {"verdict": "approved", "head": head}).status_code == 403
    assert "verdict" in api(alice)("POST", f"{HERE}/1/reviews", {"verdict": "fine", "head": head}).json()["fields"]
    assert api(None)("POST", f"{HERE}/1/reviews", {"verdict": "approved", "head": head}).status_code in {401, 403}


def test_a_discussion_has_no_reviews(api: Api, alice: User) -> None:
    api(alice)("POST", HERE, {"title": "Why?"})
    assert api(alice)("GET", f"{HERE}/1/reviews").status_code == 404


def test_what_is_asked_wrongly_is_named(api: Api, alice: User) -> None:
    call = api(alice)
    assert call("GET", f"{HERE}?status=strange").status_code == 400
    assert "title" in call("POST", HERE, {}).json()["fields"]
    assert call("GET", f"{HERE}/7").status_code == 404
