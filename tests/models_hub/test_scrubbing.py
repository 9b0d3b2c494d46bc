"""Bit rot and full disks: damaged bytes are never served, and nothing is stored by halves."""

import os
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from models_hub import collecting, contents, publishing
from models_hub.changes import PutLarge
from models_hub.models import Blob, DamagedContent, Repo, UpkeepRun, Xorb
from models_hub.scrubbing import scrub
from models_hub.storage import blob_store
from portal.models import Event
from tests.models_hub.test_quotas import XORB, account_of, assert_exact
from tests.models_hub.wire import LARGE, Wire, body_of
from tests.models_hub.xet_client import MadeFile, MadeXorb, whole
from tests.models_hub.xet_sender import Sender
from tests.servers import absent, need


@pytest.fixture
def repo(alice, make_repo) -> Repo:
    return make_repo(alice, "bert")


@pytest.fixture
def blob(alice, repo) -> Blob:
    blob = contents.receive(repo, [LARGE])
    publishing.commit(repo=repo, by=alice, changes=[PutLarge("model.bin", blob.sha256)], title="large")
    return blob


def flip_a_byte(digest: str) -> None:
    path = blob_store().path(digest)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_sound_content_stays(blob):
    figures = scrub()
    assert (figures.files, figures.bytes, figures.damaged) == (1, len(LARGE), 0)
    assert UpkeepRun.objects.get().figures["bytes"] == len(LARGE)


def test_a_flipped_byte_is_found_and_never_served(blob):
    flip_a_byte(blob.sha256)
    assert scrub().damaged == 1
    answer = Wire().get("/alice/bert/resolve/main/model.bin")
    assert answer.status_code == 503
    assert "is damaged and is not served" in answer["X-Error-Message"]
    assert DamagedContent.objects.get(healed_at=None).key == blob.sha256
    assert Event.objects.filter(kind="content.damaged").count() == 1
    assert scrub().damaged == 0  # it is told once


def test_a_range_of_damaged_content_is_not_served_either(blob):
    flip_a_byte(blob.sha256)
    scrub()
    assert Wire().get("/alice/bert/resolve/main/model.bin", Range="bytes=0-3").status_code == 503


def test_sending_it_again_heals_it(repo, blob):
    flip_a_byte(blob.sha256)
    scrub()
    contents.receive(repo, [LARGE])
    assert body_of(Wire().get("/alice/bert/resolve/main/model.bin")) == LARGE
    assert scrub().healed == 1
    assert not DamagedContent.objects.filter(healed_at=None).exists()
    assert not list(blob_store().damaged.iterdir())


class TestXet:
    """What is kept in pieces is healed by either way of sending it."""

    @pytest.fixture
    def sender(self, repo, alice) -> Sender:
        sender = Sender(repo, alice)
        sender.xorb(XORB)
        sender.shard(whole(XORB))
        return sender

    @pytest.fixture
    def damaged(self, alice, repo, sender) -> Blob:
        blob = Blob.objects.get()
        publishing.commit(repo=repo, by=alice, changes=[PutLarge("model.bin", blob.sha256)], title="large")
        flip_a_byte(Xorb.objects.get().key)
        assert scrub().damaged == 1
        assert Wire().get("/alice/bert/resolve/main/model.bin").status_code == 503
        return blob

    def test_the_sender_is_told_to_send_the_xorb_again_and_that_heals_it(self, sender, damaged):
        answer = sender.shard(whole(XORB))
        assert answer.status_code == 400
        assert "was not uploaded" in answer.json()["error"]
        sender.xorb(XORB)
        assert sender.shard(whole(XORB)).status_code == 200
        assert body_of(Wire().get("/alice/bert/resolve/main/model.bin")) == XORB.raw

    def test_the_whole_file_heals_it(self, repo, damaged):
        contents.receive(repo, [XORB.raw])
        assert body_of(Wire().get("/alice/bert/resolve/main/model.bin")) == XORB.raw
        assert_exact("alice")

    def test_pieces_heal_a_whole_file(self, repo, alice):
        blob = contents.receive(repo, [XORB.raw])
        flip_a_byte(blob.sha256)
        scrub()
        other = MadeXorb((*XORB.chunks, b"and more"))  # else the xorb itself is the file
        sender = Sender(repo, alice)
        sender.xorb(other)
        file = MadeFile(XORB.chunks, blob.sha256, (other.term(0, len(XORB.chunks)),))
        assert sender.shard(file).status_code == 200
        assert b"".join(contents.stream(Blob.objects.get())) == XORB.raw
        assert_exact("alice")


