"""Lists of repositories: search, filters, order, and pages that cost the same however deep they are."""

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Concat
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from models_hub.checking import is_text
from models_hub.models import GitObject, Label, Repo, RepoBlob, RepoQuerySet, SearchDocument
from models_hub.models.repos import BEST_SCORE, FEWEST_PARAMETERS, MOST_PARAMETERS, UNRANKED
from models_hub.searching import facets, highlighting
from models_hub.searching.finding import Found, Shown
from models_hub.searching.highlighting import Piece
from portal.errors import InvalidInput
from portal.models import Asker

PAGE = 24
FACET_VALUES = 40
GROUPED_LABELS = 2000
LARGEST = 2**62  # number that a cursor may hold
RELEVANCE = "relevance"
FILTERS = (*facets.BY_NAME, facets.UPDATED_NAME, "author")


class Order(NamedTuple):
    """One way to sort: a key that the database computes, and its direction. The id breaks ties."""

    label: str | Promise
    key: Any
    descending: bool


ORDERS = {
    "updated": Order(gettext_lazy("Recently updated"), F("updated_at"), descending=True),
    "trending": Order(gettext_lazy("Trending"), F("trend"), descending=True),
    "downloads": Order(gettext_lazy("Most downloads"), F("downloads"), descending=True),
    "likes": Order(gettext_lazy("Most likes"), F("likes"), descending=True),
    "score": Order(gettext_lazy("Best verified score"), BEST_SCORE, descending=True),
    "created": Order(gettext_lazy("Newest"), F("created_at"), descending=True),
    "largest": Order(gettext_lazy("Most parameters"), MOST_PARAMETERS, descending=True),
    "smallest": Order(gettext_lazy("Fewest parameters"), FEWEST_PARAMETERS, descending=False),
    "name": Order(gettext_lazy("Name"), F("lower"), descending=False),
}
KEY_TYPES: Mapping[str, type | tuple[type, ...]] = {"name": str, "trending": (int, float), "score": (int, float)}


# Of models alone: other repositories have no parameters and no scores.
OF_MODELS = frozenset({"largest", "smallest", "score"})


@dataclass(frozen=True)
class Query:
    """What a reader asks a list for. Values that nobody could mean are dropped."""

    kind: str
    search: str = ""
    sort: str = "updated"
    cursor: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, kind: str, values: Mapping[str, str]) -> "Query":
        sort = values.get("sort", "")
        texts = {name: values.get(name, "").replace("\x00", "").strip()[:200] for name in (*FILTERS, "search")}
        search = texts.pop("search")
        usual = RELEVANCE if search else "updated"
        known = sort in ORDERS or (sort == RELEVANCE and search)
        return cls(
            kind=kind,
            search=search,
            sort=sort if known else usual,
            cursor=values.get("cursor", ""),
            filters={name: text for name, text in texts.items() if text},
        )

    @property
    def usual_sort(self) -> str:
        """The order of a link that names none."""
        return RELEVANCE if self.search else "updated"

    @property
    def narrows(self) -> bool:
        return bool(self.search or self.filters)


@dataclass(frozen=True)
class Page:
    """One page of a list, and the cursor of the next one ("" when there is none).

    `excerpts` says for each repository where its card answers the search. `is_loose` is set when nothing held all
    words, so that some of them had to do.
    """

    repos: list[Repo]
    next_cursor: str
    count: int
    is_loose: bool = False
    facets: Sequence[Shown] = ()
    excerpts: Mapping[int, list[Piece]] = field(default_factory=dict)


def orders_for(query: Query) -> list[tuple[str, str | Promise]]:
    """Return the orders that make sense for a question, with their words."""
    orders = [(name, order.label) for name, order in ORDERS.items()]
    fitting = [one for one in orders if query.kind == Repo.Kind.MODEL or one[0] not in OF_MODELS]
    return [(RELEVANCE, gettext_lazy("Best match")), *fitting] if query.search else fitting


def page_of(query: Query, *, user: Asker, with_facets: bool = False) -> Page:
    """Return the repositories that `user` may see and `query` asks for, in a number of queries that never grows."""
    found = Found(query.kind, text=query.search, filters=query.filters, user=user)
    repos, cursor = (_by_relevance if query.sort == RELEVANCE else _by_order)(query, found, user)
    shown = found.counted_facets() if with_facets else []
    if with_facets and (recent := found.updated()):
        shown.append(Shown(facets.UPDATED_NAME, gettext_lazy("Updated"), recent))
    return Page(
        repos=repos,
        next_cursor=cursor,
        count=found.count,
        is_loose=not found.every,
        facets=shown,
        excerpts=_excerpts(found, repos),
    )


def _by_order(query: Query, found: Found, user: Asker) -> tuple[list[Repo], str]:
    """Return a page in an order that the database keeps."""
    visible = Repo.objects.visible_to(user).listed().select_related("namespace")
    if query.narrows:
        # Of these no kind is asked: SQLite would look through all of it for a few ids.
        first = found.first_of(_in_order(query, Repo.objects.filter(kind=query.kind)), PAGE + 1)
        rows = visible.filter(pk__in=first)
    else:
        rows = visible.filter(kind=query.kind)
    repos = list(_in_order(query, rows)[: PAGE + 1])
    return repos[:PAGE], _cursor(repos[PAGE - 1]) if len(repos) > PAGE else ""


