"""/api/v1/webhooks: made, changed, tried and looked into, by their owners alone."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from models_hub import webhooks
from models_hub.models import Webhook, WebhookDelivery
from portal.models import AccessToken, Event, Grant, Job, Organization, User
from portal.reach import Level
from tests.api.conftest import Caller
from worker import webhook_payloads

pytestmark = pytest.mark.django_db
Api = Callable[..., Caller]
SENT: dict[str, Any] = {
    "url": "https://hooks.example.org/in", "watched": [{"type": "user", "name": "alice"}], "secret": "s3cret"
}  # fmt: skip


@pytest.fixture
def hook(api: Api, alice: User) -> Any:
    return api(alice)("POST", "webhooks", SENT).json()


def test_one_is_made_read_changed_and_deleted(api: Api, alice: User) -> None:
    call = api(alice)
    made = call("POST", "webhooks", SENT, Idempotency_Key="k1")
    again = call("POST", "webhooks", SENT, Idempotency_Key="k1")
    assert (made.status_code, again.json()) == (201, made.json())
    place = f"webhooks/{made.json()['id']}"
    assert "s3cret" not in made.text
    assert made.json()["domains"] == ["repo", "discussion"] or made.json()["domains"] == ["discussion", "repo"]
    changed = call("PATCH", place, {"watched": [{"type": "model", "name": "bob/gpt"}], "is_on": False}).json()
    assert changed["watched"] == [{"type": "model", "name": "bob/gpt"}]
    assert (changed["url"], changed["is_on"]) == (SENT["url"], False)
    assert webhooks.unseal(Webhook.objects.get().sealed_secret) == "s3cret"
    assert call("GET", "webhooks").json()["results"] == [changed] == [call("GET", place).json()]
    assert call("PATCH", place, {"domains": ["weather"]}).status_code == 400
    assert call("PATCH", place, {"url": "http://127.0.0.1/in"}).status_code == 400
    assert call("DELETE", place).status_code == 204
    assert call("GET", place).status_code == 404


def test_an_organizations_are_its_admins_affair(api: Api, alice: User, bob: User, team: Organization) -> None:
    body = SENT | {"organization": "team"}
    assert api(bob)("POST", "webhooks", body).status_code == 403
    made = api(alice)("POST", "webhooks", body).json()
    assert made["organization"] == "team"
    assert api(alice)("GET", "webhooks").json()["results"] == []
    assert api(alice)("GET", "webhooks?organization=team").json()["results"] == [made]
    assert api(bob)("GET", "webhooks?organization=team").status_code == 403
    assert api(bob)("GET", f"webhooks/{made['id']}").status_code == 404
    assert api(alice)("GET", "webhooks?organization=nobody").status_code == 404


def test_a_trial_tells_of_nothing_and_can_be_sent_again(api: Api, alice: User, hook: Any) -> None:
    call, place = api(alice), f"webhooks/{hook['id']}"
    sent = call("POST", f"{place}/ping")
    assert (sent.status_code, sent.json()["scope"], sent.json()["state"]) == (201, "webhook", "waiting")
    delivery = WebhookDelivery.objects.select_related("webhook__owner", "event").get()
    assert webhook_payloads.build(delivery) == {
        "event": {"action": "ping", "scope": "webhook"},
        "webhook": {"id": delivery.webhook.public_id, "version": 3},
    }
    again = call("POST", f"{place}/deliveries/{delivery.pk}/redelivery", Idempotency_Key="k1")
    call("POST", f"{place}/deliveries/{delivery.pk}/redelivery", Idempotency_Key="k1")
    assert again.json()["is_again"]
    assert [one["id"] for one in call("GET", f"{place}/deliveries").json()["results"]] == [
        again.json()["id"], delivery.pk
    ]  # fmt: skip
    assert Job.objects.filter(kind="deliver_webhook").count() == 2
    webhooks.note(delivery, state="failed", body=json.dumps({"a": 1}), reason=webhooks.REFUSED_BY_RECEIVER)
    shown = call("GET", f"{place}/deliveries/{delivery.pk}").json()
    assert (shown["body"], shown["reason"]) == ('{"a": 1}', "The receiver did not take it.")
    call("PATCH", place, {"is_on": False})
    assert call("POST", f"{place}/ping").status_code == 409


def test_nobody_else_learns_of_them(api: Api, alice: User, charlie: User, hook: Any) -> None:
    delivery = webhooks.ping(Webhook.objects.get(), by=alice)
    place = f"webhooks/{hook['id']}"
    deliveries = f"{place}/deliveries"
    call = api(charlie)
    for method, address in (
        ("GET", place), ("PATCH", place), ("DELETE", place), ("POST", f"{place}/ping"), ("GET", deliveries),
        ("GET", f"{deliveries}/{delivery.pk}"), ("POST", f"{deliveries}/{delivery.pk}/redelivery"),
    ):  # fmt: skip
        assert call(method, address).status_code == 404, address
    assert api(None)("GET", "webhooks").status_code == 401


def test_a_limited_token_needs_the_permission(api: Api, alice: User, hook: Any) -> None:
    secrets = [
        AccessToken.issue_fine_grained(user=alice, name="app", grants=[], permissions=given)[1]
        for given in (("webhooks",), ("jobs",))
    ]
    statuses = [
        (call("GET", "webhooks").status_code, call("POST", "webhooks", SENT).status_code)
        for call in (api(None, headers={"authorization": f"Bearer {secret}"}) for secret in secrets)
    ]
    assert statuses == [(200, 201), (403, 403)]


def test_a_token_with_certain_repositories_looks_after_what_watches_these_alone(
    api: Api, alice: User, hook: Any, make_repo: Any
) -> None:
    repo = make_repo(alice, "mine", private=True)
    grant = Grant(repo.namespace, Level.READ, "alice/mine", repo_id=repo.pk)
    secret = AccessToken.issue_fine_grained(user=alice, name="ci", grants=[grant], permissions=["webhooks"])[1]
    call, place = api(None, headers={"authorization": f"Bearer {secret}"}), f"webhooks/{hook['id']}"
    own = SENT | {"watched": [{"type": "model", "name": "Alice/Mine"}]}
    assert call("POST", "webhooks", SENT).status_code == 403
    assert call("POST", "webhooks", own | {"watched": [*own["watched"], *SENT["watched"]]}).status_code == 403
    made = call("POST", "webhooks", own)
    assert made.status_code == 201
    assert call("PATCH", f"webhooks/{made.json()['id']}", {"watched": SENT["watched"]}).status_code == 403
    assert [one["id"] for one in call("GET", "webhooks").json()["results"]] == [made.json()["id"]]
    assert {call(method, place).status_code for method in ("GET", "PATCH", "DELETE")} == {404}
    assert call("GET", f"{place}/deliveries").status_code == 404
    assert Webhook.objects.count() == 2


def test_a_list_takes_as_many_questions_however_long(api: Api, alice: User, hook: Any) -> None:
    call, counts = api(alice), []
    call("GET", "webhooks")
    for _time in range(2):
        with CaptureQueriesContext(connection) as asked:
            call("GET", "webhooks")
        counts.append(len(asked))
        call("POST", "webhooks", SENT)
    assert len(set(counts)) == 1


def test_the_page_changes_one_and_sends_a_trial(as_user: Any, alice: User, hook: Any) -> None:
    browser, page = as_user(alice), f"/settings/webhooks/{hook['id']}"
    form = {"url": "https://hooks.example.org/other", "watched": "datasets/alice/cars", "domains": ["repo"]}
    assert browser.post(page, form).headers["Location"] == page
    changed = Webhook.objects.get()
    assert (changed.url, webhooks.unseal(changed.sealed_secret)) == (form["url"], "s3cret")
    assert "datasets/alice/cars</textarea>" in browser.get(page).text
    assert browser.post(page, form | {"url": "http://127.0.0.1/"}).status_code == 400
    assert "A trial is on its way" in browser.post(f"{page}/ping", follow=True).text
    assert Event.objects.filter(kind=webhooks.PING, actor=alice).exists()
    assert as_user(None).post(f"{page}/ping").status_code in {302, 403}
