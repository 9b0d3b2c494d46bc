"""Pages read, search and submit in a browser that runs no script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live import PASSWORD
from tests.pages import looking
from tests.pages.conftest import World

pytestmark = [pytest.mark.live, pytest.mark.browser]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = looking.opened(browser, locale="en-US", java_script_enabled=False)
    yield opened
    opened.context.close()


@pytest.fixture
def as_alice(browser: Browser, world: World) -> Iterator[Page]:
    opened = looking.opened(browser, world.sessions["alice"], locale="en-US", java_script_enabled=False)
    yield opened
    opened.context.close()


def test_a_card_its_files_and_its_history_are_read(world: World, page: Page):
    page.goto(world.address("/alice/tiny"))
    expect(page.get_by_role("heading", name="A tiny model")).to_be_visible()
    expect(page.locator("math").first).to_be_visible()
    page.goto(world.address("/alice/tiny/tree/main"))
    page.get_by_role("link", name="code.py", exact=True).click()
    expect(page.get_by_text("def learn").first).to_be_visible()
    page.goto(world.address("/alice/tiny/commit/{second}"))
    expect(page.get_by_text("+def learn").first).to_be_visible()
    page.goto(world.address("/alice/tiny/discussions/{talk}"))
    expect(page.get_by_text("It has some parameters.")).to_be_visible()


def test_rows_of_a_table_are_searched(world: World, page: Page):
    page.goto(world.address("/datasets/alice/mood/data/main?config=table"))
    page.locator("main input[name=q]").first.fill("77")
    page.locator("main input[name=q]").first.press("Enter")
    expect(page.get_by_text("a text of some length number 77")).to_be_visible()
    assert page.get_by_text("a text of some length number 5", exact=True).count() == 0


def test_models_are_searched_and_narrowed(world: World, page: Page):
    page.goto(world.address("/models"))
    page.locator("#list-words").fill("tiny")
    page.locator("#list-words").press("Enter")
    expect(page).to_have_url(re.compile("search=tiny"))
    expect(page.get_by_role("link", name="alice/tiny", exact=True)).to_be_visible()
    page.goto(world.address("/models?search=tiny&task=text-classification"))
    expect(page.get_by_role("link", name="alice/tiny", exact=True)).to_be_visible()
    assert page.get_by_role("link", name="alice/tiny-quantized", exact=True).count() == 0


def test_signing_in_and_publishing(world: World, page: Page):
    page.goto(world.address("/accounts/login/"))
    page.locator("[name=login]").fill("bob")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.goto(world.address("/new/model"))
    page.get_by_label("Name", exact=False).first.fill("by-form")
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(re.compile("/bob/by-form$"))
    page.goto(world.address("/bob/by-form/upload/main"))
    page.locator("input[type=file]:not([webkitdirectory])").first.set_input_files(
        [{"name": "plain.txt", "mimeType": "text/plain", "buffer": b"sent by a plain form\n"}]
    )
    page.get_by_role("button", name="Publish").first.click()
    page.goto(world.address("/bob/by-form/blob/main/plain.txt"))
    expect(page.get_by_text("sent by a plain form")).to_be_visible()


def test_a_file_is_edited(world: World, as_alice: Page):
    as_alice.goto(world.address("/alice/empty/new/main"))
    as_alice.locator("[name=path]").fill("words.txt")
    as_alice.locator("textarea[name=content]").fill("written without scripts\n")
    as_alice.locator("main [name=title]").fill("Add words")
    as_alice.get_by_role("button", name="Save").click()
    as_alice.goto(world.address("/alice/empty/blob/main/words.txt"))
    expect(as_alice.get_by_text("written without scripts")).to_be_visible()


def test_people_talk_and_like(world: World, as_alice: Page):
    as_alice.goto(world.address("/alice/tiny/discussions/{talk}"))
    as_alice.locator("#reply textarea").fill("Said without scripts")
    as_alice.locator("#reply button.btn-primary").click()
    expect(as_alice.get_by_text("Said without scripts")).to_be_visible()
    as_alice.goto(world.address("/datasets/alice/mood"))
    as_alice.locator("form.like button").first.click()
    as_alice.goto(world.address("/datasets/alice/mood"))
    expect(as_alice.locator("form.like input[name=wish]").first).to_have_value("unlike")
