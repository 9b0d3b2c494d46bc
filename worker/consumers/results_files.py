"""When a model has a score and its writers want results written, the score goes to its repository."""

from leaderboard import results_files
from portal.models import Event


def write(event: Event) -> None:
    """Write the score; doing it twice changes nothing the second time."""
    results_files.write_as_ordered(int(event.subject.removeprefix("evaluation:")))
