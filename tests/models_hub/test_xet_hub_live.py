"""The real huggingface_hub with its Xet half against a live portal: what it sends, what it fetches, from where."""

import hashlib
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live import LivePortal

pytestmark = pytest.mark.live
MB = 1024 * 1024
SIZE = 20 * MB
# The portal's own log does not name the length of what was sent.
LOG = """--access-logfile - --access-logformat '"%(m)s %(U)s" %(s)s %(B)s %({content-length}i)s'"""

UPLOAD = """
import sys
from huggingface_hub import HfApi
api, (path, repo) = HfApi(), sys.argv[1:]
api.create_repo(repo, private=True, exist_ok=True)
api.upload_file(path_or_fileobj=path, path_in_repo="model.bin", repo_id=repo)
"""
DOWNLOAD = """
import hashlib, sys
from pathlib import Path
from huggingface_hub import hf_hub_download, snapshot_download
repo, how = sys.argv[1:]
path = hf_hub_download(repo, "model.bin") if how == "file" else Path(snapshot_download(repo)) / "model.bin"
print(hashlib.sha256(Path(path).read_bytes()).hexdigest())
"""
STREAM = """
import json, os, sys
import requests
from hf_xet import XetFileInfo, XetSession
repo, start, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
bearer = {"Authorization": f"Bearer {os.environ['HF_TOKEN']}"}
head = requests.head(f"{os.environ['HF_ENDPOINT']}/{repo}/resolve/main/model.bin", headers=bearer)
group = XetSession().new_download_stream_group(
    token_refresh_url=head.links["xet-auth"]["url"], token_refresh_headers=bearer
)
info = XetFileInfo(head.headers["X-Xet-Hash"], int(head.headers["Content-Length"]))
sys.stdout.buffer.write(b"".join(group.download_stream(info, start=start, end=end)))
"""
FORGET = """
from models_hub.models import Blob, Piece, RepoBlob, Xorb
for model in (RepoBlob, Piece, Blob, Xorb):
    model.objects.all().delete()
"""


@dataclass(frozen=True)
class Calls:
    """What one run of a client asked of the portal: method and path, and bytes sent and told by it."""

    made: list[str]
    sent: int

    def have(self, start: str) -> bool:
        return any(call.startswith(start) for call in self.made)


