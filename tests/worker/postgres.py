"""A PostgreSQL cluster of its own for a test, without a port and gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dj_database_url
from django.db import connections
from django.db.utils import load_backend

from tests import databases
from tests.servers import absent


def programs() -> Path | None:
    """The folder of the newest PostgreSQL on this machine, None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def cluster(address: str = "", port: int = 5432, *, kept: Path | None = None, settings: str = "") -> Iterator[str]:
    """Run a cluster and yield the DATABASE_URL of a database in it, which has all tables.

    With an `address`, it also listens there for everybody: give none but that of a network of the test's own. In a
    `kept` folder it stays as it is left, and is found again there.
    """
    binaries = programs()
    if binaries is None:
        absent("needs PostgreSQL")
    made = databases.postgresql(binaries.parent.name, partial(_make, binaries))
    with _place(binaries, kept) as place:
        if not (place.folder / "data").exists():
            shutil.copytree(made, place.folder / "data")
        if address:
            with (place.folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        options = f"-c listen_addresses={address} -c port={port} {settings}"
        with place.running(options, stop="fast" if kept else "immediate"):
            where = f"{address}:{port}" if address else place.socket
            yield f"postgres://portal@{where}/postgres"


def _make(binaries: Path, path: Path) -> None:
    """Make a cluster whose database has all tables, and leave its data at `path`."""
    with _place(binaries) as place:
        options = ("-D", "data", "-U", "portal", "-A", "trust", "-E", "UTF8", "--no-sync", "--wal-segsize=1")
        place.run("initdb", *options)
        with place.running("-c listen_addresses=", stop="fast"):
            url = f"postgres://portal@{place.socket}/postgres"
            databases.migrate({"DATABASE_URL": url, "DATA_DIR": str(place.folder / "portal")})
        shutil.copytree(place.folder / "data", path)


@dataclass(frozen=True)
class _Place:
    """A folder for one cluster, and who runs it: PostgreSQL refuses to run as root."""

    binaries: Path
    folder: Path
    user: str | None

    @property
    def socket(self) -> str:
        return str(self.folder).replace("/", "%2F")

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=300, user=self.user, cwd=self.folder)

    @contextmanager
    def running(self, options: str, stop: str = "immediate") -> Iterator[None]:
        if self.user:
            shutil.chown(self.folder, self.user, self.user)
            for path in (self.folder / "data", *(self.folder / "data").rglob("*")):
                shutil.chown(path, self.user, self.user)
        options = f"{options} -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", "data", "-o", options, "-l", "log", "-w", "start")
        try:
            yield
        finally:
            self.run("pg_ctl", "-D", "data", "-m", stop, "-w", "stop")


@contextmanager
def instead_of_ours(url: str) -> Iterator[None]:
    """Let this process use another database meanwhile."""
    ours = connections["default"]
    asked = {**ours.settings_dict, "OPTIONS": {}, **dj_database_url.parse(url)}
    connections["default"] = load_backend(asked["ENGINE"]).DatabaseWrapper(asked, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = ours


@contextmanager
def _place(binaries: Path, kept: Path | None = None) -> Iterator[_Place]:
    # Short, for sockets; and not below a folder that only root may enter.
    folder = kept or Path(tempfile.mkdtemp(prefix="pg-"))
    folder.mkdir(exist_ok=True)
    user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    try:
        yield _Place(binaries, folder, user)
    finally:
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)
