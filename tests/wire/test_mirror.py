"""Two portals: one follows the other, imports from it, and takes its bundles."""

import hashlib
import json
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live import LivePortal
from tests.servers import need
from tests.wire.clients import Machine

pytestmark = pytest.mark.live

PATIENCE = 90
MB = 1024 * 1024
PUBLISH = """
    import sys
    from huggingface_hub import HfApi
    api, repo = HfApi(), sys.argv[1]
    api.create_repo(repo, exist_ok=True)
    print(api.upload_folder(repo_id=repo, folder_path=sys.argv[2], commit_message=sys.argv[3]).oid)
    if not api.list_repo_refs(repo).tags:
        api.create_tag(repo, tag="v1", tag_message="First")
"""
DOWNLOAD = """
    import json, sys
    from huggingface_hub import HfApi, snapshot_download
    folder = snapshot_download(sys.argv[1], revision=sys.argv[2], local_dir=sys.argv[3])
    api = HfApi()
    refs = api.list_repo_refs(sys.argv[1])
    print(json.dumps({
        "commits": [commit.commit_id for commit in api.list_repo_commits(sys.argv[1])],
        "tags": {tag.name: tag.target_commit for tag in refs.tags},
    }))
"""


@dataclass
class Hubs:
    """The upstream hub and the portal that follows it."""

    upstream: LivePortal
    here: LivePortal
    folder: Path

    def author(self) -> Machine:
        return Machine(self.upstream, self.folder / "alice", self.upstream.user("alice"))

    def reader(self, name: str) -> Machine:
        return Machine(self.here, self.folder / name, None)

    def publish(self, repo: str, message: str = "Publish", **files: bytes) -> str:
        """Publish files with the real client; returns the id of the commit."""
        folder = self.folder / f"files-{random.random()}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name.replace("_", ".")).write_bytes(content)
        return self.author().python(PUBLISH, repo, str(folder), message).strip().splitlines()[-1]

    def api(self, method: str, path: str, body: Any = None, user: str = "bob") -> Any:
        answer = requests.request(
            method,
            f"{self.here.url}/api/v1/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.here.user(user)}"},
            timeout=60,
        )
        assert answer.ok, answer.text
        return answer.json()

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.here.data / "portal.sqlite3", timeout=20)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hubs]:
    folder = tmp_path_factory.mktemp("hubs")
    for name in ("upstream", "here"):
        (folder / name).mkdir()
    with LivePortal(folder / "upstream", ACCESS_LOG="1") as upstream:
        settings = {"UPSTREAM_HUB": upstream.url, "UPSTREAM_REFRESH_SECONDS": "1", "JOB_LEASE_SECONDS": "3"}
        with LivePortal(folder / "here", with_worker=True, **settings) as here:
            yield Hubs(upstream, here, folder)


def until(holds: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)
    return found


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def commits_of(portal: LivePortal, repo: str) -> list[str]:
    return [row["id"] for row in requests.get(f"{portal.url}/api/models/{repo}/commits/main", timeout=30).json()]


def clone(portal: LivePortal, repo: str, folder: Path) -> Path:
    """Clone with git and git-lfs, check what came and return where it is."""
    git, _lfs = need("git", "git-lfs")
    env = {"HOME": str(folder.parent), "PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0"}
    subprocess.run([git, "lfs", "install"], env=env, check=True, capture_output=True, cwd=folder.parent)
    subprocess.run([git, "clone", f"{portal.url}/{repo}", str(folder)], env=env, check=True, capture_output=True)
    subprocess.run([git, "-C", str(folder), "fsck", "--strict"], env=env, check=True, capture_output=True)
    return folder


def test_what_only_the_upstream_hub_has_is_downloaded_from_here(hubs: Hubs, tmp_path):
    weights = noise(1, 3 * MB)
    oid = hubs.publish("alice/first", README_md=b"---\nlicense: mit\n---\n# First", model_bin=weights)
    got = json.loads(hubs.reader("reader").python(DOWNLOAD, "alice/first", "main", str(tmp_path / "got")))
    assert (tmp_path / "got" / "model.bin").read_bytes() == weights
    assert got["commits"][0] == oid
    assert got["commits"] == commits_of(hubs.upstream, "alice/first")
    assert got["tags"] == {"v1": oid}
    again = hubs.reader("another")
    again.hf("download", "alice/first", "model.bin", "--revision", oid, "--local-dir", str(tmp_path / "again"))
    assert (tmp_path / "again" / "model.bin").read_bytes() == weights
    object_path = f"/objects/{hashlib.sha256(weights).hexdigest()}"
    asked = until(lambda: hubs.upstream.log().count(object_path), "the upstream hub has noted the download")
    assert asked == 1
    page = requests.get(f"{hubs.here.url}/alice/first", timeout=30).text
    assert f"{hubs.upstream.url}/alice/first" in page


@pytest.mark.engine
def test_transformers_loads_a_model_through_the_mirror(hubs: Hubs):
    hubs.author().python(
        """
        import torch
        from transformers import BertConfig, BertModel
        torch.manual_seed(0)
        config = BertConfig(vocab_size=8, hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
        BertModel(config).push_to_hub("alice/tiny")
        """
    )
    printed = hubs.reader("loader").python(
        "from transformers import AutoModel\nprint(AutoModel.from_pretrained('alice/tiny').config.hidden_size)"
    )
    assert printed.splitlines()[-1] == "16"


