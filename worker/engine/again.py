"""The engine started once more by itself, isolated as it was: the folder that it lies in is no place to import from.

What starts runs does the same (`worker/sandbox/interpreter.py`); under file rules that folder may not be listed.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError

_RUN_ENGINE = """
import importlib.util, runpy, sys
for name, file in {packages!r}:
    spec = importlib.util.spec_from_file_location(name, file)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
runpy.run_module("worker.engine", run_name="__main__", alter_sys=True)
"""
_HERE = Path(__file__).resolve().parent


def run_apart(verb: str, spec: Path, *, seconds: float) -> None:
    """Run a verb in a process of its own, and raise what it failed with; what it found is in its files."""
    packages = [("worker", str(_HERE.parent / "__init__.py")), ("worker.engine", str(_HERE / "__init__.py"))]
    command = [sys.executable, "-I", "-c", _RUN_ENGINE.format(packages=packages), verb, str(spec)]
    try:
        made = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise EngineError("inference_failed", f"{verb} took longer than {seconds:.0f} seconds.") from error
    if made.returncode == 0:
        return
    try:
        said: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])["error"]
    except (IndexError, ValueError, KeyError, TypeError) as error:
        last = made.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise EngineError(
            "inference_failed", f"{verb} ended with status {made.returncode}. {' '.join(last)[:300]}"
        ) from error
    raise EngineError(said["code"], said["message"])
