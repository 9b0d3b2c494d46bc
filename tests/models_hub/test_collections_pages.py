"""The pages of collections."""

import pytest

from models_hub import curating
from models_hub.models import Collection, CollectionItem


@pytest.fixture
def collection(alice, make_repo):
    made = curating.create(by=alice, namespace="alice", title="Tiny <b>Encoders</b>", description="small ones")
    for name in ("one", "two"):
        curating.add(made, by=alice, target=make_repo(alice, name), note=f"about {name}")
    return made


def test_everybody_reads_a_public_collection(client, collection):
    page = client.get(collection.path).text
    assert "Tiny &lt;b&gt;Encoders" in page
    assert page.index("alice/one") < page.index("alice/two")
    assert "about two" in page
    assert "Add something" not in page


def test_an_old_title_leads_to_the_new_one(client, alice, collection):
    old = collection.path
    curating.change(collection, by=alice, title="Large")
    assert client.get(old)["Location"] == collection.path


def test_one_is_made_filled_ordered_and_deleted(as_user, alice, make_repo):
    make_repo(alice, "bert")
    make_repo(alice, "cars", kind="dataset")
    browser = as_user(alice)
    answer = browser.post("/collections/new", {"namespace": "alice", "title": "Mine"})
    path = answer["Location"]
    browser.post(f"{path}/items", {"name": "alice/bert", "note": "first"})
    page = browser.post(f"{path}/items", {"name": "datasets/alice/cars"}, follow=True).text
    assert page.index("alice/bert") < page.index("alice/cars")
    last = CollectionItem.objects.latest("id")
    page = browser.post(f"{path}/items/{last.wire_id}", {"move": "up"}, follow=True).text
    assert page.index("alice/cars") < page.index("alice/bert")
    assert "changed note" in browser.post(f"{path}/items/{last.wire_id}", {"note": "changed note"}, follow=True).text
    assert 'href="/datasets/alice/cars"' not in browser.post(f"{path}/items/{last.wire_id}/removal", follow=True).text
    browser.post(f"{path}/details", {"title": "Mine", "private": "on"})
    assert Collection.objects.get().private
    browser.post(f"{path}/deletion")
    assert not Collection.objects.exists()


@pytest.mark.parametrize("name", ["alice/nothing", "bob/secret", "", "collections/x/y"])
def test_what_cannot_be_added_is_said(as_user, alice, bob, make_repo, collection, name):
    make_repo(bob, "secret", private=True)
    answer = as_user(alice).post(f"{collection.path}/items", {"name": name})
    assert answer.status_code in {400, 404}
    assert "invalid-feedback" in answer.text


def test_a_title_that_is_taken_is_said(as_user, alice, collection):
    answer = as_user(alice).post("/collections/new", {"namespace": "alice", "title": collection.title})
    assert answer.status_code == 409
    assert "You have a collection with this title already." in answer.text


def test_strangers_may_not_change_and_do_not_see_private_ones(as_user, client, alice, charlie, collection):
    browser, item = as_user(charlie), collection.items.first()
    changes = ["details", "deletion", "items", f"items/{item.wire_id}", f"items/{item.wire_id}/removal"]
    fields = {"title": "x", "name": "alice/one", "move": "down"}
    assert [browser.post(f"{collection.path}/{one}", fields).status_code for one in changes] == [403] * 5
    assert client.post(f"{collection.path}/details", fields)["Location"].startswith("/accounts/login/")
    curating.change(collection, by=alice, private=True)
    assert browser.get(collection.path).status_code == 404
    assert [browser.post(f"{collection.path}/{one}", fields).status_code for one in changes] == [404] * 5
    assert "Tiny" not in browser.get("/collections").text
    assert "Tiny" not in browser.get("/fragments/collections?owner=alice").text


def test_the_vote_counts_once(as_user, bob, collection):
    browser = as_user(bob)
    browser.post(f"{collection.path}/vote", {"up": "1"})
    browser.post(f"{collection.path}/vote", {"up": "1"})
    assert Collection.objects.get().upvotes == 1
    browser.post(f"{collection.path}/vote", {"up": "0"})
    assert Collection.objects.get().upvotes == 0


def test_a_repository_is_added_from_its_own_page(as_user, client, alice, bob, make_repo):
    make_repo(bob, "gpt")
    made = curating.create(by=alice, namespace="alice", title="Mine")
    browser = as_user(alice)
    assert "/bob/gpt/collections" in browser.get("/bob/gpt").text
    assert "Mine" in browser.get("/bob/gpt/collections").text
    page = browser.post("/bob/gpt/collections", {"collection": made.slug}, follow=True).text
    assert "bob/gpt" in page
    assert "it is in" in browser.get("/bob/gpt/collections").text
    assert client.get("/bob/gpt/collections")["Location"].startswith("/accounts/login/")


def test_a_profile_shows_the_collections_of_its_owner(client, collection):
    assert "/fragments/collections?owner=alice" in client.get("/alice").text
    assert "Tiny" in client.get("/fragments/collections?owner=alice").text


def test_lists_cost_the_same_with_many(client, alice, make_repo, django_assert_max_num_queries):
    repo = make_repo(alice, "one")
    for n in range(35):
        curating.add(curating.create(by=alice, namespace="alice", title=f"Number {n}"), by=alice, target=repo)
    with django_assert_max_num_queries(3):
        page = client.get("/collections").text
    assert 'rel="next"' in page


def test_a_page_costs_the_same_with_many_items(client, alice, make_repo, django_assert_max_num_queries):
    made = curating.create(by=alice, namespace="alice", title="Many")
    for n in range(8):
        curating.add(made, by=alice, target=make_repo(alice, f"r{n}"))
    with django_assert_max_num_queries(4):
        client.get(made.path)
