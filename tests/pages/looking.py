"""Look at a page as browsers do: in both languages, in both colour schemes, on a phone and on a desk.

Each page is looked at in four of the eight ways, in which every two of language, scheme and width meet. What costs is
loading it and letting axe-core read it, so it is loaded once in each language; scheme and width change in the page that
is there. All of axe reads it in one language and scheme, which differs from page to page.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

from portal.config import env

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
LANGUAGES = {"zh-CN": "zh-hans", "en": "en"}  # as a browser asks for them, and as a page names them
SCHEMES: tuple[Any, Any] = ("light", "dark")
PICTURES = os.environ.get("PAGES_PICTURES", "")
# All eight, and all of axe in each language and scheme, which takes thrice as long.
THOROUGH = bool(os.environ.get("PAGES_THOROUGH"))

AXE = (env.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
# Whatever a rule finds has the rule's own impact: those that weigh less than what fails a page need not look.
RUN = """([rules, left]) => axe.run({ include: [document], exclude: left }, {
  ...(rules ? { runOnly: rules } : { rules: Object.fromEntries(axe._audit.rules
    .filter((one) => ["minor", "moderate"].includes(one.impact)).map((one) => [one.id, { enabled: false }])) }),
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
# Parts of a page that come after it; what waits for the reader to scroll may wait.
SETTLED = """async () => {
  for (let tries = 0; tries < 40 && document.querySelector(".htmx-request"); tries++)
    await new Promise((done) => setTimeout(done, 50));
  return document.documentElement.lang;
}"""
# The bar on top and the foot are the same on every page: who looks at them once need not look again.
SHARED = ["#navigation", "#footer"]


class Reading(NamedTuple):
    """What axe reads of one page: all of it in one language and scheme, colours alone in the other scheme."""

    language: str
    scheme: str
    with_shared: bool
    is_light_on_phones: bool  # in this language; in the other one it is dark there

    @classmethod
    def turn(cls, number: int) -> "Reading":
        """Pages take turns, so that each language and scheme reads a quarter of them."""
        return cls(
            list(LANGUAGES)[number % 2], SCHEMES[number // 2 % 2],
            with_shared=number % 16 < 4, is_light_on_phones=number // 16 % 2 == 0,
        )  # fmt: skip

    def looks(self, language: str) -> list[tuple[Any, Any]]:
        """The schemes and sizes to be looked at in a language."""
        if THOROUGH:
            return [(scheme, size) for scheme in SCHEMES for size in (PHONE, DESK)]
        is_light_on_phones = self.is_light_on_phones == (language == self.language)
        return list(zip(SCHEMES, (PHONE, DESK) if is_light_on_phones else (DESK, PHONE), strict=True))

    def rules(self, language: str, scheme: str) -> list[str] | None:
        """The rules to be read by in a language and scheme, none for all of them."""
        if THOROUGH or (language, scheme) == (self.language, self.scheme):
            return None
        return ["color-contrast"] if language == self.language else []


def opened(browser: Browser, session: str = "", **options: Any) -> Page:
    """A page in a context of its own, signed in by a session's cookie."""
    context = browser.new_context(reduced_motion="reduce", **options)
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


class Looker:
    """One person’s browser in one language; it is kept, since a new one costs more than a new address."""

    def __init__(self, browser: Browser, language: str, session: str = "") -> None:
        self.language = language
        self.page = opened(browser, session, locale=language, viewport=PHONE, color_scheme="light")
        self.now: tuple[Any, Any] = ("light", PHONE)
        self.noted: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.noted.append(str(error)))

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.noted.append(message.text)

    def load(self, address: str, *, status: int = 200, lands: str = "") -> list[str]:
        """Go to a page; say what is wrong with where that leads."""
        self.noted.clear()
        answer = self.page.goto(address, wait_until="load")
        if status >= 400:  # the browser tells of the status of a page that is meant to have it
            self.noted = [one for one in self.noted if "status of" not in one]
        if answer is None or answer.status != status:
            return [f"status {answer and answer.status}"]
        landed = urlsplit(self.page.url).path
        return [f"leads to {landed}"] if landed != (lands or urlsplit(address).path) else []

    def look(self, reading: Reading, *, name: str = "") -> Iterator[str]:
        """Everything that is wrong with the page that is there, in both schemes and both widths."""
        if self.page.evaluate(SETTLED) != LANGUAGES[self.language]:
            yield "is not in this language"
        left = [] if reading.with_shared else [[one] for one in SHARED]
        unread = dict.fromkeys(SCHEMES, True)
        is_ready = False
        for scheme, size in sorted(reading.looks(self.language), key=self.now.__ne__):
            self._become(scheme, size)
            told = f"{scheme} {size['width']}"
            yield from (f"{told}: {one}" for one in self.page.evaluate(WIDER))
            if PICTURES and name:
                self._take(f"{name}-{self.language}-{scheme}-{size['width']}")
            rules = reading.rules(self.language, scheme)
            if rules != [] and unread[scheme]:
                if not is_ready:
                    self.page.evaluate(AXE)
                    is_ready = True
                unread[scheme] = False
                yield from (f"{told}: {one}" for one in self.page.evaluate(RUN, [rules, left]))
        yield from (f"console: {one}" for one in self.noted)

    def _become(self, scheme: Any, size: Any) -> None:
        """Change what differs: the page is laid out anew at each change."""
        if scheme != self.now[0]:
            self.page.emulate_media(color_scheme=scheme)
        if size != self.now[1]:
            self.page.set_viewport_size(size)
        self.now = scheme, size

    def _take(self, name: str) -> None:
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)

    def close(self) -> None:
        self.page.context.close()
