"""A second factor: set up, asked for at every way in, and not asked of tokens."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.conftest import PASSWORD


def code_for(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def sign_in(client, **extra):
    return client.post(reverse("account_login"), {"login": "alice", "password": PASSWORD, **extra})


@pytest.fixture
def secret(client, alice):
    """Sets up an authenticator app through the pages and signs out again."""
    sign_in(client)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp"))
    found = re.search(r'id="authenticator_secret" value="(\w+)"', page.text)[1]
    client.post(reverse("mfa_activate_totp"), {"code": code_for(found)})
    assert Authenticator.objects.filter(user=alice, type="totp").exists()
    client.post(reverse("account_logout"))
    Authenticator.objects.filter(type="totp").update(last_used_at=None)
    return found


def test_the_key_is_stored_encrypted(secret):
    assert secret not in str(Authenticator.objects.get(type="totp").data)


def test_signing_in_asks_for_the_code(client, secret):
    assert sign_in(client)["Location"].startswith(reverse("mfa_authenticate"))
    assert client.get("/settings/profile").status_code == 302
    assert "authenticator app" in client.get(reverse("mfa_authenticate")).text
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert client.get("/settings/profile").status_code == 302


def test_a_recovery_code_signs_in_once(client, alice, secret):
    code = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes()[0]
    for works in (True, False):
        sign_in(client)
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert (client.get("/settings/profile").status_code == 200) is works
        client.post(reverse("account_logout"))


def test_the_admin_site_is_no_way_around(client, alice, secret):
    alice.is_staff = alice.is_superuser = True
    alice.save()
    sign_in(client, next="/admin/")
    assert client.get("/admin/").status_code == 302


def test_a_new_password_by_mail_is_no_way_around(client, alice, secret):
    client.post(reverse("account_reset_password"), {"email": "alice@example.org"})
    link = re.search(r"http://testserver(/\S+)", mail.outbox[-1].body)[1]
    page = client.get(link, follow=True)
    password = "an entirely different phrase"
    client.post(page.request["PATH_INFO"], {"password1": password, "password2": password})
    assert client.get("/settings/profile").status_code == 302
    answer = client.post(reverse("account_login"), {"login": "alice", "password": password})
    assert answer["Location"].startswith(reverse("mfa_authenticate"))


def test_tokens_go_on_working(client, alice, secret, token_of):
    header = {"authorization": f"Bearer {token_of(alice)}"}
    assert client.get("/api/whoami-v2", headers=header).json()["name"] == "alice"


def test_an_old_session_gives_the_password_before_it_changes_factors(as_user, alice):
    assert as_user(alice).get(reverse("mfa_activate_totp"))["Location"].startswith(reverse("account_reauthenticate"))


PAGES = ["mfa_index", "mfa_list_webauthn", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"]


@pytest.mark.parametrize("name", [*PAGES, "mfa_deactivate_totp", "usersessions_list"])
def test_every_page_wears_the_shell(client, alice, secret, name):
    sign_in(client)
    code = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes()[0]
    client.post(reverse("mfa_authenticate"), {"code": code})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    assert 'id="navigation"' in answer.text


def test_other_sessions_are_listed_and_ended(client, alice):
    other = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"})
    sign_in(other)
    sign_in(client)
    assert "Firefox, Linux" in client.get(reverse("usersessions_list")).text
    client.post(reverse("usersessions_list"))
    assert other.get("/settings/profile").status_code == 302
    assert client.get("/settings/profile").status_code == 200


def test_a_code_given_to_sign_in_need_not_be_given_again_at_once(client, alice, secret, monkeypatch):
    sign_in(client)
    client.post(reverse("mfa_authenticate"), {"code": code_for(secret)})
    assert client.get(reverse("mfa_add_webauthn")).status_code == 200
    assert client.get("/settings/account/exports/1").status_code == 404  # it asks for a confirmation too
    later = time.time() + 600
    monkeypatch.setattr(time, "time", lambda: later)
    assert client.get(reverse("mfa_add_webauthn"))["Location"].startswith(reverse("account_reauthenticate"))


def test_a_recovery_code_given_to_sign_in_is_no_confirmation(client, alice, secret):
    code = Authenticator.objects.get(user=alice, type="recovery_codes").wrap().get_unused_codes()[0]
    sign_in(client)
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert client.get(reverse("mfa_add_webauthn"))["Location"].startswith(reverse("account_reauthenticate"))
