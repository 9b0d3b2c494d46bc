"""A PostgreSQL cluster of its own for a test, without a port and gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import absent


def programs() -> Path | None:
    """The folder of the newest PostgreSQL on this machine, None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def cluster(address: str = "", port: int = 5432) -> Iterator[str]:
    """Run a cluster and yield the DATABASE_URL of an empty database in it.

    With an `address`, it also listens there for everybody: give none but that of a network of the test's own.
    """
    binaries = programs()
    if binaries is None:
        absent("needs PostgreSQL")
    # Short, for sockets; and not below a folder that only root may enter, for PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(binaries / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60, user=user, cwd=folder)

    try:
        run("initdb", "-D", "data", "-U", "portal", "-A", "trust", "-E", "UTF8", "--no-sync")
        if address:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        options = f"-c listen_addresses={address} -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-D", "data", "-o", options, "-l", "log", "-w", "start")
        try:
            where = f"{address}:{port}" if address else str(folder).replace("/", "%2F")
            yield f"postgres://portal@{where}/postgres"
        finally:
            run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
