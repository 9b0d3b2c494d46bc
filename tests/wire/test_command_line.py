"""The real `hf` and `git lfs` commands against a live portal."""

import filecmp
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.live import LivePortal
from tests.wire.clients import HF, Machine
from tests.wire.environments import environment

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


def test_hf_makes_and_takes_away_branches_and_tags(machine):
    machine.hf("repos", "create", "branched")
    (machine.home / "a.txt").write_text("on the branch")
    machine.hf("repos", "branch", "create", "alice/branched", "dev")
    machine.hf("upload", "alice/branched", "a.txt", "--revision", "dev")
    machine.hf("repos", "tag", "create", "alice/branched", "v1.0", "--revision", "dev", "--message", "First")
    assert "v1.0" in machine.hf("repos", "tag", "list", "alice/branched")
    machine.hf("download", "alice/branched", "a.txt", "--revision", "v1.0", "--local-dir", "back")
    assert (machine.home / "back" / "a.txt").read_text() == "on the branch"
    machine.hf("repos", "tag", "delete", "alice/branched", "v1.0", "--yes")
    machine.hf("repos", "branch", "delete", "alice/branched", "dev")
    assert "v1.0" not in machine.hf("repos", "tag", "list", "alice/branched")
    gone = machine.attempt(HF, "download", "alice/branched", "a.txt", "--revision", "dev")
    assert gone.returncode != 0
    assert "revision" in gone.stderr.lower()


def test_hf_lists_and_describes_repositories(machine):
    (machine.home / "README.md").write_text("---\nlicense: mit\ntags: [listed-by-hf]\n---\n# Listed\n")
    machine.hf("upload", "alice/listed-by-hf", "README.md")
    rows = json.loads(machine.hf("models", "ls", "--author", "alice", "--filter", "listed-by-hf", "--json"))
    assert [row["id"] for row in rows] == ["alice/listed-by-hf"]
    assert "listed-by-hf" in machine.hf(
        "models", "ls", "--search", "listed-by", "--sort", "created_at", "--no-truncate"
    )
    assert json.loads(machine.hf("models", "info", "alice/listed-by-hf", "--json"))["tags"][0] == "listed-by-hf"
    assert "README.md" in machine.hf("models", "ls", "alice/listed-by-hf", "--tree")
    assert "# Listed" in machine.hf("models", "card", "alice/listed-by-hf")
    machine.hf("repos", "create", "listed-rows", "--type", "dataset")
    found = json.loads(machine.hf("datasets", "ls", "--search", "listed-rows", "--json"))
    assert [row["id"] for row in found] == ["alice/listed-rows"]


def test_hf_verifies_what_it_cached(machine):
    (machine.home / "folder").mkdir()
    (machine.home / "folder" / "a.txt").write_text("text")
    (machine.home / "folder" / "w.bin").write_bytes(bytes(range(256)) * 2000)
    machine.hf("upload", "alice/verified", "folder", ".")
    folder = Path(machine.hf("download", "alice/verified", "--quiet").strip().splitlines()[-1])
    machine.hf("cache", "verify", "alice/verified", "--fail-on-missing-files")
    machine.hf("cache", "verify", "alice/verified", "--local-dir", "folder")
    for path in ("a.txt", "w.bin"):
        (folder / path).resolve().write_bytes(b"tampered")
    told = machine.attempt(HF, "cache", "verify", "alice/verified")
    assert told.returncode != 0
    assert all(path in told.stdout + told.stderr for path in ("a.txt", "w.bin"))
    assert "alice/verified" in machine.hf("cache", "ls")


def test_hf_sends_a_large_folder_in_several_commits(machine):
    """The newest form of a large upload is `hf upload` itself: it splits, and goes on where it was."""
    folder = machine.home / "large"
    for n in range(150):
        path = folder / f"part-{n % 5}" / f"{n}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"large by command %d" % n * 200)
    machine.hf("upload", "alice/large-by-command", "large", "--repo-type", "dataset")
    machine.hf("upload", "alice/large-by-command", "large", "--repo-type", "dataset")
    machine.hf("download", "alice/large-by-command", "--repo-type", "dataset", "--local-dir", "back")
    assert filecmp.dircmp(folder / "part-0", machine.home / "back" / "part-0").diff_files == []
    assert len(list((machine.home / "back").glob("part-*/*.bin"))) == 150


def test_hf_copies_and_deletes_files_and_changes_settings(machine):
    (machine.home / "a.txt").write_text("a")
    machine.hf("repos", "create", "changed-by-hf")
    machine.hf("cp", "a.txt", "hf://alice/changed-by-hf/b/c.txt")
    assert machine.hf("cp", "hf://alice/changed-by-hf/b/c.txt", "-").strip() == "a"
    machine.hf("upload", "alice/changed-by-hf", "a.txt", "d.txt", "--commit-message", "One", "--quiet")
    machine.hf("repos", "delete-files", "alice/changed-by-hf", "b/*")
    assert "c.txt" not in machine.hf("models", "ls", "alice/changed-by-hf")
    machine.hf("repos", "settings", "alice/changed-by-hf", "--private")
    assert json.loads(machine.hf("models", "info", "alice/changed-by-hf", "--json"))["private"] is True


@pytest.mark.parametrize("version", ["hub-1.29", "hub-0.36"])
def test_an_older_hf_uploads_and_downloads(machine, version):
    machine = replace(machine, environment=environment(version))
    name = f"by-{version}"
    (machine.home / "folder").mkdir()
    (machine.home / "folder" / "a.txt").write_text("text")
    (machine.home / "folder" / "w.bin").write_bytes(bytes(range(256)) * 2000)
    assert "alice" in machine.hf("auth", "whoami")
    machine.hf("repo", "create", name)
    machine.hf("upload", f"alice/{name}", "folder", ".")
    machine.hf("repo", "tag", "create", f"alice/{name}", "v1")
    machine.hf("download", f"alice/{name}", "--revision", "v1", "--local-dir", "back")
    assert filecmp.dircmp(machine.home / "folder", machine.home / "back").diff_files == []


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
