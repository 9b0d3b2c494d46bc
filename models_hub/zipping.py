"""A version, or a folder of it, as one zip file, written while it is sent: memory stays flat, nothing waits on disk.

Large content is stored as it is, for weights hardly shrink; text is compressed.
"""

import stat
import zipfile
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from models_hub import browsing
from models_hub.browsing import Entry
from models_hub.git.objects import TreeItem
from models_hub.models import Commit, Repo

AT_ONCE = 500
MAX_NAME = 150
EARLIEST, LATEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)


def blocks(repo: Repo, commit: Commit, path: str = "") -> Iterator[bytes]:
    """Yield the zip file of a folder at a commit; raises EntryNotFound before the first byte."""
    items = browsing.items_below(repo, commit, path, recursive=True)
    return _written(repo, commit, path, {name: item for name, item in items.items() if _is_file(item)})


def file_name(repo: Repo, revision: str, path: str = "") -> str:
    """Return a name for the file that every system takes: `bert-v1.zip`, `bert-v1-onnx.zip`."""
    parts = [repo.name, revision[:12] if browsing.OID.fullmatch(revision) else revision, path]
    text = "-".join(part for part in parts if part)
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text)[:MAX_NAME] + ".zip"


class _Outlet:
    """A file that cannot be rewound; what was written to it waits to be sent."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        data, self._waiting = b"".join(self._waiting), []
        return data


def _is_file(item: TreeItem) -> bool:
    return not item.is_folder and stat.S_IFMT(item.mode) != 0o160000


def _written(repo: Repo, commit: Commit, path: str, items: dict[str, TreeItem]) -> Iterator[bytes]:
    outlet = _Outlet()
    root = f"{repo.name}-{commit.oid[:7]}/"
    with zipfile.ZipFile(outlet, "w", allowZip64=True) as archive:  # type: ignore[call-overload]
        rest = iter(items.items())
        while batch := dict(islice(rest, AT_ONCE)):
            for entry in browsing.entries(repo, batch):
                yield from _file(archive, outlet, repo, entry, root, commit.authored_at)
    yield outlet.taken()


def _file(
    archive: zipfile.ZipFile, outlet: _Outlet, repo: Repo, entry: Entry, root: str, moment: datetime
) -> Iterator[bytes]:
    info = zipfile.ZipInfo(root + _safe(entry.path), date_time=_date(moment))
    info.compress_type = zipfile.ZIP_STORED if entry.blob else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with archive.open(info, "w", force_zip64=entry.size > zipfile.ZIP64_LIMIT // 2) as target:
        for block in browsing.stream(repo, entry):
            target.write(block)
            yield outlet.taken()
    yield outlet.taken()


def _safe(path: str) -> str:
    """Return a path that stays below the folder into which it is unpacked, and that can be written at all."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\\", "_").replace("\0", "_")
    return "/".join(part if part not in {"", ".", ".."} else "_" for part in text.split("/"))


def _date(moment: datetime) -> tuple[int, int, int, int, int, int]:
    now = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return min(max(now, EARLIEST), LATEST)
