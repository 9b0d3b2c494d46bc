"""The relay looks after the store: each part when it is due, and no further than it is told."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from models_hub.models import UpkeepRun
from worker import upkeep

pytestmark = pytest.mark.django_db


def kinds() -> list[str]:
    return list(UpkeepRun.objects.order_by("pk").values_list("kind", flat=True))


def test_each_part_runs_when_it_is_due():
    upkeep.perform()
    upkeep.perform()
    assert kinds() == ["collection", "standing", "scrub"]
    assert not UpkeepRun.objects.filter(finished_at=None).exists()
    UpkeepRun.objects.update(started_at=timezone.now() - upkeep.SCRUB_EVERY - timedelta(minutes=1))
    upkeep.perform()
    assert kinds() == ["collection", "standing", "scrub", "scrub"]


def test_old_records_are_forgotten():
    upkeep.perform()
    UpkeepRun.objects.update(started_at=timezone.now() - upkeep.FORGET_AFTER - timedelta(days=1))
    upkeep.perform()
    assert UpkeepRun.objects.filter(kind="collection").count() == 1


def test_a_relay_that_stops_ends_it(alice, make_repo):
    make_repo(alice, "bert")
    over = threading.Event()
    over.set()
    with pytest.raises(upkeep._Over):
        upkeep.perform(upkeep.Upkeep(over)._check)
    assert UpkeepRun.objects.get().finished_at is None
