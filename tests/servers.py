"""What a test needs of its machine: absent, the test is skipped on a laptop and fails in CI, which installs it all."""

import os
import shutil
from typing import NoReturn

import pytest


def absent(message: str) -> NoReturn:
    """End the test for want of something."""
    if os.environ.get("CI", "") not in {"", "0", "false"}:
        pytest.fail(message)
    pytest.skip(message)


def need(*programs: str) -> list[str]:
    """Return the paths of programs, or end the test."""
    found = [shutil.which(program) for program in programs]
    missing = [program for program, path in zip(programs, found, strict=True) if path is None]
    if missing:
        absent(f"needs {', '.join(missing)}")
    return [path for path in found if path is not None]