class Machine:
    """Runs clients, each in a process; a home is what one machine remembers of earlier runs."""

    def __init__(self, portal: LivePortal, folder: Path) -> None:
        self.portal = portal
        self.folder = folder
        self.token = portal.user("xena")

    def run(self, script: str, *arguments: str, home: str, fails: bool = False, **env: str) -> tuple[bytes, Calls]:
        environ = {**os.environ, "HF_HOME": str(self.folder / home), "HF_ENDPOINT": self.portal.url, **env}
        environ |= {"HF_TOKEN": self.token, "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        before = len(self.portal.log())
        done = subprocess.run([sys.executable, "-c", script, *arguments], env=environ, capture_output=True)
        assert (done.returncode != 0) is fails, done.stderr.decode()[-3000:]
        log = self._settled_log()[before:]
        sent = re.findall(r'"POST /cas/v[12]/(?:xorbs/default/\w+|shards)" 200 \d+ (\d+)', log)
        return done.stderr if fails else done.stdout, Calls(re.findall(r'"(\w+ [^"]+)" \d', log), sum(map(int, sent)))

    def _settled_log(self) -> str:
        """The server notes a request once it has sent the answer, which the client has by then: wait for that."""
        log = ""
        while len(now := self.portal.log()) > len(log):
            log = now
            time.sleep(1)
        return log

    def upload(self, path: Path, repo: str, *, home: str) -> int:
        """Upload a file and return how many bytes were sent for it."""
        return self.run(UPLOAD, str(path), f"xena/{repo}", home=home)[1].sent

    def stored(self) -> int:
        return sum(path.stat().st_size for path in (self.portal.data / "blobs").rglob("*") if path.is_file())


@dataclass(frozen=True)
class Model:
    path: Path

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("xet")
    with LivePortal(folder, GUNICORN_CMD_ARGS=LOG) as portal:
        yield Machine(portal, folder)


@pytest.fixture(scope="module")
def model(machine: Machine) -> Model:
    """A model that another machine has published."""
    path = machine.folder / "model.bin"
    path.write_bytes(random.Random(11).randbytes(SIZE))
    assert machine.upload(path, "base", home="author") > 0.9 * SIZE
    return Model(path)


def variant(model: Model, seed: int, *, also_first: bool = False) -> Path:
    """Return a fine-tuned variant: 5 % of the bytes changed, in five places."""
    content, noise = bytearray(model.path.read_bytes()), random.Random(seed)
    for place in range(5):
        start = SIZE // 10 + place * SIZE // 5
        content[start : start + SIZE // 100] = noise.randbytes(SIZE // 100)
    if also_first:
        content[100:200] = noise.randbytes(100)
    path = model.path.with_name(f"variant-{seed}.bin")
    path.write_bytes(content)
    return path


def test_a_variant_sends_and_adds_a_tenth_from_a_machine_that_knows_nothing(machine: Machine, model: Model) -> None:
    before = machine.stored()
    sent = machine.upload(variant(model, 21), "tuned", home="cold")
    assert 0.05 * SIZE <= sent <= 0.10 * SIZE
    assert machine.stored() - before <= 0.12 * SIZE


@pytest.mark.parametrize("home", ["author", "another"], ids=["warm", "cold"])
def test_the_same_file_sends_next_to_nothing(machine: Machine, model: Model, home: str) -> None:
    before = machine.stored()
    assert machine.upload(model.path, f"again-{home}", home=home) < 0.01 * SIZE
    assert machine.stored() == before


def test_a_new_version_sends_a_tenth_even_where_its_beginning_changed(machine: Machine, model: Model) -> None:
    machine.upload(model.path, "versions", home="first")
    assert machine.upload(variant(model, 22, also_first=True), "versions", home="second") <= 0.10 * SIZE


@pytest.mark.parametrize("how", ["file", "snapshot"])
def test_a_download_goes_through_xet_and_gives_the_same_bytes(machine: Machine, model: Model, how: str) -> None:
    output, calls = machine.run(DOWNLOAD, "xena/base", how, home=f"reader-{how}")
    assert output.decode().split()[-1] == model.digest
    assert calls.have("GET /api/models/xena/base/xet-read-token/")
    assert calls.have("GET /cas/v2/reconstructions/")
    assert calls.have("GET /cas/v1/fetch/")
    assert not any(call.startswith("GET /xena/base/resolve/") and call.endswith("model.bin") for call in calls.made)


def test_a_variant_in_many_pieces_comes_back_whole(machine: Machine, model: Model) -> None:
    path = variant(model, 23)
    machine.upload(path, "pieces", home="cold")
    for options in ({}, {"HF_XET_CLIENT_RECONSTRUCTION_API_VERSION": "1"}):
        output, calls = machine.run(DOWNLOAD, "xena/pieces", "file", home=f"reader-{len(options)}", **options)
        assert output.decode().split()[-1] == Model(path).digest
        assert calls.have(f"GET /cas/v{2 - len(options)}/reconstructions/")


def test_without_xet_the_same_file_comes_by_http(machine: Machine, model: Model) -> None:
    output, calls = machine.run(DOWNLOAD, "xena/base", "file", home="plain", HF_HUB_DISABLE_XET="1")
    assert output.decode().split()[-1] == model.digest
    assert calls.have("GET /xena/base/resolve/")
    assert not calls.have("GET /cas/")


@pytest.mark.parametrize(("start", "end"), [(0, 1), (1_234_567, 9_876_543), (SIZE - 5, SIZE)])
def test_a_range_is_fetched_alone(machine: Machine, model: Model, start: int, end: int) -> None:
    output, calls = machine.run(STREAM, "xena/base", str(start), str(end), home=f"range-{start}")
    assert output == model.path.read_bytes()[start:end]
    assert calls.have("GET /cas/v1/fetch/")


def test_a_client_that_refers_to_what_was_collected_says_what_to_do(tmp_path: Path) -> None:
    with LivePortal(tmp_path, GUNICORN_CMD_ARGS=LOG) as portal:
        machine = Machine(portal, tmp_path)
        path = tmp_path / "model.bin"
        path.write_bytes(random.Random(13).randbytes(11 * MB))
        machine.upload(path, "before", home="home")
        portal.script(FORGET)
        error, _calls = machine.run(UPLOAD, str(path), "xena/after", home="home", fails=True)
        assert b"delete its folder of remembered uploads" in error
        assert machine.upload(path, "after", home="emptied") > 10 * MB
