"""Programs that a test needs: absent, the test is skipped on a laptop and fails in CI."""

import os
import shutil

import pytest


def need(*programs: str) -> list[str]:
    """Return the paths of programs, or skip; CI installs them all, so there it is a failure."""
    found = [shutil.which(program) for program in programs]
    missing = [program for program, path in zip(programs, found, strict=True) if path is None]
    if missing:
        message = f"needs {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return [path for path in found if path is not None]
