"""Git over SSH without a connection: commands, turns, packs without an end, and what git-lfs is given."""

import io
import json

import pytest

from models_hub.git import lfs_sessions
from models_hub.git.ssh import commands, door, host_key, talking
from models_hub.git.ssh.commands import CommandRefused
from models_hub.git.ssh.door import Door
from models_hub.git.ssh.packs import until_trailer
from models_hub.git.ssh.server import _Variables
from models_hub.git.ssh.talking import Client
from models_hub.mirroring import EMPTY_PACK
from models_hub.models import Download, Repo
from portal.authentication import BadToken, Caller
from portal.models import SshKey
from tests.models_hub.wire import Wire
from tests.portal.test_ssh_keys import new_line

FETCH, LFS = "git-upload-pack '/alice/bert.git'", "git-lfs-authenticate 'alice/bert'"
SHA = "a" * 64


class Line:
    """A client that has said everything, and hears what it is told."""

    def __init__(self, said: bytes = b"") -> None:
        self._said, self.heard, self.complaints = io.BytesIO(said), b"", ""

    def read(self, most: int) -> bytes:
        return self._said.read(most)

    def write(self, block: bytes) -> None:
        self.heard += block

    def complain(self, text: str) -> None:
        self.complaints += text


@pytest.fixture
def repo(alice, make_repo) -> Repo:
    return make_repo(alice, files={"a.txt": "one"})


@pytest.fixture
def key(alice) -> SshKey:
    return SshKey.add(user=alice, text=new_line())


def ask(key, text, said=b"", protocol="version=2"):
    line = Line(said)
    client = Client(key.pk, "10.0.0.9", "SSH-2.0-OpenSSH_9.2", protocol, "http://portal.example")
    return talking.talk(text, client, line), line


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("git-upload-pack '/alice/bert.git'", ("model", "alice", "bert")),
        ("git-receive-pack 'alice/bert'", ("model", "alice", "bert")),
        ("git-upload-pack '/datasets/alice/v1.0/'", ("dataset", "alice", "v1.0")),
        ("git-lfs-authenticate datasets/alice/bert.git download", ("dataset", "alice", "bert")),
    ],
)
def test_a_command_names_a_repository(text, place):
    found = commands.read(text)
    assert (found.kind, found.namespace, found.name) == place


@pytest.mark.parametrize(
    "text",
    [
        "", "'", "ls", "git-upload-pack", "git-upload-pack a/b c", "git-upload-pack --exec=x a/b", "git-upload-pack a",
        "git-upload-pack a/b/c/d", "git-lfs-authenticate a/b", "git-lfs-authenticate a/b delete",
        "/bin/git-upload-pack a/b", "git-upload-pack a/b" + "x" * 3000,
    ],
)  # fmt: skip
def test_nothing_else_is_a_command(text):
    with pytest.raises(CommandRefused):
        commands.read(text)


def test_a_fetch_counts_as_a_download_and_a_look_does_not(repo, key):
    look = b"0014command=ls-refs\n0000" + b"0000"
    status, line = ask(key, FETCH, look)
    assert (status, line.complaints) == (0, "")
    assert b"refs/heads/main" not in line.heard[:200]
    assert repo.head.encode() in line.heard
    assert not Download.objects.exists()
    want = b"0032want %s\n" % repo.head.encode()
    fetch = b"0012command=fetch\n0001" + want + b"0009done\n0000"
    status, line = ask(key, FETCH, fetch + fetch + b"0000")
    assert (status, line.heard.count(b"PACK")) == (0, 2)
    assert Download.objects.count() == 1


def test_what_may_not_be_asked_is_said_and_private_looks_missing(repo, key, bob):
    theirs = SshKey.add(user=bob, text=new_line())
    Repo.objects.update(private=True)
    hidden, missing = ask(theirs, FETCH), ask(theirs, "git-upload-pack 'alice/none'")
    assert (hidden[0], hidden[1].heard, hidden[1].complaints) == (1, b"", missing[1].complaints)
    assert "Repository not found" in hidden[1].complaints
    assert ask(key, "rm -rf /")[1].complaints.startswith("Only git")
    assert "Hi alice!" in ask(key, None)[1].complaints
    key.remove()
    assert "opens nothing" in ask(key, FETCH)[1].complaints


