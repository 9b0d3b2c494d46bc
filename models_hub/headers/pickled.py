"""The tensors of a checkpoint that PyTorch pickled: names, types and shapes, by following its opcodes.

A pickle is a program. Nothing of it is run here: what it would import or call becomes a note of its name, and only
the notes that make tensors are understood. https://docs.pytorch.org/docs/stable/notes/serialization.html has the
layout: a zip with `data.pkl` and each storage as a member `data/<key>`, neither of them compressed.
"""

import io
import math
import pickletools
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

from models_hub.headers.safetensors import DTYPE_BITS, MAX_RANK, Tensor

MAX_PICKLE = 4_000_000
MAX_OPCODES = 400_000
MAX_MEMBERS = 20_000
MAX_DIRECTORY = 1_500_000  # bytes of the list of members, with what is read to find it
MAX_SIDE = 2**48
MAX_DEPTH = 4  # of dictionaries within each other
MAX_NAME = 500
# Where training programs put the weights beside other things.
OF_CHECKPOINTS = ("state_dict", "model_state_dict", "model", "module")
STORAGES = {
    "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16", "DoubleStorage": "F64",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
    "BoolStorage": "BOOL", "ComplexFloatStorage": "C64",
}  # fmt: skip
TYPES = {
    "float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "complex64": "C64", "uint16": "U16", "uint32": "U32",
    "uint64": "U64", "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
}  # fmt: skip
# What the zip module raises of files that are none, are damaged, or are made in a way it does not know.
DAMAGED = (zipfile.BadZipFile, ValueError, EOFError, OSError, RuntimeError)
CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
PUTS, GETS = ("PUT", "BINPUT", "LONG_BINPUT"), ("GET", "BINGET", "LONG_BINGET")
# Opcodes that push what stands behind them: a text, bytes or a number.
VALUES = frozenset(
    """INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE
    SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8""".split()
)
UNIMPORTANT = ("PROTO", "FRAME")
_MARK = object()


class NotRead(Exception):
    """These are no tensors that can be told, or what is told of them cannot be true."""


class Seekable(Protocol):
    """A file that is read at some places."""

    def seek(self, position: int, /) -> object: ...

    def read(self, size: int, /) -> bytes: ...


class Named(NamedTuple):
    """What the pickle would import."""

    module: str
    name: str


class Called(NamedTuple):
    """What it would call, and with what."""

    function: Any
    arguments: Any


class Storage(NamedTuple):
    """The numbers of one or several tensors, kept in a member of the file."""

    dtype: str
    key: str


class View(NamedTuple):
    """A tensor: a part of a storage."""

    key: str
    dtype: str
    offset: int
    shape: tuple[int, ...]


def read_pickled(file: Seekable, size: int) -> list[Tensor]:
    """Return the tensors of a checkpoint with the places of their bytes in their storages; raises NotRead.

    What several names share is there once, under the first of them, so that together they are no more than the file.
    """
    reader = _Bounded(file, size)
    try:
        with zipfile.ZipFile(cast("BinaryIO", reader)) as archive:
            members = archive.infolist()
            pickles = [one for one in members if one.filename.rsplit("/", 1)[-1] == "data.pkl"]
            if len(pickles) != 1 or len(members) > MAX_MEMBERS or pickles[0].file_size > MAX_PICKLE:
                raise NotRead
            if pickles[0].compress_type != zipfile.ZIP_STORED:
                raise NotRead
            reader.left = MAX_PICKLE + MAX_NAME
            data = archive.read(pickles[0])
    except DAMAGED as error:
        raise NotRead from error
    folder = pickles[0].filename.removesuffix("data.pkl")
    sizes = {one.filename.removeprefix(f"{folder}data/"): one.file_size for one in members if not one.compress_type}
    found = _tensors(_Machine().run(data), sizes)
    if not found or sum(one.end - one.start for one in found) > size:
        raise NotRead
    return found


def _tensors(made: Any, sizes: Mapping[str, int]) -> list[Tensor]:
    found: list[tuple[str, Tensor]] = []
    for name, view in _views(_weights(made), "", 0, set()):
        bits = DTYPE_BITS[view.dtype]
        begin, end = view.offset * bits // 8, (view.offset + math.prod(view.shape)) * bits // 8
        if end > sizes.get(view.key, -1):
            raise NotRead  # it would have more elements than the file has
        found.append((view.key, Tensor(name, view.dtype, view.shape, begin, end)))
    reached: dict[str, int] = {}
    once: set[int] = set()
    for at in sorted(range(len(found)), key=lambda at: (found[at][1].start, -found[at][1].end, at)):
        key, tensor = found[at]
        if tensor.start >= reached.get(key, 0):
            reached[key] = tensor.end
            once.add(at)
    return [tensor for at, (_key, tensor) in enumerate(found) if at in once]


def _weights(made: Any) -> Any:
    """Return the dictionary of weights, which stands beside other things in checkpoints of a training."""
    if not isinstance(made, dict) or any(isinstance(value, View) for value in made.values()):
        return made
    inner = [made[name] for name in OF_CHECKPOINTS if isinstance(made.get(name), dict)]
    return inner[0] if inner else made


def _views(made: Any, name: str, depth: int, seen: set[int]) -> Iterator[tuple[str, View]]:
    """Yield tensors by name. A dictionary that stands at several places is walked through at the first."""
    if isinstance(made, View):
        yield name, made
    elif isinstance(made, dict) and depth < MAX_DEPTH and id(made) not in seen:
        seen.add(id(made))
        for key, value in made.items():
            if isinstance(value, View | dict):
                label = str(key)[:MAX_NAME]
                yield from _views(value, f"{name}.{label}"[:MAX_NAME] if name else label, depth + 1, seen)


