"""The machines of tests/wire/: the same actions with each version of the client."""

from pathlib import Path

import pytest

from tests.live import LivePortal
from tests.wire.clients import Machine
from tests.wire.environments import environment

HUBS = ("hub-2.4", "hub-2.4-without-xet", "hub-1.29", "hub-0.36")


@pytest.fixture(params=HUBS)
def machine(request: pytest.FixtureRequest, live_portal: LivePortal, tmp_path: Path) -> Machine:
    """Alice's machine with one of the versions of huggingface_hub."""
    return Machine(live_portal, tmp_path, live_portal.user("alice"), environment=environment(request.param))


@pytest.fixture
def name(request: pytest.FixtureRequest, machine: Machine) -> str:
    """Return the name of a repository that no other test uses."""
    words = request.node.originalname.removeprefix("test_")[:55].replace("_", "-")
    return f"{words}-{machine.environment.name}" if machine.environment else words


@pytest.fixture
def author(live_portal: LivePortal, tmp_path: Path) -> Machine:
    """Alice's machine with the libraries that are built on huggingface_hub."""
    return Machine(live_portal, tmp_path / "alice", live_portal.user("alice"), environment=environment("libraries"))


@pytest.fixture
def reader(author: Machine, tmp_path: Path) -> Machine:
    """A machine of nobody in particular with the same libraries."""
    return author.of(tmp_path / "nobody", None)