def test_a_file_cut_short_is_replaced_by_the_next_upload(repo, blob):
    blob_store().path(blob.sha256).write_bytes(LARGE[:5])
    contents.receive(repo, [LARGE])
    assert body_of(Wire().get("/alice/bert/resolve/main/model.bin")) == LARGE


def test_damage_to_what_nobody_wants_is_forgotten(alice, repo, blob):
    flip_a_byte(blob.sha256)
    scrub()
    publishing.delete_repo(repo, by=alice)
    for _run in range(2):
        collecting.collect(grace=-collecting.GRACE)
    scrub()
    assert not DamagedContent.objects.filter(healed_at=None).exists()


def test_a_scrub_goes_on_where_the_last_one_stopped(repo):
    digests = sorted(contents.receive(repo, [bytes([n]) * 50]).sha256 for n in range(5))
    seen = []
    for _run in range(5):
        scrub(seconds=0)
        seen.append(UpkeepRun.objects.latest("pk").cursor)
    assert seen == digests
    assert scrub().files == 0  # the end of the store
    assert scrub().files == 5


def test_the_command_fails_when_it_found_damage(blob, capsys):
    call_command("scrub_storage")
    assert "1 files of" in capsys.readouterr().out
    flip_a_byte(blob.sha256)
    with pytest.raises(CommandError, match="set aside"):
        call_command("scrub_storage")


def test_the_admin_site_lists_damage(as_user, alice, blob):
    flip_a_byte(blob.sha256)
    scrub()
    root = type(alice).objects.create_superuser("root", "root@example.org", "x")
    assert blob.sha256 in as_user(root).get("/admin/models_hub/damagedcontent/").text
    assert "scrub" in as_user(root).get("/admin/models_hub/upkeeprun/").context["cl"].result_list[0].kind


@pytest.fixture
def small_disk(own_blob_folder: Path):
    """A file system of 3 MB under the blob store."""
    mount, umount = need("mount", "umount")
    if os.geteuid() != 0:
        absent("needs root, who may mount")
    own_blob_folder.mkdir(exist_ok=True)
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(own_blob_folder)], capture_output=True)
    if done.returncode:
        absent("needs a machine where file systems can be mounted")
    yield own_blob_folder
    subprocess.run([umount, "-l", str(own_blob_folder)], check=True)


def test_a_full_disk_is_told_and_nothing_is_stored_by_halves(small_disk, alice, repo, token_of):
    kept = contents.receive(repo, [b"a" * 1_000_000])
    used = account_of("alice").used
    wire = Wire(token_of(alice))
    oid = "5" * 64
    rows = [{"oid": oid, "size": 2_500_000}]
    answer = wire.post("/alice/bert.git/info/lfs/objects/batch", {"operation": "upload", "objects": rows})
    upload = answer.json()["objects"][0]["actions"]["upload"]["href"].replace("http://portal.example", "")
    answer = wire.call("PUT", upload, b"b" * 2_500_000, content_type="application/octet-stream")
    assert answer.status_code == 507
    assert "disk is full" in answer.json()["message"]
    assert [stored.digest for stored in blob_store().digests()] == [kept.sha256]
    assert not list(blob_store().incoming.iterdir())
    assert account_of("alice").used == used
    assert b"".join(contents.stream(kept)) == b"a" * 1_000_000
    blob_store().delete(kept.sha256)  # room again: uploads work by themselves
    contents.receive(repo, [b"b" * 2_500_000])
    assert_exact("alice")
