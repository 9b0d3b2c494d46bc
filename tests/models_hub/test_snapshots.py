"""What a process that starts knows of the lists: a snapshot, and what changed since."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from models_hub import publishing
from models_hub.models import CatalogueChange, CatalogueSnapshot, Repo
from models_hub.searching import bitmaps, snapshots, trail
from models_hub.searching.catalogue import Catalogues
from models_hub.searching.finding import Found
from tests.models_hub.test_list_pages import card
from worker.snapshotting import Snapshotting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_gaps(monkeypatch):
    """Tests that flush leave gaps in the numbers of the trail, which a reader would ask for once more for a while."""
    monkeypatch.setattr(trail, "NEAR", 0)


def held(catalogue: bitmaps.Catalogue) -> dict[str, dict[str, list[int]]]:
    return {
        "": {"": [*catalogue.everything]},
        **{
            name: found
            for name, values in catalogue.having.items()
            if (found := {value: [*ids] for value, ids in values.items() if ids})
        },
    }


def test_a_process_that_starts_reads_the_snapshot_and_no_repository(alice, make_repo):
    make_repo(alice, "one", files=card(license="mit", language="zh"))
    snapshots.make()
    with CaptureQueriesContext(connection) as captured:
        found = Catalogues().of("model")
    assert held(found) == held(bitmaps.read_all()["model"])
    assert [query["sql"] for query in captured if '"models_hub_repo"' in query["sql"]] == []


def test_what_changed_after_the_snapshot_is_taken_in(alice, make_repo):
    hidden, gone = make_repo(alice, "hidden", files=card(license="mit")), make_repo(alice, "gone")
    snapshots.make()
    publishing.set_private(hidden, by=alice, private=True)
    publishing.delete_repo(gone, by=alice)
    make_repo(alice, "new", files=card(license="gpl-3.0"))
    found = Catalogues().of("model")
    assert held(found) == held(bitmaps.read_all()["model"])
    assert len(found.everything) == 1


def test_nothing_of_a_private_repository_is_in_a_snapshot(alice, make_repo):
    make_repo(alice, "secret", private=True, files=card(license="mit", language="zh"))
    snapshots.make()
    kept = CatalogueSnapshot.objects.get(kind="model")
    assert held(bitmaps.Catalogue.unpacked(bytes(kept.content))) == {"": {"": []}}


@pytest.mark.parametrize("spoil", ["made_by", "trail"])
def test_a_snapshot_of_other_code_or_from_before_the_trail_is_not_read(alice, make_repo, spoil):
    make_repo(alice, "one")
    snapshots.make()
    if spoil == "made_by":
        CatalogueSnapshot.objects.update(made_by="other code")
    else:
        make_repo(alice, "two")
        CatalogueChange.objects.exclude(pk=CatalogueChange.objects.latest("pk").pk).delete()
    assert snapshots.read(trail.Trail.now()) is None
    assert held(Catalogues().of("model")) == held(bitmaps.read_all()["model"])


def test_a_snapshot_is_due_when_there_is_much_to_follow_or_it_is_old(alice, make_repo, monkeypatch):
    make_repo(alice, "zero")  # where numbers of rows go on after other tests, an empty trail tells no beginning
    assert snapshots.is_due()
    snapshots.make()
    assert not snapshots.is_due()
    make_repo(alice, "one")
    assert not snapshots.is_due()
    CatalogueSnapshot.objects.update(made_at=timezone.now() - snapshots.SOON - timedelta(seconds=1))
    assert not snapshots.is_due()
    monkeypatch.setattr(snapshots, "MANY", 0)
    assert snapshots.is_due()


def test_a_change_that_is_committed_late_is_before_no_snapshot(alice, make_repo, monkeypatch):
    monkeypatch.setattr(trail, "NEAR", 100)
    make_repo(alice, "one")
    last = CatalogueChange.objects.latest("pk").pk
    CatalogueChange.objects.create(pk=last + 2, repo_id=0)
    snapshots.make()
    assert CatalogueSnapshot.objects.get(kind="model").position <= last


def test_use_that_changed_without_a_trail_is_in_the_next_snapshot(alice, make_repo, monkeypatch):
    repo = make_repo(alice, "one")
    reader = Catalogues()
    reader.of("model")
    Repo.objects.filter(pk=repo.pk).update(downloads=10_000)
    snapshots.make()
    monkeypatch.setattr("models_hub.searching.catalogue.USE_SECONDS", -1)
    assert held(reader.of("model"))[bitmaps.USE] == {"32": [repo.pk]}


def test_readers_in_the_midst_of_a_change_see_what_was(alice, make_repo):
    repo = make_repo(alice, "one", files=card(license="mit"))
    found = Found("model", text="", filters={"license": "mit"}, user=AnonymousUser())
    Repo.objects.filter(pk=repo.pk).update(license="gpl-3.0")
    other = Found("model", text="", filters={"license": "mit"}, user=AnonymousUser())
    assert (found.count, other.count) == (1, 0)


def test_the_relay_begins_a_snapshot_when_one_is_due(monkeypatch):
    made = []
    monkeypatch.setattr("worker.snapshotting._make", lambda: made.append(1))
    relay = Snapshotting()
    relay.begin()
    relay.begin()
    relay._thread.join()
    assert made == [1]
