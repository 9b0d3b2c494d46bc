"""Sixty texts that would run something stand in every field, file and name; on no page does one of them run.

Nor does one get as far as the content security policy: what only the policy stops was not escaped.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.live import ROOT, LivePortal, csrf_of
from tests.pages import looking
from tests.pages.payloads import LINES

pytestmark = [pytest.mark.live, pytest.mark.browser]
PAGES = """
/eve/bad /eve/bad/tree/main /eve/bad/tree/main/names /eve/bad/commits/main /eve/bad/commit/{commit} /eve/bad/card
/eve/bad/blob/main/hostile.md /eve/bad/blob/main/hostile.ipynb /eve/bad/blob/main/hostile.json
/eve/bad/blob/main/hostile.json?view=tree /eve/bad/blob/main/hostile.svg /eve/bad/blob/main/hostile.html
/eve/bad/blob/main/hostile.py /eve/bad/blob/main/hostile.yaml?view=tree /eve/bad/blob/main/hostile.gguf
/eve/bad/blob/main/model.safetensors /eve/bad/blob/main/model.safetensors?view=list /eve/bad/blob/main/config.json
/eve/bad/blob/main/rows.jsonl /eve/bad/blob/main/table.csv /eve/bad/table/main/table.csv /eve/bad/blob/main/diagram.md
/eve/bad/tokenizer /eve/bad/tokenizer?text={payload} /eve/bad/branches /eve/bad/tags /eve/bad/releases
/eve/bad/releases/tag/v1.0.0 /eve/bad/compare/{commit}...main /eve/bad/compare/v1.0.0...main /eve/bad/family
/eve/bad/discussions /eve/bad/discussions/{topic} /eve/bad/discussions/{pull} /eve/bad/discussions/{pull}/files
/eve/bad/evaluations /eve/bad/settings /eve/bad/edit/main/hostile.md /eve/bad/edit/main/hostile.html
/eve/bad/downloads /eve/bad/storage /eve/bad/upload/main /eve/bad/collections /eve/bad/settings/branches
/datasets/eve/bad /datasets/eve/bad/data/main /datasets/eve/bad/data/main?config=c1 /datasets/eve/bad/card
/datasets/eve/bad/data/main?q={payload} /datasets/eve/bad/tree/main/names
/{collection} /collections /eve /eve?tab=models /eve?tab=activity /eve?tab=collections /gang /gang?tab=models
/eve/gated /eve/gated/settings/access /models /datasets /models?search={payload} /search?q={payload}
/models?search=script&sort={payloads} /datasets?search={payloads}&author={payloads} / /feed
/forum /forum/t/{thread} /forum/new?category=questions /forum/topics/{thread}/replies /forum/topics/{thread}/order
/forum/posts/{said} /forum/posts/{said}/edit /forum/posts/{said}/history /forum/drafts /forum/bookmarks
/settings/profile /settings/tokens /settings/apps /settings/audit /settings/organizations /settings/storage
/settings/webhooks /organizations/gang/profile /organizations/gang/members
/accounts/login/?next={payloads} /leaderboard /eve/bad/tree/{payloads} /eve/bad/blob/main/{payloads} /{payloads}
""".split()
# Of what moderators and standing know: by eve, whom it concerns, and by a moderator, who judges it.
OF_EVE = """
/appeals /appeals/{notice} /reports /reports/new?about=topic:{reported} /notifications /settings/notifications
/badges/claims /badges/{badge} /eve?tab=badges /seasons /seasons/{season} /awards /trust /feed
/challenges/bad /challenges/bad/rules /challenges/bad/data /challenges/bad/standings /challenges/bad/entries
/challenges/bad/objections
/forum/latest /forum/c/questions /forum/unread /forum/unread/new /forum/tags /forum/search?q={payload}
/forum/search?q=script&author={payloads}&tag={payloads} /reports/new?about={payloads} /transparency /rules
""".split()
OF_MODERATORS = """
/moderation /moderation?status=closed /moderation/cases/{case} /moderation/cases/{claim} /moderation/appeals
/moderation/appeals/{appeal} /moderation/words /moderation/settings /moderation/log /badges/claims /trust /awards
/seasons/{season} /forum/categories /forum/c/questions/settings /forum/t/{reported} /victor
/admin/ /admin/forum/topic/ /admin/forum/topic/{reported}/change/ /admin/portal/case/ /admin/portal/case/{case}/change/
/admin/portal/user/?q={payloads} /admin/portal/watchedword/ /admin/portal/logentry/
""".split()
BY_VISITORS = ["/eve/gated", "/eve/bad", "/eve/bad/discussions/{topic}", "/eve", "/eve/bad/blob/main/hostile.ipynb"]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    with LivePortal(tmp_path_factory.mktemp("hostile")) as started:
        yield started


@pytest.fixture(scope="module")
def session(portal: LivePortal) -> requests.Session:
    return portal.sign_up("eve")


@pytest.fixture(scope="module")
def facts(portal: LivePortal, session: requests.Session) -> dict[str, str]:
    made = subprocess.run(
        [sys.executable, "-m", "tests.pages.hostile"],
        cwd=ROOT, env=portal.env, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    found: dict[str, str] = json.loads(made.stdout.splitlines()[-1])
    return found


class Watch:
    """Notes whatever a page does that only a payload could make it do."""

    def __init__(self, page: Page, home: str) -> None:
        self.page, self.home, self.seen = page, home, list[str]()
        page.on("dialog", self._dialog)
        page.on("console", self._console)
        page.on("request", self._request)

    def _dialog(self, dialog: Any) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: Any) -> None:
        # A page tells its own breaches as “policy: …”. What the browser says besides is of the frame in which diagrams
        # are drawn, without an origin or rights: its policy is meant to stop what they hold.
        if "Content Security Policy" in message.text and not message.text.startswith("policy:"):
            return
        if message.type == "error" and "status of 40" not in message.text:
            self.seen.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.home, "data:image/", "blob:")):
            self.seen.append(f"request: {request.url}")

    def look(self, address: str) -> list[str]:
        """Everything that ran, or tried to, on a page."""
        self.seen.clear()
        self.page.goto(self.home + address, wait_until="load")
        self.page.evaluate(QUIET)
        if self.page.evaluate("window.__xss"):
            self.seen.append(f"ran {self.page.evaluate('window.__xss')} times")
        if not self.page.url.startswith(self.home):
            self.seen.append(f"left for {self.page.url}")
        hostile = self.page.evaluate(HANDLERS)
        return [*self.seen, *(f"in the page: {one}" for one in hostile)]


# Parts of a page come after it, and what they hold would run a moment later.
QUIET = f"""async () => {{
  await ({looking.SETTLED})();
  for (let frames = 0; frames < 2; frames++) await new Promise((done) => requestAnimationFrame(done));
  await new Promise((done) => setTimeout(done, 20));
}}"""
# What is in the document although nobody of ours wrote it: handlers, and addresses that run.
HANDLERS = r"""() => [...document.querySelectorAll("*")].flatMap((one) => [...one.attributes]
  .filter((it) => /^on/i.test(it.name) || /^hx-on/i.test(it.name)
    || (["href", "src", "action", "formaction", "data", "xlink:href"].includes(it.name)
        && /^[\s\u0000-\u001f]*(javascript|data:text|vbscript)/i.test(it.value)))
  .map((it) => `${one.tagName} ${it.name}=${it.value.slice(0, 80)}`))"""


@pytest.fixture(scope="module")
def watch(browser: Browser, portal: LivePortal, session: requests.Session) -> Iterator[Watch]:
    page = looking.opened(browser, session.cookies["sessionid"], locale="en-US")
    yield Watch(page, portal.url)
    page.context.close()


@pytest.fixture(scope="module")
def visitor(browser: Browser, portal: LivePortal) -> Iterator[Watch]:
    page = looking.opened(browser, locale="en-US")
    yield Watch(page, portal.url)
    page.context.close()


def addresses(template: str, facts: dict[str, str]) -> list[str]:
    """The address; where a payload is looked for, one for every fifth of them; others take these together."""
    asked = LINES[::5]
    texts = [quote(line, safe="") for line in asked] if "{payload}" in template else [""]
    together = quote(" ".join(asked), safe="")
    return [template.format(**facts, payload=text, payloads=together) for text in texts]


@pytest.mark.parametrize("line", ["<img src=x onerror=top.__xss=1>", "<a href='javascript:top.__xss=1'>x</a>"])
def test_the_watch_notices_what_was_not_escaped(watch: Watch, line: str):
    """Else the tests below would find nothing whatever there was."""
    watch.look("/accounts/login/")
    watch.page.evaluate("(line) => document.body.insertAdjacentHTML('beforeend', line)", line)
    watch.page.wait_for_timeout(200)
    assert [*watch.seen, *watch.page.evaluate(HANDLERS)]


def test_the_payloads_are_where_they_are_looked_for(
    portal: LivePortal, session: requests.Session, facts: dict[str, str]
):
    for place in ("bad", "bad/blob/main/hostile.ipynb", "bad/tree/main/names", "bad/blob/main/model.safetensors",
                  "bad/commits/main", "bad/discussions", "bad/blob/main/table.csv", "bad/tags"):  # fmt: skip
        shown = session.get(f"{portal.url}/eve/{place}", timeout=60).text
        assert shown.count("__xss") > 3, place


@pytest.mark.parametrize("template", PAGES)
def test_nothing_runs_on_a_page(watch: Watch, facts: dict[str, str], template: str):
    for address in addresses(template, facts):
        assert watch.look(address) == [], address


@pytest.fixture(scope="module")
def moderator(browser: Browser, portal: LivePortal, facts: dict[str, str]) -> Iterator[Watch]:
    page = looking.opened(browser, facts["moderator"], locale="en-US")
    yield Watch(page, portal.url)
    page.context.close()


@pytest.mark.parametrize("template", OF_EVE)
def test_nothing_runs_for_whom_it_concerns(watch: Watch, facts: dict[str, str], template: str):
    for address in addresses(template, facts):
        assert watch.look(address) == [], address


@pytest.mark.parametrize("template", OF_MODERATORS)
def test_nothing_runs_for_moderators(moderator: Watch, facts: dict[str, str], template: str):
    for address in addresses(template, facts):
        assert moderator.look(address) == [], address


def test_the_payloads_are_where_moderators_look(portal: LivePortal, facts: dict[str, str]):
    cookies = {"sessionid": facts["moderator"]}
    for place in (f"moderation/cases/{facts['claim']}", f"moderation/appeals/{facts['appeal']}", "moderation/words",
                  f"moderation/cases/{facts['case']}", "badges/claims", "awards", "admin/portal/case/"):  # fmt: skip
        shown = requests.get(f"{portal.url}/{place}", cookies=cookies, timeout=60).text
        assert "__xss" in shown, place


@pytest.mark.parametrize("template", BY_VISITORS)
def test_nothing_runs_for_visitors(visitor: Watch, facts: dict[str, str], template: str):
    assert visitor.look(template.format(**facts)) == []


@pytest.mark.parametrize("name", ["hostile.svg", "hostile.html", "hostile.md", "hostile.json"])
def test_a_file_opened_by_itself_runs_nothing(portal: LivePortal, facts: dict[str, str], name: str):
    """A direct visit is answered with a download or a policy that forbids everything."""
    answer = requests.get(f"{portal.url}/eve/bad/resolve/main/{name}", timeout=30)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    is_kept = answer.headers.get("Content-Disposition", "").startswith("attachment")
    assert is_kept or "default-src 'none'" in answer.headers["Content-Security-Policy"]


FORMS = {
    "/new/model": "name", "/organizations/new": "name", "/collections/new": "title", "/settings/apps": "redirect_uris",
    "/settings/webhooks": "url", "/oauth/device": "user_code", "/eve/bad/new/main": "path",
    "/eve/bad/discussions/new": "title", "/eve/bad/settings/deletion": "confirmation", "/eve/bad/releases/new": "tag",
    "/settings/profile": "name", "/settings/tokens": "name",
}  # fmt: skip


def test_a_form_that_is_refused_shows_what_was_typed_as_text(
    portal: LivePortal, session: requests.Session, facts: dict[str, str]
):
    csrf = csrf_of(session.get(f"{portal.url}/settings/profile", timeout=30).text)
    for place, field in FORMS.items():
        for line in LINES[::6]:
            sent = {"csrfmiddlewaretoken": csrf, field: line, "namespace": "eve", "title": line} | {field: line}
            answer = session.post(f"{portal.url}{place}", data=sent, timeout=30, allow_redirects=False)
            assert answer.status_code < 500, (place, line)
            assert f">{line}" not in answer.text, (place, line)
