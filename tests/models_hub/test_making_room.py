"""What is kept of the upstream hub's large content has a limit: the least used goes, and comes back when asked for."""

import os
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from models_hub import browsing, collecting, copying, making_room
from models_hub.models import AwaitedBlob, Blob, ContentUse, Mirror, RepoBlob
from models_hub.storage import blob_store
from portal.models import Job
from tests.models_hub.test_mirroring import WEIGHTS, entry_of, get
from tests.models_hub.test_mirroring import hub as hub
from tests.models_hub.wire import Wire, body_of


@pytest.fixture
def other(hub, make_repo, alice):
    """A second repository of the upstream hub, with other content of the same size."""
    hub.repos["acme/gpt"] = make_repo(alice, "gpt", files={"model.bin": WEIGHTS[::-1]})
    return hub


@pytest.fixture
def mirrors(hub, other, settings):
    """Both have been fetched, the second one last, and both long ago; nobody here but the mirrors holds them."""
    repos = [get("acme/bert"), get("acme/gpt")]
    for repo in repos:
        read(repo)
    RepoBlob.objects.exclude(repo__in=repos).delete()
    for days, repo in zip((9, 8), repos, strict=True):
        ContentUse.objects.filter(right__repo=repo).update(used_at=timezone.now() - timedelta(days=days))
    settings.UPSTREAM_KEEP_BYTES = len(WEIGHTS) + 100
    return repos


def read(repo) -> bytes:
    return b"".join(browsing.stream(repo, entry_of(repo)))


def old(blob: Blob) -> None:
    long_ago = time.time() - 3600
    os.utime(blob_store().path(blob.sha256), (long_ago, long_ago))


def test_the_least_used_content_goes_from_the_disk_and_comes_back(mirrors, hub, monkeypatch):
    first, second = mirrors
    blob = entry_of(first).blob
    old(blob)
    assert making_room.make_room() == making_room.LetGo(1, len(WEIGHTS))
    assert not blob_store().has(blob.sha256)
    assert AwaitedBlob.objects.get().repo == first
    assert entry_of(second).blob.awaited_by is None
    # The stand-in for the upstream hub has no store of its own.
    monkeypatch.setattr(hub, "content", lambda *_args, start, **_options: iter([WEIGHTS[start:]]))
    assert read(first) == WEIGHTS
    assert blob_store().has(blob.sha256)
    assert AwaitedBlob.objects.get().repo == second  # which had to make room for it


def test_a_fetch_makes_its_room_first(mirrors, other, make_repo, alice):
    other.repos["acme/t5"] = make_repo(alice, "t5", files={"model.bin": WEIGHTS + b"more"})
    third = get("acme/t5")
    assert read(third) == WEIGHTS + b"more"
    assert {row.repo for row in AwaitedBlob.objects.all()} == set(mirrors)


def test_without_a_limit_everything_stays(mirrors, settings):
    settings.UPSTREAM_KEEP_BYTES = 0
    assert making_room.make_room(10**12) == making_room.LetGo()


def test_what_a_download_has_open_is_sent_whole(mirrors):
    first, _second = mirrors
    old(entry_of(first).blob)
    answer = Wire().get("/acme/bert/resolve/main/model.bin")
    ContentUse.objects.filter(right__repo=first).update(used_at=timezone.now() - timedelta(days=9))
    assert making_room.make_room().contents == 1
    assert body_of(answer) == WEIGHTS


def test_a_question_for_a_file_makes_it_the_last_to_go(mirrors):
    first, second = mirrors
    assert body_of(Wire().get("/acme/bert/resolve/main/model.bin")) == WEIGHTS
    assert ContentUse.objects.get(right__repo=first).used_at > timezone.now() - timedelta(minutes=1)
    assert making_room.make_room().contents == 1
    assert [row.repo for row in AwaitedBlob.objects.all()] == [second]
    assert making_room.make_room(10**12).contents == 0  # what was asked for a moment ago stays


def test_content_that_somebody_here_holds_is_neither_counted_nor_let_go(mirrors, alice):
    copying.duplicate(mirrors[0], by=alice, namespace="alice", name="mine")
    assert making_room.kept().bytes == len(WEIGHTS)
    assert making_room.make_room(10**12).contents == 1
    assert read(mirrors[0]) == WEIGHTS
    assert not AwaitedBlob.objects.filter(repo=mirrors[0]).exists()


def test_what_cannot_be_fetched_again_stays(mirrors):
    Mirror.objects.filter(repo=mirrors[0]).update(gone_at=timezone.now())
    Mirror.objects.filter(repo=mirrors[1]).update(upstream="https://another.example")
    assert making_room.make_room(10**12).contents == 0
    assert (making_room.kept().bytes, making_room.kept().loose) == (2 * len(WEIGHTS), 0)


def test_what_a_job_reads_stays_until_it_has_ended(mirrors, alice):
    job = Job.objects.create(kind="evaluate", owner=alice, spec={"reads": [mirrors[0].pk]})
    assert making_room.make_room(10**12).contents == 1
    assert AwaitedBlob.objects.get().repo == mirrors[1]
    Job.objects.filter(pk=job.pk).update(state=Job.State.CANCELLED)
    assert making_room.make_room(10**12).contents == 1


def test_what_a_header_told_is_known_after_the_content_is_gone(mirrors):
    Blob.objects.filter(repo_blobs__repo=mirrors[0]).update(dtypes={"F32": 7}, header={"parameters": 7})
    making_room.make_room()
    gone = entry_of(mirrors[0]).blob
    assert (gone.awaited_by, gone.dtypes, gone.header) == (mirrors[0], {"F32": 7}, {"parameters": 7})


def test_the_upkeep_lets_go_and_operators_see_how_much_there_is(mirrors, capsys):
    call_command("mirror_storage")
    assert f"2 files, 80.0 KB ({2 * len(WEIGHTS)} bytes)" in capsys.readouterr().out
    assert collecting.collect(dry_run=True).mirrored_bytes == len(WEIGHTS)
    assert collecting.collect().mirrored == 1
    assert collecting.collect().mirrored == 0
