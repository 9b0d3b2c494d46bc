"""/api/v1/models and what is below one model."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Value
from django.db.models.functions import Concat
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from models_hub.models import Repo
from portal.api.idempotency import once
from portal.models import AccessToken, IdempotentAnswer, Organization, User
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]
MakeRepo = Callable[..., Repo]
CARD = "---\nlicense: mit\nlanguage: [zh, en]\npipeline_tag: text-classification\n---\n# A model\n"


def test_a_model_is_created_read_changed_and_deleted(api: Api, alice: User) -> None:
    call = api(alice)
    made = call("POST", "models", {"name": "tiny", "private": True})
    assert made.status_code == 201
    assert made.json()["name"] == "alice/tiny"
    assert call("GET", "models/alice/tiny").json()["may_manage"] is True
    changed = call("PATCH", "models/alice/tiny", {"private": False, "gated": "auto", "name": "small"}).json()
    assert (changed["name"], changed["private"], changed["gated"]) == ("alice/small", False, "auto")
    assert call("DELETE", "models/alice/small").status_code == 204
    assert call("GET", "models/alice/small").status_code == 404


def test_all_of_a_change_happens_or_nothing(api: Api, alice: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "one")
    repo = make_repo(alice, "two")
    answer = api(alice)("PATCH", "models/alice/two", {"private": True, "name": "one"})
    assert answer.status_code == 409
    repo.refresh_from_db()
    assert not repo.private


def test_a_former_name_leads_on(api: Api, alice: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "old")
    call = api(alice)
    call("PATCH", "models/alice/old", {"name": "new"})
    answer = call("GET", "models/alice/old/refs")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/api/v1/models/alice/new/refs")


def test_hidden_and_missing_are_answered_alike(api: Api, alice: User, charlie: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "secret", private=True)
    call = api(charlie)
    for path in ("", "/refs", "/tree/main", "/commits/main", "/access-requests"):
        hidden = call("GET", f"models/alice/secret{path}")
        missing = call("GET", f"models/alice/nothing{path}")
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json() == missing.json()


def test_strangers_may_not_change(api: Api, alice: User, charlie: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "bert", files={"README.md": CARD})
    call = api(charlie)
    assert call("PATCH", "models/alice/bert", {"private": True}).status_code == 403
    assert call("DELETE", "models/alice/bert").status_code == 403
    assert call("POST", "models/alice/bert/branches", {"name": "mine"}).status_code == 403
    assert api(None)("POST", "models", {"name": "x"}).status_code == 401


def test_the_list_takes_the_filters_of_the_page(api: Api, alice: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "bert", files={"README.md": CARD})
    make_repo(alice, "plain")
    make_repo(alice, "hidden", private=True)
    names = [row["name"] for row in api(None)("GET", "models?license=mit").json()["results"]]
    assert names == ["alice/bert"]
    assert len(api(None)("GET", "models").json()["results"]) == 2


def test_a_list_goes_on_at_its_next_address(api: Api, alice: User, make_repo: MakeRepo) -> None:
    names = {make_repo(alice, f"model-{number}").full_name for number in range(30)}
    call = api(None)
    page = call("GET", "models?sort=created").json()
    rest = call("GET", page["next"].partition("/api/v1/")[2]).json()
    assert {row["name"] for row in page["results"] + rest["results"]} == names
    assert rest["next"] is None


def test_a_commit_puts_and_deletes_files(api: Api, alice: User, make_repo: MakeRepo) -> None:
    repo = make_repo(alice, "bert", files={"old.txt": "old"})
    changes: list[dict[str, Any]] = [
        {"path": "README.md", "text": CARD},
        {"path": "bytes.bin", "base64": base64.b64encode(bytes(range(256))).decode()},
        {"path": "old.txt", "delete": True},
    ]
    call = api(alice)
    made = call("POST", "models/alice/bert/commits", {"title": "Change", "changes": changes, "parent": repo.head})
    assert made.status_code == 201
    tree = call("GET", "models/alice/bert/tree/main").json()
    assert tree["commit"] == made.json()["commit"]["id"]
    sizes = {row["path"]: row["size"] for row in tree["results"]}
    assert (sizes["README.md"], sizes["bytes.bin"]) == (len(CARD), 256)
    assert "old.txt" not in sizes
    again = call("POST", "models/alice/bert/commits", {"title": "Late", "changes": changes[:1], "parent": repo.head})
    assert again.status_code == 412


def test_a_stranger_proposes_a_commit(api: Api, alice: User, charlie: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "bert")
    body = {"title": "Mend", "changes": [{"path": "a.txt", "text": "a"}], "as_pull_request": True}
    made = api(charlie)("POST", "models/alice/bert/commits", body)
    assert (made.status_code, made.json()["pull_request"]) == (201, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"path": "a.txt"},
        {"path": "a.txt", "text": "a", "delete": True},
        {"path": "a.txt", "text": "a", "base64": "YQ=="},
        {"path": "a.txt", "base64": "!!"},
        {"path": "../a.txt", "text": "a"},
        {"path": "a.txt", "sha256": "0" * 64},
    ],
)
def test_a_bad_change_is_refused_by_name(api: Api, alice: User, make_repo: MakeRepo, change: dict[str, Any]) -> None:
    make_repo(alice, "bert")
    answer = api(alice)("POST", "models/alice/bert/commits", {"title": "Bad", "changes": [change]})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_branches_and_tags_come_and_go(api: Api, alice: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "bert", files={"a.txt": "a"})
    call = api(alice)
    assert call("POST", "models/alice/bert/branches", {"name": "work/one"}).status_code == 201
    assert call("POST", "models/alice/bert/tags", {"name": "v1", "message": "First"}).status_code == 201
    refs = call("GET", "models/alice/bert/refs").json()
    assert [one["name"] for one in refs["branches"]] == ["main", "work/one"]
    assert [(one["name"], one["message"]) for one in refs["tags"]] == [("v1", "First")]
    assert call("DELETE", "models/alice/bert/branches/work/one").status_code == 204
    assert call("DELETE", "models/alice/bert/tags/v1").status_code == 204
    assert call("DELETE", "models/alice/bert/tags/v1").status_code == 404


def test_likes_are_given_and_taken_back(api: Api, alice: User, charlie: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "bert")
    call = api(charlie)
    for _time in range(2):
        assert call("PUT", "models/alice/bert/like").json() == {"likes": 1}
    assert call("DELETE", "models/alice/bert/like").json() == {"likes": 0}


def test_access_is_asked_for_and_given(api: Api, alice: User, charlie: User, make_repo: MakeRepo) -> None:
    make_repo(alice, "bert")
    owner, asker = api(alice), api(charlie)
    owner("PATCH", "models/alice/bert", {"gated": "manual"})
    assert asker("POST", "models/alice/bert/access-requests", {}).json()["status"] == "pending"
    assert asker("GET", "models/alice/bert/access-requests").status_code == 403
    [row] = owner("GET", "models/alice/bert/access-requests?status=pending").json()["results"]
    assert row["person"]["name"] == "charlie"
    accepted = owner("PATCH", "models/alice/bert/access-requests/charlie", {"status": "accepted"})
    assert accepted.json()["status"] == "accepted"


def test_a_repeated_request_is_answered_and_not_done_again(api: Api, alice: User) -> None:
    call = api(alice)
    first = call("POST", "models", {"name": "once"}, Idempotency_Key="k1")
    again = call("POST", "models", {"name": "once"}, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Repo.objects.count() == 1


def test_an_answer_without_a_body_is_kept_too(alice: User) -> None:
    def forget(_view: None, _request: Request) -> Response:
        User.objects.filter(pk=alice.pk).update(about=Concat("about", Value("!")))
        return Response(status=204)

    sent = APIRequestFactory().post("/api/v1/anything", headers={"Idempotency-Key": "k1"})
    force_authenticate(sent, alice)
    asked = Request(sent)
    answers = [once(forget)(None, asked) for _time in range(2)]
    assert [(one.status_code, one.data) for one in answers] == [(204, None), (204, None)]
    alice.refresh_from_db()
    assert alice.about == "!"


def test_a_key_belongs_to_one_request_of_one_person(api: Api, alice: User, bob: User) -> None:
    api(alice)("POST", "models", {"name": "once"}, Idempotency_Key="k1")
    other = api(alice)("POST", "models", {"name": "other"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert api(bob)("POST", "models", {"name": "once"}, Idempotency_Key="k1").status_code == 201


def test_a_limited_token_is_given_no_answer_of_another_one(api: Api, alice: User, make_repo: MakeRepo) -> None:
    repo = make_repo(alice, "secret", private=True)
    body, place = {"title": "Mend", "changes": [{"path": "a.txt", "text": "a"}]}, "models/alice/secret/commits"
    assert api(alice)("POST", place, body, Idempotency_Key="k1").status_code == 201
    secret = AccessToken.issue_fine_grained(user=alice, name="app", grants=[], permissions=["discussions"])[1]
    limited = api(None, headers={"authorization": f"Bearer {secret}"})
    answer = limited("POST", place, body, Idempotency_Key="k1")
    assert (answer.status_code, repo.head in answer.text) == (409, False)
    assert limited("POST", place, body, Idempotency_Key="k2").status_code == 404


def test_a_refused_request_may_use_its_key_again(api: Api, alice: User) -> None:
    call = api(alice)
    assert call("POST", "models", {"name": "bad name"}, Idempotency_Key="k1").status_code == 400
    assert not IdempotentAnswer.objects.exists()
    assert call("POST", "models", {"name": "good"}, Idempotency_Key="k1").status_code == 201


def test_a_limited_token_goes_no_further_here(api: Api, alice: User, team: Organization, make_repo: MakeRepo) -> None:
    from portal.models import Grant
    from portal.reach import Level

    repo = make_repo(alice, "mine")
    make_repo(alice, "other")
    grant = Grant(namespace=repo.namespace, level=Level.WRITE, label="alice/mine", repo_id=repo.pk)
    secret = AccessToken.issue_fine_grained(user=alice, name="one", grants=[grant])[1]
    call = api(None, headers={"authorization": f"Bearer {secret}"})
    body = {"title": "Mend", "changes": [{"path": "a.txt", "text": "a"}]}
    assert call("POST", "models/alice/mine/commits", body).status_code == 201
    assert call("POST", "models/alice/other/commits", body).status_code == 403
    assert call("PATCH", "models/alice/mine", {"private": True}).status_code == 403
    assert call("POST", "models", {"name": "new"}).status_code == 403
