"""Which words most posts hold, as PostgreSQL found when it last looked at a sample of them.

Its index tells quickly which posts hold a word, but of the beginning of a word it gathers all posts that hold any word
which begins so: of "mod" in a large forum millions, each time. So there a beginning stands for the frequent words.
"""

import time
from bisect import bisect_left
from collections.abc import Sequence

from django.db import connection

COMMON = 20_000  # posts: words that fewer hold are gathered
MOST = 60  # words of one beginning
KEPT = 600  # seconds
SQL = """
    SELECT word, share * c.reltuples FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname,
    unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS known(word, share)
    WHERE c.oid = 'forum_postwords'::regclass AND s.attname = 'words_vector' AND word IS NOT NULL ORDER BY word
"""

_kept: tuple[float, list[str], list[float]] | None = None


def completing(beginning: str) -> Sequence[str]:
    """Return the frequent words that begin so, the most frequent first; none where all of them are rare."""
    words, posts = _known()
    first = bisect_left(words, beginning)
    last = bisect_left(words, beginning + "\U0010ffff")
    found = sorted(zip(posts[first:last], words[first:last], strict=True), reverse=True)[:MOST]
    return [word for _posts, word in found] if found and found[0][0] >= COMMON else []


def posts_with(word: str) -> float:
    """Return about how many posts hold a word or bear a mark; 0 where few do."""
    words, posts = _known()
    place = bisect_left(words, word)
    return posts[place] if place < len(words) and words[place] == word else 0


def _known() -> tuple[list[str], list[float]]:
    """Return known words in the order of their characters, and about how many posts hold each."""
    global _kept
    if _kept is None or time.monotonic() - _kept[0] > KEPT:
        with connection.cursor() as cursor:
            cursor.execute(SQL)
            rows = sorted(cursor.fetchall())
        _kept = (time.monotonic(), [word for word, _posts in rows], [float(posts) for _word, posts in rows])
    return _kept[1], _kept[2]
