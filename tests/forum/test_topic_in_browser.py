"""The page of a topic in a real browser: posts come to it, and keys walk through it."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.live import LivePortal
from tests.servers import need

pytestmark = [pytest.mark.live, pytest.mark.browser]
TOPIC = """
from forum.models import Category
from forum.opening import NewTopic, open_topic
from portal.models import User
room = Category.objects.filter(readers="everyone", staff_open=False, trust_to_open=0, reviews_articles=False)[0]
open_topic(category=room, by=User.objects.get(username="tess"), new=NewTopic("A talk of two browsers", "Who is there?"))
"""
CHOOSE = """() => {
  const words = document.querySelector("#post-2 .rendered p").firstChild;
  getSelection().setBaseAndExtent(words, 0, words, 5);
}"""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def person(live_portal: LivePortal) -> Iterator[Callable[[str], Page]]:
    """Browsers of people who sign in; the test fails when one of them logs an error."""
    [chromium] = need("chromium")
    live_portal.command("found_forum")
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)

        def sign_in(name: str) -> Page:
            live_portal.user(name)
            page = browser.new_context(locale="en-US").new_page()
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(f"{live_portal.url}/accounts/login/")
            page.fill("[name=login]", name)
            page.fill("[name=password]", "correct horse battery staple")
            page.locator("main button[type=submit]").click()
            page.wait_for_url(lambda address: "login" not in address)
            return page

        yield sign_in
        browser.close()
    assert not problems


def test_two_people_see_each_others_posts_without_loading_again(person, live_portal):
    live_portal.user("tess")
    live_portal.script(TOPIC)  # before the first page of the portal, whose list of topics is kept for some seconds
    tess, theo = person("tess"), person("theo")
    tess.goto(f"{live_portal.url}/forum/latest")
    tess.get_by_role("link", name="A talk of two browsers").click()
    tess.wait_for_url("**/forum/t/**")

    theo.goto(tess.url)
    theo.fill("textarea[name=text]", "It is me, theo.")
    theo.locator("form:has(textarea[name=text]) button[type=submit].btn-primary").first.click()
    expect(theo.locator("#post-2")).to_contain_text("It is me, theo.")

    expect(tess.locator("#post-2")).to_contain_text("It is me, theo.", timeout=30_000)
    expect(tess.locator("#live-note")).to_have_text("New posts have come.")
    tess.keyboard.press("?")
    expect(tess.locator("#keys")).to_be_visible()
    tess.keyboard.press("Escape")
    expect(tess.locator("#keys")).to_be_hidden()
    tess.keyboard.press("j")
    expect(tess.locator(".is-picked")).to_have_count(1)
    tess.keyboard.press("r")
    expect(tess.locator("#reply textarea, textarea[name=text]").first).to_be_focused()

    tess.evaluate("document.activeElement.blur()")
    tess.keyboard.press("j")
    tess.keyboard.press("l")
    expect(tess.locator("#post-2 button.act.is-mine")).to_have_count(1)
    tess.keyboard.press("m")
    expect(tess.get_by_role("dialog", name="#2 theo More")).to_be_visible()
    tess.keyboard.press("Escape")
    expect(tess.locator("#post-2 [data-menu]")).to_be_focused()
    tess.keyboard.press("q")
    box = tess.locator("#reply textarea")
    expect(box).to_have_value(re.compile(r"^> @theo \[#2\].*\n>\n> It is me, theo\.\n\n$"))
    tess.evaluate(CHOOSE)
    tess.locator(".quote-choice").click()
    expect(box).to_have_value(re.compile(r"\n> It is\n\n"))
    box.fill("One.\n\nTwo.")
    box.press("Control+Home")
    box.press("End")
    tess.evaluate(CHOOSE)
    tess.locator(".quote-choice").click()
    expect(box).to_have_value(re.compile(r"^One\.\n\n> @theo .*\n>\n> It is\n\n\n\nTwo\.$"))
    tess.get_by_role("button", name="Side by side").click()
    expect(tess.locator("#reply .compose-preview blockquote")).to_have_count(1)
