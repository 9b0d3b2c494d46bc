"""The wire of discussions: forms of answers, who may do what, what stays unseen, how many queries."""

import re
from collections.abc import Callable

import pytest

from forum import discussing
from forum.models import Post, Topic
from models_hub.models import PullRequest, Ref, Repo
from portal.models import Event, User
from tests.models_hub.wire import LARGE, Wire, body_of, file_row, large_row

MODEL = "models/alice/bert"
ALL = f"/api/{MODEL}/discussions"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def repo(alice: User, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(alice, files={"a.txt": "one\n"})


@pytest.fixture
def owner(repo: Repo, alice: User, token_of: Callable[..., str]) -> Wire:
    return Wire(token_of(alice))


@pytest.fixture
def stranger(repo: Repo, charlie: User, token_of: Callable[..., str]) -> Wire:
    return Wire(token_of(charlie))


def propose(wire: Wire, text: bytes = b"two\n") -> str:
    rows = (file_row("a.txt", text),)
    return wire.commit(MODEL, *rows, revision="main?create_pr=1", summary="Better a")


def test_a_discussion_is_told_in_full(repo, stranger):
    assert stranger.post(ALL, {"title": " Why? ", "description": "Tell *me*"}).json()["num"] == 1

    told = Wire().get(f"{ALL}/1?diff=1").json()

    assert (told["num"], told["title"], told["status"], told["isPullRequest"]) == (1, "Why?", "open", False)
    assert told["author"]["name"] == "charlie"
    assert told["repo"] == {"name": "alice/bert", "type": "model"}
    assert DATE.fullmatch(told["createdAt"])
    first = told["events"][0]
    assert (first["type"], first["data"]["latest"]["raw"], first["data"]["edited"]) == ("comment", "Tell *me*", False)
    assert "<em>me</em>" in first["data"]["latest"]["html"]
    assert not {"diff", "changes", "filesWithConflicts"} & told.keys()


def test_a_stranger_s_commit_becomes_a_pull_request(repo, stranger, owner):
    answer = propose(stranger).json()

    assert answer["pullRequestUrl"] == "http://portal.example/alice/bert/discussions/1"
    assert Ref.objects.get(repo=repo, name="refs/pr/1").oid == answer["commitOid"]
    told = owner.get(f"{ALL}/1?diff=1").json()
    assert (told["title"], told["status"], told["isPullRequest"]) == ("Better a", "open", True)
    assert told["changes"] == {"base": "refs/heads/main"}
    assert told["filesWithConflicts"] == []
    assert "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n" in told["diff"]
    assert [event["type"] for event in told["events"]] == ["comment", "commit"]
    assert told["events"][1]["data"] == {"subject": "Better a", "oid": answer["commitOid"]}


def test_the_pull_request_s_files_are_read_at_its_reference(repo, stranger):
    oid = propose(stranger).json()["commitOid"]

    assert Wire().get(f"/api/{MODEL}/revision/refs%2Fpr%2F1").json()["sha"] == oid
    assert b"two" in body_of(Wire().get("/alice/bert/resolve/refs%2Fpr%2F1/a.txt"))
    assert "a.txt" in [entry["path"] for entry in Wire().get(f"/api/{MODEL}/tree/refs%2Fpr%2F1").json()]
    assert Wire().get(f"/api/{MODEL}/commits/refs%2Fpr%2F1").json()[0]["id"] == oid
    refs = Wire().get(f"/api/{MODEL}/refs?include_prs=1").json()
    assert refs["pullRequests"] == [{"name": "1", "ref": "refs/pr/1", "targetCommit": oid}]
    assert "pullRequests" not in Wire().get(f"/api/{MODEL}/refs").json()


def test_large_content_of_a_stranger_comes_by_preupload_and_lfs(repo, stranger):
    asked = {"files": [{"path": "w.bin", "size": len(LARGE), "sample": ""}]}
    assert stranger.post(f"/api/{MODEL}/preupload/main", asked).status_code == 403
    told = stranger.post(f"/api/{MODEL}/preupload/main?create_pr=1", asked)
    assert told.json()["files"][0]["uploadMode"] == "lfs"
    row = large_row("w.bin", "0" * 64, 5)
    assert stranger.commit(MODEL, row, revision="main?create_pr=1").status_code == 400
    assert not PullRequest.objects.exists()


@pytest.mark.parametrize("base", ["nope", "{head}", "refs%2Fpr%2F1"])
def test_only_a_branch_is_a_base(repo, stranger, base):
    response = stranger.commit(MODEL, file_row("b", b"b"), revision=base.format(head=repo.head) + "?create_pr=1")
    assert (response.status_code, response["X-Error-Code"]) == (404, "RevisionNotFound")


def test_a_proposal_on_an_old_head_is_412(repo, stranger, owner):
    owner.commit(MODEL, file_row("b", b"b"))
    response = stranger.commit(MODEL, file_row("a.txt", b"x"), revision="main?create_pr=1", parentCommit=repo.head)
    assert response.status_code == 412


def test_the_author_adds_commits_and_the_branch_stays_closed(repo, stranger):
    propose(stranger)

    assert stranger.commit(MODEL, file_row("b", b"b"), revision="refs%2Fpr%2F1").status_code == 200
    assert stranger.commit(MODEL, file_row("b", b"b")).status_code == 403


def test_a_conflict_is_listed_and_a_merge_of_it_is_409(repo, stranger, owner):
    propose(stranger)
    owner.commit(MODEL, file_row("a.txt", b"three\n"))

    assert owner.get(f"{ALL}/1").json()["filesWithConflicts"] == ["a.txt"]
    refused = owner.post(f"{ALL}/1/merge", "null")
    assert refused.status_code == 409
    assert "a.txt" in refused.json()["error"]


def test_a_merge_with_an_empty_or_null_body(repo, stranger, owner):
    for number, body in enumerate((None, "null"), start=1):
        propose(stranger, b"%d\n" % number)
        assert stranger.post(f"{ALL}/{number}/merge", body).status_code == 403
        assert owner.post(f"{ALL}/{number}/merge", body).status_code == 200
        told = owner.get(f"{ALL}/{number}").json()
        assert (told["status"], told["changes"]["mergeCommitId"]) == ("merged", Repo.objects.get(pk=repo.pk).head)


def test_a_merge_of_a_head_that_moved_is_409(repo, stranger, owner):
    seen = propose(stranger).json()["commitOid"]
    stranger.commit(MODEL, file_row("b", b"b"), revision="refs%2Fpr%2F1")
    assert owner.post(f"{ALL}/1/merge", {"head": seen}).status_code == 409


def test_comments_are_edited_by_their_author_and_hidden_by_writers(repo, stranger, owner):
    stranger.post(ALL, {"title": "Why?", "description": "x"})
    said = stranger.post(f"{ALL}/1/comment", {"comment": "First"}).json()["newMessage"]
    address = f"{ALL}/1/comment/{said['id']}"

    assert owner.post(f"{address}/edit", {"content": "Mine"}).status_code == 403
    edited = stranger.post(f"{address}/edit", {"content": "Second"}).json()["updatedComment"]
    assert (edited["data"]["latest"]["raw"], edited["data"]["history"][0]["raw"]) == ("Second", "First")
    hidden = owner.post(f"{address}/hide").json()["updatedComment"]
    assert hidden["data"]["hidden"] is True
    assert (hidden["data"]["latest"]["raw"], hidden["data"]["history"]) == ("", [])
    assert stranger.post(f"{address}/edit", {"content": "Third"}).status_code == 409


def test_a_comment_of_another_discussion_is_not_there(repo, owner):
    owner.post(ALL, {"title": "One", "description": "x"})
    owner.post(ALL, {"title": "Two", "description": "x"})
    first = Post.objects.order_by("id").first()
    for comment in (first.pk, 10**17, "x", "-1"):
        assert owner.post(f"{ALL}/2/comment/{comment}/edit", {"content": "y"}).status_code == 404


def test_title_and_status_answer_with_their_events(repo, owner):
    owner.post(ALL, {"title": "One", "description": "x"})

    renamed = owner.post(f"{ALL}/1/title", {"title": "Two"}).json()["newTitle"]
    closed = owner.post(f"{ALL}/1/status", {"status": "closed", "comment": "Done"}).json()["newStatus"]

    assert renamed["data"] == {"from": "One", "to": "Two"}
    assert (closed["type"], closed["data"]) == ("status-change", {"status": "closed"})
    assert owner.post(f"{ALL}/1/status", {"status": "closed"}).status_code == 409
    assert owner.post(f"{ALL}/1/status", {"status": "merged"}).status_code == 400


def test_lists_are_pages_that_say_where_they_stand(repo, owner, monkeypatch):
    monkeypatch.setattr("forum.hf_api.topics.PAGE", 2)
    for number in range(3):
        owner.post(ALL, {"title": f"Topic {number}", "description": "x"})

    first, second = owner.get(f"{ALL}?p=0").json(), owner.get(f"{ALL}?p=1").json()

    assert (first["count"], first["start"], [one["num"] for one in first["discussions"]]) == (3, 0, [3, 2])
    assert (second["start"], [one["num"] for one in second["discussions"]]) == (2, [1])


def test_a_list_asks_as_often_for_many_as_for_few(repo, alice, owner, django_assert_max_num_queries):
    for count in (1, 8):
        for number in range(count):
            discussing.open_discussion(repo=repo, by=alice, title=f"Topic {number}", text="x")
        with django_assert_max_num_queries(10):
            owner.get(ALL)


def test_a_conversation_asks_as_often_for_many_as_for_few(repo, alice, owner, django_assert_max_num_queries):
    topic = discussing.open_discussion(repo=repo, by=alice, title="Topic", text="x")
    for count in (1, 8):
        for number in range(count):
            discussing.edit(discussing.comment(topic, by=alice, text=f"{number}"), by=alice, text=f"{number}!")
        with django_assert_max_num_queries(12):
            owner.get(f"{ALL}/1")


@pytest.mark.parametrize(
    ("method", "place", "body"),
    [
        ("GET", "", None), ("POST", "", {"title": "x", "description": "x"}), ("GET", "/1", None),
        ("POST", "/1/comment", {"comment": "x"}), ("POST", "/1/title", {"title": "x"}),
        ("POST", "/1/status", {"status": "closed"}), ("POST", "/1/merge", None),
        ("POST", "/1/comment/1/edit", {"content": "x"}), ("POST", "/1/comment/1/hide", None),
    ],
)  # fmt: skip
def test_a_private_repository_looks_like_none(alice, charlie, make_repo, token_of, method, place, body):
    repo = make_repo(alice, "secret", private=True)
    discussing.open_discussion(repo=repo, by=alice, title="Hush", text="x")
    wire = Wire(token_of(charlie))

    hidden = wire.call(method, f"/api/models/alice/secret/discussions{place}", body)
    missing = wire.call(method, f"/api/models/alice/absent/discussions{place}", body)

    assert (hidden.status_code, hidden["X-Error-Code"]) == (404, "RepoNotFound")
    assert hidden.content == missing.content


def test_anonymous_readers_and_read_tokens_write_nothing(repo, alice, token_of):
    assert Wire().post(ALL, {"title": "x", "description": "x"}).status_code == 401
    assert Wire(token_of(alice, "read")).post(ALL, {"title": "x", "description": "x"}).status_code == 403
    assert not Topic.objects.exists()


def test_what_cannot_be_is_refused(repo, owner):
    for body in ({}, {"title": ""}, {"title": "x" * 301}, {"title": "a\0b"}, {"title": 1}, [1]):
        assert owner.post(ALL, body).status_code == 400
    owner.post(ALL, {"title": "x", "description": "x"})
    for comment in ("", " ", "x" * 65_537, "\ud800", None):
        assert owner.post(f"{ALL}/1/comment", {"comment": comment}).status_code == 400
    assert owner.get(f"{ALL}/2").status_code == 404
    assert owner.post(f"{ALL}/1/merge").status_code == 404


def test_a_gated_repository_tells_of_the_change_without_its_lines(repo, stranger, owner):
    propose(stranger)
    Repo.objects.filter(pk=repo.pk).update(gated="manual")

    assert "two" in owner.get(f"{ALL}/1?diff=1").json()["diff"]
    assert Wire().get(f"{ALL}/1?diff=1").json()["diff"] == ""


def test_every_step_is_an_event_that_names_repository_and_number(repo, stranger, owner):
    propose(stranger)
    stranger.post(f"{ALL}/1/comment", {"comment": "x"})
    owner.post(f"{ALL}/1/merge", {"comment": "Thanks"})

    events = Event.objects.filter(kind__startswith="discussion.").order_by("id")
    assert [event.kind for event in events] == [
        "discussion.opened",
        "discussion.committed",
        "discussion.commented",
        "discussion.commented",
        "discussion.merged",
    ]
    assert {(event.payload["repo"], event.payload["number"]) for event in events} == {("alice/bert", 1)}


def test_a_deleted_account_leaves_its_words(repo, charlie, stranger, owner):
    propose(stranger)
    charlie.delete()

    told = owner.get(f"{ALL}/1").json()
    assert "author" not in told
    assert owner.post(f"{ALL}/1/merge").status_code == 200
