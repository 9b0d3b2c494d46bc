"""A pack read from a stream: kept on disk, every object verified, and no number in it believed.

Format: https://git-scm.com/docs/pack-format. What whole objects bring is the zlib stream that a row keeps, so it is
taken as it is. Memory does not grow with the pack but by some bytes for each object.
"""

import hashlib
import struct
import tempfile
import time
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from models_hub.git import deltas, formats, objects
from models_hub.git.pack_entries import EntryReader, PackRefused, broken
from models_hub.models import GitObject, Repo
from models_hub.storage.disk import disk_full_is_said
from portal.errors import TooLarge

GIB = 1024**3
TRAILER = 20
OFFSET_DELTA, ID_DELTA = 6, 7
WHOLE = (1, 2, 3, 4)
NAMES = {1: b"commit", 2: b"tree", 3: b"blob", 4: b"tag"}
COMMIT, TREE, BLOB, TAG = WHOLE
MAX_MESSAGE_BYTES = 1024 * 1024  # of a commit or tag with its header
STORE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """How much a pack may bring. Git itself makes chains of 50 deltas, of 250 when told to try hard."""

    packed_bytes: int = 4 * GIB
    unpacked_bytes: int = 16 * GIB
    object_bytes: int = 32 * 1024 * 1024
    objects: int = 500_000
    depth: int = 250
    tree_entries: int = 100_000
    seconds: float = 900.0


class PackTooLarge(TooLarge):
    """A pack beyond one of the limits."""

    code = "pack_too_large"


class Packed(NamedTuple):
    """One object of a pack: its type, as GitObject.Type has it, and its size."""

    type: int
    size: int


@contextmanager
def receive(repo: Repo, blocks: Iterable[bytes], limits: Limits | None = None) -> Iterator["IncomingPack"]:
    """Read a pack that was sent for `repo` and give its objects until the end of the `with`.

    Deltas may rest on objects that this repository has, never on those of another one. Nothing is stored yet.
    Raises PackRefused or PackTooLarge, FormatRefused for malformed objects.
    """
    folder = settings.FILE_UPLOAD_TEMP_DIR
    with tempfile.TemporaryFile(dir=folder) as received, tempfile.TemporaryFile(dir=folder) as unpacked:
        pack = IncomingPack(repo, received, unpacked, limits or Limits())
        with disk_full_is_said():
            pack.read(blocks)
        yield pack


