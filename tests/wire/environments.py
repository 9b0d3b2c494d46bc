"""Virtual environments of real clients: made once from pinned packages, kept in build/ for the runs that follow."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.live import ROOT
from tests.servers import absent

FOLDER = ROOT / "build" / "clients"
INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Environment:
    """One virtual environment; two of the same name and packages are the same."""

    name: str
    packages: tuple[str, ...]
    beside_the_project: bool = False

    @property
    def folder(self) -> Path:
        content = "\n".join((sys.executable, sys.version, str(self.beside_the_project), *self.packages))
        return FOLDER / f"{self.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    def version(self, package: str) -> str:
        """Return the version of a package by the pinned list."""
        return next(pin.split("==")[1] for pin in self.packages if pin.startswith(f"{package}=="))

    def make(self) -> None:
        """Make it unless it is there. One process makes it, others wait; what was broken off is made anew."""
        ready = self.folder / ".ready"
        FOLDER.mkdir(parents=True, exist_ok=True)
        with (FOLDER / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if ready.exists():
                return
            for older in FOLDER.glob(f"{self.name}-{'?' * 12}"):
                shutil.rmtree(older)
            run(sys.executable, "-m", "venv", "--without-pip", str(self.folder))
            self._install()
            if self.beside_the_project:
                self._look_into_the_project()
            ready.touch()

    def _install(self) -> None:
        if self.packages:
            run(
                *(sys.executable, "-m", "pip", "--python", self.program("python"), "install", "--no-deps"),
                *("--quiet", "--no-compile", "--disable-pip-version-check", *self.packages),
            )

    def _look_into_the_project(self) -> None:
        """Let Python look for packages in the project's own environment, after this one."""
        site = next((self.folder / "lib").glob("python*/site-packages"))
        (site / "project.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")


def run(*command: str) -> None:
    """Run a command that must succeed."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:6])} failed:\n{done.stdout}{done.stderr}")


@cache
def listed() -> dict[str, Environment]:
    """Return every environment of environments.toml by its name."""
    rows: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "environments.toml").read_text("utf-8"))
    return {name: Environment(name, tuple(row.pop("packages")), **row) for name, row in rows.items()}


@cache
def attempt(name: str) -> str:
    """Make an environment and return why it could not be made, or nothing; a failure is not tried again in this run."""
    try:
        listed()[name].make()
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return str(error)
    return ""


def environment(name: str) -> Environment:
    """Return an environment, ready to run. Without a package index its tests are skipped, except where CI runs them."""
    if failure := attempt(name):
        absent(f"The environment “{name}” of a real client could not be installed: {failure[-300:]}")
    return listed()[name]
