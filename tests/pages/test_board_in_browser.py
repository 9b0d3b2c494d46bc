"""A board by keys, and without scripts."""

import pytest
from playwright.sync_api import Browser, expect

from tests.pages import looking
from tests.pages.conftest import World

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_keys_go_through_a_board(world: World, browser: Browser):
    page = looking.opened(browser, locale="en-US")
    page.goto(world.address("/leaderboard/mood"))
    compare = page.get_by_role("button", name="Compare the chosen")
    expect(compare).to_be_disabled()
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="alice/tiny", exact=True)).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_role("checkbox", name="Compare alice/tiny")).to_be_checked()
    expect(compare).to_contain_text("(1)")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Find a model on this board")).to_be_focused()
    page.keyboard.type("tin")
    page.keyboard.press("Enter")
    expect(page).to_have_url(world.address("/leaderboard/mood?q=tin"))
    page.context.close()


def test_a_board_is_narrowed_and_compared_without_scripts(world: World, browser: Browser):
    page = looking.opened(browser, locale="en-US", java_script_enabled=False)
    page.goto(world.address("/leaderboard/mood"))
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("Disk, at most").fill("5 GB")
    page.locator("#board-filters").get_by_role("button", name="Show").click()
    expect(page.locator("#active-filters")).to_contain_text("at most 5.0 GB on disk")
    page.get_by_role("checkbox", name="Compare alice/tiny").check()
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page).to_have_url(world.address("/compare?model=alice%2Ftiny"))
    page.context.close()
