"""A worker of another version takes no jobs, and says why."""

from datetime import timedelta

import pytest
from django.db.migrations.recorder import MigrationRecorder

from portal.models import Duty, Job, WorkerNode
from portal.models.workers import RELAY
from worker import node, versions

pytestmark = pytest.mark.django_db
SPAN = timedelta(minutes=1)


def test_the_same_version_fits_whether_a_relay_runs_or_not() -> None:
    assert versions.skew() is None
    Duty.take(RELAY, holder="here", span=SPAN, facts=versions.of_this_code())
    assert versions.skew() is None


def test_another_version_of_the_portal_or_of_the_engine_is_named() -> None:
    Duty.take(RELAY, holder="here", span=SPAN, facts={"portal": "9.9", "engine": "8.8"})
    skew = versions.skew()
    assert skew is not None
    reason, data = skew
    assert (reason % data).startswith("The portal runs version 9.9 (engine 8.8), this worker ")


def test_a_database_of_another_version_is_named_by_its_migrations() -> None:
    MigrationRecorder.Migration.objects.create(app="portal", name="9999_of_tomorrow")
    skew = versions.skew()
    assert skew is not None
    assert "portal.9999_of_tomorrow" in skew[0] % skew[1]


def test_a_worker_whose_portal_was_upgraded_says_so_and_takes_nothing_until_it_fits_again() -> None:
    hello = node.Hello({})
    job = Job.enqueue("evaluate", spec={}, owner=None, title="")
    Duty.take(RELAY, holder="here", span=SPAN, facts={"portal": "9.9", "engine": "8.8"})
    hello._say_hello()
    assert not node.takes_jobs()
    assert "version 9.9" in WorkerNode.objects.get().refusal_text
    Duty.take(RELAY, holder="here", span=SPAN, facts=versions.of_this_code())
    hello._say_hello()
    assert node.takes_jobs()
    job.refresh_from_db()
    assert job.state == "queued"
