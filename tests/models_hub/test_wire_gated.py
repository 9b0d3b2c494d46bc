"""Gated repositories: seen by all, downloaded by those who were let in."""

import hashlib

import pytest

from models_hub import contents, gating
from models_hub.models import AccessRequest
from models_hub.publishing import PutFile, commit
from portal.models import Event
from tests.conftest import make_user
from tests.models_hub.wire import LARGE, Wire

BASE = "/api/models/alice/bert"
CARD = """---
extra_gated_prompt: Say who you are.
extra_gated_fields:
  Company: text
  Country: country
  Use:
    type: select
    options:
    - Research
    - label: Something else
      value: other
  I agree: checkbox
---
# Gated
"""
ANSWERS = {"Company": "ACME", "Country": "DE", "Use": "other", "I agree": True}


@pytest.fixture
def gated(alice, make_repo):
    repo = make_repo(alice, files={"README.md": "# Hi\n", "a.txt": "a", "w.bin": LARGE})
    gating.set_gate(repo, by=alice, gate="manual")
    return repo


@pytest.mark.parametrize("path", ["/alice/bert/resolve/main/a.txt", "/alice/bert/raw/main/a.txt", f"{BASE}/auth-check"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_strangers_get_the_error_by_which_clients_know_a_gate(gated, charlie, token_of, path, method):
    for wire, status in ((Wire(), 401), (Wire(token_of(charlie)), 403)):
        response = wire.call(method, path)
        assert (response.status_code, response["X-Error-Code"]) == (status, "GatedRepo")
        expected = "Access to model alice/bert is restricted and you are not in the authorized list"
        assert response["X-Error-Message"].startswith(expected)


def test_what_it_is_stays_readable(gated):
    assert Wire().get(BASE).json()["gated"] == "manual"
    assert Wire().get(f"{BASE}/tree/main").status_code == 200
    assert Wire().get(f"{BASE}/commits/main").status_code == 200
    assert [row["gated"] for row in Wire().get("/api/models?gated=true").json()] == ["manual"]
    assert Wire().get("/api/models?gated=false").json() == []


def test_the_owners_people_and_the_accepted_download(gated, alice, charlie, token_of):
    AccessRequest.objects.create(repo=gated, user=charlie, status="accepted")
    for user in (alice, charlie):
        assert Wire(token_of(user)).get("/alice/bert/resolve/main/a.txt").status_code == 200
        assert Wire(token_of(user)).get(f"{BASE}/auth-check").status_code == 200


def test_lfs_gives_no_address_to_who_is_not_let_in(gated, charlie, token_of):
    body = {"operation": "download", "objects": [{"oid": hashlib.sha256(LARGE).hexdigest(), "size": len(LARGE)}]}
    for wire, status in ((Wire(), 401), (Wire(token_of(charlie)), 403)):
        response = wire.post("/alice/bert.git/info/lfs/objects/batch", body)
        assert (response.status_code, response["X-Error-Code"]) == (status, "GatedRepo")


def test_an_address_of_lfs_ends_when_access_does(gated, charlie, token_of):
    row = AccessRequest.objects.create(repo=gated, user=charlie, status="accepted")
    body = {"operation": "download", "objects": [{"oid": hashlib.sha256(LARGE).hexdigest(), "size": len(LARGE)}]}
    shown = Wire(token_of(charlie)).post("/alice/bert.git/info/lfs/objects/batch", body).json()
    address = shown["objects"][0]["actions"]["download"]["href"].removeprefix("http://portal.example")
    assert Wire().get(address).status_code == 200
    row.delete()
    assert Wire().get(address).status_code == 403


def test_the_pages_of_files_hold_nothing_back_but_the_files(gated, as_user, charlie):
    browser = as_user(charlie)
    assert browser.get("/alice/bert").status_code == 200
    assert browser.get("/alice/bert/tree/main").status_code == 200
    for page in ("/alice/bert/blob/main/a.txt", f"/alice/bert/commit/{gated.head}"):
        assert browser.get(page).status_code == 403


def test_settings_open_and_close_the_gate(alice, make_repo, token_of):
    make_repo(alice)
    wire = Wire(token_of(alice))
    for gate in ("auto", "manual", False):
        assert wire.call("PUT", f"{BASE}/settings", {"gated": gate}).json()["gated"] == gate
        assert Wire().get(BASE).json()["gated"] == gate
    assert Event.objects.filter(kind="repo.gate_changed").count() == 3
    assert wire.call("PUT", f"{BASE}/settings", {"gated": "open"}).status_code == 400
    assert wire.call("PUT", f"{BASE}/settings", {"gated": True}).status_code == 400
    both = wire.call("PUT", f"{BASE}/settings", {"gated": "auto", "visibility": "private"})
    assert both.json() == {"private": True, "gated": "auto"}


def test_only_an_admin_sets_the_gate(alice, bob, charlie, team, make_repo, token_of):
    make_repo(alice, namespace="team")
    for user in (bob, charlie):
        response = Wire(token_of(user)).call("PUT", "/api/models/team/bert/settings", {"gated": "auto"})
        assert response.status_code == 403


def test_who_asks_answers_the_questions_of_the_card(gated, alice, charlie, token_of):
    commit(repo=gated, by=alice, changes=[PutFile("README.md", CARD.encode())], title="Ask")
    ask = f"{BASE}/user-access-request"
    wire = Wire(token_of(charlie))
    for wrong in ({"Company": " "}, {"Use": "fun"}, {"I agree": False}, {"Country": "x" * 1001}, {"Company": 3}):
        assert wire.post(ask, ANSWERS | wrong).status_code == 400
    assert not AccessRequest.objects.exists()
    assert wire.post(ask, ANSWERS | {"More": "ignored"}).json()["status"] == "pending"
    assert AccessRequest.objects.get().fields == ANSWERS
    assert wire.post(ask, {}).json()["status"] == "pending"
    assert AccessRequest.objects.count() == 1
    assert Wire().post(ask, ANSWERS).status_code == 401


def test_answers_are_told_in_the_order_of_the_questions(gated, alice, charlie, token_of):
    """PostgreSQL keeps the keys of JSON in an order of its own."""
    commit(repo=gated, by=alice, changes=[PutFile("README.md", CARD.encode())], title="Ask")
    made = gating.ask(gated, by=charlie, answers=ANSWERS)
    AccessRequest.objects.filter(pk=made.pk).update(fields=dict(reversed(made.fields.items())))
    [row] = Wire(token_of(alice)).get(f"{BASE}/user-access-request/pending").json()
    assert list(row["fields"]) == [field.name for field in gating.fields_of(gated)]


def test_an_automatic_gate_opens_at_once(gated, alice, charlie, token_of):
    gating.set_gate(gated, by=alice, gate="auto")
    wire = Wire(token_of(charlie))
    assert wire.get("/alice/bert/resolve/main/a.txt").status_code == 403
    assert wire.post(f"{BASE}/user-access-request", {}).json()["status"] == "accepted"
    assert wire.get("/alice/bert/resolve/main/a.txt").status_code == 200


def test_the_owner_lists_and_decides(gated, alice, charlie, token_of):
    gating.ask(gated, by=charlie, answers={})
    wire = Wire(token_of(alice))
    row = wire.get(f"{BASE}/user-access-request/pending").json()[0]
    assert (row["user"]["user"], row["user"]["email"], row["status"]) == ("charlie", "charlie@example.org", "pending")
    assert row["timestamp"].endswith("Z")
    handle = f"{BASE}/user-access-request/handle"
    for body, status in (
        ({"user": "charlie", "status": "accepted"}, 200),
        ({"user": "charlie", "status": "accepted"}, 404),
        ({"requestId": row["requestId"], "status": "rejected", "rejectionReason": "No"}, 200),
        ({"user": "CHARLIE", "status": "pending"}, 200),
        ({"user": "charlie", "status": "accepted", "rejectionReason": "No"}, 400),
        ({"user": "charlie", "status": "open"}, 400),
        ({"user": "nobody", "status": "accepted"}, 404),
        ({"requestId": "zz", "status": "accepted"}, 404),
        ({"status": "accepted"}, 400),
        ({"user": "charlie", "requestId": row["requestId"], "status": "accepted"}, 400),
        ({"user": 3, "status": "accepted"}, 400),
    ):
        assert wire.post(handle, body).status_code == status, body
    assert wire.get(f"{BASE}/user-access-request/accepted").json() == []
    assert len(wire.get(f"{BASE}/user-access-request/pending").json()) == 1
    assert wire.get(f"{BASE}/user-access-request/all").status_code == 404


def test_a_rejected_person_is_told_why_and_does_not_get_in_by_asking_again(gated, alice, charlie, token_of):
    gating.decide(gating.ask(gated, by=charlie, answers={}), by=alice, status="rejected", reason="Students only.")
    response = Wire(token_of(charlie)).post(f"{BASE}/user-access-request", {})
    assert response.status_code == 409
    assert "Students only." in response.json()["error"]


def test_access_is_granted_to_who_has_not_asked(gated, alice, charlie, token_of):
    wire, grant = Wire(token_of(alice)), f"{BASE}/user-access-request/grant"
    assert wire.post(grant, {"user": "charlie"}).status_code == 200
    assert Wire(token_of(charlie)).get("/alice/bert/resolve/main/a.txt").status_code == 200
    assert "email" not in wire.get(f"{BASE}/user-access-request/accepted").json()[0]["user"]
    for user, status in (("charlie", 400), ("alice", 400), ("nobody", 404), ("\x00", 404)):
        assert wire.post(grant, {"user": user}).status_code == status


def test_nobody_asks_for_what_is_open(alice, charlie, make_repo, token_of):
    make_repo(alice)
    assert Wire(token_of(charlie)).post(f"{BASE}/user-access-request", {}).status_code == 400
    wire = Wire(token_of(alice))
    assert wire.get(f"{BASE}/user-access-request/pending").status_code == 400
    assert wire.post(f"{BASE}/user-access-request/grant", {"user": "charlie"}).status_code == 400


def test_lists_are_for_writers_and_private_ones_for_nobody_else(gated, alice, charlie, token_of):
    listed = f"{BASE}/user-access-request/pending"
    assert Wire().get(listed).status_code == 401
    assert Wire(token_of(charlie)).get(listed).status_code == 403
    gated.private = True
    gated.save()
    for path in (listed, f"{BASE}/user-access-request", f"{BASE}/user-access-request/handle"):
        method = "GET" if path == listed else "POST"
        hidden = Wire(token_of(charlie)).call(method, path, {})
        missing = Wire(token_of(charlie)).call(method, path.replace("bert", "none"), {})
        assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)


def test_lists_come_in_pages_at_a_constant_cost(gated, alice, token_of, django_assert_num_queries):
    users = [make_user(f"user{n}") for n in range(5)]
    AccessRequest.objects.bulk_create(AccessRequest(repo=gated, user=user) for user in users)
    wire = Wire(token_of(alice))
    wire.get(f"{BASE}/user-access-request/pending")
    seen, address = [], f"{BASE}/user-access-request/pending?limit=2"
    while address:
        with django_assert_num_queries(3):
            response = wire.get(address)
        seen += [row["user"]["user"] for row in response.json()]
        link = response.get("Link", "")
        address = link.partition(">")[0].removeprefix("<http://portal.example")
    assert seen == ["user4", "user3", "user2", "user1", "user0"]


def test_a_gate_holds_what_a_writer_of_another_repository_would_copy(gated, charlie, make_repo, token_of):
    target = make_repo(charlie, "mine")
    body = {
        "target": {"type": "model", "name": "charlie/mine"},
        "files": [{"sha256": hashlib.sha256(LARGE).hexdigest()}],
    }
    for path in (f"{BASE}/lfs-files/duplicate", f"{BASE}/duplicate"):
        response = Wire(token_of(charlie)).post(path, body | {"repository": "charlie/copy"})
        assert (response.status_code, response["X-Error-Code"]) == (403, "GatedRepo")
    assert not contents.held_by(target, [hashlib.sha256(LARGE).hexdigest()])
