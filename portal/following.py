"""What people follow, of whatever kind, in one place: each app says what of its own things somebody follows.

A kind answers which events its things have (for the feed), which things those are (for the page where follows end),
and ends one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.errors import NotFound
from portal.models import Follow, User
from portal.models.follows import FollowQuerySet

MOST = 500  # things of one kind that a feed looks at, the ones followed last
PAGE = 50


@dataclass(frozen=True)
class Followed:
    """One thing that somebody follows."""

    pk: int
    title: str
    path: str
    detail: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Kind:
    """`subjects` are those of events; `page` lists what is followed, below an id, the latest first."""

    name: str
    title: str | Promise
    subjects: Callable[[User], Sequence[str]]
    page: Callable[[User, int | None, int], Sequence[Followed]]
    count: Callable[[User], int]
    end: Callable[[User, int], None]


_kinds: dict[str, Kind] = {}
_more: list[Callable[[User], Sequence[str]]] = []


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


def register_subjects(more: Callable[[User], Sequence[str]]) -> None:
    """Let `more` name subjects of events that belong to what is followed, such as the scores of a model."""
    if more not in _more:
        _more.append(more)


def subjects_of(user: User) -> set[str]:
    """Return the subjects of events that somebody hears of by following things."""
    sources = [kind.subjects for kind in _kinds.values()] + _more
    return {subject for source in sources for subject in source(user)}


def kinds() -> list[Kind]:
    return list(_kinds.values())


def kind_named(name: str) -> Kind:
    """Return the kind; raises NotFound."""
    if name not in _kinds:
        raise NotFound(_("There is nothing of this kind to follow."))
    return _kinds[name]


def people(user: User) -> list[int]:
    """Return the ids of those whom somebody follows and who show what they do."""
    rows = Follow.objects.filter(follower=user, namespace__user__is_active=True, namespace__user__shows_activity=True)
    return [pk for pk in rows.order_by("-pk").values_list("namespace__user_id", flat=True)[:MOST] if pk is not None]


def register_own() -> None:
    """People and organizations, which are followed by their names."""
    title = gettext_lazy("People and organizations")
    register(Kind("names", title, lambda user: [], _page, lambda user: _rows(user).count(), _end))


def _rows(user: User) -> FollowQuerySet:
    return Follow.objects.filter(follower=user).exclude(namespace__user__is_active=False)


def _page(user: User, before: int | None, most: int) -> list[Followed]:
    rows = _rows(user).select_related("namespace__user", "namespace__organization").order_by("-pk")
    return list(_followed(rows.filter(pk__lt=before)[:most] if before else rows[:most]))


def _followed(rows: FollowQuerySet) -> Iterator[Followed]:
    for row in rows:
        space = row.namespace
        who = space.organization or space.user
        title = who.display_name if who else space.name
        yield Followed(row.pk, title, f"/{space.name}", space.name, "people" if space.organization_id else "person")


def _end(user: User, pk: int) -> None:
    row = Follow.objects.filter(follower=user, pk=pk).select_related("namespace").first()
    if row is not None:
        Follow.end(row.namespace, by=user)
