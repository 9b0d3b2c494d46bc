"""The main job in a real browser: sign up, publish a model, have it evaluated, see it on the board."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.full.conftest import FullPortal
from tests.live import PASSWORD
from tests.servers import need

pytestmark = [pytest.mark.live, pytest.mark.browser, pytest.mark.engine]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    [chromium] = need("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when it logs an error, such as a breach of the content security policy."""
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert not problems


def sign_up(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}/")
    page.get_by_role("link", name="Sign up", exact=True).first.click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.org")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page.get_by_role("button", name=name)).to_be_visible()


def model_files(portal: FullPortal, folder: Path) -> list[str]:
    """The files of a demo model, as somebody would have them on their disk."""
    code = (
        "from huggingface_hub import snapshot_download\n"
        f"print(snapshot_download('demo/bilingual-sentiment-tiny', local_dir={str(folder)!r}, "
        "ignore_patterns=['.gitattributes']))"
    )
    env = {**os.environ, "HF_ENDPOINT": portal.url, "HF_HOME": str(folder / "home")}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, timeout=120)
    return [str(path) for path in sorted(folder.iterdir()) if path.is_file()]


def test_sign_up_upload_evaluate_and_see_the_board(full_portal: FullPortal, page: Page, tmp_path: Path):
    sign_up(page, full_portal.url, "wendy")
    page.goto(f"{full_portal.url}/new/model")
    page.get_by_label("Name").fill("my-first-model")
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(re.compile("/wendy/my-first-model$"))

    page.goto(f"{full_portal.url}/wendy/my-first-model/upload/main")
    page.locator("input[type=file]:not([webkitdirectory])").set_input_files(model_files(full_portal, tmp_path))
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url(re.compile("/tree/main$"))  # the page of the upload lists the files too
    expect(page.get_by_text("model.safetensors").first).to_be_visible(timeout=120_000)

    page.goto(f"{full_portal.url}/wendy/my-first-model/evaluations")
    # The only benchmark that fits is chosen already.
    expect(page.locator("#evaluate label", has_text="demo/").get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Evaluate", exact=True).click()
    page.wait_for_url(re.compile("/evaluations"))
    if not re.search(r"/evaluations/\d+$", page.url):
        page.locator("a[href^='/evaluations/']").first.click()
    # The page follows the job by itself until the score is there.
    expect(page.get_by_text("Confusion matrix")).to_be_visible(timeout=600_000)

    for _try in range(60):  # the relay computes the board anew soon after the score
        page.goto(f"{full_portal.url}/leaderboard")
        if page.get_by_role("link", name=re.compile("my-first-model")).count():
            break
        page.wait_for_timeout(500)
    expect(page.get_by_role("link", name=re.compile("my-first-model")).first).to_be_visible()


PAGES = """/ /models /datasets /leaderboard/sentiment /evaluations/1 /benchmarks/1 /demo /accounts/login/
/demo/bilingual-sentiment-tiny /demo/bilingual-sentiment-tiny/tree/main /demo/bilingual-sentiment-tiny/commits/main
/demo/bilingual-sentiment-tiny/evaluations /datasets/demo/bilingual-sentiment""".split()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_overflows_a_phone_or_breaks_the_policy(full_portal: FullPortal, browser: Browser, path: str):
    context = browser.new_context(locale="zh-CN", viewport={"width": 375, "height": 800}, color_scheme="dark")
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    answer = page.goto(full_portal.url + path)
    page.wait_for_load_state("networkidle")
    assert answer is not None
    assert answer.status == 200
    assert page.locator("html").get_attribute("lang") == "zh-hans"
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert not problems
    context.close()
