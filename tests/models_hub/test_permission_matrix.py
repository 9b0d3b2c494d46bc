"""Who may do what: every route of a repository, asked by everybody, while it is public, gated and private.

The table says for each route and method the least that is needed; a route that is not in it fails, so that whoever adds
one has to decide. What it takes to be seen at all is in test_private_is_missing.py in more depth.
"""

import json
from enum import IntEnum
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import get_resolver

from forum import discussing
from models_hub import publishing, referencing, releasing
from models_hub.changes import PutFile
from models_hub.models import RefRule, Repo
from portal.models import AccessToken, Membership, Organization, TrustedPublisher, User
from tests.models_hub.test_private_is_missing import walk

pytestmark = pytest.mark.django_db


class Level(IntEnum):
    """What one must be to do something with a repository that one sees."""

    SEE = 0  # anybody
    FILES = 1  # who may read files: of a gated repository, its people and who was let in
    SIGN = 2  # whoever signed in
    SIGN_FILES = 3  # whoever signed in and may read files
    WRITE = 4
    MANAGE = 5
    AUTHOR = 6  # who wrote it: the owner


SEE, FILES, SIGN, SIGN_FILES, WRITE, MANAGE, AUTHOR = Level
Table = dict[str, dict[str, Level]]
ROLES = ("anonymous", "stranger", "reader", "writer", "owner", "admin")
STATES = ("public", "gated", "private")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PLACE = "main/notes.txt"
# Addresses that bear a signature of their own, are for mirrors alone, or answer alike whoever asks.
APART = (".git/info/lfs/objects/{oid}", ".git/info/lfs/objects/verify", "/mirror/comparison", "badges/")

