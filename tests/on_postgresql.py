"""What differs where the tests run on PostgreSQL (TEST_DATABASE=postgresql); tests/conftest.py loads it only then."""

import pytest

from worker.attempts import Attempt


@pytest.fixture(autouse=True)
def leases_that_last(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that renews a lease has a connection of its own, and sees no job of a test that is rolled back."""
    mark = request.node.get_closest_marker("django_db")
    if not (mark and mark.kwargs.get("transaction")) and "transactional_db" not in request.fixturenames:
        monkeypatch.setattr(Attempt, "_renew_until_over", lambda attempt: None)
