"""Runs in a real browser: a training from the page of a model to its result, and rows that are labelled by keys."""

import base64
import json
import time
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect, sync_playwright

from tests.evaluating import model_files
from tests.live import LivePortal
from tests.pages.looking import opened
from tests.servers import need
from tests.tuning import rows

pytestmark = [pytest.mark.live, pytest.mark.browser]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CARD = "---\nlicense: mit\npipeline_tag: text-classification\n---\n# A model\n"
OPEN = "".join(json.dumps({"text": f"{word} {word}"}) + "\n" for word in ("apple", "river", "stone", "cloud"))
SECONDS = 5  # that a run of the stand-in takes, so that there is something to watch


def publish(portal: LivePortal, kind: str, name: str, files: dict[str, bytes | str]) -> None:
    """Commit files to a new repository of rita's, as programs do."""
    key = {"Authorization": f"Bearer {portal.user('rita')}"}
    made = requests.post(f"{portal.url}/api/repos/create", json={"name": name, "type": kind}, headers=key, timeout=30)
    assert made.ok, made.text
    lines = [{"key": "header", "value": {"summary": "Add files"}}]
    for path, content in files.items():
        coded = base64.b64encode(content.encode() if isinstance(content, str) else content).decode()
        lines.append({"key": "file", "value": {"path": path, "content": coded, "encoding": "base64"}})
    sent = requests.post(
        f"{portal.url}/api/{kind}s/rita/{name}/commit/main",
        data="\n".join(map(json.dumps, lines)),
        headers={**key, "Content-Type": "application/x-ndjson"},
        timeout=30,
    )
    assert sent.ok, sent.text


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    with LivePortal(tmp_path_factory.mktemp("runs"), with_worker=True, PORTAL_FAKE_ENGINE="1") as portal:
        publish(portal, "model", "mood-base", {**model_files(seconds=SECONDS), "README.md": CARD})
        publish(portal, "dataset", "mood-rows", {"train.jsonl": rows()})
        publish(portal, "model", "mood-quick", {**model_files(), "README.md": CARD})
        publish(portal, "dataset", "mood-open", {"train.jsonl": OPEN})
        yield portal


@pytest.fixture
def page(portal: LivePortal) -> Iterator[Page]:
    """Rita’s browser; the test fails when a page logs an error."""
    [chromium] = need("chromium")
    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = opened(browser, portal.sessions["rita"].cookies["sessionid"], base_url=portal.url, locale="en-US")
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: dialog.accept())
        yield page
        browser.close()
    assert not problems


def start(page: Page, **values: str) -> None:
    """Fill in the form of a run and send it."""
    for label, value in values.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)
    page.get_by_role("button", name="Start the training").click()
    page.wait_for_url("**/runs/*")


def test_a_run_is_begun_at_a_model_watched_compared_and_published(page: Page, portal: LivePortal) -> None:
    page.goto("/rita/mood-base")
    page.get_by_role("link", name="Fine-tune this model").click()
    page.locator("input[name=dataset]").fill("rita/mood-rows")
    page.get_by_role("button", name="Next").click()
    start(page, Name_of_the_result="rita/mood-tuned", Learning_rate="0.001")
    first = page.url

    page.evaluate("window.isSamePage = true")
    expect(page.locator("#run-state")).to_contain_text("running")
    expect(page.locator("[data-number=step]")).to_contain_text("/ 10")
    assert page.evaluate("window.isSamePage"), "what changes comes without the page being loaded anew"

    expect(page.locator("#result")).to_contain_text("rita/mood-tuned")
    expect(page.locator("#scores")).to_contain_text("F1, macro")
    page.get_by_role("link", name="Another one like this").click()
    start(page, Name_of_the_result="rita/mood-other", Learning_rate="0.01", Share_for_the_final_test="0")
    expect(page.locator("#result")).to_contain_text("rita/mood-other")

    page.goto("/runs")
    for number in (1, 2):
        page.get_by_label(f"Compare run {number}", exact=True).check()
    page.get_by_role("button", name="Compare the chosen ones").click()
    row = page.get_by_role("row", name="Learning rate")
    expect(row).to_contain_text("0.001")
    expect(row).to_contain_text("0.01")

    page.goto(first)
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#result .badge")).to_have_count(0)
    assert requests.get(f"{portal.url}/rita/mood-tuned", timeout=30).ok


def at(page: Page, row: str) -> None:
    """Wait for a row to be there, with the script that reads keys."""
    expect(page.locator("#row-title")).to_have_text(row)
    page.wait_for_load_state()


def test_rows_are_labelled_by_keys_and_written_into_the_data_set(page: Page, portal: LivePortal) -> None:
    page.goto("/datasets/rita/mood-open/annotate")
    page.locator("input[name=base]").fill("rita/mood-quick")
    page.get_by_label("Rows to label").fill("3")
    page.get_by_role("button", name="Choose the rows").click()
    at(page, "Row 1 of 3")

    page.keyboard.press("g")
    expect(page.locator(".is-guessed")).to_have_count(1)
    page.wait_for_load_state()
    page.keyboard.press("1")
    at(page, "Row 2 of 3")
    expect(page.locator(".is-guessed")).to_have_count(0)
    expect(page.locator("#annotate-last")).to_contain_text("negative")
    page.keyboard.press("u")
    at(page, "Row 1 of 3")
    page.keyboard.press("2")
    at(page, "Row 2 of 3")
    page.keyboard.press("ArrowRight")
    at(page, "Row 3 of 3")
    page.keyboard.press("ArrowLeft")
    at(page, "Row 2 of 3")
    page.keyboard.press("ArrowLeft")
    at(page, "Row 1 of 3")
    page.goto(page.url.partition("?")[0])
    at(page, "Row 3 of 3")
    page.keyboard.press("2")
    expect(page.locator(".empty-title")).to_have_text("Nothing is left for you here")

    page.locator(".empty-action a").click()
    page.get_by_role("button", name="Commit them").click()
    address = f"{portal.url}/datasets/rita/mood-open/resolve/main/train.jsonl"
    deadline = time.monotonic() + 30
    while '"positive"' not in (text := requests.get(address, timeout=30).text) and time.monotonic() < deadline:
        time.sleep(0.3)
    assert text.count('"label": "positive"') == 2
    assert len(text.splitlines()) == 4
