"""Watching repositories."""

import pytest

from models_hub.models import Watch

pytestmark = pytest.mark.django_db


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


def test_the_page_of_news_is_the_feed(client):
    assert client.get("/watching").headers["Location"] == "/feed?show=things"


def test_a_private_one_cannot_be_watched(as_user, alice, charlie, make_repo):
    make_repo(alice, "secret", private=True)
    assert as_user(charlie).post("/alice/secret/watch", {"wish": "watch"}).status_code == 404
