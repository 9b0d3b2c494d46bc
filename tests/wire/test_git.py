"""The real git and git-lfs against a live portal: clone, fetch, push, and what they print when they are refused."""

import io
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from dulwich import porcelain

from tests.live import LivePortal
from tests.wire.clients import Machine
from tests.wire.desks import Api, Desk

pytestmark = pytest.mark.live


@pytest.fixture
def name(request) -> str:
    return re.sub(r"[^a-z0-9]+", "-", "git" + request.node.name[-60:].lower()).strip("-")


@pytest.fixture
def api(live_portal, name) -> Api:
    return Api(live_portal, name)


@pytest.fixture
def desk(live_portal, tmp_path) -> Desk:
    return Desk(live_portal, tmp_path / "desk")


@pytest.mark.parametrize("version", ["2", "0"])
@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_clone_has_the_ids_of_the_portal(live_portal, name, tmp_path, kind, version):
    api = Api(live_portal, name, kind=kind)
    first = api.commit(**{"README.md": b"# Hi", "a/b/c.txt": b"deep", "w.bin": b"\0large" * 1000})
    second = api.commit(**{"a/d.txt": b"more"})
    reader = Desk(live_portal, tmp_path / "reader", None)
    reader.git(reader.home, "config", "--global", "protocol.version", version)
    clone = reader.clone(api.git_path)
    assert reader.git(clone, "rev-parse", "HEAD", "HEAD~1").split() == [second, first] == [api.head(), first]
    assert reader.git(clone, "fsck", "--strict", "--full") == ""
    assert reader.git(clone, "branch", "-a").split()[:2] == ["*", "main"]
    assert (clone / "w.bin").read_bytes() == b"\0large" * 1000
    third = api.commit(**{"e.txt": b"later"})
    reader.git(clone, "pull", "-q")
    assert reader.git(clone, "rev-parse", "HEAD") == third
    assert reader.git(clone, "ls-remote", f"{live_portal.url}/{api.git_path}.git", "HEAD").split()[0] == third


@pytest.mark.parametrize("version", ["2", "0"])
def test_a_clone_may_be_shallow_and_grow(api, desk, version):
    ids = [api.commit(**{f"f{n}.txt": b"%d" % n, "d/same.txt": b"same"}) for n in range(5)]
    desk.git(desk.home, "config", "--global", "protocol.version", version)
    clone = desk.clone(api.path, "--depth", "2")
    assert desk.git(clone, "log", "--format=%H").split() == ids[:2:-1]
    desk.git(clone, "fetch", "-q", "--deepen", "1")
    assert desk.git(clone, "log", "--format=%H").split() == ids[:1:-1]
    ids.append(api.commit(more=b"x"))
    desk.git(clone, "pull", "-q")
    assert desk.git(clone, "log", "--format=%H").split() == ids[:1:-1]
    mine = desk.commit(clone, {"mine.txt": b"pushed from a shallow clone"})
    desk.git(clone, "push", "-q")
    assert api.head() == mine
    desk.git(clone, "fetch", "-q", "--unshallow")
    assert len(desk.git(clone, "log", "--format=%H").split()) == 8  # with the commit that made the repository
    assert desk.git(clone, "fsck", "--strict", "--full") == ""
    since = desk.clone(api.path, "--shallow-since", "2001-01-01", name="since")
    assert len(desk.git(since, "log", "--format=%H").split()) == 8
    desk.git(clone, "push", "-q", "origin", f"{ids[1]}:refs/heads/old")
    without = desk.clone(api.path, "--shallow-exclude", "old", name="without")
    assert desk.git(without, "log", "--format=%H").split() == [mine, *ids[:1:-1]]


@pytest.mark.parametrize("filter", ["blob:none", "blob:limit=3", "tree:0"])
def test_a_clone_may_be_partial_and_fetch_the_rest_when_it_needs_it(api, desk, filter):
    api.commit(**{"a.txt": b"12345", "d/b.txt": b"1"})
    api.commit(**{"a.txt": b"67890"})
    clone = desk.clone(api.path, "--filter", filter, "--no-checkout")
    missing = [
        line for line in desk.git(clone, "rev-list", "--objects", "--all", "--missing=print").split() if line[0] == "?"
    ]
    assert missing
    desk.git(clone, "checkout", "-q", "main")
    assert (clone / "a.txt").read_bytes() == b"67890"
    assert desk.git(clone, "show", "HEAD~1:a.txt") == "12345"
    mine = desk.commit(clone, {"d/b.txt": b"2"})
    desk.git(clone, "push", "-q")
    assert api.head() == mine


