"""The best score of a model, told to the hub: of what anybody may see, and of the weights that it has now."""

from collections.abc import Iterable

from django.db.models import F

from leaderboard.models import Evaluation
from leaderboard.normalising import floor_of, normalised
from models_hub import scoring
from models_hub.models import Repo


def tell(models: Iterable[int]) -> None:
    """Tell the hub the best scores of these models as they are now."""
    wanted = set(models)
    best: dict[int, float] = {}
    scored = Evaluation.objects.public().finished().filter(model__in=wanted).with_head_weights()
    rows = scored.filter(weights_digest=F("head_weights")).select_related("benchmark")
    for row in rows.defer("metrics", "per_class", "confusion", "details", "report", "provenance", "versions"):
        assert row.value is not None  # a constraint: finished evaluations have one
        metric = row.benchmark.primary_metric
        score = normalised(row.value, floor_of(row, metric), metric)
        best[row.model_id] = max(score, best.get(row.model_id, score))
    for model in wanted:
        scoring.note_best(model, best.get(model))


def tell_of(repo_id: int) -> None:
    """Tell the best scores that a change to a model or to a data set may have moved."""
    evaluated = Evaluation.objects.filter(benchmark__dataset=repo_id).values_list("model", flat=True)
    repo = Repo.objects.filter(pk=repo_id).first()
    if repo is None:  # with a data set, its evaluations went: whose they were is not known any more
        tell(Repo.objects.filter(best_score__isnull=False).values_list("pk", flat=True))
    else:
        tell([repo.pk] if repo.is_model else evaluated)