PAGES: Table = {
    "": {"GET": SEE},
    ".git/info/lfs/locks": {"GET": FILES, "POST": WRITE},
    ".git/info/lfs/locks/verify": {"POST": WRITE},
    ".git/info/lfs/locks/{number}/unlock": {"POST": WRITE},
    ".git/info/lfs/objects/batch": {"POST": FILES},
    "/access": {"POST": SIGN},
    "/archive/{place}": {"GET": FILES},
    "/blob/{place}": {"GET": FILES},
    "/branches": {"GET": SEE, "POST": WRITE},
    "/branches/{branch}/deletion": {"GET": WRITE, "POST": WRITE},
    "/bundle": {"GET": FILES},
    "/card": {"GET": SIGN_FILES, "POST": SIGN_FILES},
    "/collections": {"GET": SIGN, "POST": SIGN},
    "/commit/{oid}": {"GET": FILES},
    "/commits/{place}": {"GET": SEE},
    "/compare": {"GET": FILES},
    "/compare/{revisions}": {"GET": FILES},
    "/discussions": {"GET": SEE},
    "/discussions/count": {"GET": SEE},
    "/discussions/new": {"GET": SIGN, "POST": SIGN},
    "/discussions/{number}": {"GET": SEE},
    "/discussions/{number}/comments": {"POST": SIGN},
    "/discussions/{number}/comments/{comment}": {"GET": SEE, "POST": AUTHOR},
    "/discussions/{number}/comments/{comment}/hiding": {"POST": WRITE},
    "/discussions/{number}/files": {"GET": FILES},
    "/discussions/{number}/merge": {"POST": WRITE},
    "/discussions/{number}/review": {"POST": SIGN},
    "/discussions/{number}/status": {"POST": WRITE},
    "/discussions/{number}/title": {"POST": WRITE},
    "/downloads": {"GET": SEE},
    "/downloads/recent": {"GET": SEE},
    "/edit/{place}": {"GET": SIGN_FILES, "POST": SIGN_FILES},
    "/elsewhere": {"GET": SEE, "POST": WRITE},
    "/evaluations": {"GET": SEE, "POST": SIGN},
    "/explanation": {"GET": SIGN_FILES, "POST": SIGN_FILES},
    "/explanation/{job_id}": {"GET": SIGN},
    "/evaluations/summary": {"GET": SEE},
    "/export": {"GET": SEE},
    "/family": {"GET": SEE},
    "/git-receive-pack": {"POST": WRITE},
    "/git-upload-pack": {"POST": FILES},
    "/info/refs": {"GET": FILES},
    "/like": {"POST": SIGN},
    "/move/{place}": {"GET": SIGN_FILES, "POST": SIGN_FILES},
    "/new/{place}": {"GET": SIGN_FILES, "POST": SIGN_FILES},
    "/releases": {"GET": SEE},
    "/releases/edit/{tag}": {"GET": WRITE, "POST": WRITE},
    "/releases/feed": {"GET": SEE},
    "/releases/new": {"GET": WRITE, "POST": WRITE},
    "/releases/tag/{tag}": {"GET": SEE},
    "/releases/withdrawal/{tag}": {"POST": WRITE},
    "/removal/{place}": {"GET": SIGN_FILES, "POST": SIGN_FILES},
    "/restoration/{place}": {"GET": SIGN_FILES, "POST": SIGN_FILES},
    "/results-order": {"POST": WRITE},
    "/settings": {"GET": MANAGE},
    "/settings/access": {"GET": WRITE},
    "/settings/access/decision": {"POST": WRITE},
    "/settings/access/grant": {"POST": WRITE},
    "/settings/branches": {"GET": MANAGE, "POST": MANAGE},
    "/settings/branches/{rule_id}": {"GET": MANAGE, "POST": MANAGE},
    "/settings/branches/{rule_id}/removal": {"POST": MANAGE},
    "/settings/deletion": {"POST": MANAGE},
    "/settings/gate": {"POST": MANAGE},
    "/settings/name": {"POST": MANAGE},
    "/settings/publishers": {"GET": MANAGE, "POST": MANAGE},
    "/settings/publishers/{publisher_id}/removal": {"POST": MANAGE},
    "/settings/visibility": {"POST": MANAGE},
    "/standing-order": {"POST": WRITE},
    "/storage": {"GET": WRITE},
    "/storage/reclamation": {"POST": MANAGE},
    "/table/{place}": {"GET": FILES},
    "/tags": {"GET": SEE},
    "/tags/{tag}/deletion": {"GET": WRITE, "POST": WRITE},
    "/tensor-comparison/{revisions}": {"POST": SIGN_FILES},
    "/tokenizer": {"GET": FILES, "POST": FILES},
    "/tokenizer/{place}": {"GET": FILES, "POST": FILES},
    "/tree/{place}": {"GET": SEE},
    "/upload/{place}": {"GET": SIGN_FILES, "POST": SIGN_FILES},
    "/uploads/{key}/cancellation": {"POST": SIGN},
    "/watch": {"POST": SIGN},
    "/wishes": {"POST": SIGN},
}
API: Table = {
    "": {"GET": SEE, "PATCH": MANAGE, "DELETE": MANAGE},
    "/access-requests": {"GET": WRITE, "POST": SIGN},
    "/access-requests/{person}": {"PATCH": WRITE, "PUT": WRITE},
    "/branches": {"POST": WRITE},
    "/branches/{ref}": {"DELETE": WRITE},
    "/commits": {"GET": SEE, "POST": WRITE},
    "/commits/{revision}": {"GET": SEE},
    "/compare/{revisions}": {"GET": FILES},
    "/discussions": {"GET": SEE, "POST": SIGN},
    "/discussions/{number}": {"GET": SEE, "PATCH": WRITE},
    "/discussions/{number}/merge": {"POST": WRITE},
    "/discussions/{number}/posts": {"GET": SEE, "POST": SIGN},
    "/discussions/{number}/posts/{post}": {"PATCH": AUTHOR, "DELETE": WRITE},
    "/discussions/{number}/reviews": {"GET": SEE, "POST": SIGN},
    "/downloads": {"GET": SEE},
    "/family": {"GET": SEE},
    "/like": {"PUT": SIGN, "DELETE": SIGN},
    "/refs": {"GET": SEE},
    "/publishers": {"GET": MANAGE, "POST": MANAGE},
    "/publishers/{publisher}": {"DELETE": MANAGE},
    "/releases": {"GET": SEE, "POST": WRITE},
    "/releases/{tag}": {"GET": SEE, "PUT": WRITE, "DELETE": WRITE},
    "/restorations": {"POST": WRITE},
    "/rules": {"GET": MANAGE, "POST": MANAGE},
    "/storage": {"GET": WRITE},
    "/storage/reclamation": {"GET": WRITE, "POST": MANAGE},
    "/rules/{rule}": {"PATCH": MANAGE, "DELETE": MANAGE},
    "/tags": {"POST": WRITE},
    "/tags/{ref}": {"DELETE": WRITE},
    "/tensor-comparison/{revisions}": {"POST": SIGN_FILES},
    "/tree/{revision}": {"GET": SEE},
    "/uploads": {"GET": SEE, "POST": SIGN_FILES},
    "/watch": {"GET": SEE, "PUT": SIGN, "DELETE": SIGN},
}
TABLE: Table = {f"{{namespace}}/{{name}}{tail}": methods for tail, methods in PAGES.items()} | {
    f"api/v1/models/{{namespace}}/{{name}}{tail}": methods for tail, methods in API.items()
}


