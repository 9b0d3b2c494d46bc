"""What tests that are rolled back need: nobody else sees what they wrote, and their connection stays open."""

import pytest
from django.db import connections

from worker.attempts import Attempt


@pytest.fixture(autouse=True)
def leases_that_last(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that renews a lease has a connection of its own, and sees no job of a test that is rolled back."""
    mark = request.node.get_closest_marker("django_db")
    if not (mark and mark.kwargs.get("transaction")) and "transactional_db" not in request.fixturenames:
        monkeypatch.setattr(Attempt, "_renew_until_over", lambda attempt: None)


@pytest.fixture(autouse=True)
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that a test closes would end the connection, and with it what the test wrote."""
    monkeypatch.setattr(connections["default"], "close_if_unusable_or_obsolete", lambda: None)
