"""The demo's commands: a killed load goes on where it was, and removing leaves nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from demo.models import RECIPES
from tests.live import ROOT, LivePortal

pytestmark = pytest.mark.live


@pytest.fixture
def portal(tmp_path: Path):
    with LivePortal(tmp_path, PORTAL_FAKE_ENGINE="1") as portal:
        portal.env |= {"PORTAL_FAKE_ENGINE": "1", "HF_HOME": str(tmp_path / "hf")}
        yield portal


def results(portal: LivePortal, path: str) -> list[dict]:
    return requests.get(f"{portal.url}/api/v1/{path}", timeout=30).json()["results"]


def kill_at_line(portal: LivePortal, number: int) -> None:
    """Start loading and kill -9 the command when it has printed so many lines."""
    command = [sys.executable, "-u", "manage.py", "load_demo", "--url", portal.url]
    with subprocess.Popen(
        command, cwd=ROOT, env=portal.env, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        for _ in range(number):
            assert process.stdout.readline()
        os.killpg(process.pid, signal.SIGKILL)


def test_a_load_that_is_killed_goes_on_and_doubles_nothing(portal: LivePortal):
    for line in (2, 5, 8):
        kill_at_line(portal, line)
    assert (portal.data / "demo" / "unfinished").exists()  # so that the next start goes on
    portal.manage("load_demo", "--url", portal.url)
    assert not (portal.data / "demo" / "unfinished").exists()
    assert len(results(portal, "benchmarks")) == 1
    assert len(results(portal, "evaluations")) == len(RECIPES)
    for recipe in RECIPES:
        url = f"{portal.url}/api/models/demo/{recipe.name}/commits/main"
        assert len(requests.get(url, timeout=30).json()) == 2  # the initial commit and the model


def test_removing_leaves_nothing_and_loses_nobody_elses_work(portal: LivePortal):
    portal.manage("load_demo", "--url", portal.url)
    headers = {"Authorization": f"Bearer {portal.user('kate')}"}
    assert requests.post(f"{portal.url}/api/repos/create", json={"name": "mine"}, headers=headers, timeout=30).ok
    portal.manage("remove_demo")
    models = requests.get(f"{portal.url}/api/models", timeout=30).json()
    assert [model["id"] for model in models] == ["kate/mine"]
    for path in ("benchmarks", "suites", "evaluations"):
        assert results(portal, path) == []
    for page in ("/", "/models", "/leaderboard", "/datasets"):
        assert "bilingual-sentiment" not in requests.get(portal.url + page, timeout=30).text
    assert requests.get(f"{portal.url}/demo", timeout=30).status_code == 404
    assert not (portal.data / "demo").exists()
    assert "no demo" in portal.manage("remove_demo")