def found_routes() -> list[str]:
    """Every route with a model in its address, as it is written in the address books."""
    routes = [route for route, extra in walk(get_resolver(None)) if extra.get("kind", "model") == "model"]
    named = {route for route in routes if "{namespace}" in route and "{name}" in route}
    return sorted(route for route in named if not any(part in route for part in (*APART, "api/v1/bundles")))


def test_the_table_has_every_route() -> None:
    assert found_routes() == sorted(TABLE)


@pytest.fixture
def repo(alice: User, bob: User, charlie: User, team: Organization, make_repo: Any) -> Repo:
    """A model of the team with one of everything that an address can name."""
    cache.clear()
    files = {"notes.txt": "notes", "tokenizer.json": "{}", "rows.csv": "a,b\n1,2\n", "README.md": "# Card"}
    made: Repo = make_repo(alice, "bert", namespace="team", files=files)
    reader = User.objects.create_user("rachel", "rachel@example.org", "correct horse battery staple")
    team.add(reader, role=Membership.Role.READ, by=alice)
    referencing.create_tag(made, by=alice, name="v1.0.0")
    referencing.create_tag(made, by=alice, name="work")
    releasing.publish(made, by=alice, tag="v1.1.0", revision="main", notes="New")
    paul = User.objects.create_user("paul", "paul@example.org", "correct horse battery staple")
    publishing.propose(repo=made, by=paul, changes=[PutFile("b.txt", b"b")], title="Proposal")
    discussing.comment(discussing.find(made, 1), by=alice, text="Thanks.")
    referencing.create_branch(made, by=alice, name="work")
    RefRule.objects.create(repo=made, pattern="release/*")
    TrustedPublisher.objects.create(
        namespace=made.namespace, repo_id=made.pk, provider="github", claims={"repository": "a/b"}, created_by=alice
    )
    return made


@pytest.fixture
def facts(repo: Repo) -> dict[str, str]:
    post = repo.topics.get(number=1).posts.get(author__username="alice")
    publisher = TrustedPublisher.objects.get()
    return {
        "namespace": "team", "name": "bert", "place": PLACE, "branch": "work", "ref": "work", "oid": repo.head,
        "revision": "main", "revisions": "main...v1.0.0", "number": "1", "comment": str(post.pk), "post": str(post.pk),
        "tag": "v1.1.0", "rule": str(RefRule.objects.get().pk), "rule_id": str(RefRule.objects.get().pk),
        "person": "charlie", "key": "0" * 32, "job_id": "1",
        "publisher": str(publisher.pk), "publisher_id": str(publisher.pk),
    }  # fmt: skip


def browser_of(role: str) -> Client:
    names = {"stranger": "charlie", "reader": "rachel", "writer": "bob", "owner": "alice", "admin": "root"}
    client = Client(raise_request_exception=False)
    if role == "admin" and not User.objects.filter(username="root").exists():
        User.objects.create_superuser("root", "root@example.org", "correct horse battery staple")
    if role in names:
        user = User.objects.get(username=names[role])
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        client.token = AccessToken.issue(user=user, name="git", role="write")[1]  # type: ignore[attr-defined]
    return client


