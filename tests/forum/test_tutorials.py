"""What guides tell people to do works: all code of all guides is run, in order, against a portal with a worker."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from forum.learning import guides
from tests.forum.tutorials import Desk
from tests.live import PASSWORD, LivePortal

pytestmark = [pytest.mark.live, pytest.mark.engine]
READER = "tutorial-reader"
ENGLISH = guides.listed(guides.ENGLISH)
TOKENS = f"""
from portal.models import AccessToken, User
for name in ("{READER}", "administrator"):
    print(AccessToken.issue(user=User.objects.get(username=name), name="test", role="write")[1])
"""


class Course:
    """The guides as one reader follows them. One that needs others is followed after these, each of them once."""

    def __init__(self, portal: LivePortal, desk: Desk, staff: str) -> None:
        self.portal, self.desk, self.staff = portal, desk, staff
        self.outputs: dict[str, list[str]] = {}

    def follow(self, slug: str) -> list[str]:
        guide = guides.find(slug, guides.ENGLISH)
        assert guide is not None
        if slug == "choose-a-model":
            self.follow("write-a-benchmark")
        if slug not in self.outputs:
            for needed in guide.needs:
                self.follow(needed)
            self.outputs[slug] = self.desk.follow(guide)
            if slug == "write-a-benchmark":
                self.approve_boards()
        return self.outputs[slug]

    def approve_boards(self) -> None:
        """As moderators do with the board that a reader has proposed."""
        key, address = {"Authorization": f"Bearer {self.staff}"}, f"{self.portal.url}/api/v1/suites/proposals"
        for board in requests.get(address, headers=key, timeout=30).json()["results"]:
            answer = requests.post(f"{address}/{board['id']}/decision", json={"approve": True}, headers=key, timeout=30)
            assert answer.ok, answer.text
        for board in requests.get(f"{self.portal.url}/api/v1/suites", timeout=30).json()["results"]:
            self.await_ranks(board["slug"])

    def await_ranks(self, board: str) -> None:
        patience = time.monotonic() + 60
        while requests.get(f"{self.portal.url}/api/v1/leaderboard/{board}", timeout=30).json()["is_waiting"]:
            assert time.monotonic() < patience, f"{board} was not computed"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    folder: Path = tmp_path_factory.mktemp("course")
    with LivePortal(folder, with_worker=True) as portal:
        portal.sign_up(READER)
        token, staff = portal.script(TOKENS).split()
        desk = Desk(folder, address=portal.url, name=READER, token=token, here=portal.env)
        yield Course(portal, desk, staff)
        desk.close()


@pytest.mark.parametrize("slug", [guide.slug for guide in ENGLISH])
def test_the_code_of_a_guide_runs_and_prints_what_the_guide_says(course: Course, slug: str):
    assert course.follow(slug)


def test_the_score_of_the_tutorial_is_neither_perfect_nor_a_guess(course: Course):
    said = "".join(course.follow("write-a-benchmark"))
    score, low, high = map(float, re.findall(r"f1_macro ([\d.]+) \[([\d.]+), ([\d.]+)\]", said)[0])
    assert 0.5 < low < score < high < 1


def test_the_tuned_model_of_the_tutorial_is_better_beyond_chance_and_not_perfect(course: Course):
    said = "".join(course.follow("fine-tune-sentiment"))
    score, _low, high = map(float, re.findall(r"after  f1_macro ([\d.]+) \[([\d.]+), ([\d.]+)\]", said)[0])
    least = float(re.findall(r"difference \S+ \[\+([\d.]+),", said)[0])
    assert 0.7 < score < high < 1
    assert least > 0.1


def test_the_model_of_the_tutorial_stands_on_its_board(course: Course):
    course.follow("choose-a-model")
    page = requests.get(f"{course.portal.url}/leaderboard/{READER}-moods", timeout=30)
    assert f"{READER}/" in page.text


def test_moderators_see_what_the_guide_has_them_practise_on(course: Course):
    course.follow("moderate")
    session = requests.Session()
    login = f"{course.portal.url}/accounts/login/"
    token = session.get(login, timeout=30).cookies["csrftoken"]
    form = {"login": "administrator", "password": PASSWORD, "csrfmiddlewaretoken": token}
    session.post(login, data=form, timeout=30)
    assert session.get(f"{course.portal.url}/moderation", timeout=30).ok
    assert "Practice" in session.get(f"{course.portal.url}/forum/c/site", timeout=30).text
