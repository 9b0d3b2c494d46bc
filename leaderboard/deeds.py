"""What the leaderboard tells of people and models in feeds, and counts in their year."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy, gettext_noop

from leaderboard.models import Evaluation, Reproduction
from models_hub.models import Watch
from portal import contributions, deeds, following
from portal.contributions import Counted
from portal.deeds import Kind
from portal.models import Asker, Namespace, User


def register() -> None:
    for name, said, icon in (
        ("evaluation.completed", gettext_noop("measured"), "bar-chart-line"),
        ("evaluation.reproduced", gettext_noop("measured again"), "arrow-repeat"),
        ("benchmark.registered", gettext_noop("added the benchmark"), "clipboard-check"),
    ):
        deeds.register(Kind(name, said, icon, lambda event: event.subject))
    kinds = {"evaluations": gettext_lazy("Evaluations"), "reproductions": gettext_lazy("Reproductions")}
    contributions.provide(kinds, _counted)
    following.register_subjects(_subjects)


def _counted(namespace: Namespace, reader: Asker, since: datetime) -> Counted:
    if namespace.user_id is None:
        return
    seen = Evaluation.objects.visible_to(reader)
    own = seen.filter(requested_by=namespace.user_id, finished_at__gte=since)
    again = Reproduction.objects.filter(requested_by=namespace.user_id, finished_at__gte=since, evaluation__in=seen)
    for day, count in _by_day(own):
        yield "evaluations", day, count
    for day, count in _by_day(again):
        yield "reproductions", day, count


def _by_day(rows: QuerySet[Any]) -> Iterable[tuple[date, int]]:
    days: Iterable[tuple[date, int]] = rows.order_by().values_list(TruncDate("finished_at")).annotate(Count("pk"))
    return days


def _subjects(user: User) -> list[str]:
    """Return the latest evaluations of models that somebody watches."""
    watched = Watch.objects.filter(user=user).values("repo")
    latest = Evaluation.objects.finished().filter(model__in=watched).order_by("-pk")
    return [f"evaluation:{pk}" for pk in latest.values_list("pk", flat=True)[: following.MOST]]
