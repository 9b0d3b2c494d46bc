"""One question to the lists: who fits, how many there are with each value of each facet, and one page in order.

What the reader may not see is in no number: the bitmaps hold public repositories alone, and private ones that the
reader may see are read and counted one by one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils.functional import Promise
from pyroaring import BitMap

from models_hub.models import Repo, RepoQuerySet, SearchDocument
from models_hub.searching import facets, ranking
from models_hub.searching.bitmaps import Catalogue
from models_hub.searching.catalogue import catalogues
from models_hub.searching.matching import Wanted
from models_hub.searching.postings import postings
from models_hub.searching.words import WEAK, Term, asked
from portal.models import Asker

RANKED = 200  # so many of the likeliest are put in order of relevance,
NAMED = 100  # and so many with the words in their names
FEW = 1500  # so many ids are sent to the database; of more it gives the order and we say who fits
AHEAD = 3  # so many times as many rows are looked at as should hold a page
MAX_PRIVATE = 5000
VALUES = 40


@dataclass(frozen=True)
class Value:
    """One value of a facet and how many would be left with it."""

    value: str
    count: int
    is_chosen: bool


@dataclass(frozen=True)
class Shown:
    """One facet with its values."""

    name: str
    title: str | Promise
    values: list[Value]

    @property
    def has_choice(self) -> bool:
        return any(value.is_chosen for value in self.values)


class Found:
    """What answers a question."""

    def __init__(self, kind: str, *, text: str, filters: Mapping[str, str], user: Asker) -> None:
        self.kind = kind
        self.user = user
        self.filters = filters
        self.terms: Sequence[Term] = asked(text)
        self.asks_words = bool(text.strip())
        self.every = True
        self._terms: Sequence[Term] = self.terms
        self._held: list[BitMap] = []
        self._catalogue: Catalogue = catalogues.of(kind)
        self._private = self._private_rows()
        self._matched = self._match()
        self._author = self._ids_of_author()
        self.public = self._within(self._catalogue.narrowed(filters))
        self.own = [row["id"] for row in self._private if self._fits(row)]

    @property
    def count(self) -> int:
        return len(self.public) + len(self.own)

    def counted_facets(self) -> list[Shown]:
        """Return the facets of this kind that would leave something."""
        return [shown for facet in facets.FACETS if self.kind in facet.kinds if (shown := self._counted(facet)).values]

    def updated(self) -> list[Value]:
        """Return how many were updated within each span."""
        base = self._within(self._catalogue.narrowed(self.filters, without=facets.UPDATED_NAME))
        chosen = self.filters.get(facets.UPDATED_NAME)
        found = []
        for value in facets.UPDATED:
            others = {name: kept for name, kept in self.filters.items() if name != facets.UPDATED_NAME}
            mine = sum(self._fits(row, {**others, facets.UPDATED_NAME: value}) for row in self._private)
            count = base.intersection_cardinality(self._catalogue.updated(value)) + mine
            found.append(Value(value, count, value == chosen))
        return [value for value in found if value.count or value.is_chosen]

    def first_of(self, ordered: RepoQuerySet, count: int) -> list[int]:
        """Return the ids of those that fit, or of many the first `count` in the order of these rows."""
        fitting = self.public | BitMap(self.own)
        return [*fitting] if len(fitting) <= FEW else self._looked_through(ordered, fitting, count)

    def ranked(self) -> list[int]:
        """Return the ids of the best answers in their order: all who fit, or of very many the likeliest some hundred.

        The likeliest have most of the words in their names, or most of the words and are used most; both are known
        without reading a document.
        """
        ids = self.public
        if len(ids) > RANKED:
            named = postings.of([Wanted(term, in_name=True) for term in self._terms])
            ids = self._likeliest(named, NAMED) | self._likeliest(self._held, RANKED)
        found = SearchDocument.objects.filter(repo__in=[*ids, *self.own[:RANKED]])
        rows = found.values("repo_id", "words", downloads=F("repo__downloads"), likes=F("repo__likes"))
        documents = [ranking.parse(row["repo_id"], row["words"], ranking.use_of(row)) for row in rows]
        return [pk for _score, pk in ranking.order(self.terms, documents)]

    def _looked_through(self, ordered: RepoQuerySet, fitting: BitMap, count: int) -> list[int]:
        """Return the ids of the first that fit, in one query, or two where those that fit come late.

        The ids come from an index in their order, and who fits, and may be seen, is known here.
        """
        among = len(self._catalogue.everything) + len(self._private)
        enough = AHEAD * count * (among // len(fitting) + 1)
        for most in (enough, None):
            looked_at = list(ordered.values_list("pk", flat=True)[:most])
            found = [pk for pk in looked_at if pk in fitting][:count]
            if len(found) == count or len(looked_at) < enough:
                break
        return found

    def _likeliest(self, held: Sequence[BitMap], most: int) -> BitMap:
        """Return those who hold the most words, and of those with as many, who is used most."""
        found = BitMap()
        for ids in _with_most(held, self.public):
            found |= self._catalogue.most_used(ids - found, most - len(found))
        return found

    def _match(self) -> BitMap | None:
        """Return who holds every word; else who holds any of the telling ones.

        Only of what the reader sees: that others hold every word must not be told by what is said of those.
        """
        if not self.asks_words:
            return None
        seen = self._catalogue.everything | BitMap([row["id"] for row in self._private])
        self._held = postings.of([Wanted(term) for term in self.terms])
        found = BitMap.intersection(seen, *self._held) if self._held else BitMap()
        if not found and len(self.terms) > 1:
            self.every = False
            self._terms = [term for term in self.terms if term.word not in WEAK] or self.terms
            self._held = postings.of([Wanted(term) for term in self._terms])
            found = BitMap.union(*self._held)
        return found

    def _private_rows(self) -> list[dict[str, Any]]:
        if not self.user.is_authenticated:
            return []
        rows = Repo.objects.visible_to(self.user).filter(kind=self.kind, private=True).order_by("-id")
        return list(rows.values(*facets.COLUMNS, "namespace__lower")[:MAX_PRIVATE])

    def _ids_of_author(self) -> BitMap | None:
        if not (author := self.filters.get("author")):
            return None
        return BitMap(Repo.objects.filter(kind=self.kind, private=False).owned_by(author).values_list("pk", flat=True))

    def _within(self, ids: BitMap) -> BitMap:
        for other in (self._matched, self._author):
            if other is not None:
                ids = ids & other
        return ids

    def _fits(self, row: Mapping[str, Any], filters: Mapping[str, str] | None = None) -> bool:
        filters = self.filters if filters is None else filters
        author = filters.get("author")
        return (
            (self._matched is None or row["id"] in self._matched)
            and (not author or row["namespace__lower"] == author.lower())
            and facets.fits(row, filters)
        )

    def _counted(self, facet: facets.Facet) -> Shown:
        chosen = self.filters.get(facet.name, "")
        others = {name: value for name, value in self.filters.items() if name != facet.name}
        base = self._within(self._catalogue.narrowed(others))
        counts = Counter(self._catalogue.count_with(facet.name, base))
        for row in self._private:
            if self._fits(row, others):
                counts.update(facet.of_row(row))
        if chosen and chosen not in counts:
            counts[chosen] = 0
        order = {value: place for place, value in enumerate(facet.order)}
        values = sorted(counts, key=lambda value: (order.get(value, len(order)), -counts[value], value))[:VALUES]
        return Shown(facet.name, facet.title, [Value(value, counts[value], value == chosen) for value in values])


def _with_most(held: Sequence[BitMap], among: BitMap) -> Iterator[BitMap]:
    """Yield who is in all of these bitmaps, who is in all but one or more, and so on down to one."""
    counted: list[BitMap] = []  # at place n: in more than n of those seen so far
    for ids in held:
        here = ids & among
        for place, before in enumerate(counted):
            counted[place], here = before | here, before & here
        counted.append(here)
    yield from reversed(counted)
