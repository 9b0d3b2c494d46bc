"""When a model has a score or another card, what is known of its training data is compared and kept anew."""

from leaderboard import contamination, overlapping
from leaderboard.models import Evaluation
from portal.models import Event


def compare(event: Event) -> None:
    """Note what is declared, and ask for comparisons with what the card names; twice does no harm."""
    rows = Evaluation.objects.select_related("model__namespace", "benchmark__dataset__namespace", "requested_by")
    evaluation = rows.filter(pk=int(event.subject.removeprefix("evaluation:"))).first()
    if evaluation is not None:
        contamination.note([evaluation])
        overlapping.request_of_card(evaluation)


def note(event: Event) -> None:
    """Read the cards of a model and of those made from it again, or what a data set was compared with."""
    contamination.note_repo(int(event.subject.removeprefix("repo:")))
