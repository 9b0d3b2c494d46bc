"""The job kind `read_table`: all rows of what is too large to be read while somebody waits."""

import json
from dataclasses import replace

import pytest
from django.core.cache import cache

from models_hub.tables import kept, reading
from portal.models import Job
from tests.worker.performing import perform

ROWS = [{"n": number, "label": ("a", "b")[number % 2]} for number in range(300)]
ADDRESS = "/datasets/alice/rows/data/main"


@pytest.fixture(autouse=True)
def large(monkeypatch, settings, tmp_path, alice, make_repo):
    """A data set of which pages read only the first 100 rows by themselves."""
    cache.clear()
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(reading, "DIRECT", replace(reading.DIRECT, max_rows=100))
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    return make_repo(alice, "rows", kind="dataset", files={"train.jsonl": lines})


def test_the_page_says_what_it_covers_and_offers_more(as_user, alice):
    page = as_user(alice).get(ADDRESS).text
    assert "cover the first 100 rows" in page
    assert "Read all rows" in page
    page = as_user(None).get(ADDRESS).text
    assert "Sign in to have all rows read" in page
    assert "Read all rows" not in page


def test_a_job_reads_all_rows_and_the_page_shows_them(as_user, alice, charlie):
    assert as_user(charlie).post(ADDRESS).status_code == 302
    [job] = Job.objects.filter(kind="read_table")
    assert (job.owner, job.queue) == (charlie, "light")
    page = as_user(alice).get(ADDRESS).text
    assert "All rows are being read" in page
    assert f"/jobs/{job.pk}" not in page  # it is charlie's
    assert f"/jobs/{job.pk}" in as_user(charlie).get(ADDRESS).text
    perform(job.pk)
    job.refresh_from_db()
    assert job.state == "succeeded", job.reason_text
    polled = as_user(charlie).get(ADDRESS, headers={"HX-Request": "true", "HX-Target": "table-reading"}).text
    assert "All rows have been read" in polled
    assert 'id="data-table"' not in polled
    assert "hx-trigger" not in polled
    page = as_user(None).get(ADDRESS).text
    assert "<strong>300</strong> rows" in page
    assert "cover the first" not in page
    assert "300" in as_user(None).get(ADDRESS + "?row=300").text


def test_asking_twice_is_one_job_and_asking_after_a_failure_another(as_user, alice):
    browser = as_user(alice)
    browser.post(ADDRESS)
    browser.post(ADDRESS)
    [job] = Job.objects.filter(kind="read_table")
    job.cancel(by=alice)
    browser.post(ADDRESS)
    assert Job.objects.filter(kind="read_table").count() == 2


def test_nobody_anonymous_asks(as_user):
    answer = as_user(None).post(ADDRESS)
    assert answer.status_code == 302
    assert "/accounts/login/" in answer.headers["Location"]
    assert not Job.objects.exists()


def test_a_failure_has_a_reason_that_the_page_shows(as_user, alice, monkeypatch):
    as_user(alice).post(ADDRESS)
    job = Job.objects.get(kind="read_table")
    monkeypatch.setattr(reading, "_run", lambda *_a: (_ for _ in ()).throw(reading.texts.failure("too_long")))
    perform(job.pk)
    job.refresh_from_db()
    assert (job.state, job.reason_code) == ("failed", "too_long")
    page = as_user(alice).get(ADDRESS)
    assert page.status_code == 200


def test_cancelling_ends_the_child(as_user, alice, monkeypatch):
    as_user(alice).post(ADDRESS)
    job = Job.objects.get(kind="read_table")
    run = reading._run

    def cancelled_meanwhile(request, scope, heard):
        from worker.attempts import Attempt

        for attempt in Attempt._running:
            attempt.stop("cancelled")
        heard(1, 1)
        run(request, scope, heard)

    monkeypatch.setattr(reading, "_run", cancelled_meanwhile)
    perform(job.pk)
    job.refresh_from_db()
    assert job.state != "succeeded"
    assert not list(kept.folder().glob("making-*"))


def test_a_deleted_file_is_said(as_user, alice, large):
    as_user(alice).post(ADDRESS)
    job = Job.objects.get(kind="read_table")
    Job.objects.filter(pk=job.pk).update(spec={**job.spec, "paths": ["gone.jsonl"]})
    perform(job.pk)
    job.refresh_from_db()
    assert (job.state, job.reason_code) == ("failed", "gone")
