"""The real client against the real web process: whole uploads, two at once, and a portal that dies in between."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.live import ROOT, LivePortal
from tests.models_hub.xet_client import upload

pytestmark = pytest.mark.live
MB = 1024 * 1024

OPEN_REPO = """
from models_hub import publishing
from models_hub.xet import tokens
from portal.models import User
owner = User.objects.filter(username={owner!r}).first() or User.objects.create_user({owner!r})
repo = publishing.create_repo(by=owner, namespace={owner!r}, kind="model", name={name!r}, private=True)
print(tokens.issue(repo=repo, user=owner, ttl={ttl})[0])
"""
LOOK = """
import hashlib, json
from models_hub import contents
from models_hub.models import RepoBlob, Xorb
from models_hub.storage import blob_store
held = {{}}
for row in RepoBlob.objects.filter(repo__name={name!r}).select_related("blob"):
    hasher = hashlib.sha256()
    for block in contents.stream(row.blob):
        hasher.update(block)
    held[row.blob.sha256] = hasher.hexdigest()
print(json.dumps({{"held": held, "whole": all(blob_store().has(x.key) for x in Xorb.objects.all())}}))
"""
CLIENT = "import sys; from tests.models_hub.xet_client import main; main(*sys.argv[1:])"


def open_repo(portal: LivePortal, name: str, *, owner: str = "xena", ttl: int = 3600) -> str:
    """Create a private repository and return an upload token for it."""
    return portal.script(OPEN_REPO.format(owner=owner, name=name, ttl=ttl)).splitlines()[-1]


def look(portal: LivePortal, name: str) -> dict[str, Any]:
    """Read all that a repository holds; returns real digests by recorded ones."""
    found: dict[str, Any] = json.loads(portal.script(LOOK.format(name=name)).splitlines()[-1])
    return found


def start_client(portal: LivePortal, token: str, file: Path, cache: Path) -> "subprocess.Popen[str]":
    """Start an upload in a process of its own, with a cache of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, f"{portal.url}/cas", token, str(file)],
        cwd=ROOT, env={**os.environ, "HF_XET_CACHE": str(cache)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def noise(folder: Path, size: int) -> tuple[Path, str]:
    """Return a new file of random bytes and its sha256."""
    path, content = folder / "model.bin", os.urandom(size)
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def own_client_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_XET_CACHE", str(tmp_path / "xet"))


def test_files_small_and_large_arrive(live_portal: LivePortal) -> None:
    token = open_repo(live_portal, "arrive")
    files = [os.urandom(70 * MB), b"tiny", b"text " * 100_000]
    infos = upload(f"{live_portal.url}/cas", files, token)
    digests = {info.sha256 for info in infos}
    assert look(live_portal, "arrive")["held"] == {digest: digest for digest in digests}


def test_a_second_repository_gets_the_file_without_its_bytes_being_sent(live_portal: LivePortal) -> None:
    first, second = open_repo(live_portal, "before"), open_repo(live_portal, "after")
    content = os.urandom(3 * MB)
    for token in (first, second):
        (info,) = upload(f"{live_portal.url}/cas", [content], token)
    assert look(live_portal, "after")["held"] == {info.sha256: info.sha256}


def test_the_reason_of_a_refusal_reaches_the_person(live_portal: LivePortal) -> None:
    token = open_repo(live_portal, "refused")
    with pytest.raises(RuntimeError, match="does not have the sha256 0000"):
        upload(f"{live_portal.url}/cas", [os.urandom(MB)], token, sha256="0" * 64)
    assert look(live_portal, "refused")["held"] == {}


def test_a_refused_upload_is_answered_and_not_tried_again(live_portal: LivePortal) -> None:
    """Were the body left unread, the client would see a broken connection and send it five times more."""
    token = open_repo(live_portal, "expired", ttl=0)
    started = time.monotonic()
    with pytest.raises(ConnectionError, match="401"):
        upload(f"{live_portal.url}/cas", [os.urandom(30 * MB)], token)
    assert time.monotonic() - started < 14, "five more tries would wait 3 seconds each"


def test_two_clients_with_the_same_file_both_succeed_with_one_copy(live_portal: LivePortal, tmp_path: Path) -> None:
    file, digest = noise(tmp_path, 20 * MB)
    blobs = live_portal.data / "blobs"
    before = sum(path.stat().st_size for path in blobs.rglob("*") if path.is_file())
    clients = [
        start_client(live_portal, open_repo(live_portal, f"twin{number}"), file, tmp_path / str(number))
        for number in range(2)
    ]
    for client in clients:
        output, _none = client.communicate(timeout=120)
        assert client.returncode == 0, output
    for number in range(2):
        assert look(live_portal, f"twin{number}")["held"] == {digest: digest}
    after = sum(path.stat().st_size for path in blobs.rglob("*") if path.is_file())
    assert after - before == 20 * MB


def test_a_portal_that_dies_during_an_upload_shows_nothing_of_it_and_takes_it_later(tmp_path: Path) -> None:
    with LivePortal(tmp_path / "portal") as portal:
        token = open_repo(portal, "killed")
        file, digest = noise(tmp_path, 80 * MB)
        client = start_client(portal, token, file, tmp_path / "cache")
        wait_for_bytes(portal.data / "blobs")
        portal.kill()
        client.kill()
        client.communicate()

        assert look(portal, "killed") == {"held": {}, "whole": True}
        portal.start()
        again = start_client(portal, token, file, tmp_path / "cache")
        output, _none = again.communicate(timeout=120)
        assert again.returncode == 0, output
        assert look(portal, "killed") == {"held": {digest: digest}, "whole": True}


def wait_for_bytes(folder: Path, at_least: int = 4 * MB) -> None:
    """Wait until the portal is in the middle of storing."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if sum(path.stat().st_size for path in list(folder.rglob("*")) if path.is_file()) >= at_least:
            return
        time.sleep(0.02)
    raise AssertionError("nothing was stored")
