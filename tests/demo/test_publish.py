"""Publishing the demo: over HTTP, as its own user, and as often as one likes."""

import os
from pathlib import Path

import pytest
import requests

import demo
from demo.errors import DemoFailed
from demo.models import RECIPES
from tests.live import LivePortal, free_port

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("portal")
    with LivePortal(folder, PORTAL_FAKE_ENGINE="1") as portal:
        portal.env |= {"PORTAL_FAKE_ENGINE": "1", "HF_HOME": str(folder / "hf")}
        yield portal


@pytest.fixture(scope="module")
def loaded(portal: LivePortal) -> LivePortal:
    portal.manage("load_demo", "--url", portal.url)
    return portal


def listed(portal: LivePortal, path: str) -> list[dict]:
    answer = requests.get(f"{portal.url}/api/v1/{path}", timeout=30).json()
    return answer["results"]


def history(portal: LivePortal) -> dict[str, int]:
    """How many commits each repository of the demo has."""
    names = ["datasets/demo/bilingual-sentiment", *(f"models/demo/{recipe.name}" for recipe in RECIPES)]
    urls = {name: f"{portal.url}/api/{name}/commits/main" for name in names}
    return {name: len(requests.get(url, timeout=30).json()) for name, url in urls.items()}


def test_everything_is_published_and_waits_for_its_score(loaded):
    (benchmark,) = listed(loaded, "benchmarks")
    assert benchmark["dataset"] == "demo/bilingual-sentiment"
    (suite,) = listed(loaded, "suites")
    assert [entry["id"] for entry in suite["benchmarks"]] == [benchmark["id"]]
    models = {row["model"]["repo"] for row in listed(loaded, "evaluations")}
    assert models == {f"demo/{recipe.name}" for recipe in RECIPES}


def test_publishing_again_doubles_nothing(loaded):
    def state() -> tuple[dict[str, int], list[int]]:
        return history(loaded), [len(listed(loaded, path)) for path in ("benchmarks", "suites", "evaluations")]

    before = state()
    printed = loaded.manage("load_demo", "--url", loaded.url)
    assert "is there already" in printed
    assert state() == before


def test_a_token_of_somebody_else_is_refused_with_a_reason(loaded, monkeypatch):
    monkeypatch.setenv("PORTAL_FAKE_ENGINE", "1")
    content = demo.build(Path(loaded.env["DATA_DIR"]) / "demo", print)
    with pytest.raises(DemoFailed, match="belongs to “mallory”"):
        demo.publish(content, loaded.url, loaded.user("mallory"), print)


def test_the_command_line_asks_for_a_token(monkeypatch, capsys):
    from demo.__main__ import main

    monkeypatch.delenv("PORTAL_TOKEN", raising=False)
    monkeypatch.setattr("sys.argv", ["demo", "--url", "http://127.0.0.1:1"])
    assert main() == 2
    assert "PORTAL_TOKEN" in capsys.readouterr().err
    assert "PORTAL_TOKEN" not in os.environ


def test_no_portal_at_the_address_is_said_plainly(tmp_path):
    content = demo.DemoContent(tmp_path, ())
    with pytest.raises(DemoFailed, match="No portal answers"):
        demo.publish(content, f"http://127.0.0.1:{free_port()}", "hf_x", print)
