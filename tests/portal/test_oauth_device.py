"""Signing in a program that shows a code: what `hf auth login` does, step by step."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.models import AccessToken, Authorization, DeviceCode
from portal.oauth.registering import COMMAND_LINE_ID, register

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def begun(client, db):
    answer = client.post("/oauth/device", {"client_id": COMMAND_LINE_ID})
    assert answer.status_code == 200
    return answer.json()


def poll(client, begun, **changes):
    return client.post(
        "/oauth/token",
        {"grant_type": GRANT, "device_code": begun["device_code"], "client_id": COMMAND_LINE_ID} | changes,
    )


def decide(browser, begun, decision="allow"):
    return browser.post("/oauth/device/decision", {"user_code": begun["user_code"], "decision": decision})


def test_a_program_gets_a_code_to_show_and_where_to_type_it(begun):
    assert begun["verification_uri"] == "http://testserver/oauth/device"
    assert begun["verification_uri_complete"].endswith(f"?user_code={begun['user_code']}")
    assert begun["expires_in"] == 900
    assert begun["interval"] > 0


def test_secrets_are_stored_as_digests_only(begun):
    code = DeviceCode.objects.get()
    assert begun["device_code"] not in str(vars(code))


def test_nothing_is_given_before_a_person_agrees(client, begun):
    answer = poll(client, begun)
    assert answer.status_code == 400
    assert answer.json()["error"] == "authorization_pending"


def test_asking_too_often_is_slowed_down(client, begun):
    poll(client, begun)
    assert poll(client, begun).json()["error"] == "slow_down"


def test_after_agreement_the_token_works_and_speaks_for_that_person(client, as_user, alice, begun):
    assert "signed in" in decide(as_user(alice), begun).text
    tokens = poll(client, begun).json()
    me = client.get("/api/whoami-v2", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.json()["name"] == "alice"
    assert tokens["refresh_token"]
    assert tokens["expires_in"] > 24 * 3600  # a client renews it a day before its end
    assert AccessToken.objects.get().user == alice


def test_a_code_is_good_once(client, as_user, alice, begun):
    decide(as_user(alice), begun)
    assert poll(client, begun).status_code == 200
    assert poll(client, begun).json()["error"] == "invalid_grant"


def test_refusal_ends_the_wait(client, as_user, alice, begun):
    decide(as_user(alice), begun, "deny")
    assert poll(client, begun).json()["error"] == "access_denied"
    assert not AccessToken.objects.exists()


def test_a_code_expires(client, as_user, alice, begun):
    DeviceCode.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    decide(as_user(alice), begun)
    assert poll(client, begun).json()["error"] == "expired_token"


def test_another_app_cannot_collect(client, as_user, alice, begun):
    app, _secret = register(by=alice, name="other", redirect_uris=["https://x.example/"], public=True)
    decide(as_user(alice), begun)
    assert poll(client, begun, client_id=app.client_id).json()["error"] == "invalid_grant"


def test_the_page_shows_what_is_asked_for_before_anything_is_allowed(as_user, alice, begun):
    page = as_user(alice).post("/oauth/device/request", {"user_code": begun["user_code"].lower().replace("-", "")}).text
    assert begun["user_code"] in page
    assert "hf command line" in page
    assert "Read your repositories" in page
    assert not Authorization.objects.exists()


def test_a_wrong_code_is_unknown_and_says_what_to_do(as_user, alice):
    answer = as_user(alice).post("/oauth/device/request", {"user_code": "BBBB-BBBB"})
    assert answer.status_code == 404
    assert "No program waits with this code" in answer.text


def test_anonymous_readers_sign_in_first_and_come_back_to_the_code(client, db):
    answer = client.get("/oauth/device?user_code=BCDF-GHJK")
    assert answer["Location"] == "/accounts/login/?next=%2Foauth%2Fdevice%3Fuser_code%3DBCDF-GHJK"


def test_a_decision_needs_the_csrf_token_of_the_page(alice, begun):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert decide(browser, begun).status_code == 403


def test_an_unknown_program_gets_no_code(client, db):
    answer = client.post("/oauth/device", {"client_id": "nobody"})
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_a_person_may_not_guess_for_long(settings, as_user, alice):
    settings.ACCOUNT_RATE_LIMITS = {"guess_device_code": "3/h/user"}
    browser = as_user(alice)
    seen = [browser.post("/oauth/device/request", {"user_code": f"BBBB-BBB{letter}"}).status_code for letter in "BCDFG"]
    assert seen == [404, 404, 404, 429, 429]
