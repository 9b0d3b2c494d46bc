"""Tokens that carry no further than what they were given, on every door."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from portal.models import AccessToken, Grant, Job
from portal.reach import Level
from tests.models_hub.wire import Wire, file_row

PAGE = "/settings/tokens/fine-grained"


@pytest.fixture
def repos(alice, make_repo):
    return [make_repo(alice, name, private=True, files={"a.txt": "x"}) for name in ("one", "two")]


@pytest.fixture
def given(alice):
    """A client whose token of alice's has just these grants."""

    def make(*grants, permissions=(), expires_at=None):
        _token, secret = AccessToken.issue_fine_grained(
            user=alice, name="ci", grants=grants, permissions=permissions, expires_at=expires_at
        )
        return Wire(secret)

    return make


def on(repo, level):
    return Grant(repo.namespace, level, repo.full_name, repo_id=repo.pk)


def test_it_sees_the_private_repositories_that_it_was_given_and_no_other(given, repos):
    wire = given(on(repos[0], Level.READ))
    assert wire.get("/api/models/alice/one").status_code == 200
    hidden, missing = wire.get("/api/models/alice/two"), wire.get("/api/models/alice/nothing")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content
    assert [row["id"] for row in wire.get("/api/models?author=alice").json()] == ["alice/one"]
    assert wire.get("/alice/two/resolve/main/a.txt").status_code == 404


def test_reading_does_not_let_it_write(given, repos):
    wire = given(on(repos[0], Level.READ))
    assert wire.commit("models/alice/one", file_row("b.txt", b"b")).status_code == 403
    assert wire.post("/alice/one.git/info/lfs/objects/batch", {"operation": "upload", "objects": []}).status_code == 403
    assert wire.get("/api/models/alice/one/xet-write-token/main").status_code == 403


def test_writing_to_one_does_not_let_it_write_to_another(given, alice, repos, make_repo):
    make_repo(alice, "public")
    wire = given(on(repos[0], Level.WRITE))
    assert wire.commit("models/alice/one", file_row("b.txt", b"b")).status_code == 200
    assert wire.commit("models/alice/public", file_row("b.txt", b"b")).status_code == 403
    assert wire.commit("models/alice/two", file_row("b.txt", b"b")).status_code == 404


def test_writing_does_not_let_it_manage(given, repos):
    wire = given(on(repos[0], Level.WRITE))
    assert wire.call("PUT", "/api/models/alice/one/settings", {"private": False}).status_code == 403
    assert wire.call("DELETE", "/api/repos/delete", {"name": "one", "organization": "alice"}).status_code == 403
    assert wire.post("/api/repos/create", {"name": "three"}).status_code == 403


def test_an_owner_given_as_a_whole_holds_what_comes_later(given, alice, repos):
    wire = given(Grant(repos[0].namespace, Level.MANAGE, "alice/*"))
    assert wire.post("/api/repos/create", {"name": "three", "private": True}).status_code == 200
    assert wire.commit("models/alice/three", file_row("b.txt", b"b")).status_code == 200


def test_it_never_carries_further_than_its_owner(given, alice, bob, make_repo):
    theirs = make_repo(bob, "bobs", private=True)
    wire = given(on(theirs, Level.MANAGE))
    assert wire.get("/api/models/bob/bobs").status_code == 404


def test_a_superuser_is_held_by_it_too(given, alice, bob, repos, make_repo):
    alice.is_superuser = True
    alice.save()
    make_repo(bob, "bobs", private=True)
    assert given(on(repos[0], Level.READ)).get("/api/models/bob/bobs").status_code == 404


def test_parts_of_the_account_need_their_permission(given, alice, repos):
    Job.enqueue("evaluate", spec={}, owner=alice, title="secret work")
    without, with_jobs = given(on(repos[0], Level.READ)), given(permissions=["jobs"])
    assert without.get("/api/v1/jobs").json()["results"] == []
    assert len(with_jobs.get("/api/v1/jobs").json()["results"]) == 1
    assert without.get("/api/settings/webhooks").status_code == 403
    assert without.post("/api/collections", {"title": "x", "namespace": "alice"}).status_code == 403


def test_a_signed_upload_address_ends_with_its_token(given, alice, repos):
    wire = given(on(repos[0], Level.WRITE))
    body = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": "a" * 64, "size": 3}]}
    href = wire.post("/alice/one.git/info/lfs/objects/batch", body).json()["objects"][0]["actions"]["upload"]["href"]
    AccessToken.objects.get().revoke()
    answer = Wire().call("PUT", href.split("portal.example")[1], b"abc", content_type="application/octet-stream")
    assert answer.status_code == 403


def test_it_ends_when_its_time_is_over(given, repos):
    wire = given(on(repos[0], Level.READ), expires_at=timezone.now() - timedelta(seconds=1))
    assert wire.get("/api/whoami-v2").status_code == 401


def test_whoami_says_what_it_may_do(given, repos):
    told = (
        given(on(repos[0], Level.WRITE), permissions=["webhooks"]).get("/api/whoami-v2").json()["auth"]["accessToken"]
    )
    assert told["role"] == "fineGrained"
    scoped = told["fineGrained"]["scoped"][0]
    assert (scoped["entity"]["name"], scoped["permissions"]) == ("alice/one", ["repo.content.read", "repo.write"])
    assert told["fineGrained"]["global"] == ["webhooks"]


def test_the_page_creates_one_and_lists_what_it_was_given(as_user, alice, repos):
    browser = as_user(alice)
    fields = {"name": "CI", "lifetime": "30", "writable": "alice/one", "permissions": ["webhooks"]}
    answer = browser.post(PAGE, fields)
    assert answer.status_code == 201
    secret = re.search(r'value="(hf_\w+)"', answer.text)[1]
    assert Wire(secret).commit("models/alice/one", file_row("b.txt", b"b")).status_code == 200
    assert timedelta(days=29) < AccessToken.objects.get().expires_at - timezone.now() < timedelta(days=31)
    listed = browser.get("/settings/tokens").text
    assert "alice/one" in listed
    assert secret not in listed


def test_the_page_gives_whole_owners(as_user, alice, team):
    field = f"owner_{team.namespace.pk}"
    assert as_user(alice).post(PAGE, {"name": "CI", "lifetime": "", field: "2"}).status_code == 201
    assert AccessToken.objects.get().reach().namespaces == {team.namespace.pk: Level.WRITE}


@pytest.mark.parametrize(
    "fields",
    [{}, {"name": "CI"}, {"name": "CI", "readable": "alice/nothing"}, {"name": "CI", "permissions": ["root"]}],
)
def test_bad_input_creates_nothing_and_says_why(as_user, alice, fields):
    answer = as_user(alice).post(PAGE, fields)
    assert answer.status_code == 400
    assert "invalid-feedback" in answer.text or "alert-danger" in answer.text
    assert not AccessToken.objects.exists()


def test_the_form_tells_nothing_of_what_one_may_not_see(as_user, charlie, repos):
    hidden = as_user(charlie).post(PAGE, {"name": "x", "readable": "alice/one"}).text
    missing = as_user(charlie).post(PAGE, {"name": "x", "readable": "alice/zip"}).text
    strip = re.compile(r'csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"')
    assert strip.sub("", hidden).replace("one", "zip") == strip.sub("", missing).replace("one", "zip")