class _Bounded(io.RawIOBase):
    """Reads of a file that are bounded all together, for the list of members is as long as the file says."""

    def __init__(self, file: Seekable, size: int) -> None:
        super().__init__()
        self._file, self._size = file, size
        self._position, self.left = 0, MAX_DIRECTORY

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def read(self, size: int = -1) -> bytes:
        there = max(self._size - self._position, 0)
        length = there if size is None or size < 0 else min(size, there)
        self.left -= length
        if self.left < 0:
            raise NotRead
        self._file.seek(self._position)
        data = self._file.read(length)
        self._position += len(data)
        return data


class _Machine:
    """Follows one pickle with a stack and a memory of its own, in which nothing is but texts, numbers and notes."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        """Return what the pickle is of; raises NotRead."""
        left = MAX_OPCODES
        try:
            for opcode, argument, _place in pickletools.genops(data):
                left -= 1
                if left < 0:
                    raise NotRead
                if opcode.name == "STOP":
                    return self._stack[-1]
                self._step(opcode, argument)
        except NotRead:
            raise
        except Exception as error:  # a hostile one may raise whatever a stack of unlike things can
            raise NotRead from error
        raise NotRead

    def _step(self, opcode: Any, argument: Any) -> None:
        name = opcode.name
        if name in CONSTANTS:
            self._stack.append(CONSTANTS[name])
        elif (step := getattr(self, f"_{name.lower()}", None)) is not None:
            step()
        elif name in PUTS:
            self._memory[argument] = self._stack[-1]
        elif name in GETS:
            self._stack.append(self._memory[argument])
        elif name == "GLOBAL":
            module, _space, attribute = str(argument).partition(" ")
            self._stack.append(Named(module, attribute))
        elif name in VALUES:
            self._stack.append(argument)
        elif name not in UNIMPORTANT:
            raise NotRead

    def _mark(self) -> None:
        self._stack.append(_MARK)

    def _above_mark(self) -> list[Any]:
        at = len(self._stack) - 1
        while self._stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise NotRead
        found = self._stack[at + 1 :]
        del self._stack[at:]
        return found

    def _taken(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise NotRead
        found = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return found

    def _pop(self) -> None:
        self._stack.pop()

    def _pop_mark(self) -> None:
        self._above_mark()

    def _memoize(self) -> None:
        self._memory[len(self._memory)] = self._stack[-1]

    def _empty_dict(self) -> None:
        self._stack.append({})

    def _empty_list(self) -> None:
        self._stack.append([])

    def _tuple(self) -> None:
        self._stack.append(tuple(self._above_mark()))

    def _tuple1(self) -> None:
        self._stack.append(tuple(self._taken(1)))

    def _tuple2(self) -> None:
        self._stack.append(tuple(self._taken(2)))

    def _tuple3(self) -> None:
        self._stack.append(tuple(self._taken(3)))

    def _setitem(self) -> None:
        self._note(self._taken(2))

    def _setitems(self) -> None:
        self._note(self._above_mark())

    def _note(self, pairs: list[Any]) -> None:
        """Put keys and values into the dictionary on top; what is put into other things is of no use here."""
        if isinstance(self._stack[-1], dict):
            kept = zip(pairs[::2], pairs[1::2], strict=True)
            self._stack[-1].update({key: value for key, value in kept if _is_name(key)})

    def _append(self) -> None:
        self._taken(1)

    def _appends(self) -> None:
        self._above_mark()

    def _build(self) -> None:
        """Of an object with attributes the attributes are of no use; a dictionary of weights has some beside them."""
        self._taken(1)

    def _stack_global(self) -> None:
        module, name = self._taken(2)
        self._stack.append(Named(str(module)[:MAX_NAME], str(name)[:MAX_NAME]))

    def _reduce(self) -> None:
        function, arguments = self._taken(2)
        self._stack.append(_made(function, arguments))

    def _newobj(self) -> None:
        self._reduce()

    def _binpersid(self) -> None:
        [told] = self._taken(1)
        _kind, form, key, _device, _elements = told
        if not (isinstance(form, Named) and isinstance(key, str)):
            raise NotRead
        self._stack.append(Storage(STORAGES.get(form.name, ""), key))


def _is_name(key: Any) -> bool:
    return isinstance(key, str) or (isinstance(key, int) and abs(key) < MAX_SIDE)


def _is_side(number: Any) -> bool:
    return isinstance(number, int) and 0 <= number < MAX_SIDE


def _made(function: Any, arguments: Any) -> Any:
    """Return what a call makes, as far as it makes tensors or what holds them."""
    if not isinstance(function, Named) or not isinstance(arguments, tuple):
        return Called(function, arguments)
    if function.name == "OrderedDict" and not arguments:
        return {}
    if function.module != "torch._utils":
        return Called(function, arguments)
    if function.name in ("_rebuild_parameter", "_rebuild_parameter_with_state"):
        return arguments[0]
    if function.name in ("_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_tensor"):
        storage, offset, shape = arguments[:3]
        told = arguments[6] if function.name == "_rebuild_tensor_v3" else None
        dtype = TYPES.get(told.name, "") if isinstance(told, Named) else storage.dtype
        if not isinstance(storage, Storage) or dtype not in DTYPE_BITS or len(shape) > MAX_RANK:
            raise NotRead
        if not all(map(_is_side, (offset, *shape))):
            raise NotRead
        return View(storage.key, dtype, offset, tuple(shape))
    return Called(function, arguments)
