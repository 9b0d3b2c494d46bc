"""A portal with its database for the measurements of the forum, and who is signed in there."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests import databases
from tests.live import LivePortal
from tests.worker import postgres

# As a machine with some memory has it; all else is as PostgreSQL comes.
SETTINGS = "-c shared_buffers=1GB -c max_wal_size=2GB -c wal_level=minimal -c max_wal_senders=0"
COLD = "-c shared_buffers=16MB"  # else much of a cold database stays there


@dataclass(frozen=True)
class Bench:
    """The portal that is measured, and its database."""

    portal: LivePortal
    database: int  # the process of the postmaster

    @property
    def pid(self) -> int:
        assert self.portal.process is not None
        return self.portal.process.pid


@contextmanager
def loaded(load: Callable[[], None], *, kept: Path | None = None, is_cold: bool = False) -> Iterator[str]:
    """Yield the address of a database that `load` has filled: now, or when this folder was kept."""
    is_new = kept is None or not (kept / "data").exists()
    settings = f"{SETTINGS} {COLD}" if is_cold else SETTINGS
    with postgres.cluster(kept=kept, settings=settings) as url, tempfile.TemporaryDirectory(prefix="forum-") as folder:
        os.environ["DATABASE_URL"], os.environ["DATA_DIR"] = url, folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "portal.config.settings.base"
        import django

        django.setup()
        if is_new:
            load()
        else:
            databases.migrate({"DATABASE_URL": url, "DATA_DIR": folder})
        yield url


@contextmanager
def served(url: str) -> Iterator[Bench]:
    """Serve a loaded forum by gunicorn, as the portal starts it."""
    place = Path(unquote(urlsplit(url).netloc.rpartition("@")[2]))
    pid = int((place / "data" / "postmaster.pid").read_text().split()[0])
    with LivePortal(Path(os.environ["DATA_DIR"]), DATABASE_URL=url) as portal:
        yield Bench(portal, pid)


def signed_in(name: str) -> str:
    """Return the cookies of a browser in which this person is signed in."""
    from django.test import Client

    from portal.models import User

    client = Client()
    client.force_login(User.objects.get(username=name), "allauth.account.auth_backends.AuthenticationBackend")
    return "; ".join(f"{key}={morsel.value}" for key, morsel in client.cookies.items())


def forgotten(folder: Path) -> None:
    """Take the files of a database out of the memory of the machine; what its server keeps of its own stays there."""
    for path in (folder / "data" / "base").rglob("*"):
        if path.is_file() and path.stat().st_size:
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)
