"""One kind of repository as bitmaps of ids: who has which value of which facet. They fit into one stored value."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from pyroaring import BitMap

from models_hub.models import Repo
from models_hub.searching import facets, ranking

DAY, USE = "day", "use"  # of the last update, and how much it is used, coarsely
LEVELS = 8  # of use, for each ten times of it
HEAD_BYTES = 4
AT_ONCE = 5000


class Catalogue:
    """Who has what among the public repositories of a kind.

    Readers hold no lock: a bitmap is never changed but replaced, so that each count is of one moment.
    """

    def __init__(self) -> None:
        self.everything = BitMap()
        self.having: dict[str, dict[str, BitMap]] = defaultdict(dict)  # by facet and value

    def take(self, changed: BitMap, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take in that these repositories changed, came or went; `rows` are those that are here now."""
        ids = BitMap()
        places: dict[tuple[str, str], BitMap] = defaultdict(BitMap)
        for row in rows:
            ids.add(row["id"])
            for place in _places(row):
                places[place].add(row["id"])
        for name, values in list(self.having.items()):
            for value, before in list(values.items()):
                if before.intersect(changed) and (name, value) not in places:
                    values[value] = before - changed
        for (name, value), new in places.items():
            values = self.having[name]
            values[value] = (values[value] - changed) | new if value in values else new
        self.everything = (self.everything - changed) | ids

    def narrowed(self, filters: Mapping[str, str], *, without: str = "") -> BitMap:
        """Return who has all that is asked for, leaving out one facet. Only to be read."""
        found = self.everything
        for name, value in filters.items():
            if name == without:
                continue
            if name == facets.UPDATED_NAME:
                found = found & self.updated(value)
            elif name in facets.BY_NAME:
                found = found & self.having[name].get(value, BitMap())
        return found

    def count_with(self, facet: str, ids: BitMap) -> dict[str, int]:
        """Return how many of these have each value of a facet."""
        having = list(self.having[facet].items())  # a copy, which is one step: others may put values in meanwhile
        return {value: count for value, found in having if (count := ids.intersection_cardinality(found))}

    def most_used(self, ids: BitMap, count: int) -> BitMap:
        """Return so many of those that are used most; of those used about alike, the newest."""
        found = BitMap()
        for _level, held in sorted(self.having[USE].items(), key=lambda one: int(one[0]), reverse=True):
            if len(found) >= count:
                break
            here, left = ids & held, count - len(found)
            found |= here if len(here) <= left else here[-left:]
        return found

    def updated(self, value: str) -> BitMap:
        """Return who was updated within the last day, week, month or year."""
        first = facets.first_day(value)
        days = list(self.having[DAY].items()) if first is not None else []
        recent = [ids for day, ids in days if int(day) >= (first or 0)]
        return BitMap.union(*recent) if recent else BitMap()

    def packed(self) -> bytes:
        """Return all of it as bytes: a table of contents, then the bitmaps."""
        kept = [(name, value, ids) for name, values in self.having.items() for value, ids in values.items() if ids]
        parts = [ids.serialize() for ids in (self.everything, *(ids for _name, _value, ids in kept))]
        names = [("", ""), *((name, value) for name, value, _ids in kept)]
        head = json.dumps([[*name, len(part)] for name, part in zip(names, parts, strict=True)]).encode()
        return b"".join([len(head).to_bytes(HEAD_BYTES, "big"), head, *parts])

    @classmethod
    def unpacked(cls, content: bytes) -> "Catalogue":
        found = cls()
        start = HEAD_BYTES + int.from_bytes(content[:HEAD_BYTES], "big")
        for name, value, length in json.loads(content[HEAD_BYTES:start]):
            ids = BitMap.deserialize(content[start : start + length])
            start += length
            if name:
                found.having[name][value] = ids
            else:
                found.everything = ids
        return found


def _places(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from facets.values_of(row)
    yield DAY, str(facets.day_of(row["updated_at"]))
    yield USE, str(int(ranking.use_of(row) * LEVELS))


def read_all() -> dict[str, Catalogue]:
    """Return the catalogues of all kinds, read from every public repository."""
    found = {kind: Catalogue() for kind in Repo.Kind.values}
    rows = Repo.objects.listed().filter(private=False).order_by().values(*facets.COLUMNS).iterator(chunk_size=AT_ONCE)
    while some := list(islice(rows, AT_ONCE)):
        for kind, catalogue in found.items():
            mine = [row for row in some if row["kind"] == kind]
            catalogue.take(BitMap([row["id"] for row in mine]), mine)
    return found
