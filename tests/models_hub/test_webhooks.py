"""Webhooks over the wire and on their pages."""

from functools import partial

import pytest

from models_hub import webhooks
from models_hub.models import Webhook, WebhookDelivery
from portal.models import Event, Job
from portal.sealing import unseal
from tests.models_hub.wire import Wire

API = "/api/settings/webhooks"
URL = "https://hooks.example.org/in"
WATCHED = [{"type": "user", "name": "julien-c"}, {"type": "model", "name": "alice/bert"}]


@pytest.fixture
def wire(token_of, alice):
    return Wire(token_of(alice))


@pytest.fixture
def made(wire):
    answer = wire.post(API, {"url": URL, "watched": WATCHED, "domains": ["repo", "discussion"], "secret": "s3cret"})
    assert answer.status_code == 200
    return answer.json()["webhook"]


@pytest.fixture
def delivery(made, alice):
    event = Event.record("repo.created", subject="repo:1", by=alice)
    return WebhookDelivery.objects.create(webhook=Webhook.objects.get(), event=event, scope="repo", action="create")


def test_one_is_made_and_its_secret_never_comes_back(wire, made):
    assert made["secret"] == "s3cret"
    again = wire.get(f"{API}/{made['id']}").json()["webhook"]
    assert again == made | {"secret": None}
    assert again["watched"] == WATCHED
    assert wire.get(API).json() == [again]
    stored = Webhook.objects.get().sealed_secret
    assert "s3cret" not in stored
    assert unseal(stored) == "s3cret"


def test_what_is_not_named_in_a_change_stays(wire, made):
    changed = wire.post(f"{API}/{made['id']}", {"url": f"{URL}/2", "watched": WATCHED[:1]}).json()["webhook"]
    assert (changed["url"], changed["watched"], changed["domains"]) == (f"{URL}/2", WATCHED[:1], made["domains"])
    assert unseal(Webhook.objects.get().sealed_secret) == "s3cret"


def test_it_is_switched_off_and_on_and_deleted(wire, made):
    path = f"{API}/{made['id']}"
    assert wire.post(f"{path}/disable").json()["webhook"]["disabled"] is True
    assert wire.post(f"{path}/enable").json()["webhook"]["disabled"] is False
    assert wire.call("DELETE", path).status_code == 200
    assert wire.get(path).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://127.0.0.1/"}, {"url": "http://169.254.169.254/latest"}, {"url": "ftp://x.org/"}, {"url": None},
        {"watched": []}, {"watched": [{"type": "planet", "name": "x"}]}, {"watched": "alice"}, {"watched": [{}]},
        {"domains": []}, {"domains": ["everything"]}, {"secret": "a\nb"}, {"secret": 5}, {"jobSourceId": "x"},
    ],
)  # fmt: skip
def test_bad_input_makes_nothing(wire, change):
    assert wire.post(API, {"url": URL, "watched": WATCHED, "domains": ["repo"]} | change).status_code == 400
    assert not Webhook.objects.exists()


def test_somebody_elses_webhook_is_missing_on_every_route(made, token_of, charlie):
    other, gone = Wire(token_of(charlie)), f"{API}/{'0' * 20}9999"
    for method, rest in [("GET", ""), ("POST", ""), ("DELETE", ""), ("POST", "/enable"), ("POST", "/disable")]:
        hidden, missing = other.call(method, f"{API}/{made['id']}{rest}", {}), other.call(method, gone + rest, {})
        assert hidden.status_code == missing.status_code == 404
        assert hidden.content == missing.content
    assert other.get(API).json() == []
    assert Wire().get(API).status_code == 401


def test_a_read_token_looks_but_does_not_change(made, token_of, alice):
    reader = Wire(token_of(alice, "read"))
    assert len(reader.get(API).json()) == 1
    assert reader.call("DELETE", f"{API}/{made['id']}").status_code == 403


