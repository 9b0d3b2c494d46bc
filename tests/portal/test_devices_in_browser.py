"""A device in a real browser: asked for, shown as this one, called, and taken away again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.live import PASSWORD, LivePortal
from tests.portal.test_devices import AUTH, POINT
from tests.servers import need

pytestmark = [pytest.mark.live, pytest.mark.browser]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# The service of the browser’s maker is not reachable here: it is played, all else is the browser’s own.
SERVICE = """([auth, point]) => {
  const decoded = (text) => atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const toBuffer = (text) => Uint8Array.from(decoded(text), (one) => one.charCodeAt(0)).buffer;
  const made = {
    endpoint: "https://push.example.com/cleo",
    unsubscribe: () => { localStorage.removeItem("asked"); },
    getKey: (name) => toBuffer(name === "auth" ? auth : point),
  };
  PushManager.prototype.getSubscription = async () => localStorage.getItem("asked") && made;
  PushManager.prototype.subscribe = async (options) => {
    if (!options.userVisibleOnly || options.applicationServerKey.length !== 65) throw new Error("refused");
    localStorage.setItem("asked", "1");
    return made;
  };
}"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.getRegistration("/settings/notifications");
  return (await registration.getNotifications()).map((one) => [one.title, one.body, one.tag, one.data]);
}"""


@pytest.fixture
def page(live_portal: LivePortal) -> Iterator[Page]:
    [chromium] = need("chromium")
    live_portal.sign_up("cleo")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(locale="en-US", base_url=f"http://localhost:{live_portal.port}")
        context.grant_permissions(["notifications"])
        context.add_init_script(f"({SERVICE})({json.dumps([AUTH, POINT])})")
        yield signed_in(context)
        browser.close()


def signed_in(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/accounts/login/?next=/settings/notifications")
    page.fill("[name=login]", "cleo")
    page.fill("[name=password]", PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/settings/notifications")
    return page


def test_a_message_arrives_and_the_device_is_taken_away(page: Page):
    page.get_by_role("button", name="Show messages on this device").click()
    expect(page.get_by_text("This device shows messages from now on.")).to_be_visible()
    expect(page.get_by_text("this browser", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Show messages on this device")).to_be_hidden()

    arrive(page, '{"title": "Portal", "text": "bob answered you", "path": "/a", "topic": "reply", "language": "en"}')
    assert page.evaluate(SHOWN) == [["Portal", "bob answered you", "reply", "/a"]]

    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The device gets no more messages.")).to_be_visible()
    expect(page.get_by_role("button", name="Show messages on this device")).to_be_visible()


def arrive(page: Page, text: str) -> None:
    """Let a message come in, as the browser does when it was decrypted."""
    session, found = page.context.new_cdp_session(page), []

    def note(told: dict[str, Any]) -> None:
        ours = [one for one in told["registrations"] if one["scopeURL"].endswith("/settings/notifications")]
        found.extend(one["registrationId"] for one in ours)

    session.on("ServiceWorker.workerRegistrationUpdated", note)
    session.send("ServiceWorker.enable")
    for _wait in range(50):
        if found:
            break
        page.wait_for_timeout(100)
    origin = page.evaluate("location.origin")
    session.send("ServiceWorker.deliverPushMessage", {"origin": origin, "registrationId": found[0], "data": text})
    page.wait_for_function(f"(async () => (await ({SHOWN})()).length)()")
