"""How much one shard may make us read: a shard of kilobytes could name the same bytes over and over."""

from django.utils.translation import gettext as _

from portal.errors import TooLarge

# Honest uploads repeat themselves: twenty checkpoints of one model in a shard do it twentyfold.
REPEATS = 32
ALWAYS_ALLOWED = 4 * 1024**3
# What hashing a chunk costs beside its bytes, and finding a xorb again, each in bytes read in the same time.
PER_CHUNK = 8 * 1024
PER_LOOKUP = 1024 * 1024


class TooMuchWork(TooLarge):
    """A shard repeats the same bytes more often than files do."""

    code = "too_repetitive"


class WorkBudget:
    """What one shard may still cost, by how many different bytes its files are made of."""

    def __init__(self) -> None:
        self._left = ALWAYS_ALLOWED
        self._known: set[int] = set()

    def looked_up(self, xorb_id: int, size: int) -> None:
        """Note that a xorb was read from the database; a new one makes room for the work with its bytes."""
        if xorb_id in self._known:
            self._spend(PER_LOOKUP)
        else:
            self._known.add(xorb_id)
            self._left += REPEATS * size

    def hashed(self, size: int, chunks: int) -> None:
        """Note the work with a run of chunks, before it is done."""
        self._spend(size + chunks * PER_CHUNK)

    def _spend(self, cost: int) -> None:
        self._left -= cost
        if self._left < 0:
            raise TooMuchWork(
                _("The files of this upload repeat the same bytes too often. Upload fewer of them at once.")
            )
