"""The first page."""

import pytest
from django.urls import reverse


def test_home_says_what_this_is_and_searches_models(client, db):
    page = client.get("/").content.decode()
    assert "Small language models" in page
    assert 'action="/models"' in page
    assert 'name="search"' in page


def test_home_asks_the_other_apps_for_fragments_and_links_to_them(client, db):
    page = client.get("/").content.decode()
    places = ("/models/latest", "/models"), ("/leaderboard/top", "/leaderboard"), ("/fragments/forum/front", "/forum")
    for fragment, fallback in places:
        assert f'hx-get="{fragment}"' in page
        assert f'href="{fallback}"' in page


def test_first_steps_name_the_address_the_reader_came_by(client, db):
    assert "HF_ENDPOINT=http://models.example:8080" in client.get("/", headers={"host": "models.example:8080"}).text


def test_first_steps_name_the_public_address_when_it_is_set(client, db, settings):
    settings.PUBLIC_URL = "https://hub.example"
    assert "HF_ENDPOINT=https://hub.example" in client.get("/").text


def test_signed_in_people_get_quick_actions_and_their_own_name(as_user, alice):
    page = as_user(alice).get("/").text
    assert 'id="quick-actions"' in page
    assert "alice/my-first-model" in page


def test_anonymous_readers_get_no_quick_actions(client, db):
    assert 'id="quick-actions"' not in client.get("/").text


def test_home_asks_the_database_only_who_is_there(as_user, alice, django_assert_max_num_queries):
    browser = as_user(alice)
    with django_assert_max_num_queries(2):
        browser.get("/")


def test_home_is_for_reading(client, db):
    assert client.post("/").status_code == 405


def test_a_refused_host_name_gets_a_page_and_no_error(client, db, settings):
    settings.ALLOWED_HOSTS = ["hub.example"]
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["home", "account_login", "account_signup", "account_reset_password"])
def test_no_page_holds_inline_script_or_style(client, db, name):
    page = client.get(reverse(name)).text
    assert "<style" not in page
    assert "<script>" not in page
    assert "onclick=" not in page
