"""Scores that people want: votes for what nobody has asked for, and models whose every version is to be measured."""

from django.db import models
from django.db.models import Exists, OuterRef

from leaderboard.models.benchmarks import Benchmark
from leaderboard.models.evaluations import Evaluation
from leaderboard.models.reviewed import Standing
from models_hub.models import Repo
from portal.models import User


class WishQuerySet(models.QuerySet["Wish"]):
    def open(self) -> "WishQuerySet":
        """Wishes for what nobody has run, about what everybody may see and read."""
        asked = Evaluation.objects.filter(model=OuterRef("model"), benchmark=OuterRef("benchmark"))
        public = {"model__private": False, "model__gated": "", "benchmark__dataset__private": False}
        return self.filter(~Exists(asked), votes__gt=0, **public).exclude(benchmark__standing=Standing.REFUSED)

    def most_wanted(self) -> "WishQuerySet":
        """With most votes first, the oldest of equals; with what a list shows."""
        return self.select_related("model__namespace", "benchmark__dataset__namespace").order_by("-votes", "id")

    def after(self, votes: int | None = None, pk: int = 0) -> "WishQuerySet":
        """Those that come behind the one with these votes and this id; all without a place."""
        if votes is None:
            return self
        return self.filter(models.Q(votes__lt=votes) | models.Q(votes=votes, pk__gt=pk))


class Wish(models.Model):
    """A model and a benchmark that people would like to see measured together."""

    model = models.ForeignKey(Repo, models.CASCADE, related_name="wishes")
    benchmark = models.ForeignKey(Benchmark, models.CASCADE, related_name="wishes")
    votes = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WishQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "wishes"
        constraints = (models.UniqueConstraint(fields=("model", "benchmark"), name="wish_once"),)
        indexes = (models.Index(fields=("-votes", "id"), name="wish_wanted"),)

    def __str__(self) -> str:
        return f"wish {self.pk}"


class Vote(models.Model):
    """One person's support of a wish."""

    wish = models.ForeignKey(Wish, models.CASCADE, related_name="cast")
    voter = models.ForeignKey(User, models.CASCADE, related_name="votes")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("wish", "voter"), name="vote_once"),)

    def __str__(self) -> str:
        return f"{self.voter} for {self.wish}"


class IdleRule(models.Model):
    """Whether idle workers take the wishes with most votes: one row, changed by staff."""

    KEY = 1

    is_on = models.BooleanField(default=False)
    changed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return "on" if self.is_on else "off"

    @classmethod
    def holds(cls) -> bool:
        return cls.objects.filter(pk=cls.KEY, is_on=True).exists()


class StandingOrder(models.Model):
    """Each new version of a model is measured anew, at the wish and in the name of one of its writers."""

    model = models.OneToOneField(Repo, models.CASCADE, related_name="standing_order")
    asked_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"standing order of {self.model}"
