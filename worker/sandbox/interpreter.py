"""Which files of the host a run may see: the interpreter, its libraries and the engine, each at its own place."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# The folder that holds `worker`; only the engine below it is ever shown to a run.
ROOT = Path(__file__).resolve().parents[2]
ENGINE = (ROOT / "worker" / "__init__.py", ROOT / "worker" / "engine")

SYSTEM_LIBRARIES = tuple(Path(name) for name in ("/usr/lib", "/usr/lib32", "/usr/lib64"))
# On most systems these point into /usr; where they do not, they are folders of their own.
OLD_LIBRARIES = tuple(Path(name) for name in ("/lib", "/lib32", "/lib64"))
# Debian reaches BLAS through alternatives.
LOADER_FILES = (Path("/etc/ld.so.cache"), Path("/etc/alternatives"))
# Not a whole prefix: a virtual environment may have been made in the project's own folder.
PREFIX_PARTS = ("bin", "lib", "lib64", "pyvenv.cfg")

# Each package is loaded from its file, so that the folder with the whole project never becomes a place to import from.
# It could not be one under the file rules either: finding a module there means listing it.
_RUN_ENGINE = """
import importlib.util, runpy, sys
for name, file in {packages!r}:
    spec = importlib.util.spec_from_file_location(name, file)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
runpy.run_module("worker.engine", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Visible:
    """Files and folders to show as they are, and the links that lead to them."""

    paths: tuple[Path, ...]
    links: tuple[tuple[str, Path], ...]

    @property
    def private(self) -> tuple[Path, ...]:
        """Those that another user may be unable to reach; the system's own are open to all."""
        return tuple(path for path in self.paths if not path.is_relative_to("/usr") and not path.is_relative_to("/etc"))


def engine_command(*args: str) -> list[str]:
    """Return the command that runs the engine isolated from the environment, the user's packages and the folder.

    It stands for `python -I -m worker.engine`, which would look among the installed packages only.
    """
    packages = [("worker", str(ENGINE[0])), ("worker.engine", str(ENGINE[1] / "__init__.py"))]
    return [sys.executable, "-I", "-c", _RUN_ENGINE.format(packages=packages), *args]


def visible() -> Visible:
    """Return what every run sees, whatever it is given."""
    program = Path(sys.executable)
    candidates = [*SYSTEM_LIBRARIES, *OLD_LIBRARIES, *LOADER_FILES, *ENGINE]
    candidates += [Path(prefix) / part for prefix in (sys.prefix, sys.base_prefix) for part in PREFIX_PARTS]
    paths, links = _sorted_out(candidates)
    for needed in (program.parent.resolve() / program.name, program.resolve()):
        if not any(needed.is_relative_to(path) for path in paths):
            paths.append(needed)
    return Visible(tuple(paths), tuple(links))


def _sorted_out(candidates: Iterable[Path]) -> tuple[list[Path], list[tuple[str, Path]]]:
    paths: list[Path] = []
    links: list[tuple[str, Path]] = []
    for path in dict.fromkeys(candidates):
        if path.is_symlink():
            links.append((os.readlink(path), path))
        elif path.exists():
            paths.append(path)
    return paths, links
