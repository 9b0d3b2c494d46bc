"""The editor in a real browser: what its scripts add to the plain form."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect, sync_playwright

from tests.live import LivePortal
from tests.servers import need

pytestmark = [pytest.mark.live, pytest.mark.browser]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def page(live_portal: LivePortal) -> Iterator[Page]:
    """A signed-in page that fails the test when it logs an error."""
    [chromium] = need("chromium")
    token = live_portal.user("edna")
    answer = requests.post(
        f"{live_portal.url}/api/repos/create",
        json={"name": "edited", "type": "model"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert answer.ok, answer.text
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(locale="en-US").new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{live_portal.url}/accounts/login/")
        page.fill("[name=login]", "edna")
        page.fill("[name=password]", "correct horse battery staple")
        page.locator("main button[type=submit]").click()
        page.wait_for_url(lambda address: "login" not in address)
        yield page
        browser.close()
    assert not problems


def test_a_file_is_written_previewed_saved_and_pinned(page: Page, live_portal: LivePortal):
    page.goto(f"{live_portal.url}/edna/edited/new/main")
    page.get_by_label("File name").fill("code.py")
    area = page.get_by_label("Content")
    area.click()
    page.keyboard.type("def f():")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("x = 1")
    page.keyboard.press("Enter")
    page.keyboard.type("return x")
    expect(area).to_have_value("def f():\n  x = 1\n  return x")
    expect(page.locator(".editor-lines")).to_contain_text("3")

    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#edit-preview")).to_contain_text("+  return x")
    expect(area).to_have_value("def f():\n  x = 1\n  return x")

    page.keyboard.press("Escape")
    page.get_by_label("Commit message").fill("Add code")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/blob/main/code.py")

    page.keyboard.press("y")
    page.wait_for_url(lambda address: len(address.split("/blob/")[-1].split("/")[0]) == 40)