def _in_order(query: Query, rows: RepoQuerySet) -> RepoQuerySet:
    """Sort rows and leave out those before the cursor."""
    order = ORDERS[query.sort]
    rows = rows.annotate(sort_key=order.key)
    if query.cursor:
        key, pk = _read_cursor(query.cursor, query.sort)
        beyond = "lt" if order.descending else "gt"
        rows = rows.filter(Q(**{f"sort_key__{beyond}": key}) | Q(**{"sort_key": key, f"id__{beyond}": pk}))
    return rows.order_by(*(f"-{name}" if order.descending else name for name in ("sort_key", "id")))


def _by_relevance(query: Query, found: Found, user: Asker) -> tuple[list[Repo], str]:
    """Return a page of the best answers; the cursor names the last one shown, so that none comes twice."""
    ids = found.ranked()
    if query.cursor:
        _key, last = _read_cursor(query.cursor, RELEVANCE)
        ids = ids[ids.index(last) + 1 :] if last in ids else []
    wanted = ids[: PAGE + 1]
    rows = Repo.objects.visible_to(user).select_related("namespace").in_bulk(wanted)
    repos = [rows[pk] for pk in wanted if pk in rows]
    return repos[:PAGE], _packed([0, repos[PAGE - 1].pk]) if len(repos) > PAGE else ""


def _excerpts(found: Found, repos: Sequence[Repo]) -> dict[int, list[Piece]]:
    if not found.terms or not repos:
        return {}
    texts = SearchDocument.objects.filter(repo__in=repos).values_list("repo_id", "text")
    return {pk: highlighting.excerpt(text, found.terms) for pk, text in texts}


def children_of(repo: Repo) -> int:
    """Return how many public models name this one as their base model."""
    return Label.objects.filter(
        text=f"base_model:{repo.full_name}", repo__kind=Repo.Kind.MODEL, repo__private=False
    ).count()


def with_children(repos: RepoQuerySet) -> RepoQuerySet:
    """Bring `children_of` along as `children_count`, for a list."""
    named = Concat(Value("base_model:"), OuterRef("namespace__name"), Value("/"), OuterRef("name"))
    rows = Label.objects.filter(text=named, repo__kind=Repo.Kind.MODEL, repo__private=False)
    counted = rows.order_by().values("text").annotate(n=Count("pk")).values("n")
    return repos.annotate(children_count=Coalesce(Subquery(counted), 0))


def storage_of(repo: Repo) -> int:
    """Return the bytes of all versions of a repository, in one query."""
    counted = Repo.objects.filter(pk=repo.pk).annotate(used_storage=_storage())
    return counted.values_list("used_storage", flat=True).first() or 0


def with_storage(repos: RepoQuerySet) -> RepoQuerySet:
    """Bring the bytes of all versions along as `used_storage`, for a list."""
    return repos.annotate(used_storage=_storage())


def _storage() -> Any:
    here = {"repo": OuterRef("pk")}
    objects = GitObject.objects.filter(**here).order_by().values("repo").annotate(n=Sum("size"))
    contents = RepoBlob.objects.filter(**here).order_by().values("repo").annotate(n=Sum("blob__size"))
    return Coalesce(Subquery(objects.values("n")), 0) + Coalesce(Subquery(contents.values("n")), 0)


def label_groups(kind: str) -> dict[str, list[str]]:
    """Return the labels of public repositories of this kind in the Hub's groups, the most frequent first."""
    public = Repo.objects.listed().filter(kind=kind, private=False)
    words = {name: set(_frequent(public, name)) for name in ("task", "library")}
    languages = set(_frequent_languages(public))
    named = {"pipeline_tag": words["task"], "library": words["library"], "language": languages}
    labels = Label.objects.exclude(repo__restriction__level__gte=UNRANKED)
    rows = labels.filter(repo__kind=kind, repo__private=False).values("text").annotate(n=Count("id"))
    groups: dict[str, list[str]] = {}
    for row in rows.order_by("-n", "text")[:GROUPED_LABELS]:
        text = row["text"]
        prefix = text.partition(":")[0] if ":" in text else ""
        group = prefix or next((name for name, known in named.items() if text in known), "other")
        groups.setdefault(group, []).append(text)
    return groups


def _frequent(repos: RepoQuerySet, name: str) -> list[str]:
    rows = repos.exclude(**{name: ""}).values(name).annotate(n=Count("id")).order_by("-n", name)
    return [row[name] for row in rows[:FACET_VALUES]]


def _frequent_languages(repos: RepoQuerySet) -> list[str]:
    counts: Counter[str] = Counter()
    for row in repos.values("languages").annotate(n=Count("id")).order_by("-n")[:500]:
        counts.update(dict.fromkeys(row["languages"], row["n"]))
    return [code for code, _count in counts.most_common(FACET_VALUES)]


def _cursor(last: Any) -> str:
    key = last.sort_key.isoformat() if isinstance(last.sort_key, datetime) else last.sort_key
    return _packed([key, last.pk])


def _packed(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def read_moment(text: str) -> datetime:
    """Return the time that a cursor holds; raises ValueError for one that no row and no database can have."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or not 1970 <= moment.year <= 9000:
        raise ValueError("not a time of a row")
    return moment


def _read_cursor(cursor: str, sort: str) -> tuple[Any, int]:
    try:
        key, pk = json.loads(base64.urlsafe_b64decode(cursor[:500] + "=" * (-len(cursor) % 4)))
        if sort in {"updated", "created"}:
            key = read_moment(key)
        elif not isinstance(key, KEY_TYPES.get(sort, int)) or (isinstance(key, str) and not is_text(key)):
            raise ValueError
        if not all(abs(part) <= LARGEST for part in (key, pk) if isinstance(part, int | float)):
            raise ValueError
        if not isinstance(pk, int):
            raise ValueError
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(_("This link to a page of the list is broken; start again from the first page.")) from error
    return key, pk
