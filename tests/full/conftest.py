"""The whole portal as `make run` starts it, demo included: real worker, real engine, real sandbox.

Training takes most of its time. What was trained is kept in build/ until a byte of what decides about it changes.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.live import ROOT, LivePortal

KEPT = ROOT / "build" / "demo"
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


def trained() -> Path:
    """Return where the models of the demo are kept that this code, these sentences and these libraries train."""
    known = hashlib.sha256((ROOT / "constraints.txt").read_bytes())
    sources = [*(ROOT / "demo").rglob("*"), *(ROOT / "worker" / "engine").rglob("*.py")]
    for path in sorted(path for path in sources if path.is_file() and path.suffix != ".pyc"):
        known.update(b"%s\0%d\0" % (str(path.relative_to(ROOT)).encode(), path.stat().st_size))
        known.update(path.read_bytes())
    return KEPT / known.hexdigest()[:16]


def keep(models: Path, place: Path) -> None:
    """Keep what was trained in the place of what was kept before."""
    unfinished = place.with_suffix(f".{os.getpid()}")
    shutil.copytree(models, unfinished)
    for older in KEPT.glob("?" * len(place.name)):
        shutil.rmtree(older)
    unfinished.rename(place)


@pytest.fixture(scope="session")
def full_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullPortal]:
    """The portal with its demo loaded and scored."""
    portal = FullPortal(tmp_path_factory.mktemp("full"), with_worker=True, NO_DEMO="0")
    models, kept = portal.data / "demo" / "models", trained()
    if kept.exists():
        shutil.copytree(kept, models)
    with portal:
        deadline = time.monotonic() + DEMO_SECONDS
        while "The demo is published" not in portal.log():
            assert time.monotonic() < deadline, portal.log()[-5000:]
            time.sleep(1)
        if not kept.exists():
            keep(models, kept)
        for row in portal.api("evaluations")["results"]:
            portal.wait_for_score(row["id"])
        yield portal
