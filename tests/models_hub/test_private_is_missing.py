"""Private means missing: on each route of the site and of the wire, by each method, for whoever may not see it.

The routes are found, not listed: what is added tomorrow is asked too.
"""

import json
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
from models_hub import curating, liking, moving, publishing, uploading, webhooks
from models_hub.hf_api.routing import ROUTES as HUB_WIRE
from models_hub.models import AnnotationQueue, Repo
from models_hub.publishing import PutFile
from portal.models import AccessToken, Job, User
from portal.models.tokens import Grant
from portal.reach import Level
from tests.models_hub.wire import LARGE, body_of

# As long as each other, so that answers that name them are as long as each other too.
HIDDEN, FORMER, MISSING = "hidden-one", "former-one", "absent-one"
KINDS = ("model", "dataset", "space")
METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
SECRET = "confidential-words"
# What differs from answer to answer whatever was asked.
VARYING = {"x-request-id", "set-cookie", "date", "expires"}
_CONVERTER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_GROUP = re.compile(r"\(\?P<(?P<name>\w+)>(?P<inside>[^()]*(?:\([^()]*\)[^()]*)*)\)")


class Route(NamedTuple):
    """One address of a repository; `%s` stands for its name."""

    address: str
    kind: str
    is_for_programs: bool

    def methods(self) -> tuple[str, ...]:
        """The views of the three kinds are the same: of one kind all methods are asked, of the others one."""
        return METHODS if self.kind == "model" else METHODS[:1]


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
        upload = uploading.begin(repo, by=alice, revision="main", files=[uploading.Announced("c.bin", 5)])
        words = {"repo": repo.pk, "question": {"text": SECRET}}
        queue = AnnotationQueue.objects.create(
            owner=alice, data=repo, data_commit=made.oid, path="notes.txt", count=1, title=SECRET
        )
        job = Job.enqueue("explain", spec=words, owner=alice, title="An explanation")
        facts = {
            "job_id": str(job.pk),
            "queue_id": str(queue.pk),
            "benchmark_id": "1",
            "slug": "board",
            "key": upload.key,
            "place": "main/notes.txt", "path": "notes.txt", "tail": "notes.txt", "oid": made.oid, "revision": "main",
            "branch": "main", "number": str(topic.number), "comment": "1", "status": "pending", "rest": "notes.txt",
            "tag": "v1", "revisions": "main...main", "post": "1", "person": "charlie", "ref": "main",
            "rule": "1", "rule_id": "1", "publisher": "1", "publisher_id": "1",
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


def ask(client: Client, method: str, address: str, token: str, body: str = "{}") -> HttpResponseBase:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.generic(method, address, body, "application/json", headers=headers, RAW_URI=address)


def seen(response: HttpResponseBase, name: str) -> tuple[int, dict[str, str], str]:
    """What an asker can tell two answers apart by."""
    headers = {key.lower(): value.replace(name, "*") for key, value in response.items()}
    text = body_of(response).decode("utf-8", "replace").replace(name, "*")
    text = re.sub(r'name="began" value="[^"]*"', "", text)  # when a form was opened, signed
    kept = "\n".join(line for line in text.splitlines() if "csrf" not in line.lower())
    return response.status_code, {key: value for key, value in headers.items() if key not in VARYING}, kept


def test_every_route_answers_for_the_private_as_for_the_missing(hidden, asker):
    token, user = asker
    browser, program = Client(), Client()
    if user:
        browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    # The rarer methods are asked by the two who come closest to seeing it: a member, and a token of the owner.
    most = METHODS if token and not (user and user.is_staff) else METHODS[:2]
    for route in routes(hidden):
        client, key = (program, token) if route.is_for_programs else (browser, "")
        for method in (one for one in route.methods() if one in most):
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


@pytest.fixture
def once_public(hidden, alice, charlie, morgan, make_repo):
    """What is hidden now was public once: liked, collected, watched and talked about by charlie."""
    make_repo(charlie, "mine", files={"a.bin": LARGE})
    for repo in Repo.objects.filter(lower=HIDDEN):
        Repo.objects.filter(pk=repo.pk).update(private=False)
        liking.like(repo, by=charlie)
        discussing.open_discussion(repo=repo, by=charlie, title=SECRET, text=SECRET)
        Repo.objects.filter(pk=repo.pk).update(private=True)
    collection = curating.create(by=charlie, namespace="charlie", title="Seen")
    for repo in Repo.objects.filter(lower=HIDDEN):
        collection.items.create(repo=repo, position=0)
    watched = [("model", f"alice/{HIDDEN}"), ("user", "alice")]
    webhooks.create(by=charlie, url="https://hooks.example.org/in", watched=watched, domains=["repo"])
    return collection


def answers_to_lists(asker: tuple[str, User | None], collection: Any) -> dict[str, Any]:
    """Ask every route that is about no single repository, and some lists for what is hidden."""
    token, user = asker
    browser = Client()
    if user:
        browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    words = {
        "kind": "models", "owner": collection.namespace.name, "slug": collection.tail, "username": "charlie",
        "webhook": f"{1:024x}", "webhook_id": "1",
    }  # fmt: skip
    places = {
        f"/{one}" for one in ("models?search=hidden", "datasets?author=alice", "fragments/repos?author=alice", "alice",
        "fragments/collections?owner=charlie", "api/models?search=hidden", "api/datasets?author=alice&full=true",
        "api/spaces?author=alice", f"api/collections?item=models/alice/{HIDDEN}", "api/users/alice/overview",
        "api/users/charlie/overview", "api/users/charlie/likes", "api/collections?owner=charlie", "charlie",
        "api/v1/evaluations", "api/v1/benchmarks", "leaderboard", "?q=hidden")
    }  # fmt: skip
    for name, before in ((None, "/"), (HUB_WIRE, "/")):
        for address, _extra in walk(get_resolver(name)):
            if set(re.findall(r"{(\w+)}", address)) <= words.keys() and not address.startswith(
                ("admin/", "accounts/", "oauth/")
            ):
                places.add(before + address.format(**words))
    answers = {}
    for place in sorted(places):
        is_program = place.startswith("/api/")
        answer = ask(Client() if is_program else browser, "GET", place, token if is_program else "")
        status, headers, text = seen(answer, "\0")
        headers.pop("content-length", "")  # of a text that says how many seconds ago something was
        answers[place] = status, headers, re.sub(r"<time.*?</time>", "", text, flags=re.DOTALL)
    return answers


def test_every_list_count_and_profile_is_as_if_the_private_were_not_there(once_public, asker, alice):
    before = answers_to_lists(asker, once_public)
    for repo in Repo.objects.filter(lower=HIDDEN):
        publishing.delete_repo(repo, by=alice)
    after = answers_to_lists(asker, once_public)
    for place, answer in before.items():
        assert answer[2].splitlines() == after[place][2].splitlines(), place
        assert answer == after[place], place
    assert len([answer for answer in before.values() if answer[0] == 200]) > 20
    for place, (_status, _headers, text) in before.items():
        assert SECRET not in text, place


IN_BODIES = {
    "deletion": ("DELETE", "/api/repos/delete", {"organization": "alice", "name": "%s"}),
    "move": ("POST", "/api/repos/move", {"fromRepo": "alice/%s", "toRepo": "charlie/x"}),
    "move onto it": ("POST", "/api/repos/move", {"fromRepo": "charlie/mine", "toRepo": "alice/%s"}),
    "creation": ("POST", "/api/repos/create", {"organization": "alice", "name": "%s"}),
    "copy onto it": ("POST", "/api/models/charlie/mine/duplicate", {"repository": "alice/%s"}),
    "copy of files into it": (
        "POST", "/api/models/charlie/mine/lfs-files/duplicate",
        {"target": {"type": "model", "name": "alice/%s"}, "files": []},
    ),
    "collection of it": ("POST", "/api/collections", {"title": "x", "item": {"type": "model", "id": "alice/%s"}}),
    "evaluation of it": ("POST", "/api/v1/evaluations", {"model": "alice/%s", "benchmark": 1}),
    "import onto it": (
        "POST", "/api/v1/imports", {"hub": "https://hub.example", "repo": "a/b", "namespace": "alice", "name": "%s"},
    ),
    "bundle onto it": ("PUT", "/api/v1/bundles/models/alice/%s", {}),
    "collection by item": ("GET", "/api/collections?item=models/alice/%s", {}),
}  # fmt: skip


def test_a_private_repository_named_in_a_body_is_a_missing_one(hidden, asker, charlie, make_repo, settings):
    make_repo(charlie, "mine", files={"a.bin": LARGE})
    settings.IMPORT_HUBS = ["https://hub.example"]
    for what, (method, place, body) in IN_BODIES.items():
        answers = []
        for name in (MISSING, HIDDEN, FORMER):
            sent = json.dumps(body).replace("%s", name)
            answers.append(seen(ask(Client(), method, place.replace("%s", name), asker[0], sent), name))
        assert answers[0] == answers[1] == answers[2], what
        assert what == "collection by item" or 400 <= answers[0][0] < 500, what


@pytest.mark.parametrize("name", [HIDDEN, FORMER])
def test_forms_that_name_a_private_repository_say_what_they_say_of_a_missing_one(hidden, charlie, as_user, name):
    browser = as_user(charlie)
    collection = curating.create(by=charlie, namespace="charlie", title="Seen")
    forms = {
        "/settings/tokens/fine-grained": {"name": "x", "readable": "alice/%s", "writable": "", "lifetime": "0"},
        f"{collection.path}/items": {"name": "alice/%s", "note": ""},
        "/new/model": {"namespace": "alice", "name": "%s"},
        "/new/import": {"namespace": "alice", "name": "%s", "source": "a/b", "kind": "model"},
    }
    for place, form in forms.items():
        answers = []
        for one in (MISSING, name):
            answer = browser.post(place, {key: value.replace("%s", one) for key, value in form.items()})
            answers.append(seen(answer, one))
        assert answers[0] == answers[1], place
        assert 400 <= answers[0][0] < 500, place
