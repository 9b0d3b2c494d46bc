"""Boards on whose front of score and size a model stands: nothing as small as it scores as high."""

from django.db.models import Exists, OuterRef, Q

from leaderboard.models import BoardRow, Suite
from models_hub.models import Repo


def boards_of(model: Repo) -> list[Suite]:
    """Return them in one query; a front of one model alone says nothing."""
    own = {"score": OuterRef("score"), "parameters": OuterRef("model__parameters")}
    others = BoardRow.objects.public().filter(suite=OuterRef("suite"), model__parameters__isnull=False)
    others = others.exclude(model=OuterRef("model"))
    beaten = others.filter(score__gte=own["score"], model__parameters__lte=own["parameters"]).filter(
        Q(score__gt=own["score"]) | Q(model__parameters__lt=own["parameters"])
    )
    rows = (
        BoardRow.objects.public()
        .filter(model=model, score__isnull=False, model__parameters__isnull=False, suite__in=Suite.objects.current())
        .filter(~Exists(beaten), Exists(others.filter(score__isnull=False)))
        .select_related("suite")
    )
    return [row.suite for row in rows.order_by("suite_id")]
