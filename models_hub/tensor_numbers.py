"""The numbers of tensors, read from where they lie: which tensors differ, and by how much."""

import math
import operator
import struct
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from models_hub import fetching
from models_hub.browsing import Entry
from models_hub.headers.safetensors import DTYPE_BITS, Tensor

BLOCK = 1024 * 1024
_FLOATS = {"F32": "f", "F64": "d", "I8": "b", "U8": "B", "BOOL": "B", "I16": "h", "U16": "H", "I32": "i", "U32": "I",
           "I64": "q", "U64": "Q"}  # fmt: skip
_PLAIN = {1: "B", 2: "H", 4: "I", 8: "Q"}

Heard = Callable[[int], None]


@dataclass(frozen=True)
class Place:
    """A tensor and where its bytes are."""

    tensor: Tensor
    entry: Entry
    offset: int

    @property
    def size(self) -> int:
        return self.tensor.end - self.tensor.start


def compare(pairs: Mapping[str, tuple[Place, Place]], heard: Heard) -> dict[str, list[float | None]]:
    """Return name -> [share, distance] of the tensors whose bytes differ. `heard` is told of bytes, and may raise."""
    found: dict[str, list[float | None]] = {}
    for name, (before, after) in pairs.items():
        if before.entry.etag == after.entry.etag and before.offset == after.offset:
            heard(before.size + after.size)
        elif not _are_same(before, after, heard):
            found[name] = _measure(before, after, heard)
    return found


def _blocks(place: Place) -> Iterator[bytes]:
    """Yield a tensor's bytes in blocks of BLOCK, however they are stored."""
    assert place.entry.blob is not None
    waiting = bytearray()
    for piece in fetching.stream(place.entry.blob, place.offset, place.size):
        waiting += piece
        while len(waiting) >= BLOCK:
            yield bytes(waiting[:BLOCK])
            del waiting[:BLOCK]
    if waiting:
        yield bytes(waiting)


def _are_same(before: Place, after: Place, heard: Heard) -> bool:
    same = True
    for one, other in zip(_blocks(before), _blocks(after), strict=True):
        heard(len(one) + len(other))
        same = same and one == other
    return same


def _measure(before: Place, after: Place, heard: Heard) -> list[float | None]:
    """Return the share of numbers that differ, and the relative distance where the numbers can be read."""
    bits = DTYPE_BITS[before.tensor.dtype]
    plain = _PLAIN.get(bits // 8, "B")
    differing = count = 0
    apart = length = 0.0
    for one, other in zip(_blocks(before), _blocks(after), strict=True):
        heard(0)
        old, new = array(plain, one), array(plain, other)
        differing += sum(map(operator.ne, old, new))
        count += len(old)
        numbers = [_numbers(before.tensor.dtype, block) for block in (one, other)]
        if numbers[0] is None or numbers[1] is None:
            apart = math.nan
            continue
        steps = list(map(operator.sub, numbers[1], numbers[0]))
        apart += sum(map(operator.mul, steps, steps))
        length += sum(map(operator.mul, numbers[0], numbers[0]))
    distance = math.sqrt(apart / length) if length > 0 and math.isfinite(apart) and math.isfinite(length) else None
    return [differing / max(count, 1), distance]


def _numbers(dtype: str, block: bytes) -> "array[float] | tuple[float, ...] | None":
    """Return the numbers of a block, None for formats that are not read here."""
    if dtype == "F16":
        return struct.unpack(f"<{len(block) // 2}e", block)
    if dtype == "BF16":  # the upper half of a 32-bit number
        wide = bytearray(2 * len(block))
        wide[2::4], wide[3::4] = block[0::2], block[1::2]
        block, dtype = bytes(wide), "F32"
    if dtype not in _FLOATS:
        return None
    numbers: array[float] = array(_FLOATS[dtype], block)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
