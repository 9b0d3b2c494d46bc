"""git-lfs with an agent that does what git-xet does: large files are pushed through Xet and fetched by LFS."""

import random
import re
from pathlib import Path

import pytest
import requests

from tests.live import ROOT, LivePortal
from tests.wire.desks import Api, Desk
from tests.wire.environments import environment

pytestmark = pytest.mark.live


@pytest.fixture
def api(live_portal: LivePortal, request: pytest.FixtureRequest) -> Api:
    return Api(live_portal, "git-xet" + re.sub(r"[^a-z0-9]+", "-", request.node.name[4:64].lower()).rstrip("-"))


@pytest.fixture
def desk(live_portal: LivePortal, tmp_path: Path) -> Desk:
    return with_agent(Desk(live_portal, tmp_path / "desk"))


def with_agent(desk: Desk, *options: str) -> Desk:
    """Configure what `git xet install` does."""
    values = {
        "path": environment("hub-2.4").program("python"),
        "args": " ".join([str(ROOT / "tests" / "wire" / "git_xet.py"), *options]),
        "concurrent": "true",
    }
    for name, value in values.items():
        desk.git(desk.home, "config", "--global", f"lfs.customtransfer.xet.{name}", value)
    return desk


def by_xet(desk: Desk, folder: Path, *arguments: str) -> bool:
    """Push, and say whether git-lfs gave the files to the agent."""
    desk.env["GIT_TRACE"] = "1"
    done = desk.attempt(folder, "push", *arguments)
    desk.env["GIT_TRACE"] = "0"
    assert done.returncode == 0, done.stderr
    return 'adapter "xet"' in done.stderr


def test_large_files_are_pushed_through_xet_and_fetched_by_lfs(api: Api, desk: Desk, tmp_path: Path) -> None:
    clone, content = desk.clone(api.path), random.Random(3).randbytes(2_000_000)
    desk.commit(clone, {"a.bin": content, "b.bin": content[:1_000_000] + b"changed" + content[1_000_000:]})
    assert by_xet(desk, clone)
    with_agent(desk, "--refresh")
    desk.commit(clone, {"c.bin": content + b"more"})
    assert by_xet(desk, clone)
    reader = with_agent(Desk(api.portal, tmp_path / "reader", None))
    fetched = reader.clone(api.path)
    assert (fetched / "a.bin").read_bytes() == content
    assert (fetched / "c.bin").read_bytes() == content + b"more"
    assert reader.git(fetched, "lfs", "fsck") == "Git LFS fsck OK"
    assert reader.git(fetched, "rev-parse", "HEAD") == api.head()
    reader.env["GIT_LFS_SKIP_SMUDGE"] = "1"
    desk.commit(clone, {"a.bin": content[::-1]})
    assert by_xet(desk, clone)
    reader.git(fetched, "pull", "-q")
    assert (fetched / "a.bin").read_bytes().startswith(b"version https://git-lfs")
    reader.git(fetched, "lfs", "pull")
    assert (fetched / "a.bin").read_bytes() == content[::-1]


def test_who_may_not_write_proposes_large_files_through_xet(api: Api, live_portal: LivePortal, tmp_path: Path) -> None:
    api.commit(**{"a.txt": b"1"})
    charlie = with_agent(Desk(live_portal, tmp_path / "charlie", "charlie"), "--refresh")
    clone, content = charlie.clone(api.path), random.Random(4).randbytes(200_000)
    charlie.commit(clone, {"w.bin": content})
    refused = charlie.refused(clone, "push", "origin", "main")
    assert "403" in refused or "not" in refused
    answer = requests.post(
        f"{live_portal.url}/api/models/{api.path}/discussions",
        json={"title": "Better", "description": "", "pullRequest": True},
        headers={"Authorization": f"Bearer {live_portal.user('charlie')}"},
    )
    reference = f"refs/pr/{answer.json()['num']}"
    charlie.git(clone, "fetch", "-q", "origin", f"{reference}:proposal")
    charlie.git(clone, "checkout", "-q", "proposal")
    charlie.commit(clone, {"v.bin": content[::-1]})
    assert by_xet(charlie, clone, "origin", f"proposal:{reference}")
    found = requests.get(f"{live_portal.url}/{api.path}/resolve/{reference.replace('/', '%2F')}/v.bin")
    assert found.content == content[::-1]
