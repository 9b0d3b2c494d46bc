"""When a repository changes, comes, goes or is hidden, the best scores that depend on it are others."""

from leaderboard import best_scores
from portal.models import Event


def tell(event: Event) -> None:
    """Tell the hub the best scores anew; doing it twice does no harm."""
    best_scores.tell_of(int(event.subject.removeprefix("repo:")))
