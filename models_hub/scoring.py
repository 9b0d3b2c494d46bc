"""The best verified score of a model, as the leaderboard knows it, kept where lists filter and sort by it."""

from models_hub.models import Repo


def note_best(repo_id: int, score: float | None) -> None:
    """Keep the best public score of a model, 0 for guessing and 100 for all right; None where there is none."""
    Repo.objects.filter(pk=repo_id, kind=Repo.Kind.MODEL).exclude(best_score=score).update(best_score=score)
