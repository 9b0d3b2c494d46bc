"""The viewer of tables in a real browser: hostile cells stay text; it works with scripts and without."""

import json
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.live import LivePortal
from tests.servers import need

pytestmark = [pytest.mark.live, pytest.mark.browser]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
RUNS = "window.ran=1"
HOSTILE = [
    f"<script>{RUNS}</script>",
    f"<img src=x onerror={RUNS}>",
    f"<svg onload={RUNS}>",
    "</td></table><iframe srcdoc='<script>parent.ran=1</script>'>",
    f'"><input autofocus onfocus={RUNS}>',
    f"' onmouseover='{RUNS}",
    f"<details open ontoggle={RUNS}>",
    f"<a href=javascript:{RUNS}>x</a>",
    f"{{{{ {RUNS} }}}}{{% debug %}}",
    f"<div hx-get=/ hx-trigger=load hx-on::load={RUNS}>",
    f"<!--><script>{RUNS}</script>-->",
    f"<math><mtext></p><script>{RUNS}</script>",
    f"<template><script>{RUNS}</script></template>",
    f"\u2028<script>{RUNS}</script>",
    f"<body onload={RUNS}>",
    '=HYPERLINK("javascript:window.ran=1")',
]
ROWS = [{"text": f"row {number}", "label": ("a", "b")[number % 2]} for number in range(120)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    [chromium] = need("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(live_portal: LivePortal) -> str:
    """A data set with rows, and with hostile ones in cells, names of columns, labels and nested values."""
    hostile = [{"cell": text, text: text, "label": text, "deep": [{text: text}]} for text in HOSTILE for _twice in "12"]
    files = {"rows.jsonl": ROWS, "hostile.jsonl": hostile}
    configs = "".join(f"- {{config_name: {name[:-6]}, data_files: {name}}}\n" for name in files)
    card = f"---\nconfigs:\n{configs}---\n"
    texts = {name: "".join(json.dumps(row) + "\n" for row in rows) for name, rows in files.items()} | {
        "README.md": card
    }
    headers = {"Authorization": f"Bearer {live_portal.user('tess')}"}
    made = requests.post(
        f"{live_portal.url}/api/repos/create", json={"name": "tables", "type": "dataset"}, headers=headers, timeout=30
    )
    assert made.ok, made.text
    changes = [{"path": name, "text": text} for name, text in texts.items()]
    commits = f"{live_portal.url}/api/v1/datasets/tess/tables/commits"
    answer = requests.post(commits, json={"title": "Add", "changes": changes}, headers=headers, timeout=30)
    assert answer.ok, answer.text
    return f"{live_portal.url}/datasets/tess/tables/data/main"


def opened(browser: Browser, **options) -> Page:
    return browser.new_context(locale="en-US", **options).new_page()


def test_nothing_in_a_table_runs(browser: Browser, address: str):
    page = opened(browser)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    for query in ("", "&view=statistics", "&one=1", "&q=script", "&q=<img", "&view=preview"):
        page.goto(f"{address}?config=hostile{query}")
        page.mouse.move(400, 500)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.ran") is None, query
        assert page.locator("#data-table iframe, #data-table script, #data-table svg svg").count() == 0
    assert not problems
    page.context.close()


def test_pages_search_and_filter_without_a_reload(browser: Browser, address: str):
    page = opened(browser)
    page.goto(f"{address}?config=rows")
    page.evaluate("window.stays = 1")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#data-table")).to_contain_text("51–100 of 120")
    page.get_by_label("Search the rows").fill("ROW 11")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#data-table")).to_contain_text("11 rows found")
    page.get_by_label("label", exact=True).select_option("b")
    expect(page.locator("#data-table")).to_contain_text("6 rows found")
    assert "q=ROW+11" in page.url or "q=ROW%2011" in page.url
    page.go_back()
    expect(page.locator("#data-table")).to_contain_text("11 rows found")
    assert page.evaluate("window.stays") == 1
    page.context.close()


def test_it_works_without_scripts_on_a_phone(browser: Browser, address: str):
    page = opened(browser, java_script_enabled=False, viewport={"width": 390, "height": 800})
    page.goto(f"{address}?config=rows")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#data-table")).to_contain_text("51–100 of 120")
    page.get_by_label("Go to row").fill("120")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.locator("#data-table")).to_contain_text("row 119")
    page.get_by_label("Search the rows").fill("row 7")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#data-table")).to_contain_text("rows found")
    page.get_by_role("link", name="Row 8", exact=True).click()
    expect(page.locator("#data-table")).to_contain_text("row 7")
    page.context.close()
