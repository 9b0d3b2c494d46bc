"""The cast and the stage: alice owns, bob collaborates, charlie is a stranger, morgan moderates."""

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.utils import translation
from pytest_django.plugin import DjangoDbBlocker

from models_hub import browsing, downloading, publishing
from models_hub.models import Repo
from models_hub.publishing import Change, PutFile
from models_hub.searching.catalogue import catalogues
from portal import watched_words
from portal.models import AccessToken, Membership, Organization, User
from tests import databases, scheduling
from tests.live import LivePortal
from tests.worker import postgres

PASSWORD = "correct horse battery staple"
BROWSER_SECONDS = 30  # until a page is as expected; the library’s five are short where other tests run
# Images for containers set it: each client and portal would compile all that it imports, which doubles what it costs.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
pytest_plugins = ["tests.connections"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: were it last, one process would be at it and the others idle."""
    items.sort(key=lambda item: scheduling.place_of(item.nodeid, is_live=item.get_closest_marker("live") is not None))


def pytest_collection_finish() -> None:
    """What was collected stays: the garbage collector need not look through it again and again."""
    if (browsers := sys.modules.get("playwright.sync_api")) is not None:
        browsers.expect.set_options(timeout=BROWSER_SECONDS * 1000)
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run files that share something dear in the same process, for `--dist loadfile`."""
    return scheduling.FilesTogether(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """A file, or a PostgreSQL of its own, copied from one that was migrated once for all processes.

    In memory, threads would share one cache of pages, where whoever meets a lock fails at once instead of waiting.
    """
    if connection.vendor == "postgresql":
        with postgres.cluster() as url:
            connection.settings_dict |= dj_database_url.parse(url)
            yield
            connection.close()
        return
    file = tmp_path_factory.mktemp("database") / "portal.sqlite3"
    shutil.copyfile(databases.sqlite(), file)
    connection.close()
    connection.settings_dict["NAME"] = str(file)
    yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture(autouse=True)
def own_blob_folder(settings, tmp_path: Path) -> Path:
    """Each test has a blob store of its own."""
    settings.BLOB_DIR = tmp_path / "blobs"
    return tmp_path / "blobs"


@pytest.fixture(autouse=True)
def forgetful_process() -> None:
    """What a process keeps of the database in memory is of the test before, which was rolled back: ids come again."""
    for cache in caches.all():
        cache.clear()
    catalogues.forget()
    downloading.forget_counted()
    browsing._item_in.cache_clear()
    watched_words._known = None


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page that was read in Chinese leaves its thread in that language; each test begins in English."""
    with translation.override("en"):
        yield


def make_user(name: str, **extra: object) -> User:
    return User.objects.create_user(name, f"{name}@example.org", PASSWORD, **extra)


@pytest.fixture
def alice(db) -> User:
    return make_user("alice")


@pytest.fixture
def bob(db) -> User:
    return make_user("bob")


@pytest.fixture
def charlie(db) -> User:
    return make_user("charlie")


@pytest.fixture
def morgan(db) -> User:
    return make_user("morgan", is_staff=True)


@pytest.fixture
def team(alice: User, bob: User) -> Organization:
    """An organization that alice leads and bob may write for."""
    organization = Organization.found(name="team", by=alice, title="The Team")
    organization.add(bob, role=Membership.Role.WRITE, by=alice)
    return organization


@pytest.fixture
def as_user(db) -> Callable[[User | None], Client]:
    """A browser signed in as somebody, or as nobody."""

    def browser(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return browser


@pytest.fixture
def token_of(db) -> Callable[..., str]:
    """The secret of a new access token."""
    return lambda user, role="write": AccessToken.issue(user=user, name="test", role=role)[1]


@pytest.fixture
def make_repo(db) -> Callable[..., Repo]:
    """A repository with files, published through the one way in."""

    def make(
        owner: User,
        name: str = "bert",
        *,
        kind: str = "model",
        files: dict[str, bytes | str] | None = None,
        private: bool = False,
        namespace: str | None = None,
    ) -> Repo:
        repo = publishing.create_repo(
            by=owner, namespace=namespace or owner.username, kind=kind, name=name, private=private
        )
        if files:
            changes: list[Change] = [
                PutFile(path, content.encode() if isinstance(content, str) else content)
                for path, content in files.items()
            ]
            publishing.commit(repo=repo, by=owner, changes=changes, title="Add files")
        repo.refresh_from_db()
        return repo

    return make


@pytest.fixture(scope="session")
def live_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    """A real web process on a real port, shared by the session; names in it must be unique per test."""
    with LivePortal(tmp_path_factory.mktemp("portal")) as portal:
        yield portal
