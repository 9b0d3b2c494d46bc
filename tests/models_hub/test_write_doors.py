"""Who has too little of a right changes nothing by any route: each is found and tried.

Tokens that may only read, or were given another repository; and browsers that some other site makes send a form.
"""

import json
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import get_resolver

from forum import discussing
from models_hub import curating, publishing
from models_hub.hf_api.routing import ROUTES as HUB_WIRE
from models_hub.models import Collection, Ref, Repo
from models_hub.publishing import PutFile
from portal.models import AccessToken, Event, Follow, Job
from portal.models.tokens import Grant
from portal.reach import Level
from tests.models_hub.test_git_smart import basic
from tests.models_hub.test_private_is_missing import walk
from tests.models_hub.wire import LARGE, file_row

WRITES = ("POST", "PUT", "PATCH", "DELETE")
# Signing in and telling of a leaked token are no writes on somebody's behalf; pages know no tokens.
ELSEWHERE = ("admin/", "accounts/", "oauth/", "i18n/", "api/tokens/report", "settings/", "cas/")


@pytest.fixture
def bert(alice, bob, make_repo) -> Repo:
    """A public repository of alice with all that can be changed about one."""
    cache.clear()
    repo = make_repo(alice, files={"a.txt": "a", "w.bin": LARGE})
    publishing.propose(repo=repo, by=alice, changes=[PutFile("b.txt", b"b")], title="Propose")
    topic = discussing.open_discussion(repo=repo, by=alice, title="Why?", text="Tell me.")
    discussing.comment(topic, by=alice, text="Because.")
    curating.create(by=alice, namespace="alice", title="Good ones", first=repo)
    return repo


def programs(repo: Repo) -> list[str]:
    """Return the address of every route that programs call, filled with what is there."""
    collection = Collection.objects.get()
    words = {
        "kind": "models", "namespace": "alice", "name": "bert", "place": "main/a.txt", "path": "a.txt", "tail": "a.txt",
        "oid": repo.head, "revision": "main", "branch": "main", "number": "2", "comment": "1", "status": "pending",
        "rest": "x", "owner": "alice", "slug": collection.tail, "item": collection.items.get().wire_id,
        "webhook": f"{1:024x}", "username": "bob", "hash": "0" * 64,
    }  # fmt: skip
    found = []
    for name in (None, HUB_WIRE):
        for address, _extra in walk(get_resolver(name)):
            known = words | ({"name": "bob"} if address.startswith("api/users/") else {})
            is_for_programs = name or "info/" in address or "git-" in address or address.startswith("api/v1")
            names = set(re.findall(r"{(\w+)}", address))
            if is_for_programs and names <= known.keys() and not address.startswith(ELSEWHERE):
                found.append("/" + address.format(**known))
    return found


def pages(repo: Repo) -> list[str]:
    """Return the address of every page, filled with what is there."""
    collection = Collection.objects.get()
    words = {
        "namespace": "alice", "name": "bert", "place": "main/a.txt", "oid": repo.head, "number": "2", "comment": "1",
        "owner": "alice", "slug": collection.tail, "item_id": collection.items.get().wire_id, "username": "bob",
        "webhook_id": "1", "delivery_id": "1", "token_id": "1", "app_id": "1", "authorization_id": "1", "job_id": "1",
    }  # fmt: skip
    outside = ("api/", "admin/", "accounts/", "cas/", "v1/telemetry", "oauth/device", "oauth/token")
    found = []
    for address, _extra in walk(get_resolver(None)):
        is_page = not address.startswith(outside) and "info/" not in address and "git-" not in address
        if is_page and set(re.findall(r"{(\w+)}", address)) <= words.keys() and "(" not in address:
            found.append("/" + address.format(**words))
    return found


ASKED = {
    "name": "bert", "organization": "alice", "type": "model", "fromRepo": "alice/bert", "toRepo": "alice/moved",
    "repository": "alice/copy", "private": True, "gated": "auto", "title": "New title", "description": "x",
    "comment": "x", "content": "x", "status": "closed", "message": "x", "tag": "v1", "startingPoint": "main",
    "deletions": {"sha": ["0" * 64], "rewriteHistory": True}, "user": "bob", "path": "a.txt", "item": {},
    "url": "https://hooks.example.org/in", "watched": [{"type": "user", "name": "alice"}], "domains": ["repo"],
    "operation": "upload", "objects": [{"oid": "0" * 64, "size": 1}], "position": 0, "note": "x",
    "hub": "https://hub.example", "repo": "a/b", "namespace": "alice", "model": "alice/bert", "benchmark": 1,
}  # fmt: skip