def test_an_event_is_put_on_its_way_once_to_whom_it_concerns(made, alice):
    webhook, announce = Webhook.objects.get(), partial(webhooks.announce, may_see=lambda _person: True)
    event = Event.record("repo.created", subject="repo:1", by=alice)
    for _time in range(2):
        announce(event, scope="repo", action="create", kind="model", name="Alice/BERT")
    announce(event, scope="repo", action="create", kind="dataset", name="alice/bert")
    announce(event, scope="repo", action="create", kind="model", name="alice/other")
    assert webhook.deliveries.count() == 1
    assert Job.objects.filter(kind="deliver_webhook").count() == 1
    other = Event.record("repo.created", subject="repo:2", by=alice)
    webhooks.change(webhook, domains=["discussion"])
    announce(other, scope="repo.content", action="update", kind="model", name="alice/bert")
    webhooks.switch(webhook, on=False)
    announce(other, scope="discussion.comment", action="create", kind="model", name="alice/bert")
    assert webhook.deliveries.count() == 1


def test_many_failures_in_a_row_switch_it_off_and_one_success_forgets_them(delivery):
    webhook = delivery.webhook
    for _n in range(webhooks.ENOUGH_FAILURES - 1):
        webhooks.note(delivery, state="failed")
    webhooks.note(delivery, state="delivered")
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.disabled) == (0, False)
    for _n in range(webhooks.ENOUGH_FAILURES):
        webhooks.note(delivery, state="failed")
    webhook.refresh_from_db()
    assert webhook.disabled
    assert webhook.disabled_reason == webhooks.TOO_MANY_FAILURES


def test_the_page_makes_one_and_never_shows_the_secret(as_user, alice, team):
    browser = as_user(alice)
    fields = {
        "url": URL,
        "watched": "alice\nteam\ndatasets/alice/cars\nbob/gpt",
        "domains": ["repo"],
        "secret": "a quiet sentence",
    }
    page = browser.post("/settings/webhooks", fields, follow=True).text
    webhook = Webhook.objects.get()
    assert [str(one) for one in webhook.targets.all()] == [
        "user alice", "org team", "dataset alice/cars", "model bob/gpt",
    ]  # fmt: skip
    assert webhook.site == "http://testserver"
    assert "a quiet sentence" not in page
    assert "Nothing has been sent yet." in page
    assert URL in browser.get("/settings/webhooks").text


@pytest.mark.parametrize("change", [{"url": "http://10.0.0.1/"}, {"watched": "nobody"}, {"domains": []}])
def test_the_page_says_what_is_wrong(as_user, alice, change):
    answer = as_user(alice).post("/settings/webhooks", {"url": URL, "watched": "alice", "domains": ["repo"]} | change)
    assert answer.status_code == 400
    assert "invalid-feedback" in answer.text
    assert not Webhook.objects.exists()


def test_its_owner_sees_what_was_sent_and_sends_it_again(as_user, alice, delivery):
    webhooks.note(delivery, state="failed", body='{"<b>": 1}', reason=webhooks.REFUSED_BY_RECEIVER)
    browser, path = as_user(alice), f"/settings/webhooks/{delivery.webhook.pk}"
    page = browser.get(path).text
    assert "The receiver did not take it." in page
    assert "&lt;b&gt;" in page
    assert "on its way again" in browser.post(f"{path}/deliveries/{delivery.pk}/repetition", follow=True).text
    assert Job.objects.filter(kind="deliver_webhook").count() == 1
    browser.post(f"{path}/switch", {"on": "0"})
    assert Webhook.objects.get().disabled
    browser.post(f"{path}/removal")
    assert not Webhook.objects.exists()


def test_its_pages_do_not_exist_for_others(as_user, client, charlie, delivery):
    path = f"/settings/webhooks/{delivery.webhook.pk}"
    browser = as_user(charlie)
    assert browser.get(path).status_code == 404
    for rest in ("switch", "removal", f"deliveries/{delivery.pk}/repetition"):
        assert browser.post(f"{path}/{rest}").status_code == 404
    assert client.get(path)["Location"].startswith("/accounts/login/")


def test_many_deliveries_cost_no_more_queries(as_user, alice, delivery, django_assert_max_num_queries):
    rows = [
        WebhookDelivery(webhook=delivery.webhook, event=delivery.event, scope="repo", action="create")
        for _n in range(60)
    ]
    WebhookDelivery.objects.bulk_create(rows)
    browser = as_user(alice)
    with django_assert_max_num_queries(5):
        page = browser.get(f"/settings/webhooks/{delivery.webhook.pk}").text
    assert 'rel="next"' in page
