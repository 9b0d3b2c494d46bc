"""The real `hf` and `git lfs` commands against a live portal."""

import hashlib
import json

import pytest

from tests.live import LivePortal
from tests.wire.clients import HF, Machine

pytestmark = pytest.mark.live


@pytest.fixture
def machine(live_portal: LivePortal, tmp_path):
    return Machine(live_portal, tmp_path, live_portal.user("alice"))


def test_hf_signs_in_and_says_who_it_is(live_portal, tmp_path):
    machine = Machine(live_portal, tmp_path)
    assert machine.attempt(HF, "auth", "whoami").returncode != 0
    machine.hf("auth", "login", "--token", live_portal.user("alice"))
    assert "alice" in machine.hf("auth", "whoami")


def test_hf_creates_uploads_downloads_and_deletes(machine):
    folder = machine.home / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("hello")
    (folder / "weights.bin").write_bytes(bytes(range(256)) * 4000)
    assert "alice/by-command" in machine.hf("repos", "create", "by-command", "--private")
    machine.hf("repos", "create", "by-command", "--exist-ok")
    machine.hf("upload", "by-command", str(folder), ".", "--commit-message", "From the shell")
    machine.hf("download", "alice/by-command", "--local-dir", str(machine.home / "back"))
    for path in folder.iterdir():
        assert (machine.home / "back" / path.name).read_bytes() == path.read_bytes()
    machine.hf("download", "alice/by-command", "notes.txt", "--local-dir", str(machine.home / "one"))
    assert [p.name for p in (machine.home / "one").iterdir() if p.is_file()] == ["notes.txt"]
    machine.hf("repos", "delete", "alice/by-command", "--yes")
    assert "not found" in machine.attempt(HF, "download", "alice/by-command").stderr.lower()


def test_hf_speaks_of_data_sets_and_revisions(machine):
    (machine.home / "rows.jsonl").write_text(json.dumps({"text": "x", "label": 1}) + "\n")
    machine.hf("repos", "create", "alice/rows-by-command", "--repo-type", "dataset")
    machine.hf("upload", "alice/rows-by-command", "rows.jsonl", "data/rows.jsonl", "--repo-type", "dataset")
    machine.hf("repos", "tag", "create", "alice/rows-by-command", "v1", "--repo-type", "dataset")
    machine.hf(
        "download", "alice/rows-by-command", "--repo-type", "dataset", "--revision", "v1", "--local-dir", "back"
    )  # fmt: skip
    assert (machine.home / "back" / "data" / "rows.jsonl").read_text() == (machine.home / "rows.jsonl").read_text()


def test_git_lfs_sends_and_fetches_content(machine, live_portal):
    machine.hf("repos", "create", "alice/by-git-lfs", "--private")
    content = bytes(range(256)) * 1000
    oid = hashlib.sha256(content).hexdigest()
    host = live_portal.url.removeprefix("http://")
    url = f"http://alice:{machine.token}@{host}/alice/by-git-lfs"
    (machine.home / "work").mkdir()
    (machine.home / "work" / "w.bin").write_bytes(content)
    machine.run(
        "bash",
        "-ec",
        f"""
        cd work; git init -q .; git lfs install --local; git lfs track '*.bin'
        git config user.email a@example.org; git config user.name alice
        git add .; git commit -qm one; git remote add origin {url}
        git lfs push --object-id origin {oid}
    """,
    )
    machine.python(
        """
        import sys
        from huggingface_hub import CommitOperationAdd, HfApi
        pointer = f"version https://git-lfs.github.com/spec/v1\\noid sha256:{sys.argv[1]}\\nsize 256000\\n"
        operation = CommitOperationAdd("w.txt", pointer.encode())
        HfApi().create_commit("alice/by-git-lfs", [operation], commit_message="point")
        assert HfApi().get_paths_info("alice/by-git-lfs", ["w.txt"])[0].lfs.sha256 == sys.argv[1]
        """,
        oid,
    )
    fetched = machine.run(
        "bash",
        "-ec",
        f"""
        mkdir other; cd other; git init -q .; git remote add origin {url}
        printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:{oid}\\nsize 256000\\n' | git lfs smudge > w.bin
        sha256sum w.bin
    """,
    )
    assert fetched.split()[-2] == oid
