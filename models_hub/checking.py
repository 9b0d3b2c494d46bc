"""What may enter a repository: path names, safetensors headers, cards. Everything here is hostile until checked."""

import json
import struct
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeGuard

from django.utils.translation import gettext as _

from portal.errors import InvalidInput

MAX_SEGMENT_BYTES = 255
MAX_PATH_BYTES = 4096
MAX_DEPTH = 64
MAX_FILES = 100_000
MAX_HEADER_BYTES = 25_000_000
MAX_TENSORS = 100_000
MAX_RANK = 16
DTYPE_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64,
    "C64": 64,
}  # fmt: skip
_DEVICES = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}


class PathRefused(InvalidInput):
    """A file name that no repository may hold."""

    code = "bad_path"


class Readable(Protocol):
    """Something that gives its next bytes."""

    def read(self, size: int, /) -> bytes: ...


class FileRefused(InvalidInput):
    """A file whose content is not what its name says, or would harm whoever opens it."""

    code = "bad_file"


def is_text(value: str) -> bool:
    """Say whether every database can hold it: no NUL character, no half of a surrogate pair."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def normalize_path(path: str) -> str:
    """Return `path` when every system can hold it safely, else raise PathRefused with the reason."""
    if not path or path.startswith("/") or path.endswith("/"):
        raise PathRefused(_("“%(path)s” is not a file path inside the repository.") % {"path": shown(path)})
    if "\\" in path:
        raise PathRefused(_("“%(path)s” holds a backslash; separate folders with “/”.") % {"path": shown(path)})
    try:
        encoded = path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PathRefused(_("The path “%(path)s” is not valid UTF-8.") % {"path": shown(path)}) from error
    if len(encoded) > MAX_PATH_BYTES or path.count("/") >= MAX_DEPTH:
        raise PathRefused(_("The path “%(path)s” is too long or too deep.") % {"path": shown(path)})
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for character in path):
        raise PathRefused(
            _("The path “%(path)s” holds control or invisible characters; rename the file.") % {"path": shown(path)}
        )
    for segment in path.split("/"):
        _check_segment(segment, path)
    return path


def _check_segment(segment: str, path: str) -> None:
    folded = unicodedata.normalize("NFKC", segment).casefold().rstrip(". ")
    if segment in {"", ".", ".."}:
        raise PathRefused(_("“%(path)s” holds an empty, “.” or “..” folder name.") % {"path": shown(path)})
    if folded in {".git", "git~1"} or folded.startswith(".git:"):
        raise PathRefused(_("“%(path)s”: the name .git is reserved by git.") % {"path": shown(path)})
    if folded.split(".")[0] in _DEVICES:
        raise PathRefused(_("“%(path)s”: this name is a device on some systems; rename it.") % {"path": shown(path)})
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        raise PathRefused(_("A folder or file name in “%(path)s” is too long.") % {"path": shown(path)})


def check_tree(paths: Iterable[str]) -> None:
    """Refuse a set of paths that some file system could not hold side by side."""
    seen: dict[str, str] = {}
    files = set()
    for path in paths:
        files.add(path)
        twin = seen.setdefault(unicodedata.normalize("NFC", path), path)
        if twin != path:
            raise PathRefused(
                _("“%(a)s” and “%(b)s” are the same name on some systems.") % {"a": shown(twin), "b": shown(path)}
            )
    if len(files) > MAX_FILES:
        raise PathRefused(_("A repository may hold at most %(max)d files.") % {"max": MAX_FILES})
    for path in files:
        parent = path
        while "/" in parent:
            parent = parent.rsplit("/", 1)[0]
            if parent in files:
                raise PathRefused(_("“%(path)s” is both a file and a folder.") % {"path": shown(parent)})


def shown(path: str) -> str:
    """Return a path as it may stand in a message: bounded, without control characters."""
    clean = "".join(c if c.isprintable() else "?" for c in path[:120])
    return clean + ("…" if len(path) > 120 else "")


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
        product = 1
        for side in self.shape:
            product *= side
        return product


def read_safetensors_header(file: Readable, size: int, path: str) -> list[Tensor]:
    """Return the tensors that a safetensors file declares, checked against its real size.

    Raises FileRefused for anything that the format forbids, see
    https://github.com/huggingface/safetensors#format. Allocates nothing from numbers in the file.
    """
    prefix = file.read(8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else -1
    if length < 2 or length > MAX_HEADER_BYTES or 8 + length > size:
        raise _refused(path, _("its header length does not fit the file"))
    raw = file.read(length)
    if len(raw) != length or not raw.startswith(b"{"):
        raise _refused(path, _("its header is cut off or does not start with “{”"))
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_duplicates)
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
    return tensors


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