def test_branches_and_tags_travel_both_ways(api, desk):
    clone = desk.clone(api.path)
    head = desk.commit(clone, {"a.txt": b"1"})
    desk.git(clone, "tag", "-a", "v1", "-m", "The first")
    desk.git(clone, "tag", "light")
    desk.git(clone, "push", "-q", "--atomic", "origin", "main", "main:dev", "v1", "light")
    assert {api.head(), api.head("dev"), api.head("v1"), api.head("light")} == {head}
    other = desk.clone(f"{api.path}.git", name="other")
    assert desk.git(other, "describe") == "v1"
    assert desk.git(other, "rev-parse", "v1", "v1^{}").split() == [desk.git(clone, "rev-parse", "v1"), head]
    assert desk.git(other, "fsck", "--strict", "--full") == ""
    desk.git(clone, "push", "-q", "origin", "--delete", "dev", "v1")
    assert "dev" not in desk.git(other, "ls-remote", "origin")
    assert desk.git(clone, "push", "origin", "main") == ""  # nothing to do


def test_a_push_of_megabytes_comes_in_chunks(api, desk):
    clone = desk.clone(api.path)
    noise = random.Random(1)
    head = desk.commit(clone, {f"part{n}.txt": noise.randbytes(1_000_000).hex().encode() for n in range(3)})
    desk.git(clone, "push", "-q")
    assert api.head() == head
    answer = requests.get(f"{api.portal.url}/{api.path}/resolve/main/part2.txt")
    assert answer.content == (clone / "part2.txt").read_bytes()


def test_lfs_files_are_pushed_and_pulled(api, desk, live_portal, tmp_path):
    clone = desk.clone(api.path)
    content = random.Random(2).randbytes(3_000_000)
    desk.commit(clone, {"big.bin": content, "notes.txt": b"small"})
    assert desk.git(clone, "show", "HEAD:big.bin").startswith("version https://git-lfs")
    desk.git(clone, "push")
    answer = requests.get(f"{live_portal.url}/{api.path}/resolve/main/big.bin")
    assert answer.content == content
    other = Desk(live_portal, tmp_path / "other", None).clone(api.path)
    assert (other / "big.bin").read_bytes() == content
    without = Desk(live_portal, tmp_path / "third")
    folder = without.clone(api.path)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'1' * 64}\nsize 5\n".encode()
    without.commit(folder, {"lie.txt": pointer})
    text = without.refused(folder, "push", "--no-verify", "origin", "main")
    assert "lie.txt" in text
    assert "was not sent to this repository" in text


def test_what_is_refused_says_what_to_mend(api, desk, live_portal, tmp_path):
    clone = desk.clone(api.path)
    desk.git(clone, "config", "core.protectNTFS", "false")
    (clone / "link").symlink_to("README.md")
    desk.commit(clone, {})
    text = desk.refused(clone, "push", "origin", "main")
    assert "remote: error: “link” is a symbolic link" in text
    assert "[remote rejected] main -> main" in text
    desk.git(clone, "reset", "-q", "--hard", "origin/main")
    desk.commit(clone, {"README.md": b"---\n[:\n---\n"})
    assert "remote: error:" in desk.refused(clone, "push", "origin", "main")
    desk.git(clone, "reset", "-q", "--hard", "origin/main")
    desk.commit(clone, {"big.txt": b"1234567890\n" * 1_000_000})
    assert "git lfs migrate import" in desk.refused(clone, "push", "origin", "main")
    desk.git(clone, "reset", "-q", "--hard", "origin/main")
    assert "cannot be pushed" in desk.refused(clone, "push", "origin", "main:refs/notes/x")
    assert "no pull request 7" in desk.refused(clone, "push", "origin", "main:refs/pr/7")
    assert "cannot be deleted" in desk.refused(clone, "push", "origin", "--delete", "main")
    desk.commit(clone, {"a.txt": b"1"})
    desk.git(clone, "push", "-q")
    desk.git(clone, "reset", "-q", "--hard", "HEAD~1")
    desk.commit(clone, {"b.txt": b"1"})
    assert "protected" in desk.refused(clone, "push", "--force", "origin", "main")
    desk.git(clone, "push", "-q", "origin", "main~1:refs/heads/dev")
    desk.git(clone, "push", "-q", "--force", "origin", "main:refs/heads/dev")


