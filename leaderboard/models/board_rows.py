"""Boards as they were computed beforehand: a row for each model, and of each board when and from what.

Rows may be thrown away at any moment; `leaderboard/standings.py` writes them anew from evaluations.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from leaderboard.models.evaluations import Contamination
from leaderboard.models.suites import Suite
from models_hub.models import Repo
from models_hub.models.repos import UNRANKED

MIXED = "mixed"  # results of several precisions
# Each level of contamination as a bit, so that one number says which of them a model's results have.
LEVEL_BITS = {str(level): 1 << place for place, level in enumerate(Contamination)}


class BoardStateQuerySet(models.QuerySet["BoardState"]):
    def stale(self) -> "BoardStateQuerySet":
        """Boards that are to be computed anew, those that wait longest first."""
        return self.filter(stale_at__isnull=False).order_by("stale_at", "pk")

    def mark(self, *, models: Iterable[int] | None = None, **suites: Any) -> None:
        """Have approved boards, chosen by lookups, computed anew soon: all their models, or these alone."""
        now = timezone.now()
        wanted = list(Suite.objects.approved().filter(**suites).order_by("pk").values_list("pk", flat=True).distinct())
        if not wanted:
            return
        self.bulk_create([BoardState(suite_id=pk) for pk in wanted], ignore_conflicts=True)
        if models is not None:
            StaleRow.objects.bulk_create(
                [StaleRow(state_id=pk, model_id=model, marked_at=now) for pk in wanted for model in models],
                update_conflicts=True,
                update_fields=("marked_at",),
                unique_fields=("state", "model"),
            )
        changes: dict[str, Any] = {"stale_at": now} if models is not None else {"stale_at": now, "whole": True}
        self.filter(suite__in=wanted).update(**changes)


class BoardState(models.Model):
    """Of which benchmarks the rows of a board are, in the order of their cells, and whether they are to be made."""

    suite = models.OneToOneField(Suite, models.CASCADE, primary_key=True, related_name="board_state")
    columns = models.JSONField(default=list)  # ids of benchmarks
    draws = models.PositiveIntegerField(default=0)
    machines = models.JSONField(default=list)  # on which latencies were measured, that of most models first
    renewed_at = models.DateTimeField(null=True)
    stale_at = models.DateTimeField(null=True, default=timezone.now)
    whole = models.BooleanField(default=True)  # all rows, not those alone that `StaleRow` names

    objects = BoardStateQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("stale_at",), name="board_state_stale", condition=Q(stale_at__isnull=False)),)

    def __str__(self) -> str:
        return f"board {self.suite_id}"


class StaleRow(models.Model):
    """A model whose row of a board is to be made anew."""

    state = models.ForeignKey(BoardState, models.CASCADE, related_name="stale_rows")
    model = models.ForeignKey(Repo, models.CASCADE, related_name="+")
    marked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("state", "model"), name="stale_row_once"),)

    def __str__(self) -> str:
        return f"model {self.model_id} of board {self.state_id}"


class BoardRowQuerySet(models.QuerySet["BoardRow"]):
    def public(self) -> "BoardRowQuerySet":
        """Rows of models that anybody may see now."""
        return self.filter(model__private=False).exclude(model__restriction__level__gte=UNRANKED)

    def ranked(self) -> "BoardRowQuerySet":
        """The models with a score, the best first."""
        return self.filter(score__isnull=False).order_by(F("score").desc(), "model_id")


class BoardRow(models.Model):
    """A model of a board: its normalised scores, their mean in each draw of the bootstrap, and what filters ask."""

    suite = models.ForeignKey(Suite, models.CASCADE, related_name="board_rows")
    model = models.ForeignKey(Repo, models.CASCADE, related_name="board_rows")
    cells = models.BinaryField()  # float64, normalised score by column; NaN where there is none
    drawn = models.BinaryField(default=b"")  # float32, the mean in each draw; empty without a score
    score = models.FloatField(null=True)
    low = models.FloatField(null=True)  # the 95 % interval of the score
    high = models.FloatField(null=True)
    evaluations = models.JSONField(default=list)  # ids by column, null where there is none
    lacking = models.PositiveSmallIntegerField(default=0)  # benchmarks without a result

    levels = models.PositiveSmallIntegerField(default=0)  # of contamination, by LEVEL_BITS
    is_outdated = models.BooleanField(default=False)  # a result is of older weights
    is_verified = models.BooleanField(default=False)  # each result was found again by another run
    precision = models.CharField(max_length=10, blank=True)  # in which the models computed; MIXED for several
    finished_at = models.DateTimeField(null=True)  # of the newest result
    relative_drop = models.FloatField(null=True)
    ece = models.FloatField(null=True)
    latencies = models.JSONField(default=dict)  # {machine: median milliseconds for one example}
    memory_bytes = models.BigIntegerField(null=True)  # the highest peak of the process

    objects = BoardRowQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("suite", "model"), name="board_row_once"),)
        indexes = (
            models.Index(F("suite"), F("score").desc(), F("model"), name="board_row_ranked"),
            models.Index(fields=("suite", "-finished_at"), name="board_row_newest"),
        )

    def __str__(self) -> str:
        return f"model {self.model_id} on board {self.suite_id}"
