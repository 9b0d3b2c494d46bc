"""The pages of the inbox: filters, reading, muting, settings, the bell, and links that stop mail."""

import pytest

from models_hub.models import Watch
from portal import inbox, notifying, unsubscribing
from portal.models import Follow, Inbox, Muting, Notification, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(alice, bob, make_repo) -> Notification:
    """Alice hears of a repository of bob's that she watches."""
    repo = make_repo(bob, "gpt")
    Watch.objects.create(user=alice, repo=repo)
    key = f"repo:{repo.pk}"
    notifying.notify("news", people=[alice], about=key, by=bob, place=key, data={"tail": "/releases"})
    return Notification.objects.get()


def test_the_bell_counts_and_a_line_leads_on(as_user, alice, bob, told):
    browser = as_user(alice)
    assert "Notifications, 1 unread" in browser.get("/models").text
    page = browser.get("/notifications").text
    assert "bob/gpt" in page
    assert f'href="/notifications/{told.pk}"' in page
    assert browser.get(f"/notifications/{told.pk}")["Location"] == "/bob/gpt/releases"
    assert "Notifications, 1 unread" not in browser.get("/models").text


def test_the_bell_says_nothing_when_nothing_changed(as_user, alice, told):
    browser = as_user(alice)
    assert browser.get("/notifications/count?shown=1").status_code == 204
    assert "1 unread" in browser.get("/notifications/count?shown=0").text


def test_pages_with_nothing_unread_ask_nothing_more(as_user, alice, django_assert_num_queries):
    browser = as_user(alice)
    browser.get("/docs/api")
    with django_assert_num_queries(2):  # the session and the person
        browser.get("/docs/api")


def test_filters_and_marks(as_user, alice, bob, told):
    Follow.begin(alice.namespace, by=bob)
    notifying.notify("follow", people=[alice], about=f"user:{bob.pk}", by=bob)
    browser = as_user(alice)
    assert "began to follow" not in browser.get("/notifications?kind=news").text
    answer = browser.post(f"/notifications/{told.pk}/reading", headers={"HX-Request": "true"})
    assert "Mark as unread" in answer.text
    assert answer["HX-Trigger"] == "inbox-changed"
    assert "bob/gpt" not in browser.get("/notifications?unread=1").text
    browser.post(f"/notifications/{told.pk}/reading", {"wish": "unread"})
    assert "bob/gpt" in browser.get("/notifications?unread=1").text
    first = Notification.objects.latest("pk").pk
    back = browser.post("/notifications/reading", {"upto": first, "kind": "news", "unread": "1"})
    assert back["Location"] == "/notifications?unread=1&kind=news"
    assert [row.kind for row in Notification.objects.unread()] == ["follow"]


def test_a_line_mutes_its_place_and_the_settings_take_it_back(as_user, alice, told):
    browser = as_user(alice)
    browser.post(f"/notifications/{told.pk}/muting")
    assert not Watch.objects.filter(user=alice).exists()
    page = browser.get("/settings/notifications").text
    assert "bob/gpt" in page
    browser.post(f"/settings/notifications/mutings/{Muting.objects.get().pk}/removal")
    assert not Muting.objects.exists()


def test_settings_are_kept_and_say_when_there_is_no_mail_server(as_user, alice, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    browser = as_user(alice)
    assert "This portal has no mail server" in browser.get("/settings/notifications").text
    browser.post("/settings/notifications", {"digest": "daily", "reply": "nothing", "moderation": "nothing"})
    own = Inbox.objects.get(user=alice)
    assert (own.digest, own.channels) == ("daily", {"reply": "nothing"})
    assert browser.post("/settings/notifications", {"digest": "hourly"}).status_code == 400


def test_strangers_see_and_change_nothing(client, as_user, charlie, told):
    assert client.get("/notifications")["Location"].startswith("/accounts/login/")
    browser = as_user(charlie)
    assert browser.get(f"/notifications/{told.pk}").status_code == 404
    assert browser.post(f"/notifications/{told.pk}/muting").status_code == 404
    assert browser.post("/notifications/reading").status_code == 302
    told.refresh_from_db()
    assert told.read_at is None
    assert browser.get("/notifications/reading").status_code == 405


def test_a_link_in_a_mail_stops_it_by_one_click_without_signing_in(client, alice):
    link = unsubscribing.link(alice, ["reply", "mention"])
    client.handler.enforce_csrf_checks = True
    assert "somebody answers you" in client.get(link).text
    assert not Inbox.objects.exists()  # scanners look at links
    answer = client.post(link, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    own = Inbox.objects.get(user=alice)
    assert (own.channels, own.digest) == ({"mention": "page", "reply": "page"}, "weekly")
    client.post(unsubscribing.link(alice, ["digest"]))
    own.refresh_from_db()
    assert own.digest == "never"


def test_a_forged_link_does_nothing(client, alice):
    link = unsubscribing.link(alice, ["all"])
    assert client.post(link[:-2] + "xx").status_code == 404
    assert not Inbox.objects.exists()


def test_the_inbox_costs_a_constant_number_of_queries(as_user, alice, bob, django_assert_max_num_queries):
    for n in range(25):
        person = User.objects.create(username=f"p{n}")
        notifying.notify("follow", people=[alice], about=f"user:{person.pk}", by=bob)
    browser = as_user(alice)
    with django_assert_max_num_queries(12):  # the first count of what is new among them
        assert browser.get("/notifications").status_code == 200
    with django_assert_max_num_queries(9):
        browser.get("/notifications")
    assert inbox.count(User.objects.get(pk=alice.pk)) == 25
