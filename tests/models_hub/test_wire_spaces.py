"""Static Spaces are kept and shown; running one answers that it is not hosted. What is not here says so."""

import pytest

from models_hub.models import Repo
from tests.models_hub.wire import Wire, body_of, file_row

SPACE = {"name": "demo", "type": "space", "sdk": "static"}


@pytest.fixture
def wire(alice, token_of):
    found = Wire(token_of(alice))
    assert found.post("/api/repos/create", SPACE).json()["url"] == "http://portal.example/spaces/alice/demo"
    return found


def test_a_static_space_is_created_with_a_card_that_names_its_sdk(wire):
    assert body_of(Wire().get("/spaces/alice/demo/raw/main/README.md")) == b'---\ntitle: "demo"\nsdk: static\n---\n'
    shown = Wire().get("/api/spaces/alice/demo").json()
    assert (shown["id"], shown["sdk"], shown["runtime"], shown["tags"]) == ("alice/demo", "static", None, ["static"])
    assert {"rfilename": "README.md"} in shown["siblings"]
    assert [commit["title"] for commit in Wire().get("/api/spaces/alice/demo/commits/main").json()] == [
        "initial commit"
    ]


@pytest.mark.parametrize("sdk", ["gradio", "docker", "streamlit", "", None])
def test_a_space_that_would_have_to_run_is_refused(alice, token_of, sdk):
    response = Wire(token_of(alice)).post("/api/repos/create", SPACE | {"sdk": sdk})
    assert response.status_code == 400
    assert "static" in response.json()["error"]
    assert not Repo.objects.exists()


def test_files_of_a_space_are_committed_listed_and_read(wire):
    assert wire.commit("spaces/alice/demo", file_row("index.html", b"<b>hi</b>")).status_code == 200
    served = Wire().get("/spaces/alice/demo/resolve/main/index.html")
    assert body_of(served) == b"<b>hi</b>"
    assert served["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert [row["path"] for row in Wire().get("/api/spaces/alice/demo/tree/main").json()] == [
        ".gitattributes",
        "README.md",
        "index.html",
    ]
    assert wire.call("DELETE", "/api/repos/delete", {"name": "demo", "type": "space"}).status_code == 200
    assert Wire().get("/api/spaces/alice/demo")["X-Error-Code"] == "RepoNotFound"


def test_kinds_do_not_mix(wire):
    assert Wire().get("/api/models/alice/demo").status_code == 401
    assert Wire().get("/alice/demo/resolve/main/README.md").status_code == 401
    assert Wire().get("/api/models").json() == []
    assert [row["id"] for row in Wire().get("/api/spaces").json()] == ["alice/demo"]
    assert Wire().get("/spaces/demo/resolve/main/x")["X-Error-Code"] == "RepoNotFound"


def test_lists_of_spaces_find_what_they_use(wire):
    card = b"---\nsdk: static\nmodels:\n- alice/bert\ndatasets: [alice/cars]\ntags: [fun]\n---\n# Demo\n"
    wire.commit("spaces/alice/demo", file_row("README.md", card))
    for query in ("models=alice/bert", "datasets=alice/cars", "filter=fun", "search=demo", "author=alice", "full=true"):
        assert [row["id"] for row in Wire().get(f"/api/spaces?{query}").json()] == ["alice/demo"], query
    for query in ("models=alice/other", "filter=gradio", "author=bob"):
        assert Wire().get(f"/api/spaces?{query}").json() == []
    shown = Wire().get("/api/spaces/alice/demo?expand=models&expand=datasets").json()
    assert (shown["models"], shown["datasets"]) == (["alice/bert"], ["alice/cars"])


KEYS = (
    "author cardData createdAt datasets disabled lastModified likes models private region resourceGroup runtime sdk "
    "sha siblings subdomain tags trendingScore usedStorage gitalyUid xetEnabled"
).split()


def test_expand_knows_the_fields_of_a_space(wire):
    refused = Wire().get("/api/spaces/no/body?expand=downloads")
    assert (refused.status_code, refused.json()["error"]) == (400, f'"expand" must be one of [{", ".join(KEYS)}]')
    every = "&".join(f"expand={key}" for key in KEYS)
    assert set(Wire().get(f"/api/spaces/alice/demo?{every}").json()) == {"_id", "id", *KEYS}


