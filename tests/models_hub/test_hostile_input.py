"""Input that no honest client sends is refused, never a failure of the server."""

import base64
import json
import struct
from urllib.parse import quote

import pytest

from forum import discussing
from models_hub import cards, checking, curating, gating, locking, publishing, referencing, webhooks
from models_hub.headers.safetensors import read_safetensors_header
from models_hub.publishing import PutFile
from tests.models_hub.wire import Wire

HUGE = "0x" + "f" * 5000


def cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize("dtype", [[], {}, None, 7, ["F32"]])
def test_a_dtype_that_is_no_text_is_refused(tmp_path, dtype):
    header = json.dumps({"a": {"dtype": dtype, "shape": [1], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with path.open("rb") as file, pytest.raises(checking.FileRefused):
        read_safetensors_header(file, path.stat().st_size, "x.safetensors")


@pytest.mark.parametrize("field", ["license", "tags", "anything"])
def test_a_number_without_end_in_a_card_is_refused(field):
    with pytest.raises(cards.CardRefused, match="64 bits"):
        cards.read_metadata(f"---\n{field}: {HUGE}\n---\n")


BAD_CURSORS = [
    cursor("2024-13-01T00:00:00+00:00", 1),
    cursor("0001-01-01T00:00:00+14:00", 1),
    cursor("9999-12-31T23:59:59-14:00", 1),
    cursor("2024-01-01T00:00:00", 1),
    cursor(10**30, 10**30),
    cursor("\ud800", 1),
    cursor(None, None),
    "=",
]


@pytest.mark.parametrize("bad", BAD_CURSORS)
@pytest.mark.parametrize("query", ["/api/models?cursor=", "/api/models?sort=downloads&cursor="])
def test_a_cursor_that_the_wire_never_gave_starts_from_the_beginning(client, db, query, bad):
    assert client.get(query + bad).status_code == 200


@pytest.mark.parametrize("bad", BAD_CURSORS)
@pytest.mark.parametrize("sort", ["updated", "name", "largest", "smallest"])
def test_a_cursor_that_no_page_gave_is_never_a_failure(client, db, sort, bad):
    assert client.get(f"/models?sort={sort}&cursor={bad}").status_code in {200, 400}


def test_a_search_of_a_thousand_words_is_cut(client, db):
    words = "&".join("search=" + "+".join(["a"] * 100) for _ in range(50))
    assert client.get(f"/api/models?{words}").status_code == 200
    assert client.get("/models?search=" + "+".join(["a"] * 100)).status_code == 200


def test_json_that_is_too_deep_or_too_large_is_the_senders_fault(client, alice, token_of, settings):
    header = {"authorization": f"Bearer {token_of(alice)}"}
    deep = client.post("/api/v1/evaluations", "[" * 100_000, content_type="application/json", headers=header)
    assert deep.status_code == 400
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"model": "a" * 2000})
    large = client.post("/api/v1/evaluations", body, content_type="application/json", headers=header)
    assert large.status_code == 413
    assert large.json()["code"] == "too_large"


MARKUP = '"><script>alert(1)</script>'


def test_names_and_titles_are_text_on_every_page(alice, make_repo, as_user):
    """Of discussions, pull requests, collections, notes, webhooks, branches, tags, locks and files."""
    repo = make_repo(alice, files={"a.txt": "a", "<script>alert(1)<": "b"})
    referencing.create_branch(repo, by=alice, name=MARKUP)
    referencing.create_tag(repo, by=alice, name=f"v{MARKUP}", message=MARKUP)
    publishing.propose(repo=repo, by=alice, changes=[PutFile("b.txt", b"b")], title=MARKUP, description=MARKUP)
    topic = discussing.open_discussion(repo=repo, by=alice, title=MARKUP, text=MARKUP)
    discussing.rename(topic, by=alice, title=f"New {MARKUP}")
    locking.lock(repo, by=alice, path="<script>alert(1)<")
    collection = curating.create(by=alice, namespace="alice", title=MARKUP, description=MARKUP)
    curating.add(collection, by=alice, target=repo, note=MARKUP)
    url = f"https://hooks.example.org/{MARKUP}"
    hook = webhooks.create(by=alice, url=url, watched=[("model", f"alice/{MARKUP}")], domains=["repo"])
    browser, branch = as_user(alice), quote(MARKUP, safe="")
    places = [
        "/alice/bert", "/alice/bert/tree/main", f"/alice/bert/tree/{branch}", f"/alice/bert/commits/{branch}",
        f"/alice/bert/upload/{branch}", "/alice/bert/discussions", "/alice/bert/discussions/1",
        "/alice/bert/discussions/1/files", "/alice/bert/discussions/2", "/alice/bert/commits/refs/pr/1",
        "/alice/bert/collections", "/collections", collection.path, "/fragments/collections?owner=alice",
        "/settings/webhooks", f"/settings/webhooks/{hook.pk}", "/alice/bert/storage", "/settings/storage",
        f"/models?search={branch}", f"/fragments/repos?author={branch}", f"/fragments/collections?owner={branch}",
    ]  # fmt: skip
    for place in places:
        answer = browser.get(place)
        assert answer.status_code == 200, place
        assert "<script>alert" not in answer.text, place


def test_a_place_that_no_database_can_hold_is_no_place(client, as_user, alice, make_repo):
    make_repo(alice)
    assert client.get("/alice/bert/tree/main%00").status_code == 404
    assert client.get("/alice/be%00rt").status_code == 404
    assert as_user(alice).get("/api/v1/uploads/%00").status_code in {400, 404}  # on PostgreSQL it cannot be asked for


@pytest.mark.parametrize(
    "address",
    [
        "/fragments/repos?author=%00",
        "/fragments/collections?owner=%00",
        "/api/models?author=%00",
        "/api/collections?owner=%00",
    ],
)
def test_a_name_that_no_database_can_hold_owns_nothing(client, alice, make_repo, address):
    make_repo(alice)
    answer = client.get(address)
    assert answer.status_code == 200
    assert "alice" not in answer.text


ODD_VALUES = [[], {}, [[]], [None], 5, True, "\x00", "\ud800", "x" * 70_000]
FIELDS = [
    ("POST", "/api/repos/create", lambda odd: {"name": "new", "visibility": odd}),
    ("POST", "/api/repos/move", lambda odd: {"fromRepo": "alice/bert", "toRepo": "alice/new", "type": odd}),
    ("PUT", "/api/models/alice/bert/settings", lambda odd: {"gated": odd or [odd]}),
    ("POST", "/api/models/alice/bert/duplicate", lambda odd: {"repository": "alice/copy", "visibility": odd}),
    ("POST", "/api/models/alice/bert/lfs-files/batch", lambda odd: {"deletions": {"sha": [odd]}}),
    ("POST", "/api/models/alice/bert/user-access-request/grant", lambda odd: {"user": odd}),
    ("POST", "/api/models/alice/bert/user-access-request/handle", lambda odd: {"user": odd, "status": "accepted"}),
    ("POST", "/alice/bert.git/info/lfs/objects/batch", lambda odd: {"operation": odd, "objects": []}),
]


def test_a_field_of_another_type_is_the_senders_fault(alice, make_repo, token_of):
    gating.set_gate(make_repo(alice), by=alice, gate="auto")
    wire = Wire(token_of(alice))
    for method, path, body_with in FIELDS:
        for odd in ODD_VALUES:
            answer = wire.call(method, path, body_with(odd))
            assert 400 <= answer.status_code < 500, (path, odd)


ENDLESS = "9" * 5000  # more digits than Python makes a number of


def test_a_number_with_endless_digits_is_none(as_user, alice, morgan):
    browser = as_user(alice)
    assert browser.post("/forum/preview", {"text": "x", "repo": ENDLESS}).status_code == 200
    assert browser.get(f"/settings/storage?after={ENDLESS}-{ENDLESS}").status_code == 200
    sent = {"case": f"{ENDLESS}:1", "action": "agree", "reason": "spam"}
    assert as_user(morgan).post("/moderation/bulk", sent).status_code == 302
