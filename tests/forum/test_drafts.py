"""Unfinished texts: kept, found again, thrown away, and gone with what they become."""

import pytest
from django.test import Client

from forum import drafting
from forum.models import Draft
from portal.errors import Conflict


def page(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def test_a_draft_comes_back_and_goes_with_what_it_becomes(topic, as_user, bob):
    browser, address = as_user(bob), f"/forum/drafts/topic:{topic.pk}"
    saved = browser.post(address, {"text": "Half a", "sequence": "1"}, headers={"Accept": "application/json"})

    assert saved.json() == {"sequence": 1}
    assert "Half a" in page(browser, f"/forum/topics/{topic.pk}/replies")
    assert topic.title in page(browser, "/forum/drafts")
    browser.post(f"/forum/topics/{topic.pk}/replies", {"text": "Half a sentence."})
    assert not Draft.objects.exists()


def test_an_older_window_does_not_overwrite_a_draft(bob):
    drafting.save("new", by=bob, text="newer", sequence=5)

    with pytest.raises(Conflict):
        drafting.save("new", by=bob, text="older", sequence=4)
    assert Draft.objects.get().text == "newer"


def test_a_draft_is_saved_without_scripts_and_is_nobody_elses(room, as_user, alice, bob):
    form = {"category": "how", "title": "Later", "text": "Not yet", "tags": "x"}
    assert as_user(alice).post("/forum/drafts/new", form)["Location"] == "/forum/drafts"

    assert "Later" in page(as_user(alice), "/forum/new")
    assert "Later" not in page(as_user(bob), "/forum/new")
    assert as_user(alice).post("/forum/drafts/anything:at:all", form).status_code in {400, 404}


def test_drafts_are_listed_whether_they_have_a_title_or_a_place(as_user, alice):
    drafting.save("new", by=alice, title="Later", text="Not yet")
    drafting.save("topic:999999", by=alice, text="Its topic is gone")
    page = as_user(alice).get("/forum/drafts").text
    assert "Later" in page
    assert "Its place is not there any more" in page


def test_a_refused_form_goes_on_with_the_draft_that_it_has(topic, as_user, bob):
    browser = as_user(bob)
    drafting.save(f"topic:{topic.pk}", by=bob, text="Half", sequence=4)

    refused = browser.post(f"/forum/topics/{topic.pk}/replies", {"text": "", "sequence": "4"}).content.decode()

    assert 'name="sequence" value="4"' in refused


def test_who_discards_a_draft_comes_back_to_where_that_was_and_nowhere_else(topic, as_user, bob):
    place, browser = f"/forum/topics/{topic.pk}/replies?to=1", as_user(bob)
    drafting.save(f"topic:{topic.pk}", by=bob, text="Half a")
    assert f'value="{place}"' in page(browser, place)
    for back, leads in ((place, place), ("https://evil.example/", "/forum/drafts"), ("", "/forum/drafts")):
        answer = browser.post(f"/forum/drafts/topic:{topic.pk}/removal", {"back": back})
        assert answer["Location"] == leads
    assert not Draft.objects.exists()
