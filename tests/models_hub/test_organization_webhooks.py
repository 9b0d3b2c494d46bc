"""Webhooks of organizations: their admins look after them, and they hear of what is public and of the own."""

import pytest

from models_hub import publishing, webhooks
from models_hub.models import Webhook, WebhookDelivery
from portal.errors import NotAllowed
from worker import relay, webhook_payloads

pytestmark = pytest.mark.django_db
FORM = {"url": "https://hooks.example.org/in", "watched": "team", "domains": ["repo", "discussion"], "secret": "s"}


def test_an_admin_makes_one_on_the_page_and_members_may_not(as_user, alice, bob, team):
    browser = as_user(alice)
    assert "The organization has no webhooks" in browser.get("/organizations/team/webhooks").text
    made = browser.post("/organizations/team/webhooks", FORM)
    webhook = Webhook.objects.get()
    assert made["Location"] == f"/settings/webhooks/{webhook.pk}"
    assert (webhook.owner, webhook.organization) == (None, team)
    assert "All webhooks of team" in browser.get(made["Location"]).text
    assert as_user(bob).get("/organizations/team/webhooks").status_code == 403
    assert as_user(bob).get(made["Location"]).status_code == 404
    with pytest.raises(NotAllowed):
        webhooks.create(by=bob, url=FORM["url"], watched=[("org", "team")], domains=["repo"], organization=team)


def test_it_hears_of_private_repositories_of_its_own_alone(alice, bob, charlie, team, make_repo):
    watched = [("org", "team"), ("user", "charlie")]
    webhook = webhooks.create(by=alice, url=FORM["url"], watched=watched, domains=["repo"], organization=team)
    own = make_repo(bob, "own", private=True, namespace="team")
    make_repo(charlie, "theirs", private=True)
    make_repo(charlie, "open")
    relay.deliver_events()
    heard = WebhookDelivery.objects.filter(action="create").select_related("webhook__owner", "event")
    names = [(webhook_payloads.build(one) or {})["repo"]["name"] for one in heard.order_by("id")]
    assert names == ["team/own", "charlie/open"]
    publishing.delete_repo(own, by=alice)
    relay.deliver_events()
    assert WebhookDelivery.objects.filter(webhook=webhook, action="delete").count() == 1


def test_another_admin_switches_it_off_and_deletes_it(as_user, alice, bob, team):
    webhook = webhooks.create(by=alice, url=FORM["url"], watched=[("org", "team")], domains=["repo"], organization=team)
    team.add(bob, role="admin", by=alice)
    browser = as_user(bob)
    browser.post(f"/settings/webhooks/{webhook.pk}/switch", {"on": "0"})
    webhook.refresh_from_db()
    assert webhook.disabled
    assert browser.post(f"/settings/webhooks/{webhook.pk}/removal")["Location"] == "/organizations/team/webhooks"
    assert not Webhook.objects.exists()
