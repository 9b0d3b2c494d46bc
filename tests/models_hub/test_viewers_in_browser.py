"""Viewers in a real browser: diagrams are drawn without rights, hostile files run nothing, trees open part by part."""

import base64
import json
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.live import LivePortal
from tests.models_hub.test_viewers_tokenizer import TOKENIZER
from tests.models_hub.test_viewers_weights import layers, safetensors
from tests.servers import need

pytestmark = [pytest.mark.live, pytest.mark.browser]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
RUNS = "top.ran=1;window.ran=1;parent.ran=1"
HOSTILE = [
    f"<script>{RUNS}</script>",
    f"<img src=x onerror={RUNS}>",
    f"<svg onload={RUNS}>",
    f"<iframe srcdoc='<script>{RUNS}</script>'></iframe>",
    f"[x](javascript:{RUNS})",
    f"$\\text{{<img src=x onerror={RUNS}>}}$",
    f"$\\href{{javascript:{RUNS}}}{{x}}$",
    f'![$x$" onerror={RUNS}](x)',
    f'```mermaid\ngraph TD; A["<img src=x onerror={RUNS}>"] --> B; click B href "javascript:{RUNS}"\n```',
    f'```mermaid\n%%{{init: {{"securityLevel": "loose"}}}}%%\ngraph TD; A["<script>{RUNS}</script>"]\n```',
    f"<div hx-get=/ hx-trigger=load hx-on::load={RUNS}>x</div>",
    f"<details open ontoggle={RUNS}>x</details>",
    f"> [!NOTE]<img src=x onerror={RUNS}>\n> <script>{RUNS}</script>",
]
DIAGRAM = "# Card\n\n```mermaid\nflowchart LR\n  A[数据] --> B\n```\n\n```mermaid\nno diagram\n```\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    [chromium] = need("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(live_portal: LivePortal) -> str:
    """A model with files of many kinds, some of them hostile."""
    text = "\n\n".join(HOSTILE)
    outputs = [{"output_type": "display_data", "data": {"text/html": one}} for one in HOSTILE]
    cells = [{"cell_type": "markdown", "source": text}, {"cell_type": "code", "source": text, "outputs": outputs}]
    files = {
        "README.md": DIAGRAM,
        "hostile.md": text,
        "hostile.ipynb": json.dumps({"cells": cells}),
        "hostile.json": json.dumps({one: [one, {one: 1}] for one in HOSTILE}),
        "hostile.svg": f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUNS}'><script>{RUNS}</script></svg>",
        "code.py": "".join(f"x = {number}\n" for number in range(60)),
        "tokenizer.json": json.dumps(TOKENIZER),
    }
    token = live_portal.user("vera")
    headers = {"Authorization": f"Bearer {token}"}
    made = requests.post(
        f"{live_portal.url}/api/repos/create", json={"name": "views", "type": "model"}, headers=headers, timeout=30
    )
    assert made.ok, made.text
    weights = safetensors({**layers(200), **{f"{one}.{n}": [1] for n, one in enumerate(HOSTILE) if "\n" not in one}})
    lines = [{"key": "header", "value": {"summary": "Add"}}]
    for name, content in {**{k: v.encode() for k, v in files.items()}, "m.safetensors": weights}.items():
        value = {"path": name, "content": base64.b64encode(content).decode(), "encoding": "base64"}
        lines.append({"key": "file", "value": value})
    answer = requests.post(
        f"{live_portal.url}/api/models/vera/views/commit/main",
        data="\n".join(json.dumps(line) for line in lines),
        headers={**headers, "Content-Type": "application/x-ndjson"},
        timeout=30,
    )
    assert answer.ok, answer.text
    return f"{live_portal.url}/vera/views"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900}).new_page()
    yield opened
    opened.context.close()


def test_a_diagram_is_drawn_in_a_frame_without_rights(page: Page, address: str):
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(address)
    expect(page.locator("pre.mermaid").first).to_be_hidden()
    expect(page.locator("pre.mermaid").nth(1)).to_be_visible()
    assert page.frame_locator("iframe.diagram").first.locator("svg").count() == 1
    frame = next(one for one in page.frames if one.url.endswith("/fragments/diagram"))
    assert frame.evaluate("self.origin") == "null"
    assert not problems


@pytest.mark.parametrize(
    "place", ["blob/main/hostile.md", "blob/main/hostile.ipynb", "blob/main/hostile.json?view=tree",
              "blob/main/hostile.svg", "blob/main/m.safetensors", "blob/main/m.safetensors?view=list",
              "resolve/main/hostile.svg"],
)  # fmt: skip
def test_nothing_runs(page: Page, address: str, place: str):
    if place.startswith("resolve"):
        page.goto(address)
        page.evaluate(f"document.body.append(Object.assign(new Image(), {{src: '{address}/{place}'}}))")
    else:
        page.goto(f"{address}/{place}")
    page.wait_for_load_state("networkidle")
    page.mouse.wheel(0, 4000)
    page.wait_for_timeout(500)
    assert page.evaluate("window.ran") is None


def test_lines_are_marked_by_their_address(page: Page, address: str):
    page.goto(f"{address}/blob/main/code.py#L10-L12")
    expect(page.locator(".line-marked")).to_have_count(3)
    page.locator("#L20").click(position={"x": 20, "y": 8})
    page.locator("#L22").click(position={"x": 20, "y": 8}, modifiers=["Shift"])
    assert page.url.endswith("#L20-L22")
    expect(page.locator(".line-marked")).to_have_count(3)


def test_a_part_of_a_large_tree_comes_when_it_is_opened(page: Page, address: str):
    page.goto(f"{address}/blob/main/m.safetensors")
    page.locator("summary", has_text="model.layers").first.click()
    page.locator("summary.tensor-row").filter(has=page.get_by_text("199", exact=True)).click()
    expect(page.get_by_text("q.weight").last).to_be_visible()


def test_tokens_follow_what_is_typed(page: Page, address: str):
    page.goto(f"{address}/tokenizer")
    page.get_by_label("Text").fill("小语 small")
    expect(page.locator(".token")).to_have_text(["[CLS]", "小", "语", "small", "[SEP]"])


def test_files_read_without_scripts(browser: Browser, address: str):
    page = browser.new_context(locale="en-US", java_script_enabled=False).new_page()
    page.goto(f"{address}/blob/main/README.md")
    expect(page.locator("pre.mermaid").first).to_be_visible()
    page.goto(f"{address}/tokenizer")
    page.get_by_label("Text").fill("小语")
    page.get_by_role("button", name="Split").click()
    expect(page.locator(".token")).to_have_text(["[CLS]", "小", "语", "[SEP]"])
    page.context.close()
