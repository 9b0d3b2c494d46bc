"""What a shard makes of bytes that were not sent for it: it costs the owner room, and no upload was charged for it."""

from collections.abc import Iterable
from typing import Protocol

from models_hub import contents, quotas
from models_hub.models import Piece, Repo
from models_hub.pieces import Run

BATCH = 500


class ReceivedFile(Protocol):
    """A file of a shard, proved."""

    @property
    def sha256(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def runs(self) -> list[Run]: ...


def reused_bytes(repo: Repo, files: Iterable[ReceivedFile]) -> int:
    """Return how many bytes the repository would get beyond those of xorbs that no file has used yet.

    A xorb that no file uses was sent by whoever may name it, and charged then; its bytes count once.
    """
    by_digest = {file.sha256: file for file in files}
    held = contents.held_by(repo, by_digest)
    new = [file for digest, file in by_digest.items() if digest not in held]
    spans: dict[int, list[tuple[int, int]]] = {}
    for file in new:
        for run in file.runs:
            spans.setdefault(run.xorb_id, []).append((run.bytes.offset, run.bytes.length))
    fresh = spans.keys() - _used(spans)
    return sum(file.size for file in new) - sum(quotas.span_length(spans[xorb_id]) for xorb_id in fresh)


def _used(xorb_ids: Iterable[int]) -> set[int]:
    ids, used = list(xorb_ids), set[int]()
    for start in range(0, len(ids), BATCH):
        used.update(
            Piece.objects.filter(xorb_id__in=ids[start : start + BATCH]).values_list("xorb_id", flat=True).distinct()
        )
    return used
