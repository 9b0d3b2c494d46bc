"""Tables that were read are kept for all who may see the same files, and go when there is no room."""

import os
import time
from threading import BoundedSemaphore

import pytest
from django.core.cache import cache

from models_hub.tables import kept, reading

ADDRESS = "/datasets/alice/rows/data/main"


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    cache.clear()


@pytest.fixture
def runs(monkeypatch) -> list[object]:
    """The readings that were started."""
    found: list[object] = []
    run = reading._run
    monkeypatch.setattr(reading, "_run", lambda *given: (found.append(given), run(*given)))
    return found


def tables() -> list[str]:
    return sorted(path.name for path in kept.folder().glob("*.rows"))


def test_files_are_read_once_for_all_repositories_that_have_them(client, alice, bob, make_repo, runs):
    for owner in (alice, bob):
        make_repo(owner, "rows", kind="dataset", files={"a.csv": "a\n1\n"})
    for address in (ADDRESS, ADDRESS, "/datasets/bob/rows/data/main"):
        assert "<strong>1</strong> row" in client.get(address).text
    assert len(runs) == 1
    assert not [path for path in kept.folder().iterdir() if path.name.startswith("making-")]


def test_what_cannot_be_read_is_not_tried_at_each_visit(client, alice, make_repo, runs):
    make_repo(alice, "rows", kind="dataset", files={"a.parquet": b"PAR1PAR1"})
    for _time in range(3):
        assert "no Parquet file that can be read" in client.get(ADDRESS).text
    assert len(runs) == 1


def test_a_damaged_table_is_made_anew(client, alice, make_repo, runs):
    make_repo(alice, "rows", kind="dataset", files={"a.csv": "a\n1\n"})
    client.get(ADDRESS)
    [path] = kept.folder().glob("*.rows")
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert "cannot be shown" in client.get(ADDRESS).text
    assert "<strong>1</strong> row" in client.get(ADDRESS).text


def test_the_least_used_tables_go_first(settings):
    settings.TABLES_MB = 1
    for age, name in enumerate("abc"):
        path = kept.folder() / f"{name}.rows"
        path.write_bytes(b"x" * 600_000)
        os.utime(path, (time.time() - 60 * age,) * 2)
    assert kept.tidy() == 2
    assert tables() == ["a.rows"]


def test_what_nobody_used_for_a_month_goes():
    for name, age in (("old", 40), ("new", 1)):
        path = kept.folder() / f"{name}.rows"
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age * 86400,) * 2)
    kept.tidy()
    assert tables() == ["new.rows"]


def test_a_child_that_is_killed_is_said(client, alice, make_repo, monkeypatch):
    make_repo(alice, "rows", kind="dataset", files={"a.csv": "a\n1\n"})
    monkeypatch.setattr(reading.subprocess, "Popen", _killed(reading.subprocess.Popen))
    assert "took too long" in client.get(ADDRESS).text


def _killed(popen):
    def start(*arguments, **options):
        child = popen(["sleep", "60"], **{**options, "cwd": "/"})
        child.kill()
        return child

    return start


def test_when_too_many_read_the_page_offers_to_try_again(client, alice, make_repo, monkeypatch):
    make_repo(alice, "rows", kind="dataset", files={"a.csv": "a\n1\n"})
    monkeypatch.setattr(reading, "TURN_SECONDS", 0)
    monkeypatch.setattr(reading, "_CHILDREN", BoundedSemaphore(1))
    with reading._CHILDREN:
        assert "Try again" in client.get(ADDRESS).text
    assert "<strong>1</strong> row" in client.get(ADDRESS).text
