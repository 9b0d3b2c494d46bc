"""Failures on the wire: one form, the codes that clients look for, and nothing about what is hidden."""

import pytest

from models_hub.hf_api import routes
from portal.models import AccessToken
from tests.models_hub.wire import Wire

# Everything that names a repository, with a method; {id} stands for it.
PER_REPO = [
    ("GET", "/api/{T}/{id}"), ("GET", "/api/{T}/{id}/revision/main"), ("GET", "/api/{T}/{id}?expand=sha"),
    ("PUT", "/api/{T}/{id}/settings"), ("GET", "/api/{T}/{id}/auth-check"), ("GET", "/api/{T}/{id}/auth-check/write"),
    ("GET", "/api/{T}/{id}/tree/main"), ("GET", "/api/{T}/{id}/tree/main/a%2Fb"),
    ("POST", "/api/{T}/{id}/paths-info/main"),
    ("POST", "/api/{T}/{id}/preupload/main"), ("GET", "/api/{T}/{id}/xet-write-token/main"),
    ("GET", "/api/{T}/{id}/xet-read-token/main"), ("GET", "/api/{T}/{id}/xet-write-token/None?create_pr=1"),
    ("POST", "/api/{T}/{id}/commit/main"), ("GET", "/api/{T}/{id}/commits/main"), ("GET", "/api/{T}/{id}/refs"),
    ("POST", "/api/{T}/{id}/branch/x"), ("DELETE", "/api/{T}/{id}/branch/x"), ("POST", "/api/{T}/{id}/tag/main"),
    ("DELETE", "/api/{T}/{id}/tag/x"), ("GET", "{p}/{id}/resolve/main/secret.txt"), ("HEAD", "{p}/{id}/resolve/main/x"),
    ("GET", "{p}/{id}/raw/main/secret.txt"), ("POST", "{p}/{id}.git/info/lfs/objects/batch"),
    ("POST", "{p}/{id}.git/info/lfs/objects/verify"),
]  # fmt: skip


def address(pattern: str, name: str, kind: str = "model") -> str:
    return pattern.format(T=f"{kind}s", id=name, p="/datasets" if kind == "dataset" else "")


def facts(response, name: str):
    body = response.content.replace(name.encode(), b"NAME")
    names = ("X-Error-Code", "X-Error-Message", "Cache-Control", "WWW-Authenticate", "Vary", "Content-Type")
    return response.status_code, body, [response.get(header) for header in names]


@pytest.mark.parametrize("kind", ["model", "dataset"])
@pytest.mark.parametrize(("method", "pattern"), PER_REPO)
def test_hidden_and_missing_look_the_same(alice, charlie, make_repo, token_of, method, pattern, kind):
    make_repo(alice, "hidden", kind=kind, private=True, files={"secret.txt": "s", "a/b": "c"})
    for token, status in ((token_of(charlie), 404), (token_of(charlie, "read"), 404), (None, 401)):
        wire = Wire(token)
        answers = [
            facts(wire.call(method, address(pattern, f"alice/{name}", kind), {}), name) for name in ("hidden", "absent")
        ]
        assert answers[0] == answers[1]
        assert answers[0][0] == status
        assert answers[0][2][0] == "RepoNotFound"


def test_every_route_that_names_a_repository_is_in_the_list_above():
    tried = {address(pattern, "NS/NAME").split("?")[0].count("/") for _method, pattern in PER_REPO}
    named = [str(r.pattern) for r in routes.urlpatterns if "<segment:namespace>" in str(r.pattern)]
    words = {word for _method, pattern in PER_REPO for word in pattern.split("?")[0].split("/")}
    for pattern in named:
        literal = [part for part in pattern.split("/") if "<" not in part and part not in {"api", "datasets"}]
        assert set(literal) <= words, f"{pattern} is not tried"
    assert tried


@pytest.mark.parametrize("path", ["/api/models", "/api/datasets", "/api/whoami-v2", "/alice/bert/resolve/main/a"])
@pytest.mark.parametrize("header", ["Bearer hf_wrong", "Bearer ", "Bearer x", "bearer hf_" + "a" * 37])
def test_a_bad_token_is_refused_even_where_none_is_needed(alice, make_repo, path, header):
    make_repo(alice, files={"README.md": "x"})
    response = Wire().get(path, Authorization=header)
    assert response.status_code == 401
    assert response["X-Error-Message"] == "Invalid credentials in Authorization header"
    assert response.json() == {"error": "Invalid credentials in Authorization header"}


def test_a_revoked_token_is_a_bad_token_at_once(alice, token_of):
    wire = Wire(token_of(alice))
    assert wire.get("/api/whoami-v2").status_code == 200
    AccessToken.objects.get().revoke()
    assert wire.get("/api/whoami-v2").status_code == 401