# What must be sent for the question of rights to come up; other routes are asked with an empty body.
FORMS = {
    "/comments": "text=Hello",
    "/comments/{comment}": "text=Hello",
    "/merge": "method=merge&head={oid}",
    "/review": "verdict=approved&head={oid}",
    "/status": "status=closed",
    "/title": "title=Other",
}
JSON = {
    "/discussions/{number}": {"title": "Other"},
    "/posts/{post}": {"text": "Hello"},
    "/reviews": {"verdict": "approved", "head": "0" * 40},
    "/objects/batch": {"operation": "download", "objects": []},
    "/restorations": {"revision": "v1.0.0"},
    "/commits": {"title": "Mend", "changes": [{"path": "c.txt", "text": "c"}]},
}
# Addresses of things that are not there: the rights are told before that, or nothing is.
ABSENT = (
    "/collections", "/archive/{place}", "/settings/access/decision", "/access-requests/{person}",
    "/tokenizer/{place}", "/table/{place}", "/locks/{number}/unlock", "/releases/tag/{tag}",
    "/uploads/{key}/cancellation", "/explanation/{job_id}",
)  # fmt: skip
GIT = (".git/info/", "/git-", "/info/refs")


def asked(client: Client, method: str, route: str, facts: dict[str, str]) -> HttpResponseBase:
    """Ask, and let nothing of it stay. What speaks git is given a token, everything else a session."""
    address = route.format(**facts) + ("?service=git-upload-pack" if route.endswith("/info/refs") else "")
    is_json = "api/v1" in route or ".git/info" in route
    sent = next((body for tail, body in (JSON if is_json else FORMS).items() if route.endswith(tail)), {})
    body = json.dumps(sent) if is_json else str(sent or "").format(**facts)
    kind = "application/json" if is_json else "application/x-www-form-urlencoded"
    token = getattr(client, "token", "") if any(part in route for part in GIT) else ""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with transaction.atomic():
        answer = client.generic(method, f"/{address}", data=body.encode(), content_type=kind, headers=headers)
        transaction.set_rollback(True)
    return answer


def level_of(role: str, state: str) -> Level | None:
    """What somebody may do; None who does not even see it."""
    if state == "private" and role in {"anonymous", "stranger"}:
        return None
    if role == "anonymous":
        return FILES if state == "public" else SEE
    if role == "stranger":
        return SIGN_FILES if state == "public" else SIGN
    return {"reader": SIGN_FILES, "writer": WRITE}.get(role, MANAGE)


def may(level: Level, needed: Level, role: str) -> bool:
    if needed == AUTHOR:
        return role == "owner"
    if needed == FILES:
        return level not in {SEE, SIGN}
    if needed == SIGN:
        return role != "anonymous"
    return level >= needed


def verdict(answer: HttpResponseBase) -> str:
    """Tell in one word what was answered."""
    status = answer.status_code
    if status == 401 or (status == 302 and "/accounts/login/" in answer.headers["Location"]):
        return "sign in"
    return {403: "forbidden", 404: "missing", 405: "no method"}.get(status, "broken" if status >= 500 else "done")


def expected(role: str, state: str, needed: Level, route: str, method: str) -> set[str]:
    level = level_of(role, state)
    if level is None:
        # Who is nobody is asked to sign in by git, and by programs that would change something, whatever is there.
        first = role == "anonymous" and (any(part in route for part in GIT) or ("api/v1" in route and method != "GET"))
        return {"missing", "sign in"} if first else {"missing"}
    absent = {"missing"} if any(route.endswith(tail) for tail in ABSENT) else set()
    if may(level, needed, role):
        return {"done"} | absent
    return ({"sign in", "forbidden"} if role == "anonymous" else {"forbidden"}) | absent


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", ROLES)
def test_everybody_may_do_what_the_table_says(repo: Repo, facts: dict[str, str], role: str, state: str) -> None:
    Repo.objects.filter(pk=repo.pk).update(private=state == "private", gated="manual" if state == "gated" else "")
    client, wrong = browser_of(role), []
    for route, methods in TABLE.items():
        for method, needed in methods.items():
            got, right = verdict(asked(client, method, route, facts)), expected(role, state, needed, route, method)
            if got not in right:
                wrong.append(f"{method} {route}: {got}, not {sorted(right)}")
    assert not wrong, "\n".join(wrong)


def test_no_route_has_a_method_that_the_table_does_not_name(repo: Repo, facts: dict[str, str]) -> None:
    client, unnamed = browser_of("owner"), []
    for route, methods in TABLE.items():
        for method in set(METHODS) - set(methods):
            got = verdict(asked(client, method, route, facts))
            if got not in {"no method", "missing", "sign in"}:
                unnamed.append(f"{method} {route}: {got}")
    assert not unnamed, "\n".join(unnamed)
