"""Lists of a repository's discussions: filtered, newest first, page by page from a number on."""

from dataclasses import dataclass

from django.db.models import Count, Q

from forum.models import Topic
from forum.models.topics import LIVE
from models_hub.models import Repo
from portal.models import Asker

PAGE = 30


@dataclass(frozen=True)
class Filters:
    """What the reader asked to see; `before` is the number after which the page begins."""

    kind: str = "all"
    status: str = "open"
    before: int | None = None


@dataclass(frozen=True)
class Page:
    """One page of discussions, and how many there are under each status."""

    topics: list[Topic]
    next_before: int | None
    open: int
    closed: int


def page(repo: Repo, filters: Filters, reader: Asker) -> Page:
    """Return the page that was asked for, in two queries."""
    of_kind = Topic.objects.of(repo, reader)
    if filters.kind in {"discussion", "pull_request"}:
        of_kind = of_kind.filter(is_pull_request=filters.kind == "pull_request")
    counts = of_kind.aggregate(all=Count("pk"), open=Count("pk", filter=Q(status__in=LIVE)))
    rows = {"open": of_kind.live(), "closed": of_kind.over()}.get(filters.status, of_kind).newest()
    if filters.before is not None:
        rows = rows.filter(number__lt=filters.before)
    found = list(rows[: PAGE + 1])
    return Page(
        topics=found[:PAGE],
        next_before=found[PAGE - 1].number if len(found) > PAGE else None,
        open=counts["open"],
        closed=counts["all"] - counts["open"],
    )


def count_open(repo: Repo) -> int:
    """Return how many discussions wait for somebody."""
    return Topic.objects.of(repo).live().count()
