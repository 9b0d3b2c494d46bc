"""Look at a page as browsers do: both languages, both colour schemes, a phone and a desk."""

from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page

from portal.config import env

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
AXE = (env.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RUN = """() => axe.run(document, {
  preload: false, resultTypes: ["violations"], elementRef: false, iframes: false,
}).then((found) => found.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .flatMap((one) => one.nodes.map((node) =>
    `${one.id}: ${node.html.slice(0, 160)} ${(node.any[0] || node.all[0] || node.none[0] || {}).message || ""}`)))"""
WIDER = """() => {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return [];
  const wide = [...document.querySelectorAll("main *, header *, footer *, nav *")]
    .filter((one) => one.getBoundingClientRect().right > width + 1).slice(0, 3);
  return [`${document.scrollingElement.scrollWidth} > ${width}: ${wide.map((one) => one.outerHTML.slice(0, 120))}`];
}"""


class Variant(NamedTuple):
    """How a page is looked at; between the two each language, scheme and width is seen, in each width each language."""

    language: str
    scheme: Any
    widths: tuple[Any, Any]


VARIANTS = (Variant("zh-CN", "light", (PHONE, DESK)), Variant("en", "dark", (DESK, PHONE)))


def opened(browser: Browser, session: str = "", **options: Any) -> Page:
    """A page in a context of its own, signed in by a session's cookie."""
    context = browser.new_context(**options)
    if session:
        context.add_cookies([{"name": "sessionid", "value": session, "domain": "127.0.0.1", "path": "/"}])
    return watched(context)


def watched(context: BrowserContext) -> Page:
    """A page whose console tells what the content security policy refused."""
    page = context.new_page()
    page.add_init_script(
        "if (window === top) document.addEventListener('securitypolicyviolation', (one) => "
        "console.error(`policy: ${one.violatedDirective} ${one.blockedURI} ${one.sample}`));"
    )
    return page


def problems(page: Page, address: str, *, pictures: Path | None = None, name: str = "", status: int = 200) -> list[str]:
    """Everything that is wrong with one page."""
    found: list[str] = []
    noted: list[str] = []

    def note(message: Any) -> None:
        # The browser tells of the status of a page that is meant to have it.
        if message.type == "error" and not (status >= 400 and "status of" in message.text):
            noted.append(message.text)

    def fail(error: Any) -> None:
        noted.append(str(error))

    page.on("console", note)
    page.on("pageerror", fail)
    for variant in VARIANTS:
        page.set_extra_http_headers({"Accept-Language": variant.language})
        page.emulate_media(color_scheme=variant.scheme)
        page.set_viewport_size(variant.widths[0])
        answer = page.goto(address, wait_until="load")
        told = f"{variant.language} {variant.scheme}"
        if answer is None or answer.status != status:
            found.append(f"{told}: status {answer and answer.status}")
            break
        page.evaluate(AXE)
        for width in variant.widths:
            page.set_viewport_size(width)
            found += [f"{told} {width['width']}: {one}" for one in page.evaluate(WIDER)]
        if pictures:
            page.set_viewport_size(DESK if variant.scheme == "light" else PHONE)
            page.wait_for_timeout(300)
            page.screenshot(path=pictures / f"{name}-{variant.scheme}.png", full_page=True)
        found += [f"{told}: {one}" for one in page.evaluate(RUN)]
        found += [f"{told}: console: {one}" for one in noted]
        noted.clear()
    page.remove_listener("console", note)
    page.remove_listener("pageerror", fail)
    return found
