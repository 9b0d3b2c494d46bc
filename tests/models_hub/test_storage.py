"""The local store: complete or absent, whatever happens in between."""

import errno
import hashlib
import os
import time

import pytest

from models_hub.storage import ContentRefused, blob_store
from models_hub.storage.local import STALE_SECONDS
from portal.errors import QuotaExceeded

DATA = b"some bytes"
DIGEST = hashlib.sha256(DATA).hexdigest()


def files():
    return sorted(p.name for p in blob_store().root.rglob("*") if p.is_file())


def test_what_is_put_can_be_opened():
    stored = blob_store().put([b"some ", b"bytes"], digest=DIGEST, size=10)
    assert stored == (DIGEST, 10)
    with blob_store().open(DIGEST) as file:
        assert file.read() == DATA
    assert blob_store().put([DATA]) == stored
    assert files() == [DIGEST]
    blob_store().delete(DIGEST)
    blob_store().delete(DIGEST)
    assert not blob_store().has(DIGEST)


def broken(error):
    yield b"some "
    raise error


@pytest.mark.parametrize("error", [ConnectionResetError(), KeyboardInterrupt(), OSError(errno.EIO, "I/O error")])
def test_an_interrupted_stream_leaves_nothing(error):
    with pytest.raises(type(error)):
        blob_store().put(broken(error))
    assert files() == []


def test_a_full_disk_is_told_and_leaves_nothing(monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(QuotaExceeded, match="disk is full"):
        blob_store().put([DATA])
    assert files() == []


@pytest.mark.parametrize(("chunks", "size"), [([DATA, b"x"], 10), ([DATA[:-1]], 10), ([], 10), ([b"other byte"], 10)])
def test_other_bytes_than_announced_are_refused(chunks, size):
    with pytest.raises(ContentRefused):
        blob_store().put(chunks, digest=DIGEST, size=size)
    assert files() == []


def test_more_than_announced_is_not_even_read():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield b"x" * 100

    with pytest.raises(ContentRefused):
        blob_store().put(endless(), size=150)
    assert len(taken) == 2


def test_only_what_was_left_long_ago_is_swept():
    for name, age in (("old", STALE_SECONDS + 10), ("new", 0)):
        path = blob_store().incoming / name
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age, time.time() - age))
    assert blob_store().sweep() == 1
    assert files() == ["new"]
