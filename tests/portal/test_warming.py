"""A new web process reads beforehand what its first page needs, and starts whatever happens."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from models_hub.models import CatalogueSnapshot
from models_hub.searching import snapshots
from models_hub.searching.catalogue import catalogues
from portal.config import warming
from portal.config.wsgi import application

pytestmark = pytest.mark.django_db


def test_what_the_first_page_needs_is_read_before_somebody_asks(
    client, alice, make_repo, django_assert_max_num_queries
):
    make_repo(alice)
    snapshots.make()
    catalogues.forget()
    warming.answer(application)
    with django_assert_max_num_queries(2):
        assert "alice/bert" in client.get("/models").text


def test_without_a_snapshot_nothing_is_read():
    with CaptureQueriesContext(connection) as captured:
        warming.answer(application)
    assert len(captured) == 1


@pytest.mark.parametrize("error", [DatabaseError("no such table"), OSError("no such file")])
def test_a_database_that_does_not_answer_keeps_no_process_from_starting(monkeypatch, caplog, error):
    def fail(*_arguments):
        raise error

    monkeypatch.setattr(CatalogueSnapshot.objects, "exists", fail, raising=False)
    with caplog.at_level(logging.INFO), ThreadPoolExecutor(1) as pool:
        warming.warm_up(application, pool)
    assert str(error) in caplog.text


@pytest.mark.parametrize(
    ("hosts", "url", "host"),
    [
        (["*"], "", "localhost"),
        ([".hub.example"], "", "hub.example"),
        (["a.org"], "https://a.org", "a.org"),
    ],
)
def test_it_asks_under_a_name_that_the_portal_has(settings, hosts, url, host):
    settings.ALLOWED_HOSTS, settings.PUBLIC_URL = hosts, url
    environ = warming._environ()
    assert (environ["HTTP_HOST"], environ["wsgi.url_scheme"]) == (host, "https" if url else "http")