def test_a_malformed_request_ends_with_a_reason(repo, key):
    for protocol in ("version=2", ""):
        status, line = ask(key, FETCH, b"zzzz", protocol)
        assert (status, b"ERR " in line.heard) == (128, True)


def test_git_lfs_is_let_in_to_one_repository_for_one_thing(repo, key, alice, make_repo):
    make_repo(alice, "other")
    Repo.objects.update(private=True)

    def batch(operation, place, header):
        body = {"operation": operation, "transfers": ["basic", "xet"], "objects": [{"oid": SHA, "size": 5}]}
        return Wire().post(f"/alice/{place}.git/info/lfs/objects/batch", body, Authorization=header)

    given = {kind: json.loads(ask(key, f"{LFS} {kind}")[1].heard) for kind in ("upload", "download")}
    assert given["upload"]["href"] == "http://portal.example/alice/bert.git/info/lfs"
    upload, download = (given[kind]["header"]["Authorization"] for kind in ("upload", "download"))
    answer = batch("upload", "bert", upload)
    assert answer.status_code == 200
    assert answer.json()["transfer"] == "basic"  # tokens of Xet end with an access token, and there is none
    assert batch("download", "bert", download).status_code == 200
    assert batch("upload", "bert", download).status_code == 403
    assert batch("upload", "other", upload).status_code == 401
    assert Wire().get("/api/models/alice/bert", Authorization=upload).status_code == 401
    href = answer.json()["objects"][0]["actions"]["upload"]["href"]
    key.remove()
    assert batch("download", "bert", download).status_code == 401
    sent = Wire().call("PUT", href.partition("portal.example")[2], b"hello", content_type="application/octet-stream")
    assert sent.status_code == 403


def test_a_key_that_may_only_read_is_told_so(repo, alice):
    reader = SshKey.add(user=alice, text=new_line(), read_only=True)
    for text in ("git-receive-pack 'alice/bert'", f"{LFS} upload"):
        status, line = ask(reader, text)
        assert (status, "may only read" in line.complaints) == (1, True)
    header = lfs_sessions.begin(repo, Caller(alice, key=reader), "upload", site="")["header"]["Authorization"]
    assert not lfs_sessions.caller_of(header, kind="model", full_name="Alice/BERT").may_write
    with pytest.raises(BadToken):
        lfs_sessions.caller_of(f"{header}x", kind="model", full_name="alice/bert")


def test_a_pack_ends_with_its_checksum_and_nothing_after_it_is_waited_for():
    def endless():
        yield EMPTY_PACK[:10]
        yield EMPTY_PACK[10:]
        raise AssertionError("nobody asks for more")

    assert b"".join(until_trailer(endless())) == EMPTY_PACK
    assert len(b"".join(until_trailer([EMPTY_PACK[:-1], b"x", b"more"]))) == len(EMPTY_PACK) + 4


def test_the_door_counts_addresses_strangers_and_commands(monkeypatch):
    monkeypatch.setattr(door, "MAX_STRANGERS", 3)
    monkeypatch.setattr(door, "MAX_OF_ADDRESS", 2)
    monkeypatch.setattr(door, "MAX_OF_PERSON", 1)
    at = Door()
    assert [at.enter(who) for who in ("a", "a", "a", "b", "c")] == [True, True, False, True, False]
    at.recognize()
    assert at.enter("c")
    at.leave("a", stranger=True)
    assert at.enter("a")
    assert [at.begin(1), at.begin(1), at.begin(2)] == [True, False, True]
    at.end(1)
    assert at.begin(1)


def test_the_host_key_is_made_once_for_its_owner_alone(settings, tmp_path):
    settings.SSH_HOST_KEY = tmp_path / "ssh_host_key"
    made = host_key.host_key()
    assert host_key.host_key().public_data == made.public_data
    assert [one.name for one in tmp_path.iterdir()] == ["ssh_host_key"]
    assert settings.SSH_HOST_KEY.stat().st_mode & 0o777 == 0o600


def test_of_a_clients_variables_only_the_protocol_is_kept():
    kept = _Variables()
    for name, value in ((b"GIT_PROTOCOL", b"version=2"), (b"LD_PRELOAD", b"x"), (b"GIT_PROTOCOL", b"x" * 999)):
        kept[name] = value
    assert kept == {b"GIT_PROTOCOL": b"version=2"}
