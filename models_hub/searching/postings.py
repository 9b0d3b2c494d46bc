"""Who holds the words that were asked for lately, as bitmaps in the memory of each process.

The index of the database knows who holds a word, but to hand over the ids of half of all repositories takes it longer
than a page may take. Each answer is kept therefore, and follows the trail of changes as the facets do: a process asks
for a word once, and counts, intersects and ranks without the database. What is asked for seldom makes room.

Private repositories are among them: whoever counts or ranks first takes what the reader may see.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from pyroaring import BitMap

from models_hub.models import SearchDocument
from models_hub.searching.matching import Held, Wanted, read

MOST = 3000  # words that are kept
MOST_BYTES = 24_000_000
MANY = 100  # changed documents after which asking anew costs less than following
ENTRY_BYTES = 300  # of a bitmap and its place, beside its ids


class Postings:
    """The words of this process. Its owner tells it of every change, in `follow`, before anybody asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Wanted, BitMap] = OrderedDict()  # the longest unasked first
        self._sizes: dict[Wanted, int] = {}
        self._bytes = 0
        self._changes = 0

    def of(self, wanted: Sequence[Wanted]) -> list[BitMap]:
        """Return who answers each of these; asks the database, once, for those that are not known. Only to be read."""
        with self._lock:
            noted = self._changes
            found = {one: self._kept[one] for one in wanted if one in self._kept}
            for one in found:
                self._kept.move_to_end(one)
        if missing := [one for one in dict.fromkeys(wanted) if one not in found]:
            new = read(missing)
            found |= new
            self._keep(new, noted)
        return [found[one] for one in wanted]

    def follow(self, changed: Sequence[int]) -> None:
        """Take in that these documents changed, came or went."""
        with self._lock:
            self._changes += 1
            is_idle = not self._kept
        if is_idle or len(changed) > MANY:
            self.forget()
            return
        rows = SearchDocument.objects.filter(repo__in=changed).values_list("repo_id", "name", "words")
        texts = {pk: {True: Held(name), False: Held(words)} for pk, name, words in rows}
        nothing = {True: Held(""), False: Held("")}
        with self._lock:
            self._changes += 1
            for pk in changed:
                here = texts.get(pk, nothing)
                for one, ids in self._kept.items():
                    (ids.add if here[one.in_name].answers(one.term) else ids.discard)(pk)

    def forget(self) -> None:
        with self._lock:
            self._changes += 1
            self._kept.clear()
            self._sizes.clear()
            self._bytes = 0

    def _keep(self, new: dict[Wanted, BitMap], noted: int) -> None:
        with self._lock:
            if noted != self._changes:
                return  # Something changed while they were read: they may lack it, and nobody would tell again.
            for one, ids in new.items():
                self._drop(one)
                self._kept[one] = ids
                self._sizes[one] = _size(ids)
                self._bytes += self._sizes[one]
            while len(self._kept) > MOST or self._bytes > MOST_BYTES:
                self._drop(next(iter(self._kept)))

    def _drop(self, one: Wanted) -> None:
        if self._kept.pop(one, None) is not None:
            self._bytes -= self._sizes.pop(one)


def _size(ids: BitMap) -> int:
    """Return about how many bytes a bitmap takes: two for each id, or a bit for each place."""
    return ENTRY_BYTES + (min(2 * len(ids), ids.max() // 8) if ids else 0)


postings = Postings()
