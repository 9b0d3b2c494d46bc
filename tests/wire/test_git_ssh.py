"""The real ssh, git and git-lfs against `manage.py run_ssh`: what works, what is refused, and what one reads then."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LivePortal, free_port
from tests.servers import need
from tests.wire.desks import Api
from tests.wire.ssh_desks import SshDesk, SshServer

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server(live_portal: LivePortal) -> Iterator[SshServer]:
    need("ssh", "ssh-keygen", "ssh-keyscan", "git", "git-lfs")
    made = SshServer(live_portal)
    yield made
    made.stop()


@pytest.fixture
def alice(server: SshServer, tmp_path: Path) -> SshDesk:
    server.portal.user("alice")
    return SshDesk(server, tmp_path / "alice", "alice")


def test_clone_fetch_and_push_with_content_of_lfs(live_portal, server, alice, tmp_path):
    api = Api(live_portal, "ssh-whole", kind="dataset", private=True)
    first = api.commit(**{"README.md": b"# Hi", "w.bin": b"\0large" * 1000})
    clone = alice.clone(api.git_path)
    assert alice.git(clone, "rev-parse", "HEAD") == first
    assert alice.git(clone, "fsck", "--strict", "--full") == ""
    assert (clone / "w.bin").read_bytes() == b"\0large" * 1000

    weights = random.Random(3).randbytes(3_000_000)
    mine = alice.commit(clone, {"new.bin": weights, "a/b.txt": b"deep"})
    said = alice.attempt(clone, "push")
    assert said.returncode == 0, said.stderr
    assert api.head() == mine
    later = api.commit(**{"c.txt": b"later"})
    alice.git(clone, "pull", "-q")
    assert alice.git(clone, "rev-parse", "HEAD") == later
    again = alice.clone(f"{api.git_path}.git", name="again")
    assert (again / "new.bin").read_bytes() == weights
    asked = f"from portal.models import SshKey\nprint(SshKey.objects.get(pk={alice.key_id}).last_address)"
    assert live_portal.script(asked).strip() == "127.0.0.1"


def test_the_first_protocol_talks_in_turns(live_portal, server, alice):
    api = Api(live_portal, "ssh-turns")
    ids = [api.commit(**{f"f{n}.txt": b"%d" % n}) for n in range(3)]
    alice.git(alice.home, "config", "--global", "protocol.version", "0")
    clone = alice.clone(api.path, "--depth", "2")
    assert alice.git(clone, "log", "--format=%H").split() == ids[:0:-1]
    for n in range(40):  # more than one round of what the client has
        alice.commit(clone, {"mine.txt": b"%d" % n})
    ids.append(api.commit(more=b"x"))
    alice.git(clone, "fetch", "-q", "--unshallow")
    assert alice.git(clone, "rev-parse", "origin/main") == ids[-1]
    assert alice.git(clone, "fsck", "--strict", "--full") == ""
    alice.git(clone, "push", "-q", "origin", "HEAD:refs/heads/mine")
    alice.git(clone, "push", "-q", "origin", ":refs/heads/mine")
    assert "mine" not in alice.git(clone, "ls-remote", "origin")


def test_who_may_not_reads_why_and_private_looks_missing(live_portal, server, alice, tmp_path):
    api = Api(live_portal, "ssh-closed", private=True)
    api.commit(a=b"1")
    open_one = Api(live_portal, "ssh-open")
    bob = SshDesk(server, tmp_path / "bob", _person(live_portal, "bob"))
    hidden = bob.refused(bob.home, "clone", f"{bob.base}/{api.path}", "x")
    missing = bob.refused(bob.home, "clone", f"{bob.base}/alice/ssh-none", "x")
    assert hidden == missing
    assert "Repository not found" in hidden
    theirs = bob.clone(open_one.path)
    bob.commit(theirs, {"a.txt": b"2"})
    assert "write" in bob.refused(theirs, "push")
    reader = SshDesk(server, tmp_path / "reader", "alice", read_only=True)
    copy = reader.clone(api.path)
    reader.commit(copy, {"a.txt": b"2"})
    assert "may only read" in reader.refused(copy, "push")
    stranger = SshDesk(server, tmp_path / "stranger", "alice", known=False)
    unknown = stranger.refused(stranger.home, "clone", f"{stranger.base}/{api.path}", "x")
    assert "Permission denied (publickey)" in unknown
    alice.git(alice.home, "clone", "-q", f"{alice.base}/{api.path}", "mine")
    tip = alice.commit(alice.home / "mine", {"big.dat": b"x" * 11_000_000})
    assert "LFS" in alice.refused(alice.home / "mine", "push")
    assert api.head() != tip


def test_there_is_no_shell_and_nothing_else(live_portal, server, alice, tmp_path):
    hello = alice.ssh()
    assert (hello.returncode, hello.stdout) == (1, "")
    assert "Hi alice!" in hello.stderr
    for command in ("id", "git-upload-pack", "git-upload-archive '/alice/x'", "git-upload-pack '/alice/x'; id"):
        done = alice.ssh(command)
        assert (done.returncode, done.stdout) == (1, ""), command
    assert "Permission denied" in alice.ssh(user="root").stderr
    assert alice.ssh("-s", "sftp").returncode != 0
    tunnel = alice.ssh("-o", "ExitOnForwardFailure=yes", "-N", "-R", f"{free_port()}:127.0.0.1:1")
    assert "remote port forwarding failed" in tunnel.stderr
    through = alice.ssh("-W", f"127.0.0.1:{live_portal.port}")
    assert (through.returncode, through.stdout) == (255, "")
    assert "forwarding failed" in through.stderr
    live_portal.script(f"from portal.models import SshKey\nSshKey.objects.get(pk={alice.key_id}).remove()")
    assert "Permission denied (publickey)" in alice.ssh().stderr


def test_a_killed_server_leaves_nothing_half_done_and_is_known_again(live_portal, server, alice):
    api = Api(live_portal, "ssh-killed")
    before = api.commit(a=b"1")
    clone = alice.clone(api.path)
    alice.commit(clone, {f"{n}.txt": random.Random(n).randbytes(200_000) for n in range(60)})
    push = subprocess.Popen(["git", "push"], cwd=clone, env=alice.env, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    folder = f"/proc/{server.process.pid}/fd"
    while push.poll() is None and time.monotonic() < deadline:
        if any(_is_pack(Path(folder, one)) for one in os.listdir(folder)):
            break
    server.stop(signal.SIGKILL)
    assert push.wait(60) != 0
    assert api.head() == before
    server.start()
    alice.env["GIT_SSH_COMMAND"] = alice.env["GIT_SSH_COMMAND"].replace("HostKeyChecking=no", "HostKeyChecking=yes")
    alice.git(clone, "push", "-q")
    assert api.head() == alice.git(clone, "rev-parse", "HEAD")
    assert (live_portal.data / "ssh_host_key").stat().st_mode & 0o777 == 0o600


def _is_pack(descriptor: Path) -> bool:
    """Whether a descriptor is of the file without a name that a pack is written to."""
    try:
        return "/tmp/" in os.readlink(descriptor) and descriptor.stat().st_size > 0
    except OSError:
        return False


def _person(portal: LivePortal, name: str) -> str:
    portal.user(name)
    return name