RUNTIME = [
    ("GET", "runtime"), ("POST", "hardware"), ("POST", "restart"), ("POST", "pause"), ("POST", "sleeptime"),
    ("POST", "secrets"), ("DELETE", "secrets"), ("GET", "variables"), ("POST", "variables"), ("POST", "dev-mode"),
    ("GET", "logs/build"), ("GET", "logs/run"), ("PUT", "volumes"), ("DELETE", "volumes"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "tail"), RUNTIME)
def test_a_space_has_no_runtime(wire, method, tail):
    response = wire.call(method, f"/api/spaces/alice/demo/{tail}", {})
    assert response.status_code == 400
    assert "does not run Spaces" in response.json()["error"]


def test_a_private_space_is_a_missing_one(wire, charlie, token_of):
    wire.call("PUT", "/api/spaces/alice/demo/settings", {"private": True})
    for path in ("", "/runtime", "/secrets", "/likers", "/tree/main"):
        hidden, missing = (Wire(token_of(charlie)).get(f"/api/spaces/alice/{name}{path}") for name in ("demo", "none"))
        assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    assert Wire().get("/api/spaces").json() == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/jobs/alice", "/api/jobs/hardware", "/api/scheduled-jobs/alice", "/api/kernels",
        "/api/buckets/alice/x", "/api/papers/1234.56789",
        "/api/partners/x/models", "/api/spaces/semantic-search?q=x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_here_says_so_in_json(db, path, method):
    response = Wire().call(method, path)
    assert response.status_code in {404, 405}
    assert response.json()["error"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/kernels/alice/fast/resolve/main/build.toml", "This portal has no kernels."),
        ("/buckets/alice/stuff/resolve/a.txt", "This portal has no buckets."),
        ("/api/kernels/alice/fast/revision/main", "This portal has no kernels."),
    ],
)
def test_a_kernel_or_bucket_is_a_missing_repository(db, path, message):
    """Without the code a client takes it for a broken connection."""
    response = Wire().head(path)
    assert (response["X-Error-Code"], response["X-Error-Message"]) == ("RepoNotFound", message)


def test_an_article_is_said_to_be_elsewhere(db):
    response = Wire().get("/papers/1706.03762.md")
    assert response.status_code == 404
    assert response.json()["error"].endswith("https://arxiv.org/abs/1706.03762.")


WISHES = [
    {"resourceGroupId": "66670e5163145ca562cb1988"}, {"region": "eu"}, {"hardware": "t4-medium"},
    {"secrets": [{"key": "KEY", "value": "confidential"}]}, {"variables": [{"key": "A", "value": "b"}]},
    {"sleepTimeSeconds": 3600}, {"storageTier": "small"}, {"template": "gradio/chatbot"},
    {"volumes": [{"type": "dataset", "source": "alice/cars", "mountPath": "/data"}]},
]  # fmt: skip


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: next(iter(wish)))
def test_nobody_is_left_to_count_on_what_is_not_kept(wire, wish):
    made = wire.post("/api/repos/create", SPACE | {"name": "other"} | wish)
    copied = wire.post("/api/spaces/alice/demo/duplicate", {"repository": "alice/copy"} | wish)
    assert 400 <= made.status_code == copied.status_code < 500
    assert made.json()["error"] == copied.json()["error"]
    assert "confidential" not in made.text
    assert Repo.objects.count() == 1
    nothing = dict.fromkeys(wish)
    assert wire.post("/api/repos/create", SPACE | {"name": "other"} | nothing).status_code == 200


def test_kinds_that_are_not_here_are_neither_moved_nor_deleted(wire):
    moved = wire.post("/api/repos/move", {"fromRepo": "alice/a", "toRepo": "alice/b", "type": "bucket"})
    deleted = wire.call("DELETE", "/api/repos/delete", {"name": "demo", "type": "kernel"})
    assert {moved.status_code, deleted.status_code} == {400}
    assert "model" in moved.json()["error"]
    assert Wire().get("/api/spaces/alice/demo").status_code == 200


def test_what_clients_ask_in_passing_is_answered_at_once(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Wire().get("/api/agent-harnesses").json() == {"standardEnvVars": [], "harnesses": []}
        assert Wire().head("/api/telemetry/transformers/push").status_code == 204
        assert Wire().get("/api/spaces/templates").json() == {"templates": []}
        assert "text-classification" in Wire().get("/api/tasks").json()
