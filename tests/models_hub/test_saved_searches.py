"""Searches that people keep under a name."""

from models_hub.models import SavedSearch
from tests.models_hub.test_list_pages import card

SAVED = "/fragments/saved-searches"


def save(browser, name="Mine", query="license=mit&cursor=x&next=%2Fevil"):
    return browser.post(SAVED, {"name": name, "kind": "model", "query": query})


def test_a_search_is_kept_without_its_cursor_and_leads_back(as_user, alice):
    browser = as_user(alice)
    assert save(browser).url == "/models?license=mit"
    assert 'href="/models?license=mit">Mine</a>' in browser.get("/models").text


def test_what_is_new_since_is_counted_until_it_is_looked_at(as_user, alice, bob, make_repo):
    browser = as_user(alice)
    save(browser)
    make_repo(bob, "one", files=card(license="mit"))
    make_repo(bob, "hidden", files=card(license="mit"), private=True)
    make_repo(bob, "two", files=card(license="gpl-3.0"))
    assert [fresh for _search, fresh in browser.get("/models").context["saved"]] == [1]
    browser.get("/models?license=mit")
    assert [fresh for _search, fresh in browser.get("/models").context["saved"]] == [0]


def test_nobody_sees_or_removes_the_searches_of_others(as_user, alice, charlie):
    save(as_user(alice))
    kept = SavedSearch.objects.get()
    assert "Mine" not in as_user(charlie).get("/models").text
    assert as_user(charlie).post(f"{SAVED}/{kept.pk}/removal").status_code == 404
    assert as_user(None).post(f"{SAVED}/{kept.pk}/removal").status_code == 404
    assert as_user(alice).post(f"{SAVED}/{kept.pk}/removal").status_code == 302
    assert not SavedSearch.objects.exists()


def test_a_name_is_taken_once_and_must_be_one(as_user, alice):
    browser = as_user(alice)
    save(browser)
    assert save(browser).status_code == 409
    assert save(browser, name=" ").status_code == 400
    assert save(browser, name="x\x00").status_code == 400
    assert browser.get(SAVED).status_code == 405


def test_a_visitor_is_sent_to_sign_in(as_user, db):
    assert save(as_user(None)).status_code in {302, 401, 403}
