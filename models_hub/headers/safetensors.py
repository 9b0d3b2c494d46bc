"""The header of a safetensors file: its tensors, by https://github.com/huggingface/safetensors#format."""

import math
import struct
from dataclasses import dataclass
from typing import TypeGuard

from django.utils.translation import gettext as _

from models_hub.checking import FileRefused, Readable, shown
from portal import bounded_json

MAX_HEADER_BYTES = 25_000_000
MAX_TENSORS = 100_000
MAX_VALUES = 12 * MAX_TENSORS  # each tensor has eight, and one more for each dimension after the first
MAX_RANK = 16
DTYPE_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64,
    "C64": 64,
}  # fmt: skip


@dataclass(frozen=True)
class Tensor:
    """One tensor of a safetensors header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


def read_safetensors_header(file: Readable, size: int, path: str) -> list[Tensor]:
    """Return the tensors that a safetensors file declares, checked against its real size.

    Raises FileRefused for anything that the format forbids. Allocates nothing from numbers in the file.
    """
    return read_safetensors(file, size, path)[0]


def read_safetensors(file: Readable, size: int, path: str) -> tuple[list[Tensor], dict[str, str]]:
    """Return what `read_safetensors_header` does, and the texts that the file's author put beside the tensors."""
    prefix = file.read(8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else -1
    if length < 2 or length > MAX_HEADER_BYTES or 8 + length > size:
        raise _refused(path, _("its header length does not fit the file"))
    raw = file.read(length)
    if len(raw) != length or not raw.startswith(b"{"):
        raise _refused(path, _("its header is cut off or does not start with “{”"))
    try:
        header = bounded_json.loads(raw, values=MAX_VALUES, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise _refused(path, _("its header is not valid JSON")) from error
    if not isinstance(header, dict):
        raise _refused(path, _("its header is not an object"))
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _refused(path, _("its __metadata__ must map text to text"))
    if len(header) > MAX_TENSORS:
        raise _refused(path, _("it declares too many tensors"))
    tensors = sorted((_tensor(name, value, path) for name, value in header.items()), key=lambda t: (t.start, t.end))
    position = 0
    for tensor in tensors:
        if tensor.start != position:
            raise _refused(path, _("its tensors overlap or leave holes"))
        position = tensor.end
    if position != size - 8 - length:
        raise _refused(path, _("its tensors do not fill the file: it is truncated or has bytes appended"))
    return tensors, metadata


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _tensor(name: str, value: object, path: str) -> Tensor:
    fields = value if isinstance(value, dict) else {}
    dtype, shape, offsets = fields.get("dtype"), fields.get("shape"), fields.get("data_offsets")
    if not name or not name.isprintable() or len(name) > 500:
        raise _refused(path, _("a tensor name is empty, too long or holds control characters"))
    if not isinstance(dtype, str) or dtype not in DTYPE_BITS:
        raise _refused(path, _("a tensor has an unknown dtype"))
    if not (_whole_numbers(shape) and len(shape) <= MAX_RANK and _whole_numbers(offsets) and len(offsets) == 2):
        raise _refused(path, _("a tensor has a bad shape or bad offsets"))
    tensor = Tensor(name, dtype, tuple(shape), offsets[0], offsets[1])
    if tensor.elements * DTYPE_BITS[dtype] != (tensor.end - tensor.start) * 8:
        raise _refused(path, _("a tensor’s shape does not match its number of bytes"))
    return tensor


def _whole_numbers(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**62 for n in value)


def _refused(path: str, why: str) -> FileRefused:
    return FileRefused(
        _("“%(path)s” is not a valid safetensors file: %(why)s. Save it again with save_pretrained or safetensors.")
        % {"path": shown(path), "why": why}
    )
