"""Days of a community in browsers: a question until its answer earns a badge, a report until its appeal is heard."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.forum.daily_life import AUDIT, DAYS, PEOPLE
from tests.live import LivePortal
from tests.pages.looking import opened
from tests.servers import need

pytestmark = [pytest.mark.live, pytest.mark.browser]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
QUESTION, ANSWER = "Which vocabulary for dialects?", "Take one that was made from dialects, and look at its rare words."


@pytest.fixture(scope="module")
def here(live_portal: LivePortal) -> Callable[[str], list]:
    """Let something happen in the portal; what it says of it comes back."""
    return lambda script: json.loads(live_portal.script(script).splitlines()[-1])


@pytest.fixture(scope="module")
def person(live_portal: LivePortal, here) -> Iterator[Callable[[str], Page]]:
    """The browser of each person, who is signed in; the tests fail when a page of them logs an error."""
    [chromium] = need("chromium")
    sessions, pages, problems = here(PEOPLE), dict[str, Page](), list[str]()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)

        def page_of(name: str) -> Page:
            if name not in pages:
                pages[name] = opened(browser, sessions[name], base_url=live_portal.url, locale="en-US")
                pages[name].on("pageerror", lambda error: problems.append(str(error)))
                pages[name].on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
            return pages[name]

        yield page_of
        browser.close()
    assert not problems


@pytest.fixture(scope="module")
def topic(person) -> str:
    """The address of what ines asks."""
    ines = person("ines")
    ines.goto("/forum/new?category=questions")
    ines.get_by_label("Title").fill(QUESTION)
    ines.locator("textarea[name=text]").fill("Most of my words fall apart.")
    ines.get_by_role("button", name="Publish").click()
    ines.wait_for_url("**/forum/t/**")
    return ines.url


def reply(page: Page, topic: str, text: str) -> None:
    page.goto(topic)
    page.locator("#reply textarea").fill(text)
    page.locator("#reply").get_by_role("button", name="Reply", exact=True).click()
    expect(page.locator("article", has_text=text)).to_be_visible()


def test_a_question_is_answered_and_the_answer_earns_a_badge_and_a_letter(person, topic, here):
    ines, emil = person("ines"), person("emil")
    reply(emil, topic, ANSWER)
    ines.goto(topic)
    ines.locator("article", has_text=ANSWER).get_by_role("button", name="Accept").click()
    expect(ines.locator("article.is-accepted")).to_contain_text(ANSWER)

    letters = {subject: (to, body, headers) for to, subject, body, headers in here(DAYS) if to == ["emil@example.org"]}
    assert letters, "nobody wrote to emil"
    told = "\n".join(body for _to, body, _headers in letters.values())
    assert "ines accepted your answer" in told
    assert all(headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" for *_x, headers in letters.values())

    emil.goto("/notifications")
    expect(emil.locator("main")).to_contain_text("You earned a badge")
    expect(emil.locator("main")).to_contain_text("First Answer")
    emil.get_by_role("link", name="accepted your answer").click()
    expect(emil.locator("article.is-accepted")).to_be_visible()
    emil.goto("/emil?tab=badges")
    expect(emil.get_by_role("link", name="First Answer")).to_be_visible()
    ines.goto("/forum/c/questions")
    expect(ines.locator("main")).to_contain_text(QUESTION)


SPAM = "My shop sells the best vocabularies, come and see."


def test_a_report_is_decided_and_its_appeal_is_heard_by_somebody_else(person, topic, here):
    dora, emil, mona, nils = (person(name) for name in ("dora", "emil", "mona", "nils"))
    reply(dora, topic, SPAM)
    emil.goto(topic)
    emil.locator("article", has_text=SPAM).get_by_role("link", name="More").click()
    emil.locator("dialog").get_by_role("link", name="Report").click()
    emil.get_by_label("spam or advertising").check()
    emil.get_by_role("button", name="Send").click()

    mona.goto("/moderation")
    mona.get_by_role("link", name=QUESTION).click()
    expect(mona.locator("main")).to_contain_text(SPAM)
    mona.locator("#decide input[value=hide]").check()
    mona.locator("#decide textarea[name=text]").fill("No advertising in answers.")
    mona.locator("#decide").get_by_role("button", name="Decide").click()
    emil.goto(topic)
    expect(emil.locator("main")).not_to_contain_text(SPAM)

    dora.goto("/appeals")
    dora.locator("main").get_by_role("link", name=QUESTION).first.click()
    expect(dora.locator("main")).to_contain_text("No advertising in answers.")
    dora.locator("#appeal textarea").fill("I give them away, there is nothing to buy.")
    dora.get_by_role("button", name="Send the appeal").click()
    expect(dora.locator("#appeal")).to_contain_text("I give them away")

    mona.goto("/moderation/appeals")
    mona.locator("main").get_by_role("link", name="dora").first.click()
    expect(mona.locator("#answer")).to_have_count(0)  # it was her decision
    nils.goto(mona.url)
    nils.locator("#answer").get_by_label("overturned").check()
    nils.locator("#answer textarea").fill("True, it is no advertising.")
    nils.locator("#answer").get_by_role("button", name="Answer").click()
    emil.goto(topic)
    expect(emil.locator("main")).to_contain_text(SPAM)
    assert {("hide", "mona"), ("appeal.opened", "dora"), ("appeal.overturned", "nils")} <= {
        tuple(line) for line in here(AUDIT)
    }
