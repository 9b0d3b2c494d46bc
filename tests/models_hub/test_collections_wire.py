"""Collections as clients of the Hub make and read them."""

import re

import pytest

from models_hub import curating
from models_hub.models import Collection
from portal.models import Event
from tests.models_hub.wire import Wire


@pytest.fixture
def wire(token_of, alice):
    return Wire(token_of(alice))


@pytest.fixture
def made(wire):
    answer = wire.post("/api/collections", {"title": "Tiny Encoders", "namespace": "alice", "description": "small"})
    assert answer.status_code == 200
    return answer.json()


def path(made, rest=""):
    return f"/api/collections/{made['slug']}{rest}"


def add(wire, made, name, kind="model", **more):
    return wire.post(path(made, "/items"), {"item": {"type": kind, "id": name}, **more})


def test_a_collection_is_made_with_a_slug_of_title_and_id(wire, made):
    assert re.fullmatch(r"alice/tiny-encoders-[0-9a-f]{24}", made["slug"])
    assert made["url"] == f"http://portal.example/collections/{made['slug']}"
    assert (made["items"], made["position"], made["private"], made["upvotes"]) == ([], 0, False, 0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["lastUpdated"])
    assert wire.get(path(made)).json() == made


def test_the_same_title_again_names_the_first(wire, made):
    answer = wire.post("/api/collections", {"title": "tiny encoders", "namespace": "alice"})
    assert answer.status_code == 409
    assert answer.json()["slug"] == made["slug"]


def test_a_new_title_gives_a_new_slug_and_the_old_one_still_leads_there(wire, made):
    changed = wire.call("PATCH", path(made), {"title": "Large", "theme": "pink", "private": True}).json()["data"]
    assert changed["slug"].startswith("alice/large-")
    assert changed["slug"][-24:] == made["slug"][-24:]
    assert (changed["theme"], changed["private"], changed["position"]) == ("pink", True, 0)
    assert wire.get(path(made)).json()["title"] == "Large"
    assert changed["description"] == "small"


def test_items_keep_their_order_notes_and_places(wire, made, alice, make_repo):
    for name in ("one", "two", "three"):
        make_repo(alice, name)
        add(wire, made, f"alice/{name}", note=f"about {name}")
    items = wire.get(path(made)).json()["items"]
    assert [(item["id"], item["position"], item["note"]["text"]) for item in items] == [
        ("alice/one", 0, "about one"),
        ("alice/two", 1, "about two"),
        ("alice/three", 2, "about three"),
    ]
    wire.call("PATCH", path(made, f"/items/{items[2]['_id']}"), {"position": 0, "note": "new"})
    items = wire.get(path(made)).json()["items"]
    assert [item["id"] for item in items] == ["alice/three", "alice/one", "alice/two"]
    assert items[0]["note"]["text"] == "new"
    assert wire.call("DELETE", path(made, f"/items/{items[1]['_id']}")).status_code == 200
    assert [item["id"] for item in wire.get(path(made)).json()["items"]] == ["alice/three", "alice/two"]
    assert wire.call("DELETE", path(made, f"/items/{items[1]['_id']}")).status_code == 404


def test_data_sets_and_collections_are_items_too(wire, made, alice, make_repo):
    make_repo(alice, "cars", kind="dataset")
    other = wire.post("/api/collections", {"title": "Other", "namespace": "alice"}).json()
    assert add(wire, made, "alice/cars", "dataset").status_code == 200
    items = add(wire, made, other["slug"], "collection").json()["items"]
    assert [(item["type"], item.get("slug") or item["id"]) for item in items] == [
        ("dataset", "alice/cars"),
        ("collection", other["slug"]),
    ]


def test_what_is_in_already_missing_or_unknown_is_not_added(wire, made, alice, make_repo):
    make_repo(alice, "one")
    assert add(wire, made, "alice/one").status_code == 200
    assert add(wire, made, "ALICE/one").status_code == 409
    assert add(wire, made, "alice/nothing").status_code == 404
    assert add(wire, made, "2307.09288", "paper").status_code == 404
    assert add(wire, made, made["slug"], "collection").status_code == 400