def test_git_clones_a_mirror_with_the_same_ids(hubs: Hubs, tmp_path):
    oid = hubs.publish("alice/cloned", model_bin=noise(2, MB), config_json=b"{}")
    folder = clone(hubs.here, "alice/cloned", tmp_path / "clone")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout
    assert head.strip() == oid
    assert (folder / "model.bin").read_bytes() == noise(2, MB)


def test_a_new_commit_appears_here(hubs: Hubs):
    hubs.publish("alice/moving", a_txt=b"one")
    assert len(commits_of(hubs.here, "alice/moving")) == 2
    oid = hubs.publish("alice/moving", "News", a_txt=b"two")
    until(lambda: commits_of(hubs.here, "alice/moving")[0] == oid, "the copy follows")
    assert requests.get(f"{hubs.here.url}/alice/moving/resolve/main/a.txt", timeout=30).text == "two"


def test_private_repositories_upstream_are_missing_here(hubs: Hubs):
    hubs.author().python("from huggingface_hub import HfApi\nHfApi().create_repo('alice/hidden', private=True)")
    hidden, missing = (
        requests.get(f"{hubs.here.url}/api/models/alice/{name}", timeout=30) for name in ("hidden", "none")
    )
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    assert hidden.headers["X-Error-Code"] == "RepoNotFound"


def test_a_bundle_of_one_portal_becomes_a_repository_of_the_other(hubs: Hubs, tmp_path):
    oid = hubs.publish("alice/carried", model_bin=noise(3, 2 * MB), notes_txt=b"notes")
    with requests.get(f"{hubs.upstream.url}/api/v1/bundles/models/alice/carried", stream=True, timeout=60) as answer:
        assert answer.ok
        with (tmp_path / "carried.tar").open("wb") as file:
            shutil.copyfileobj(answer.raw, file)
    assert (tmp_path / "carried.tar").stat().st_size == int(answer.headers["Content-Length"])
    with (tmp_path / "carried.tar").open("rb") as file:
        made = requests.put(
            f"{hubs.here.url}/api/v1/bundles/models/bob/carried",
            data=file,
            headers={"Authorization": f"Bearer {hubs.here.user('bob')}"},
            timeout=60,
        )
    assert (made.status_code, made.json()["sha"]) == (201, oid)
    assert commits_of(hubs.here, "bob/carried") == commits_of(hubs.upstream, "alice/carried")
    folder = clone(hubs.here, "bob/carried", tmp_path / "clone")
    assert (folder / "model.bin").read_bytes() == noise(3, 2 * MB)


def test_an_import_that_is_killed_goes_on_without_fetching_anything_twice(hubs: Hubs, tmp_path):
    files = {f"part{number:02}_bin": noise(100 + number, 8 * MB) for number in range(10)}
    oid = hubs.publish("alice/large", **files)
    asked = {"hub": hubs.upstream.url, "repo": "alice/large", "namespace": "bob", "name": "mine"}
    job = hubs.api("POST", "imports", asked)["job"]["id"]

    def stored() -> list[str]:
        rows = hubs.query(
            "SELECT b.sha256 FROM models_hub_repoblob r JOIN models_hub_blob b ON b.id = r.blob_id"
            " JOIN models_hub_repo p ON p.id = r.repo_id WHERE p.lower = 'mine'"
        )
        return [row[0] for row in rows]

    until(stored, "the first file is here")
    hubs.here.kill()
    before = stored()
    assert 0 < len(before) < len(files)
    hubs.here.start()
    seen = requests.get(f"{hubs.here.url}/api/models/bob/mine", timeout=30).status_code
    assert seen == 401 or hubs.api("GET", f"jobs/{job}")["state"] == "succeeded", "nobody sees what is half imported"
    until(lambda: hubs.api("GET", f"jobs/{job}")["state"] == "succeeded", "the import is done")
    assert commits_of(hubs.here, "bob/mine") == commits_of(hubs.upstream, "alice/large")
    assert commits_of(hubs.here, "bob/mine")[0] == oid
    log = hubs.upstream.log()
    assert all(log.count(f"/objects/{sha256}") == 1 for sha256 in before)
    folder = clone(hubs.here, "bob/mine", tmp_path / "clone")
    assert (folder / "part07.bin").read_bytes() == files["part07_bin"]
    assert hubs.api("GET", f"jobs/{job}")["result"]["page"] == "/bob/mine"


def test_with_the_upstream_hub_gone_what_is_here_keeps_working(hubs: Hubs, tmp_path):
    weights = noise(4, MB)
    oid = hubs.publish("alice/kept", model_bin=weights)
    hubs.reader("before").hf("download", "alice/kept", "--local-dir", str(tmp_path / "before"))
    hubs.upstream.stop()
    try:
        hubs.reader("after").hf("download", "alice/kept", "--local-dir", str(tmp_path / "after"))
        assert (tmp_path / "after" / "model.bin").read_bytes() == weights
        assert commits_of(hubs.here, "alice/kept")[0] == oid
        missing = requests.get(f"{hubs.here.url}/api/models/alice/never-seen", timeout=30)
        assert (missing.status_code, missing.headers["X-Error-Code"]) == (401, "RepoNotFound")
        assert "cannot be reached" in missing.json()["error"]
        assert requests.get(f"{hubs.here.url}/alice/kept", timeout=30).ok
    finally:
        hubs.upstream.start()
