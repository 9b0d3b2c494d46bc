"""Security keys in a real browser, with an authenticator that the browser plays."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from tests.live import PASSWORD, LivePortal
from tests.servers import need

pytestmark = [pytest.mark.live, pytest.mark.browser]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Desk:
    """A page, and the authenticator of its machine. Keys belong to names of hosts, so the portal has one here."""

    def __init__(self, page: Page, portal: LivePortal) -> None:
        self.page = page
        self.url = f"http://localhost:{portal.port}"
        self.device: CDPSession = page.context.new_cdp_session(page)
        self.device.send("WebAuthn.enable")
        added = self.device.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        self.authenticator: str = added["authenticatorId"]

    def forget_sign_in(self) -> None:
        self.page.context.clear_cookies()

    def begin(self, name: str) -> None:
        """Sign somebody in on a machine that holds no key yet."""
        self.device.send("WebAuthn.clearCredentials", {"authenticatorId": self.authenticator})
        self.forget_sign_in()
        self.sign_in(name)

    def sign_in(self, name: str) -> None:
        self.page.goto(f"{self.url}/accounts/login/")
        self.page.fill("[name=login]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.locator("main button[type=submit]").first.click()
        self.page.wait_for_url(lambda address: "login" not in address)

    def confirm(self) -> None:
        """Give the password again where it is asked for."""
        if "reauthenticate" in self.page.url:
            self.page.fill("[name=password]", PASSWORD)
            self.page.locator("main button[type=submit]").first.click()
            self.page.wait_for_url(lambda address: "reauthenticate" not in address)

    def add_key(self, *, as_passkey: bool = False) -> None:
        """Add a key on the page of keys."""
        self.page.goto(f"{self.url}/accounts/2fa/webauthn/add/")
        self.confirm()
        if as_passkey:
            self.page.check("[name=passwordless]")
        self.page.locator("#mfa_webauthn_add").click()
        self.page.wait_for_url(lambda address: "webauthn/add" not in address)


@pytest.fixture(scope="module")
def desk(live_portal: LivePortal) -> Iterator[Desk]:
    [chromium] = need("chromium")
    for name in ("peggy", "victor"):
        live_portal.sign_up(name)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield Desk(browser.new_context(locale="en-US").new_page(), live_portal)
        browser.close()


def test_a_security_key_is_a_second_factor(desk: Desk):
    page = desk.page
    desk.begin("peggy")
    desk.add_key()
    desk.forget_sign_in()
    page.goto(f"{desk.url}/accounts/login/")
    page.fill("[name=login]", "peggy")
    page.fill("[name=password]", PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/accounts/2fa/authenticate/**")
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url(lambda address: "authenticate" not in address)
    page.goto(f"{desk.url}/settings/account")
    expect(page.locator("#rename strong")).to_have_text("peggy")


def test_a_passkey_signs_in_without_a_password_until_it_is_removed(desk: Desk):
    page = desk.page
    desk.begin("victor")
    desk.add_key(as_passkey=True)
    desk.forget_sign_in()
    page.goto(f"{desk.url}/accounts/login/")
    page.locator("form[data-webauthn] button").click()
    page.wait_for_url(lambda address: "login" not in address)
    page.goto(f"{desk.url}/accounts/2fa/webauthn/")
    expect(page.locator("main .badge", has_text="passkey")).to_be_visible()
    page.goto(desk.url + str(page.get_by_role("link", name="Remove").get_attribute("href")))
    desk.confirm()
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url(lambda address: "remove" not in address)
    page.goto(f"{desk.url}/accounts/2fa/webauthn/")
    expect(page.get_by_role("link", name="Remove")).to_have_count(0)
    desk.forget_sign_in()
    page.goto(f"{desk.url}/accounts/login/")
    page.locator("form[data-webauthn] button").click()
    page.wait_for_load_state("networkidle")
    page.goto(f"{desk.url}/settings/account")
    assert "login" in page.url
