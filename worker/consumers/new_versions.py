"""When the main branch of a model moves, standing orders are carried out."""

from leaderboard import remeasuring
from models_hub.models import DEFAULT_BRANCH
from portal.models import Event


def measure(event: Event) -> None:
    """Ask for the scores that a standing order wants of a new version."""
    if event.payload.get("branch") == DEFAULT_BRANCH:
        remeasuring.measure_new_version(int(event.subject.removeprefix("repo:")))
