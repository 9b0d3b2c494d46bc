"""Private means missing: on each route of the site and of the wire, by each method, for whoever may not see it.

The routes are found, not listed: what is added tomorrow is asked too.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.core.cache import cache
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from forum import discussing
from models_hub import moving, publishing
from models_hub.hf_api.routing import ROUTES as HUB_WIRE
from models_hub.publishing import PutFile
from portal.models import AccessToken, User
from portal.models.tokens import Grant
from portal.reach import Level
from tests.models_hub.wire import LARGE, body_of

# As long as each other, so that answers that name them are as long as each other too.
HIDDEN, FORMER, MISSING = "hidden-one", "former-one", "absent-one"
KINDS = ("model", "dataset", "space")
METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
SECRET = "confidential-words"
# What differs from answer to answer whatever was asked.
VARYING = {"x-request-id", "set-cookie", "date"}
_CONVERTER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_GROUP = re.compile(r"\(\?P<(?P<name>\w+)>(?P<inside>[^()]*(?:\([^()]*\)[^()]*)*)\)")


class Route(NamedTuple):
    """One address of a repository; `%s` stands for its name."""

    address: str
    kind: str
    is_for_programs: bool

    def methods(self) -> tuple[str, ...]:
        """The views of the three kinds are the same: of one kind all methods are asked, of the others two."""
        return METHODS if self.kind == "model" else METHODS[:2]


def walk(resolver: URLResolver, before: str = "", extra: dict[str, Any] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield the address of each route, with the names of its parts in braces, and what its view is also given."""
    for one in resolver.url_patterns:
        given = {**(extra or {}), **(getattr(one, "default_kwargs", None) or getattr(one, "default_args", None) or {})}
        if isinstance(one, URLResolver):
            yield from walk(one, before + written(one.pattern), given)
        elif isinstance(one, URLPattern):
            yield before + written(one.pattern), given


def written(pattern: Any) -> str:
    if not isinstance(pattern, RegexPattern):
        return _CONVERTER.sub(lambda found: f"{{{found['name']}}}", str(pattern))
    text = re.sub(r"\(\?!.*?\)", "", str(pattern).removeprefix("^").removesuffix("$"))
    text = text.replace("(?:/.*)?", "")
    return _GROUP.sub(_named, text)


def _named(found: re.Match[str]) -> str:
    return found["inside"].split("|")[0] if found["name"] == "what" else f"{{{found['name']}}}"


def routes(facts: dict[str, str]) -> list[Route]:
    """Return every route with a repository in its address, filled with what the hidden one really has."""
    found = []
    for name, is_wire in ((None, False), (HUB_WIRE, True)):
        for address, extra in walk(get_resolver(name)):
            if "{name}" not in address or "{namespace}" not in address:
                continue
            kinds = [extra["kind"]] if "kind" in extra else KINDS if "{kind}" in address else ["model"]
            for kind in kinds:
                words = {**facts, "kind": kind if address.startswith("api/v1/") else f"{kind}s", "namespace": "alice"}
                text = "/" + address.replace("{name}", "%s").format(**words)
                programs = is_wire or text.startswith("/api/") or "info/" in text or "/git-" in text
                found.append(Route(text, kind, programs))
    return found


@pytest.fixture
def hidden(alice: User, charlie: User, make_repo: Any) -> dict[str, str]:
    """A private repository of each kind that had another name, with a discussion, a proposal and a large file."""
    cache.clear()
    facts: dict[str, str] = {}
    for kind in KINDS:
        if kind == "space":
            repo = publishing.create_repo(
                by=alice, namespace="alice", kind=kind, name=FORMER, private=True, sdk="static"
            )
        else:
            repo = make_repo(alice, FORMER, kind=kind, private=True)
        files = [PutFile("notes.txt", SECRET.encode()), PutFile("a.bin", LARGE)]
        made = publishing.commit(repo=repo, by=alice, changes=files, title=SECRET)
        publishing.propose(repo=repo, by=alice, changes=[PutFile("b.txt", b"b")], title=SECRET)
        topic = discussing.open_discussion(repo=repo, by=alice, title=SECRET, text=SECRET)
        moving.move_repo(repo, by=alice, namespace="alice", name=HIDDEN)
        facts = {
            "place": "main/notes.txt", "path": "notes.txt", "tail": "notes.txt", "oid": made.oid, "revision": "main",
            "branch": "main", "number": str(topic.number), "comment": "1", "status": "pending", "rest": "notes.txt",
        }  # fmt: skip
    return facts


@pytest.fixture(params=["anonymous", "stranger", "staff", "limited"])
def asker(request: Any, alice: User, charlie: User, morgan: User, make_repo: Any) -> tuple[str, User | None]:
    """Somebody who may not see it: the token for programs, and who is signed in to the pages.

    The limited token is one of the owner, good for another repository of hers.
    """
    if request.param == "anonymous":
        return "", None
    if request.param == "limited":
        other = make_repo(alice, "other")
        given = Grant(other.namespace, Level.MANAGE, "alice/other", repo_id=other.pk)
        everything_else = ("discussions", "collections", "webhooks", "jobs")
        _token, secret = AccessToken.issue_fine_grained(
            user=alice, name="app", grants=[given], permissions=everything_else
        )
        return secret, None
    user = morgan if request.param == "staff" else charlie
    return AccessToken.issue(user=user, name="test", role="write")[1], user


def ask(client: Client, method: str, address: str, token: str) -> HttpResponseBase:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.generic(method, address, "{}", "application/json", headers=headers, RAW_URI=address)


def seen(response: HttpResponseBase, name: str) -> tuple[int, dict[str, str], str]:
    """What an asker can tell two answers apart by."""
    headers = {key.lower(): value.replace(name, "*") for key, value in response.items()}
    text = body_of(response).decode("utf-8", "replace").replace(name, "*")
    kept = "\n".join(line for line in text.splitlines() if "csrf" not in line.lower())
    return response.status_code, {key: value for key, value in headers.items() if key not in VARYING}, kept


def test_every_route_answers_for_the_private_as_for_the_missing(hidden, asker):
    token, user = asker
    browser = Client()
    if user:
        browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    for route in routes(hidden):
        client, key = (Client(), token) if route.is_for_programs else (browser, "")
        for method in route.methods():
            names = (HIDDEN, FORMER) if method in METHODS[:2] else (HIDDEN,)
            missing = seen(ask(client, method, route.address % MISSING, key), MISSING)
            assert 400 <= missing[0] < 500, (method, route.address)
            for name in names:
                answer = seen(ask(client, method, route.address % name, key), name)
                assert answer == missing, (method, route.address, name)


def test_the_routes_are_really_found_and_are_those_of_a_repository_that_is_there(hidden, alice):
    """Else the other tests would compare one missing thing with another."""
    found = routes(hidden)
    for known in ("/alice/%s/discussions/2/merge", "/datasets/alice/%s.git/info/lfs/objects/batch", "/spaces/alice/%s",
                  "/api/models/alice/%s/tree/main/notes.txt", "/alice/%s/git-upload-pack",
                  "/api/v1/bundles/models/alice/%s", "/alice/%s/evaluations", "/api/spaces/alice/%s/secrets",
                  "/datasets/alice/%s/resolve/main/notes.txt"):  # fmt: skip
        assert known in {route.address for route in found}
    browser, token = Client(), AccessToken.issue(user=alice, name="test", role="write")[1]
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    opened = [
        route.address
        for route in found
        if ask(browser, "GET", route.address % HIDDEN, token if route.is_for_programs else "").status_code < 300
    ]
    assert len(opened) > len(found) / 3
