"""The whole portal as `make run` starts it, demo included: real worker, real engine, real sandbox."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.live import LivePortal

DEMO_SECONDS = 900
SCORE_SECONDS = 600


class FullPortal(LivePortal):
    """A live portal with what these tests ask of it."""

    def api(self, path: str, token: str | None = None, **body: Any) -> Any:
        """GET, or POST when there is a body; returns the JSON of a success."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        method = "POST" if body else "GET"
        answer = requests.request(method, f"{self.url}/api/v1/{path}", json=body or None, headers=headers, timeout=60)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:1000]}"
        return answer.json()

    def wait_for_score(self, evaluation: int, token: str | None = None, seconds: float = SCORE_SECONDS) -> Any:
        """Return the evaluation once it is scored; fails at once when its job failed."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.api(f"evaluations/{evaluation}", token)
            if found["state"] == "succeeded":
                return found
            assert found["state"] not in {"failed", "cancelled"}, found
            time.sleep(0.5)
        raise AssertionError(f"evaluation {evaluation} took too long: {self.log()[-3000:]}")


@pytest.fixture(scope="session")
def full_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullPortal]:
    """The portal with its demo loaded and scored."""
    with FullPortal(tmp_path_factory.mktemp("full"), with_worker=True, NO_DEMO="0") as portal:
        deadline = time.monotonic() + DEMO_SECONDS
        while "The demo is published" not in portal.log():
            assert time.monotonic() < deadline, portal.log()[-5000:]
            time.sleep(1)
        for row in portal.api("evaluations")["results"]:
            portal.wait_for_score(row["id"])
        yield portal
