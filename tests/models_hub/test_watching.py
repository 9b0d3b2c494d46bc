"""Watching repositories."""

import pytest

from forum import discussing
from models_hub import publishing, watching
from models_hub.changes import PutFile
from models_hub.models import Watch

pytestmark = pytest.mark.django_db


def change(repo, by, title="Mend it"):
    publishing.commit(repo=repo, by=by, title=title, changes=[PutFile("a.txt", title.encode())])


def test_the_button_watches_and_leaves(as_user, alice, charlie, make_repo):
    make_repo(alice, "bert")
    browser = as_user(charlie)
    assert "Watch</span>" in browser.get("/alice/bert").text
    for _time in range(2):
        browser.post("/alice/bert/watch", {"wish": "watch"})
    assert Watch.objects.count() == 1
    assert "Watched</span>" in browser.get("/alice/bert").text
    browser.post("/alice/bert/watch", {"wish": "unwatch"})
    assert not Watch.objects.exists()


def test_htmx_gets_the_button_alone(as_user, alice, charlie, make_repo):
    make_repo(alice, "bert")
    answer = as_user(charlie).post("/alice/bert/watch", {"wish": "watch"}, headers={"hx-request": "true"})
    assert "<html" not in answer.text
    assert 'aria-pressed="true"' in answer.text


def test_who_is_not_signed_in_is_led_to_the_sign_in_page(client, alice, make_repo):
    make_repo(alice, "bert")
    assert "/accounts/login/" in client.post("/alice/bert/watch", {"wish": "watch"}).headers["Location"]
    assert "/accounts/login/" in client.get("/watching").headers["Location"]


def test_what_others_did_is_told_the_latest_first(as_user, alice, charlie, make_repo):
    repo = make_repo(alice, "bert")
    watching.watch(repo, by=charlie)
    change(repo, alice, "First change")
    discussing.open_discussion(repo=repo, by=alice, title="A question", text="Why?")
    discussing.open_discussion(repo=repo, by=charlie, title="My own words", text="So.")
    page = as_user(charlie).get("/watching").text
    assert page.index("A question") < page.index("First change")
    assert "My own words" not in page
    assert "/alice/bert/discussions/1" in page


def test_what_became_private_is_told_no_longer(as_user, alice, charlie, make_repo):
    repo = make_repo(alice, "bert")
    watching.watch(repo, by=charlie)
    change(repo, alice)
    publishing.set_private(repo, by=alice, private=True)
    page = as_user(charlie).get("/watching").text
    assert "bert" not in page


def test_a_private_one_cannot_be_watched(as_user, alice, charlie, make_repo):
    make_repo(alice, "secret", private=True)
    assert as_user(charlie).post("/alice/secret/watch", {"wish": "watch"}).status_code == 404


def test_the_page_goes_on_where_it_ended(as_user, alice, charlie, make_repo, monkeypatch):
    monkeypatch.setattr(watching, "PAGE", 2)
    repo = make_repo(alice, "bert")
    watching.watch(repo, by=charlie)
    for number in range(3):
        change(repo, alice, f"Change {number}")
    page = watching.news(charlie)
    assert [one.detail for one in page.news] == ["Change 2", "Change 1"]
    assert watching.news(charlie, before=page.next_before).news[0].detail == "Change 0"


def test_the_page_costs_the_same_for_one_and_for_many(
    as_user, alice, charlie, make_repo, django_assert_max_num_queries
):
    for number in range(5):
        repo = make_repo(alice, f"bert-{number}")
        watching.watch(repo, by=charlie)
        change(repo, alice)
    browser = as_user(charlie)
    browser.get("/watching")
    with django_assert_max_num_queries(7):
        browser.get("/watching")