def state() -> dict[str, Any]:
    """What a write would leave."""
    return {
        "events": list(Event.objects.order_by("id").values_list("kind", flat=True)),
        "refs": sorted(Ref.objects.values_list("repo_id", "name", "oid")),
        "repos": sorted(Repo.objects.values_list("namespace_id", "lower", "private", "gated", "likes")),
        "follows": Follow.objects.count(),
        "jobs": Job.objects.count(),
    }


# Sent by POST, they only read, or tell at once that something is not here.
READING = ("/paths-info/", "/api/validate-yaml", "/api/telemetry", "/git-upload-pack", "/resource-group")


@pytest.fixture(params=["read", "another repository", "reading this one", "nothing but jobs"])
def secret(request, alice, bert, make_repo) -> str:
    if request.param == "read":
        return AccessToken.issue(user=alice, name="test", role="read")[1]
    other = make_repo(alice, "other", private=True)
    grants = {
        "another repository": [Grant(other.namespace, Level.MANAGE, "alice/other", repo_id=other.pk)],
        "reading this one": [Grant(bert.namespace, Level.READ, "alice/bert", repo_id=bert.pk)],
        "nothing but jobs": [],
    }[request.param]
    permissions = ["jobs"] if request.param == "nothing but jobs" else []
    return AccessToken.issue_fine_grained(user=alice, name="app", grants=grants, permissions=permissions)[1]


@pytest.fixture(scope="module")
def lacking() -> set[tuple[str, str]]:
    """Methods that a route does not have, whoever asks: the first token finds them out for the others."""
    return set()


def test_no_route_changes_anything(secret, bert, settings, lacking):
    settings.IMPORT_HUBS = ["https://hub.example"]
    commit = json.dumps({"key": "header", "value": {"summary": "x"}}) + "\n" + json.dumps(file_row("x", b"x"))
    addresses, before, taken, program = programs(bert), state(), [], Client()
    assert len(addresses) > 60
    for address in addresses:
        is_git = ".git" in address or "git-" in address or "info/" in address
        headers = {"Authorization": basic(secret) if is_git else f"Bearer {secret}"}
        sends = "/commit/" in address or "/preupload/" in address
        for asked in (address, f"{address}?create_pr=1") if sends else (address,):
            for method in WRITES:
                if (method, asked) in lacking:
                    continue
                body = commit if "/commit/" in address else json.dumps(ASKED)
                answer = program.generic(method, asked, body, "application/json", headers=headers, RAW_URI=asked)
                if answer.status_code == 405:
                    lacking.add((method, asked))
                if answer.status_code < 400 and not any(part in address for part in READING):
                    taken.append((method, asked, answer.status_code))
    assert state() == before
    assert taken == []


def test_the_same_calls_change_much_with_a_token_that_may_write(alice, bert, settings):
    """Else the test above could pass because its calls mean nothing."""
    settings.IMPORT_HUBS = ["https://hub.example"]
    secret, before = AccessToken.issue(user=alice, name="test", role="write")[1], state()
    for address in programs(bert):
        if "delete" not in address and "move" not in address and "super-squash" not in address:
            headers = {"Authorization": f"Bearer {secret}"}
            Client().generic("POST", address, json.dumps(ASKED), "application/json", headers=headers, RAW_URI=address)
    done = set(state()["events"][len(before["events"]) :])
    assert {"repo.liked", "repo.duplicated", "repo.ref_created", "discussion.commented", "webhook.created",
            "namespace.followed", "collection.upvoted"} <= done  # fmt: skip


def test_a_form_without_the_token_of_its_page_changes_nothing(alice, bert):
    """As another site would have the browser of alice send it."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    before, refused = state(), 0
    for address in pages(bert):
        answer = browser.post(address, {"name": "x", "title": "x", "text": "x", "path": "x", "content": "x"})
        assert answer.status_code in {403, 404, 405}, (address, answer.status_code)
        refused += answer.status_code == 403
    assert state() == before
    assert refused > 40


def test_nor_does_a_session_on_the_wire(alice, bert):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    before = state()
    for address in programs(bert):
        for method in WRITES:  # as plain text, which a form of another site may send
            browser.generic(method, address, json.dumps(ASKED), "text/plain", RAW_URI=address)
    assert state() == before
