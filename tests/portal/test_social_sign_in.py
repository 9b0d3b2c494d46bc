"""Signing in with an account of another site, and what such a site, or its visitor, may try."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from tests.live import PASSWORD, LivePortal, csrf_of
from tests.portal.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, Visitor

pytestmark = pytest.mark.live

LOGIN, CONNECTIONS = "/accounts/login/", "/accounts/3rdparty/"
CALLBACK = "/accounts/oidc/oidc/login/callback/"


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as started:
        yield started


@pytest.fixture(scope="module")
def portal(provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    env = {"OIDC_NAME": "Elsewhere", "OIDC_CLIENT_ID": CLIENT_ID, "OIDC_CLIENT_SECRET": CLIENT_SECRET}
    with LivePortal(tmp_path_factory.mktemp("social"), OIDC_SERVER_URL=provider.url, **env) as started:
        yield started


class Browser:
    """A browser that follows where it is led, and sends the forms of pages."""

    def __init__(self, portal: LivePortal, session: requests.Session | None = None) -> None:
        self.portal = portal
        self.session = session or requests.Session()

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.portal.url + path, timeout=30)

    def send(self, path: str, page: str | None = None, **fields: str) -> requests.Response:
        csrf = csrf_of(self.get(page or path).text)
        return self.session.post(
            self.portal.url + path, data={"csrfmiddlewaretoken": csrf, **fields}, timeout=30,
            headers={"Referer": self.portal.url},
        )  # fmt: skip

    def go_on_with_elsewhere(self, page: str = LOGIN) -> requests.Response:
        """Press the button of the other site on a page."""
        action = re.search(r'action="(/accounts/oidc/[^"]+)"', self.get(page).text)
        assert action, page
        return self.send(action[1].replace("&amp;", "&"), page)

    @property
    def name(self) -> str | None:
        """The name of whoever is signed in."""
        found = re.search(r"Your account name is <strong>([^<]+)</strong>", self.get("/settings/account").text)
        return found[1] if found else None


def signed_up(portal: LivePortal, name: str) -> Browser:
    browser = Browser(portal, portal.sign_up(name))
    browser.send("/accounts/reauthenticate/", password=PASSWORD)
    return browser


def newcomer(portal: LivePortal, provider: IdentityProvider, name: str) -> Browser:
    """Somebody who signs up by the other site."""
    provider.visitor = Visitor(name, f"{name}@elsewhere.example", email_verified=True)
    browser = Browser(portal)
    assert "Choose your name here" in browser.go_on_with_elsewhere().text
    browser.send("/accounts/3rdparty/signup/", username=name, email=f"{name}@elsewhere.example")
    return browser


def test_a_newcomer_chooses_a_name_and_comes_back_without_a_password(portal, provider):
    first = newcomer(portal, provider, "nina")
    assert first.name == "nina"
    assert first.get("/nina").status_code == 200
    again = Browser(portal)
    again.go_on_with_elsewhere()
    assert again.name == "nina"


def test_an_account_is_linked_signs_in_and_is_let_go(portal, provider):
    lena = signed_up(portal, "lena")
    provider.visitor = Visitor("lena-elsewhere")
    lena.go_on_with_elsewhere(CONNECTIONS)
    page = lena.get(CONNECTIONS).text
    assert "None is connected." not in page
    assert "Account of another site connected" in lena.get("/settings/audit").text
    other = Browser(portal)
    other.go_on_with_elsewhere()
    assert other.name == "lena"
    lena.send(CONNECTIONS, account=re.search(r'name="account" value="(\d+)"', page)[1])
    stranger = Browser(portal)
    assert "Choose your name here" in stranger.go_on_with_elsewhere().text
    assert stranger.name is None


@pytest.mark.parametrize("verified", [False, True])
def test_the_address_of_somebody_elses_account_does_not_open_it(portal, provider, verified):
    name = f"victim-{verified}".lower()
    victim = signed_up(portal, name)
    provider.visitor = Visitor(f"thief-{verified}", f"{name}@example.org", email_verified=verified)
    thief = Browser(portal)
    assert "Choose your name here" in thief.go_on_with_elsewhere().text
    assert thief.name is None
    thief.send("/accounts/3rdparty/signup/", LOGIN, username=f"thief-{verified}", email=f"{name}@example.org")
    again = Browser(portal)
    again.go_on_with_elsewhere()
    assert name not in {thief.name, again.name}
    assert "None is connected." in victim.get(CONNECTIONS).text


def test_another_subject_with_the_same_address_is_somebody_else(portal, provider):
    newcomer(portal, provider, "sam")
    provider.visitor = Visitor("not-sam", "sam@elsewhere.example", email_verified=True)
    other = Browser(portal)
    other.go_on_with_elsewhere()
    assert other.name is None


def test_what_signs_one_person_in_cannot_be_linked_to_another(portal, provider):
    newcomer(portal, provider, "olga")
    otto = signed_up(portal, "otto")
    otto.go_on_with_elsewhere(CONNECTIONS)
    assert "None is connected." in otto.get(CONNECTIONS).text
    again = Browser(portal)
    again.go_on_with_elsewhere()
    assert again.name == "olga"


def test_an_answer_that_somebody_else_asked_for_signs_nobody_in(portal, provider, monkeypatch):
    newcomer(portal, provider, "mallory")
    caught = Browser(portal)
    monkeypatch.setattr(provider, "_authorized", lambda asked: f"{provider.url}/elsewhere?state={asked['state']}")
    state = caught.go_on_with_elsewhere().url.split("state=")[1]
    monkeypatch.undo()
    asked = {"state": state, "redirect_uri": portal.url + CALLBACK, "code_challenge": ""}
    answer = provider._authorized(asked).removeprefix(portal.url)
    for victim in (Browser(portal), signed_up(portal, "vera")):
        before = victim.name
        assert victim.get(answer).status_code < 500
        assert victim.name == before


@pytest.mark.parametrize(("claim", "value"), [("aud", "another-app"), ("iss", "https://evil.example"), ("exp", 1)])
def test_a_statement_for_another_by_another_or_of_long_ago_is_refused(portal, provider, claim, value):
    newcomer(portal, provider, f"stated-{claim}")
    provider.visitor = Visitor(f"stated-{claim}", stated={claim: value})
    browser = Browser(portal)
    assert browser.go_on_with_elsewhere().status_code < 500
    assert browser.name is None


def test_a_code_is_taken_only_with_the_verifier_it_was_asked_with(portal, provider, monkeypatch):
    newcomer(portal, provider, "petra")
    real = provider._authorized
    monkeypatch.setattr(provider, "_authorized", lambda asked: real(asked | {"code_challenge": "of another browser"}))
    browser = Browser(portal)
    assert browser.go_on_with_elsewhere().status_code < 500
    assert browser.name is None


def test_who_says_no_elsewhere_is_told_so_here(portal, provider):
    provider.visitor = Visitor("reluctant", refuses=True)
    browser = Browser(portal)
    page = browser.go_on_with_elsewhere()
    assert page.status_code == 200
    assert page.url.startswith(portal.url)
    assert browser.name is None


def test_signing_in_leads_to_no_other_site(portal, provider):
    newcomer(portal, provider, "wanda")
    for place in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        browser = Browser(portal)
        answer = browser.send(f"/accounts/oidc/oidc/login/?{urlencode({'next': place})}", LOGIN)
        assert answer.url.startswith(portal.url)
        assert browser.name == "wanda"


def test_the_second_factor_is_asked_for_here_too(portal, provider):
    mia = signed_up(portal, "mia")
    provider.visitor = Visitor("mia-elsewhere")
    mia.go_on_with_elsewhere(CONNECTIONS)
    page = mia.get("/accounts/2fa/totp/activate/").text
    secret = re.search(r'id="authenticator_secret" value="(\w+)"', page)[1]
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    # Looked at again, that page would have another secret.
    mia.send("/accounts/2fa/totp/activate/", "/settings/account", code=code)
    again = Browser(portal)
    assert "/accounts/2fa/authenticate/" in again.go_on_with_elsewhere().url
    assert again.name is None


def test_names_of_others_and_of_the_site_cannot_be_taken(portal, provider):
    portal.sign_up("taken")
    provider.visitor = Visitor("would-be", "would-be@elsewhere.example", email_verified=True)
    browser = Browser(portal)
    browser.go_on_with_elsewhere()
    for name in ("taken", "TAKEN", "models", "a--b"):
        browser.send("/accounts/3rdparty/signup/", username=name, email="would-be@elsewhere.example")
        assert browser.name is None