WRITES = [
    ("POST", "/api/models/alice/bert/commit/main"), ("POST", "/api/models/alice/bert/preupload/main"),
    ("GET", "/api/models/alice/bert/xet-write-token/main"), ("POST", "/api/models/alice/bert/branch/x"),
    ("DELETE", "/api/models/alice/bert/branch/x"), ("POST", "/api/models/alice/bert/tag/main"),
    ("DELETE", "/api/models/alice/bert/tag/x"), ("PUT", "/api/models/alice/bert/settings"),
    ("GET", "/api/models/alice/bert/auth-check/write"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writing_needs_a_writer_and_a_token_that_may_write(alice, charlie, make_repo, token_of, method, path):
    make_repo(alice)
    body = {"tag": "v1", "files": []}
    readonly = Wire(token_of(alice, "read")).call(method, path, body)
    assert (readonly.status_code, "X-Error-Code" in readonly) == (403, False)
    # Clients print the header and the body, and what is alike in both only once.
    assert 'role "write"' in readonly["X-Error-Message"]
    assert readonly.json()["error"] == readonly["X-Error-Message"]
    assert not readonly["X-Error-Message"].endswith(".")  # they end the sentence themselves
    assert Wire(token_of(charlie)).call(method, path, body).status_code == 403
    anonymous = Wire().call(method, path, body)
    assert (anonymous.status_code, anonymous["WWW-Authenticate"]) == (401, "Bearer")


def test_a_read_token_creates_and_deletes_nothing(alice, make_repo, token_of):
    make_repo(alice)
    wire = Wire(token_of(alice, "read"))
    assert wire.post("/api/repos/create", {"name": "new"}).status_code == 403
    assert wire.call("DELETE", "/api/repos/delete", {"name": "bert"}).status_code == 403


@pytest.mark.parametrize("path", ["/api/", "/api/models/a/b/unknown", "/api/models/a/b/c/d/e"])
def test_unknown_addresses_are_json(path, db):
    response = Wire().get(path)
    assert response.status_code == 404
    assert response.json()["error"]


def test_names_without_an_owner_are_not_there(db):
    api = ("/api/models/foo", "/api/models/foo/revision/main")
    for path in (*api, "/foo/resolve/main/x", "/foo/raw/main/x", "/datasets/f/resolve/a/x", "/spaces/f/raw/a/x"):
        response = Wire().get(path)
        assert (response.status_code, response["X-Error-Code"]) == (401, "RepoNotFound")


ODD = ["%00", "%ff", "%ED%A0%80", "%F0%9F%98%80", "a" * 2000, "%2F", "%5C", "%25", "..", "%20"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_are_simply_not_there(alice, make_repo, token_of, odd):
    make_repo(alice, files={"a.txt": "x"})
    wire = Wire(token_of(alice))
    for method, pattern in PER_REPO:
        body = {"startingPoint": "\x00", "tag": "\ud800", "files": [], "operation": "download", "objects": []}
        for name in (f"{odd}/bert", f"alice/{odd}"):
            assert wire.call(method, address(pattern, name), body).status_code in {404, 401}
        revision = pattern.replace("main", odd).replace("branch/x", f"branch/{odd}").replace("tag/x", f"tag/{odd}")
        if revision != pattern:
            assert 400 <= wire.call(method, address(revision, "alice/bert"), body).status_code < 500
    for query in ("author", "search", "filter", "pipeline_tag", "sort", "cursor", "limit", "num_parameters"):
        assert wire.get(f"/api/models?{query}={odd}").status_code in {200, 400}
    for body in ({"name": "x", "organization": "\x00"}, {"name": "\ud800"}, {"name": "x", "type": "\x00"}):
        assert 400 <= wire.post("/api/repos/create", body).status_code < 500
        assert 400 <= wire.call("DELETE", "/api/repos/delete", body).status_code < 500


def test_a_wrong_method_is_named(alice, make_repo):
    make_repo(alice)
    response = Wire().post("/api/models/alice/bert/refs")
    assert (response.status_code, response["Allow"]) == (405, "GET")


BAD_BODIES = ["{", "[]", "null", "5", '"x"', "[" * 100_000, "\xff", '{"name": 5}', '{"name": null}']


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_malformed_body_is_a_bad_request(alice, token_of, body):
    response = Wire(token_of(alice)).post("/api/repos/create", body.encode("latin-1"))
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_session_may_read_but_must_prove_what_it_changes(alice, make_repo, as_user):
    make_repo(alice, private=True)
    browser = as_user(alice)
    browser.handler.enforce_csrf_checks = True
    assert browser.get("/api/models/alice/bert").status_code == 200
    refused = browser.post("/api/repos/create", {"name": "x"}, content_type="application/json")
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["error"]


def test_the_request_id_contains_the_trace_of_the_client(db):
    assert Wire().get("/api/models", **{"X-Amzn-Trace-Id": "abc-123"})["X-Request-Id"] == "abc-123"
    assert Wire().get("/api/models/a/b", **{"X-Request-Id": "mine"})["X-Request-Id"] == "mine"


def test_answers_for_a_signed_in_caller_are_not_cached(alice, make_repo, token_of):
    make_repo(alice, private=True, files={"a.txt": "x"})
    for path in ("/api/models", "/api/models/alice/bert", "/alice/bert/resolve/main/a.txt"):
        response = Wire(token_of(alice)).get(path)
        assert response["Cache-Control"] == "private, no-cache"
        assert "Authorization" in response["Vary"]
