"""What a pickle would import when it is loaded, told from its opcodes. Nothing of it is executed."""

import base64
import io
import json
import pickletools
from typing import Any

MAX_STREAMS = 20
TORCH_STREAMS = 5  # in a file of PyTorch before version 1.6
MAX_OPCODES = 3_000_000
MAX_IMPORTS = 200
MAX_NAME = 200
TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING", "STRING"}
PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
GETS = {"GET", "BINGET", "LONG_BINGET"}
KEPT = 1000  # values of the stack that may still name an import
# What programs that save weights write, and what reaches the system. All else is only unusual.
USUAL_MODULES = ("torch", "numpy", "_codecs", "collections", "copyreg", "sklearn", "scipy", "joblib", "transformers")
USUAL_BUILTINS = {
    "set", "frozenset", "list", "dict", "tuple", "int", "float", "str", "bytes", "bytearray", "complex", "slice",
    "range", "object", "bool",
}  # fmt: skip
DANGEROUS_MODULES = set(
    """os posix nt subprocess sys shutil socket pty platform commands importlib runpy code codeop builtins __builtin__
    ctypes webbrowser requests urllib http httplib ftplib telnetlib asyncio multiprocessing threading pickle _pickle
    cloudpickle dill marshal types functools operator pip setuptools pdb bdb timeit trace cProfile profile tempfile
    pathlib io codecs pkgutil idlelib lib2to3 distutils ensurepip venv site signal resource""".split()
)
DANGEROUS_NAMES = {
    "torch.hub", "torch.utils.cpp_extension", "torch.jit", "torch._inductor", "torch._dynamo", "torch.serialization",
    "torch.distributed", "torch.multiprocessing", "torch.utils.bottleneck", "torch.utils.collect_env",
    "torch.utils._config_module", "torch.fx", "numpy.testing", "numpy.f2py", "numpy.distutils", "transformers.utils",
    "numpy.lib.npyio", "joblib.load", "torch.load", "numpy.load", "collections.abc",
}  # fmt: skip


def pickle_to_json(data: str, *, is_cut: bool = False) -> str:
    """Return a JSON object with the imports of a pickle, which comes in base64, and whether all of it was read.

    `is_cut` says that these are only the first bytes of a file.
    """
    stream = io.BytesIO(base64.b64decode(data))
    scan = _Scan(is_cut=is_cut)
    for _number in range(MAX_STREAMS):
        if not scan.read_one(stream):
            break
    imports = sorted(scan.imports, key=lambda name: (("dangerous", "unusual", "usual").index(_level(*name)), name))
    return json.dumps(
        {
            "imports": [{"name": ".".join(name)[:MAX_NAME], "level": _level(*name)} for name in imports[:MAX_IMPORTS]],
            "more": max(len(imports) - MAX_IMPORTS, 0),
            "is_whole": scan.is_whole,
            "streams": scan.streams,
        }
    )


class _Scan:
    """Follows the stack as far as names of imports need it."""

    def __init__(self, *, is_cut: bool) -> None:
        self.is_cut = is_cut
        self.imports: set[tuple[str, str]] = set()
        self.streams = 0
        self.left = MAX_OPCODES
        self.is_whole = True

    def read_one(self, stream: io.BytesIO) -> bool:
        """Read one pickle of the stream; say whether another may follow."""
        start = stream.tell()
        if start >= len(stream.getbuffer()):
            return False
        self.stack: list[Any] = []
        self.memo: dict[Any, Any] = {}
        try:
            for opcode, argument, _position in pickletools.genops(stream):
                self.left -= 1
                if self.left < 0:
                    self.is_whole = False
                    return False
                self._follow(opcode, argument)
        except Exception:  # noqa: BLE001 - after the pickles of a file may come raw data, which raises anything
            self.is_whole = self.is_whole and self.streams > 0 and not self._ended_early(stream)
            return False
        self.streams += 1
        return True

    def _ended_early(self, stream: io.BytesIO) -> bool:
        """Say whether this pickle goes on behind what was read; before PyTorch's raw data come five of them."""
        return self.is_cut and self.streams < TORCH_STREAMS and stream.tell() >= len(stream.getbuffer())

    def _follow(self, opcode: Any, argument: Any) -> None:
        name = opcode.name
        if name in {"GLOBAL", "INST"}:
            module, _space, attribute = str(argument).partition(" ")
            self._push_import(module, attribute)
        elif name == "STACK_GLOBAL":
            pair = [item if isinstance(item, str) else "?" for item in self.stack[-2:]]
            module, attribute = pair if len(pair) == 2 else ("?", "?")
            del self.stack[-2:]
            self._push_import(module, attribute)
        elif name in TEXTS:
            self._push(str(argument))
        elif name in GETS:
            self._push(self.memo.get(argument))
        elif name in PUTS:
            self.memo[argument] = self.stack[-1] if self.stack else None
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1] if self.stack else None
        else:
            for _pushed in opcode.stack_after:
                self._push(None)

    def _push(self, value: Any) -> None:
        self.stack.append(value)
        if len(self.stack) > KEPT * 2:
            del self.stack[:KEPT]

    def _push_import(self, module: str, attribute: str) -> None:
        name = (module[:MAX_NAME], attribute[:MAX_NAME])
        if len(self.imports) < MAX_IMPORTS * 10:
            self.imports.add(name)
        self._push(name)


def _level(module: str, attribute: str) -> str:
    full = f"{module}.{attribute}"
    if module in {"builtins", "__builtin__"}:
        return "usual" if attribute in USUAL_BUILTINS else "dangerous"
    if any(full == name or full.startswith(f"{name}.") for name in DANGEROUS_NAMES):
        return "dangerous"
    if module == "torch" and attribute.startswith("_"):
        return "unusual"
    top = module.partition(".")[0]
    if top in DANGEROUS_MODULES or "?" in (module, attribute):
        return "dangerous"
    return "usual" if top in USUAL_MODULES else "unusual"