def test_private_is_like_missing_until_a_token_opens_it(live_portal, name, tmp_path):
    api = Api(live_portal, name, private=True)
    head = api.commit(**{"secret.txt": b"hidden"})
    nobody, charlie = Desk(live_portal, tmp_path / "a", None), Desk(live_portal, tmp_path / "c", "charlie")
    wrong = Desk(live_portal, tmp_path / "w", token="hf_" + "x" * 37)
    reading = Desk(live_portal, tmp_path / "r", token=live_portal.user("alice", "read"))
    texts = {}
    for desk in (nobody, charlie, wrong):
        for path in (api.path, "alice/no-such-repository"):
            text = desk.refused(desk.home, "clone", f"{desk.base}/{path}", "x")
            texts.setdefault(desk, set()).add(text.replace(path, "PATH"))
    assert all(len(said) == 1 for said in texts.values())
    assert "terminal prompts disabled" in next(iter(texts[nobody]))
    assert "not found" in next(iter(texts[charlie]))
    assert "Authentication failed" in next(iter(texts[wrong]))
    clone = reading.clone(api.path)
    assert reading.git(clone, "rev-parse", "HEAD") == head
    reading.commit(clone, {"x": b"1"})
    assert "403" in reading.refused(clone, "push", "origin", "main")
    for method, path in (("GET", "info/refs?service=git-upload-pack"), ("GET", "info/refs?service=git-receive-pack"),
                         ("POST", "git-upload-pack"), ("POST", "git-receive-pack"), ("GET", "info/refs")):  # fmt: skip
        answers = [requests.request(method, f"{live_portal.url}/{repo}/{path}") for repo in (api.path, "alice/no-such")]
        seen = [(one.status_code, one.content, {**one.headers, "X-Request-Id": "", "Date": ""}) for one in answers]
        assert seen[0] == seen[1]
        assert seen[0][0] == 401


def test_somebody_who_may_only_read_is_told_so(api, live_portal, tmp_path):
    charlie = Desk(live_portal, tmp_path / "c", "charlie")
    clone = charlie.clone(api.path)
    charlie.commit(clone, {"a": b"1"})
    text = charlie.refused(clone, "push", "origin", "main")
    assert "403" in text
    assert "You may read this repository but not write to it" in text


def test_locks_are_kept_shown_and_given_back(live_portal, name, tmp_path, api):
    desk = Desk(live_portal, tmp_path / "a")
    clone = desk.clone(api.path)
    desk.commit(
        clone, {"a.bin": b"\0" * 100, ".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text lockable\n"}
    )
    desk.git(clone, "push", "-q")
    assert "Locked a.bin" in desk.git(clone, "lfs", "lock", "a.bin")
    assert "a.bin" in desk.git(clone, "lfs", "locks")
    again = desk.attempt(clone, "lfs", "lock", "a.bin")
    assert again.returncode != 0
    assert "locked already" in again.stdout + again.stderr
    assert "alice" in desk.git(clone, "lfs", "locks", "--verify")
    assert "Unlocked a.bin" in desk.git(clone, "lfs", "unlock", "a.bin")
    assert desk.git(clone, "lfs", "locks") == ""


def test_what_came_through_xet_is_pulled_by_git(api, live_portal, tmp_path):
    content = random.Random(3).randbytes(2_000_000)
    sender = Machine(live_portal, tmp_path / "sender", live_portal.user("alice"))
    sender.home.mkdir()
    (sender.home / "w.bin").write_bytes(content)
    sender.hf("upload", api.path, "w.bin", "w.bin")
    reader = Desk(live_portal, tmp_path / "reader", None)
    clone = reader.clone(api.path)
    assert (clone / "w.bin").read_bytes() == content
    assert reader.git(clone, "lfs", "fsck") == "Git LFS fsck OK"