def test_hidden_repositories_do_not_show_in_somebody_elses_view(wire, made, alice, charlie, token_of, make_repo):
    make_repo(alice, "open")
    make_repo(alice, "hidden", private=True)
    add(wire, made, "alice/hidden")
    add(wire, made, "alice/open")
    seen = Wire(token_of(charlie)).get(path(made)).json()
    assert [item["id"] for item in seen["items"]] == ["alice/open"]
    assert seen["numberItems"] == 1
    listed = Wire().get("/api/collections?item=models/alice/hidden")
    assert listed.json() == Wire().get("/api/collections?item=models/alice/nothing").json() == []


def test_a_private_collection_is_missing_for_others_on_every_route(wire, made, charlie, token_of):
    wire.call("PATCH", path(made), {"private": True})
    other = Wire(token_of(charlie))
    gone = f"/api/collections/alice/tiny-encoders-{'0' * 23}9"
    for method, rest in [
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/items"), ("POST", "/upvote"), ("DELETE", "/items/x"),
    ]:  # fmt: skip
        hidden, missing = other.call(method, path(made, rest), {}), other.call(method, gone + rest, {})
        assert hidden.status_code == missing.status_code == 404, (method, rest)
        assert hidden.content == missing.content
    assert other.get("/api/collections?owner=alice").json() == []
    assert len(wire.get("/api/collections?owner=alice").json()) == 1


def test_others_may_look_but_not_touch(made, charlie, token_of, alice):
    other = Wire(token_of(charlie))
    assert other.get(path(made)).status_code == 200
    assert other.call("PATCH", path(made), {"title": "x"}).status_code == 403
    assert other.call("DELETE", path(made)).status_code == 403
    assert other.post("/api/collections", {"title": "x", "namespace": "alice"}).status_code == 403
    assert Wire(token_of(alice, "read")).call("DELETE", path(made)).status_code == 403
    assert Wire().post("/api/collections", {"title": "x", "namespace": "alice"}).status_code == 401
    assert Collection.objects.count() == 1


def test_writers_of_an_organization_share_its_collections(token_of, bob, team):
    wire = Wire(token_of(bob))
    made = wire.post("/api/collections", {"title": "Ours", "namespace": "team", "private": True}).json()
    assert made["owner"] == "team"
    assert wire.call("DELETE", path(made)).status_code == 200


def test_lists_are_sorted_paged_and_bear_no_position(wire, alice, made):
    for n in range(4):
        curating.create(by=alice, namespace="alice", title=f"Number {n}")
    wire.post(path(made, "/upvote"))
    wire.post(path(made, "/upvote"))
    first = wire.get("/api/collections?owner=alice&sort=upvotes&limit=3")
    assert (first.json()[0]["slug"], first.json()[0]["upvotes"]) == (made["slug"], 1)
    assert all("position" not in row for row in first.json())
    rest = wire.get(first["Link"].split(">")[0].removeprefix("<http://portal.example")).json()
    assert len({row["slug"] for row in first.json() + rest}) == 5
    wire.call("DELETE", path(made, "/upvote"))
    assert wire.get(path(made)).json()["upvotes"] == 0
    assert wire.get("/api/collections?sort=best").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": "x" * 61},
        {"title": "x", "description": "d" * 151},
        {"title": "x", "private": "yes"},
        {"title": 5},
        {},
    ],
)
def test_bad_input_makes_nothing(wire, body):
    assert wire.post("/api/collections", {"namespace": "alice"} | body).status_code == 400
    assert not Collection.objects.exists()


def test_every_change_is_an_event(wire, made, alice, make_repo):
    make_repo(alice, "one")
    add(wire, made, "alice/one")
    wire.call("PATCH", path(made), {"title": "x"})
    wire.call("DELETE", path(made))
    kinds = Event.objects.filter(kind__startswith="collection").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["collection.created", "collection.item_added", "collection.changed", "collection.deleted"]


def test_many_collections_cost_no_more_queries(wire, alice, make_repo, django_assert_max_num_queries):
    repo = make_repo(alice, "one")
    for n in range(20):
        collection = curating.create(by=alice, namespace="alice", title=f"Number {n}")
        curating.add(collection, by=alice, target=repo)
    with django_assert_max_num_queries(5):
        assert len(wire.get("/api/collections?owner=alice").json()) == 20