class IncomingPack:
    """The objects of one pack, by id. Rows in columns of numbers, since a pack may hold hundreds of thousands.

    `large` has the ids and sizes of files that are too long to be kept in git: they are read, but not kept. The pack
    is `incomplete` when it has deltas on them.
    """

    def __init__(self, repo: Repo, received: BinaryIO, unpacked: BinaryIO, limits: Limits) -> None:
        self.large: dict[str, int] = {}
        self.incomplete = False
        self.packed_bytes = 0
        self._repo = repo
        self._files = (received, unpacked)
        self._limits = limits
        self._unpacked_bytes = 0
        self._deadline = 0.0
        self._index: dict[bytes, int] = {}
        # For each entry in the order of the pack: where it begins, where its zlib stream lies and in which file.
        self._offsets, self._starts, self._ends = array("Q"), array("Q"), array("Q")
        self._in_file, self._types, self._depths, self._marks = array("B"), array("B"), array("H"), bytearray()
        self._sizes = array("Q")
        self._by_entry: dict[int, list[int]] = {}  # deltas that wait for an entry, and for an id
        self._by_id: dict[bytes, list[int]] = {}

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[str]:
        return (key.hex() for key in self._index)

    def get(self, oid: str) -> Packed | None:
        """Return what the pack has under an id."""
        entry = self._index.get(bytes.fromhex(oid))
        return None if entry is None else Packed(self._types[entry], self._sizes[entry])

    def body(self, oid: str) -> bytes:
        """Return the body of an object of the pack; KeyError when there is none."""
        return self._body(self._index[bytes.fromhex(oid)])

    def mark(self, oid: str) -> None:
        """Note an object as one that is of use."""
        self._marks[self._index[bytes.fromhex(oid)]] = 1

    def marked(self) -> Iterator[str]:
        """Give the ids of all that were marked: the rest of a pack need not be kept."""
        return (key.hex() for key, entry in self._index.items() if self._marks[entry])

    def store(self, repo: Repo, oids: Iterable[str] | None = None) -> None:
        """Write objects as rows, all or those of `oids`; those that are there already stay. Raises StorageFull.

        Each batch is a transaction of its own unless one runs: other writers need not wait for a long pack.
        """
        rows: list[GitObject] = []
        waiting = 0
        for oid in self if oids is None else oids:
            entry = self._index.get(bytes.fromhex(oid))
            if entry is None:
                continue
            data = self._stream(entry)
            rows.append(GitObject(repo=repo, oid=oid, type=self._types[entry], size=self._sizes[entry], data=data))
            waiting += len(data)
            if waiting >= STORE_BYTES or len(rows) >= objects.BATCH:
                objects.insert(repo, rows)
                rows, waiting = [], 0
        objects.insert(repo, rows)

    def read(self, blocks: Iterable[bytes]) -> None:
        """Take the pack in. Called once, by `receive`."""
        count = self._spool(blocks)
        self._deadline = time.monotonic() + self._limits.seconds  # the sender's time does not count
        reader = EntryReader(self._files[0], 12, self.packed_bytes - TRAILER)
        for _number in range(count):
            self._scan(reader)
        if reader.left:
            raise broken()
        self._resolve_all()

    def _spool(self, blocks: Iterable[bytes]) -> int:
        """Write what arrives to disk, verify its checksum and return how many objects it says it holds."""
        file, digest, tail = self._files[0], hashlib.sha1(usedforsecurity=False), b""
        for block in blocks:
            self.packed_bytes += len(block)
            if self.packed_bytes > self._limits.packed_bytes:
                raise PackTooLarge(
                    _("The push has more than %(max)d bytes outside LFS. Push fewer commits at a time.")
                    % {"max": self._limits.packed_bytes}
                )
            file.write(block)
            joined = tail + block
            digest.update(joined[:-TRAILER])
            tail = joined[-TRAILER:]
        file.seek(0)
        head = file.read(12)
        if self.packed_bytes < 12 + TRAILER or head[:4] != b"PACK" or digest.digest() != tail:
            raise broken()
        version, count = struct.unpack(">II", head[4:])
        if version not in (2, 3):
            raise broken()
        if count > self._limits.objects:
            raise PackTooLarge(
                _("The push has %(count)d objects, at most %(max)d are taken at once. Push fewer commits at a time.")
                % {"count": count, "max": self._limits.objects}
            )
        return int(count)

    def _scan(self, reader: EntryReader) -> None:
        """Read one entry: a whole object is verified at once, a delta waits for its base."""
        self._check_time()
        entry, offset = len(self._offsets), reader.position
        kind, size = reader.head()
        base: int | bytes | None = None
        if kind == OFFSET_DELTA:
            base = self._entry_at(offset - reader.distance())
        elif kind == ID_DELTA:
            base = reader.take(20)
        elif kind not in WHOLE:
            raise broken()
        start = reader.position
        keep = base is not None or kind != BLOB or size <= settings.LFS_THRESHOLD_BYTES
        if keep:
            self._check_size(kind, size)
        digest = None if base is not None else _digest_of(kind, size)
        body = self._inflate(reader, size, digest, keep=keep)
        self._append(offset, start, reader.position, kind if keep else 0, size)
        if isinstance(base, bytes):
            self._by_id.setdefault(base, []).append(entry)
        elif base is not None:
            self._by_entry.setdefault(base, []).append(entry)
        elif digest is not None and keep:
            self._settle(entry, digest.digest(), body)
        elif digest is not None:
            self.large[digest.hexdigest()] = size

    def _inflate(self, reader: EntryReader, size: int, digest: "hashlib._Hash | None", *, keep: bool) -> bytes:
        """Return `size` bytes, no more and no less, or none of them when they are only to be hashed."""
        kept = bytearray()
        for block in reader.inflated(size):
            self._count(len(block))
            if digest is not None:
                digest.update(block)
            if keep:
                kept += block
        return bytes(kept)

    def _append(self, offset: int, start: int, end: int, kind: int, size: int) -> None:
        self._offsets.append(offset)
        self._starts.append(start)
        self._ends.append(end)
        self._in_file.append(0)
        self._types.append(kind)
        self._sizes.append(size)
        self._depths.append(0)
        self._marks.append(0)

    def _entry_at(self, offset: int) -> int:
        """Return the entry that begins at an offset of the pack."""
        entry = bisect_left(self._offsets, offset)
        if entry == len(self._offsets) or self._offsets[entry] != offset:
            raise broken()
        return entry

    def _settle(self, entry: int, key: bytes, body: bytes) -> None:
        """Note an object whose id is known: it is checked, and deltas that wait for its id wait for the entry now."""
        self._check_format(self._types[entry], key.hex(), body)
        self._index.setdefault(key, entry)
        if key in self._by_id:
            self._by_entry.setdefault(entry, []).extend(self._by_id.pop(key))

    def _check_format(self, kind: int, oid: str, body: bytes) -> None:
        if kind == TREE:
            formats.tree_entries(body, most=self._limits.tree_entries)
        elif kind == COMMIT:
            formats.read_commit(oid, body)
        elif kind == TAG:
            formats.read_tag(oid, body)

    def _resolve_all(self) -> None:
        """Make objects of the deltas: those on objects of the pack, then those on what the repository has."""
        for key in [key for key in self._by_id if key in self._index]:
            self._by_entry.setdefault(self._index[key], []).extend(self._by_id.pop(key))
        self._resolve([entry for entry in self._by_entry if self._types[entry] in WHOLE])
        for row in objects.stream(self._repo, [key.hex() for key in self._by_id]):
            entries = self._by_id.pop(bytes.fromhex(row.oid), [])
            base = objects.body(row)
            made = [self._make(entry, row.type, base, 1) for entry in entries]
            self._resolve([entry for entry in made if entry in self._by_entry])
        if self._by_id or self._by_entry:
            if self.large:  # the base is a file too long for git, which whoever called will name
                self.incomplete = True
                return
            raise PackRefused(
                _("The push builds on objects that this repository does not have. Run “git fetch” and push again.")
            )

    def _resolve(self, ready: list[int]) -> None:
        """Apply the deltas that wait for these entries, and those that wait for what they make: one base at a time."""
        while ready:
            entry = ready.pop()
            base = self._body(entry)
            for child in self._by_entry.pop(entry):
                self._make(child, self._types[entry], base, self._depths[entry] + 1)
                if child in self._by_entry:
                    ready.append(child)

    def _make(self, entry: int, kind: int, base: bytes, depth: int) -> int:
        """Turn the delta of an entry into the object that it tells, kept compressed beside the pack."""
        self._check_time()
        if depth > self._limits.depth:
            raise PackRefused(
                _("The pack has chains of more than %(max)d deltas. Run “git repack -adf” and push again.")
                % {"max": self._limits.depth}
            )
        delta = self._body(entry)
        size = deltas.sizes(delta)[1]
        self._check_size(kind, size)
        self._count(size)
        body = deltas.apply(base, delta)
        digest = _digest_of(kind, size)
        digest.update(body)
        file = self._files[1]
        start = file.seek(0, 2)
        end = start + file.write(objects.compressed(body))
        self._starts[entry], self._ends[entry], self._in_file[entry] = start, end, 1
        self._types[entry], self._sizes[entry], self._depths[entry] = kind, size, depth
        self._settle(entry, digest.digest(), body)
        return entry

    def _stream(self, entry: int) -> bytes:
        """Return the zlib stream of an entry."""
        file = self._files[self._in_file[entry]]
        file.seek(self._starts[entry])
        return file.read(self._ends[entry] - self._starts[entry])

    def _body(self, entry: int) -> bytes:
        return zlib.decompress(self._stream(entry))

    def _check_size(self, kind: int, size: int) -> None:
        most = MAX_MESSAGE_BYTES if kind in (COMMIT, TAG) else self._limits.object_bytes
        if kind == BLOB:
            most = min(most, settings.LFS_THRESHOLD_BYTES)
        if size > most:
            raise PackTooLarge(
                _("The push holds an object of %(size)d bytes; at most %(max)d are possible. Large files go into LFS.")
                % {"size": size, "max": most}
            )

    def _count(self, size: int) -> None:
        self._unpacked_bytes += size
        if self._unpacked_bytes > self._limits.unpacked_bytes:
            raise PackTooLarge(
                _("The push unpacks to more than %(max)d bytes. Push fewer commits at a time.")
                % {"max": self._limits.unpacked_bytes}
            )

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise PackTooLarge(_("The push takes too long to unpack. Push fewer commits at a time."))


def _digest_of(kind: int, size: int) -> "hashlib._Hash":
    """Return the beginning of an object's id."""
    return hashlib.sha1(b"%s %d\x00" % (NAMES[kind], size), usedforsecurity=False)