def test_somebody_else_proposes_a_change_by_git(api, live_portal, tmp_path):
    api.commit(**{"a.txt": b"1"})
    charlie = Desk(live_portal, tmp_path / "c", "charlie")
    body = {"title": "Better", "description": "", "pullRequest": True}
    answer = requests.post(
        f"{live_portal.url}/api/models/{api.path}/discussions", json=body,
        headers={"Authorization": f"Bearer {live_portal.user('charlie')}"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    number = answer.json()["num"]
    clone = charlie.clone(api.path)
    charlie.git(clone, "fetch", "-q", "origin", f"refs/pr/{number}:proposal")
    charlie.git(clone, "checkout", "-q", "proposal")
    head = charlie.commit(clone, {"b.txt": b"2", "w.bin": b"\0" * 5000})
    charlie.git(clone, "push", "-q", "origin", f"proposal:refs/pr/{number}")
    assert api.head(f"refs%2Fpr%2F{number}") == head
    text = charlie.refused(clone, "push", "origin", "proposal:main")
    assert "[remote rejected] proposal -> main" in text
    assert "remote: error: You may read this repository but not write to it" in text
    assert api.head() != head


def test_a_client_of_another_make_clones_and_pushes(api, live_portal, tmp_path):
    head = api.commit(**{"a.txt": b"1", "d/b.txt": b"2"})
    folder = tmp_path / "dulwich"
    address = f"{live_portal.url}/{api.path}"
    repo = porcelain.clone(address, str(folder), errstream=io.BytesIO())
    assert repo.head().decode() == head
    (folder / "c.txt").write_bytes(b"3")
    porcelain.add(repo, [str(folder / "c.txt")])
    made = porcelain.commit(repo, message=b"by dulwich", author=b"A <a@b>", committer=b"A <a@b>")
    token = live_portal.user("alice")
    porcelain.push(
        repo, address, "refs/heads/main", username="alice", password=token, outstream=io.BytesIO(),
        errstream=io.BytesIO(),
    )  # fmt: skip
    assert api.head() == made.decode()
    api.commit(more=b"4")
    porcelain.pull(repo, address, "refs/heads/main", errstream=io.BytesIO(), outstream=io.BytesIO())
    assert repo.head().decode() == api.head()
    repo.close()


def test_a_portal_killed_in_the_middle_of_a_push_has_all_of_it_or_nothing(tmp_path):
    (tmp_path / "portal").mkdir()
    with LivePortal(tmp_path / "portal") as portal:
        api, desk = Api(portal, "killed"), Desk(portal, tmp_path / "desk")
        clone = desk.clone(api.path)
        noise = random.Random(4)
        head = desk.commit(clone, {f"d{n % 7}/{n}.txt": noise.randbytes(2000).hex().encode() for n in range(1500)})
        for delay in (0.4, 1.2):
            with ThreadPoolExecutor(1) as pool:
                pushing = pool.submit(desk.attempt, clone, "push", "-q", "origin", "main")
                time.sleep(delay)
                portal.kill()
                pushing.result()
            portal.start()
            assert api.head() in {head, desk.git(clone, "rev-parse", "HEAD~1")}
            check = desk.clone(api.path, name=f"check-{delay}")
            assert desk.git(check, "fsck", "--strict", "--full") == ""
        desk.git(clone, "push", "-q", "origin", "main")
        assert api.head() == head


def test_a_protected_branch_says_so_in_the_report(api, desk):
    first = api.commit(**{"a.txt": b"1"})
    rules = f"{api.portal.url}/api/v1/models/{api.path}/rules"
    api.session.post(rules, json={"pattern": "main", "requires_pull_request": True}).raise_for_status()
    api.session.post(rules, json={"pattern": "v*", "target": "tag"}).raise_for_status()
    clone = desk.clone(api.path)
    desk.git(clone, "tag", "v1")
    desk.git(clone, "push", "-q", "origin", "v1")
    mine = desk.commit(clone, {"a.txt": b"2"})
    text = desk.refused(clone, "push", "origin", "main")
    assert "[remote rejected] main -> main (protected branch: changes to “main” come by pull request.)" in text
    text = desk.refused(clone, "push", "-f", "origin", "HEAD:refs/tags/v1")
    assert "protected branch: the tag “v1” may not be moved" in text
    assert "may not be deleted" in desk.refused(clone, "push", "origin", ":refs/tags/v1")
    desk.git(clone, "push", "-q", "origin", f"{mine}:refs/heads/mine")
    assert api.head() == first
