"""Signing up, in and out, passwords and email addresses: allauth's flows in our dress."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from portal.config import env
from portal.models import Organization, User
from tests.conftest import PASSWORD

OTHER_PASSWORD = "an entirely different phrase"
WRONG = "not the password at all"


@pytest.fixture
def sign_up(client, db):
    def send(name="dora", email="dora@example.org", **changes):
        data = {"username": name, "email": email, "password1": PASSWORD, "password2": PASSWORD, **changes}
        return client.post(reverse("account_signup"), data)

    return send


@pytest.fixture
def with_limits(settings):
    """The limits of production, from an empty count."""
    cache.clear()
    settings.ACCOUNT_RATE_LIMITS = {}
    yield
    cache.clear()


def sign_in(client, login, password=PASSWORD, **extra):
    return client.post(reverse("account_login"), {"login": login, "password": password, **extra})


def give_password_again(client):
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def without_tokens(page: str) -> str:
    return re.sub(r"[A-Za-z0-9]{64}", "", page)


def without_tags(page: str) -> str:
    return re.sub(r"<[^>]*>", "", page)


def link_in(message) -> str:
    return re.search(r"http://testserver(/\S+)", message.body)[1]


def test_signing_up_creates_a_person_with_a_namespace_and_signs_in(client, sign_up):
    answer = sign_up()
    assert answer.status_code == 302
    assert User.objects.get(username="dora").namespace.name == "dora"
    assert "dora" in client.get("/").text


@pytest.mark.parametrize("name", ["models", "Settings", "fragments", "-dora", "do--ra", "dora.git", "a b", "x" * 97])
def test_a_name_that_nobody_may_have_is_refused_with_the_rule(sign_up, name):
    answer = sign_up(name)
    assert answer.status_code == 200
    assert answer.context["form"].errors["username"]
    assert not User.objects.exists()


def test_a_reserved_name_says_that_it_is_reserved(sign_up):
    assert "reserved" in sign_up("datasets").text


def test_a_taken_name_is_refused_whatever_its_case(sign_up, alice):
    assert sign_up("ALICE").context["form"].errors["username"]


def test_the_name_of_an_organization_is_taken_too(sign_up, alice):
    Organization.found(name="Team", by=alice)
    assert "taken" in sign_up("team").text


def test_a_weak_password_is_refused(sign_up):
    assert sign_up(password1="password", password2="password").context["form"].errors["password1"]


def test_signing_up_with_a_known_address_does_not_tell_that_it_is_known(sign_up, alice):
    assert sign_up("dora", "alice@example.org").status_code == 302
    assert not EmailAddress.objects.filter(user__username="dora", verified=True).exists()


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.org"])
def test_people_sign_in_by_name_or_address(client, alice, login):
    assert sign_in(client, login).status_code == 302
    assert client.get("/settings/profile").status_code == 200


def test_an_unknown_name_and_a_wrong_password_look_the_same(client, alice):
    known, unknown = sign_in(client, "alice", WRONG), sign_in(client, "nobody", WRONG)
    assert known.status_code == unknown.status_code == 200
    assert known.context["form"].errors == unknown.context["form"].errors


def test_signing_in_leads_to_where_one_was_going(client, alice):
    assert sign_in(client, "alice", next="/settings/tokens")["Location"] == "/settings/tokens"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_away_from_the_site(client, alice, target):
    assert sign_in(client, "alice", next=target)["Location"] == "/"


def test_the_language_switch_never_leads_away_from_the_site(client, db):
    answer = client.post(reverse("set_language"), {"language": "en", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_a_closed_account_cannot_sign_in(client, alice):
    User.objects.update(is_active=False)
    assert sign_in(client, "alice")["Location"] == reverse("account_inactive")
    assert client.get("/settings/profile").status_code == 302


def test_guessing_a_password_is_stopped(client, alice, with_limits):
    answers = [sign_in(client, "alice", f"{WRONG} {n}") for n in range(7)]
    assert "Too many failed login attempts" in answers[-1].text
    assert sign_in(client, "alice").status_code == 200


def test_guesses_under_many_host_names_count_together(client, alice, with_limits, settings):
    settings.ALLOWED_HOSTS = ["*"]
    for n in range(7):
        data = {"login": "alice", "password": f"{WRONG} {n}"}
        answer = client.post(reverse("account_login"), data, headers={"host": f"host-{n}.example"})
    assert "Too many failed login attempts" in answer.text


def test_a_flood_gets_a_page_that_says_to_wait(client, with_limits, db):
    statuses = [client.post(reverse("account_signup"), {}).status_code for _ in range(21)]
    assert statuses[-1] == 429
    assert "wait a few minutes" in client.post(reverse("account_signup"), {}).text


def test_signing_out_needs_a_post(as_user, alice):
    browser = as_user(alice)
    assert browser.get(reverse("account_logout")).status_code == 200
    assert browser.get("/settings/profile").status_code == 200
    browser.post(reverse("account_logout"))
    assert browser.get("/settings/profile").status_code == 302


def test_a_forgotten_password_is_set_anew_by_mail(client, alice):
    client.post(reverse("account_reset_password"), {"email": "alice@example.org"})
    page = client.get(link_in(mail.outbox[0]), follow=True)
    data = {"password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD}
    assert "now changed" in client.post(page.request["PATH_INFO"], data, follow=True).text
    assert sign_in(client, "alice", OTHER_PASSWORD).status_code == 302


def test_a_reset_for_an_unknown_address_looks_like_any_other(client, alice):
    known = client.post(reverse("account_reset_password"), {"email": "alice@example.org"}, follow=True)
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.org"}, follow=True)
    assert known.redirect_chain == unknown.redirect_chain
    assert without_tokens(known.text) == without_tokens(unknown.text)


def test_a_reset_link_works_once(client, alice):
    client.post(reverse("account_reset_password"), {"email": "alice@example.org"})
    link = link_in(mail.outbox[0])
    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], {"password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD})
    assert "invalid" in client.get(link, follow=True).text


def test_a_portal_with_a_public_address_answers_to_no_foreign_name():
    assert env.host_names("https://hub.example:8443") == "hub.example,localhost,127.0.0.1,[::1]"
    assert env.host_names("http://[fd00::1]:8000").startswith("[fd00::1],")
    assert env.host_names("") == "*"


def test_the_address_is_confirmed_by_the_link_in_the_mail(client, sign_up):
    sign_up()
    link = link_in(mail.outbox[0])
    assert "dora@example.org" in client.get(link).text
    client.post(link)
    assert EmailAddress.objects.get(email="dora@example.org").verified


def test_the_password_is_changed_with_the_old_one_and_told_by_mail(client, alice):
    sign_in(client, "alice")
    data = {"oldpassword": PASSWORD, "password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD}
    client.post(reverse("account_change_password"), {**data, "oldpassword": WRONG})
    assert User.objects.get(username="alice").check_password(PASSWORD)
    client.post(reverse("account_change_password"), data)
    assert User.objects.get(username="alice").check_password(OTHER_PASSWORD)
    assert mail.outbox


def test_an_address_is_added_and_removed(client, alice):
    sign_in(client, "alice")
    give_password_again(client)
    client.post(reverse("account_email"), {"action_add": "", "email": "second@example.org"})
    page = client.get(reverse("account_email")).text
    assert "second@example.org" in page
    assert 'name="action_remove"' in page
    client.post(reverse("account_email"), {"action_remove": "", "email": "second@example.org"})
    assert not EmailAddress.objects.filter(email="second@example.org").exists()


def test_an_old_session_must_give_the_password_before_it_changes_addresses(as_user, alice):
    answer = as_user(alice).post(reverse("account_email"), {"action_add": "", "email": "thief@example.org"})
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert not EmailAddress.objects.filter(email="thief@example.org").exists()


REACHABLE = [
    ("account_login", False), ("account_signup", False), ("account_reset_password", False),
    ("account_reset_password_done", False), ("account_reset_password_from_key_done", False),
    ("account_email_verification_sent", False), ("account_inactive", False),
    ("account_logout", True), ("account_email", True), ("account_change_password", True),
    ("account_reauthenticate", True), ("mfa_index", True), ("usersessions_list", True),
    ("socialaccount_connections", True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "signed_in"), REACHABLE)
def test_every_page_of_allauth_wears_the_shell(as_user, alice, name, signed_in):
    answer = as_user(alice if signed_in else None).get(reverse(name))
    assert answer.status_code == 200
    assert 'id="navigation"' in answer.text


@pytest.mark.parametrize("path", ["/accounts/login/code/confirm/", "/accounts/password/set/"])
def test_pages_without_a_use_here_lead_away(as_user, alice, path):
    assert as_user(None).get(path).status_code == 302
    assert as_user(alice).get(path).status_code == 302


def test_pages_of_features_that_are_off_do_not_exist(client, db):
    for path in ("login/code/", "phone/change/", "signup/passkey/"):
        assert client.get(f"/accounts/{path}").status_code == 404


@pytest.mark.parametrize("name", ["account_login", "account_signup"])
def test_pages_with_passwords_are_not_kept(client, db, name):
    assert "no-store" in client.get(reverse(name))["Cache-Control"]


def test_fields_carry_the_kits_classes_and_name_their_errors(sign_up):
    page = sign_up("datasets").text
    assert re.search(r'<input[^>]*name="username"[^>]*aria-describedby="id_username_error"[^>]*', page)
    assert re.search(r'<input[^>]*class="form-control is-invalid"[^>]*', page)
    assert 'id="id_username_error"' in page


def test_forms_without_a_token_are_refused(alice):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})
    assert answer.status_code == 403
    assert "expired" in answer.text


@pytest.mark.parametrize(("name", "signed_in"), REACHABLE)
def test_every_page_of_allauth_speaks_our_chinese(as_user, alice, name, signed_in):
    page = as_user(alice if signed_in else None).get(reverse(name), headers={"accept-language": "zh-CN"}).text
    assert not [word for word in ("您", "登出", "Email", "email address") if word in without_tags(page)]


def test_mails_speak_our_chinese(client, alice):
    for email in ("alice@example.org", "nobody@example.org"):
        client.post(reverse("account_reset_password"), {"email": email}, headers={"accept-language": "zh-CN"})
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        assert re.search("密码|账号", message.subject)
        assert "如果不是你本人操作，请忽略这封邮件。" in message.body
        assert "http" in message.body


def test_the_sign_in_page_asks_for_a_name_or_an_address(client, db):
    address = reverse("account_login")
    assert "Username or email" in client.get(address).text
    assert "用户名或邮箱" in client.get(address, headers={"accept-language": "zh-CN"}).text
