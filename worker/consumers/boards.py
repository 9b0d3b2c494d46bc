"""When a model has another score, or may be seen by others than before, boards are marked; worker/board_keeping.py
computes them anew. Twice does no harm."""

from leaderboard.models import BoardState, Evaluation
from models_hub.models import Repo
from portal.models import Event


def scored(event: Event) -> None:
    """A score is there, or was found again: one row of each board that has its benchmark."""
    rows = Evaluation.objects.filter(pk=int(event.subject.removeprefix("evaluation:")))
    for model, benchmark in rows.values_list("model", "benchmark"):
        BoardState.objects.mark(models=[model], entries__benchmark=benchmark)


def seen_otherwise(event: Event) -> None:
    """A model has other weights, or is seen by others than before; or a data set is, and with it benchmarks."""
    repo = Repo.objects.filter(pk=int(event.subject.removeprefix("repo:"))).first()
    if repo is None:
        return  # its rows went with it
    if repo.is_model:
        BoardState.objects.mark(models=[repo.pk], entries__benchmark__evaluations__model=repo.pk)
    elif event.kind != "repo.committed":  # benchmarks keep to the commit that they name
        BoardState.objects.mark(entries__benchmark__dataset=repo.pk)


def decided(event: Event) -> None:
    """A board was approved, or its end was set."""
    BoardState.objects.mark(pk=int(event.subject.removeprefix("suite:")))
