"""Two changed versions of a text become one, line by line, as git does it; in bounded time, whatever the text.

The changes of each side are found by Myers' greedy algorithm ("An O(ND) Difference Algorithm", 1986). Where both sides
changed lines that touch, they must have made the same of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

MAX_BYTES = 1_000_000
# Time and memory grow with the square of the changed lines of a side.
MAX_CHANGED_LINES = 500

Lines = Sequence[bytes]


class Hunk(NamedTuple):
    """Lines [start, end) of the base become lines [first, last) of a side."""

    start: int
    end: int
    first: int
    last: int


def merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Return the text with the changes of both sides, None where they cannot be joined or are too many."""
    texts = (base, ours, theirs)
    if any(len(text) > MAX_BYTES or b"\0" in text for text in texts):
        return None
    before, our, their = (_lines(text) for text in texts)
    our_hunks, their_hunks = hunks(before, our), hunks(before, their)
    if our_hunks is None or their_hunks is None:
        return None
    joined = _join(before, (our, our_hunks), (their, their_hunks))
    return None if joined is None else b"".join(joined)


def hunks(old: Lines, new: Lines) -> list[Hunk] | None:
    """Return what changed between two lists of lines, None where it is too much."""
    numbers: dict[bytes, int] = {}  # comparing numbers takes no longer for long lines
    a, b = ([numbers.setdefault(line, len(numbers)) for line in side] for side in (old, new))
    begin = 0
    while begin < min(len(a), len(b)) and a[begin] == b[begin]:
        begin += 1
    tail = 0
    while tail < min(len(a), len(b)) - begin and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    kept = _kept(a[begin : len(a) - tail], b[begin : len(b) - tail])
    if kept is None:
        return None
    found, x, y = [], begin, begin
    for i, j in [*((i + begin, j + begin) for i, j in kept), (len(a) - tail, len(b) - tail)]:
        if (i, j) != (x, y):
            found.append(Hunk(x, i, y, j))
        x, y = i + 1, j + 1
    return found


def _lines(text: bytes) -> list[bytes]:
    """Split at line feeds alone, as git does, and keep them."""
    parts = text.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _kept(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]] | None:
    """Return the places of a longest common subsequence, None beyond MAX_CHANGED_LINES additions and removals."""
    reached = {1: 0}  # the furthest x on each diagonal x - y
    trace: list[dict[int, int]] = []
    for steps in range(min(len(a) + len(b), MAX_CHANGED_LINES) + 1):
        trace.append(dict(reached))
        for k in range(-steps, steps + 1, 2):
            down = k == -steps or (k != steps and reached[k - 1] < reached[k + 1])
            x = reached[k + 1] if down else reached[k - 1] + 1
            while x < len(a) and 0 <= x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reached[k] = x
            if x >= len(a) and x - k >= len(b):
                return _walked_back(trace, len(a), len(b))
    return None


def _walked_back(trace: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for steps in range(len(trace) - 1, -1, -1):
        reached, k = trace[steps], x - y
        down = k == -steps or (k != steps and reached[k - 1] < reached[k + 1])
        k = k + 1 if down else k - 1
        old_x = reached[k] if steps else 0
        old_y = old_x - k if steps else 0
        while x > old_x and y > old_y:
            x, y = x - 1, y - 1
            kept.append((x, y))
        x, y = old_x, old_y
    return kept[::-1]


def _join(base: Lines, ours: tuple[Lines, list[Hunk]], theirs: tuple[Lines, list[Hunk]]) -> list[bytes] | None:
    """Apply the hunks of both sides to the base; hunks that touch must say the same."""
    sides, at, position = (ours, theirs), [0, 0], 0
    joined: list[bytes] = []
    while waiting := [side[at[n]] for n, (_lines, side) in enumerate(sides) if at[n] < len(side)]:
        start = min(hunk.start for hunk in waiting)
        end, groups = start, ([], [])  # type: tuple[int, tuple[list[Hunk], list[Hunk]]]
        grew = True
        while grew:
            grew = False
            for n, (_lines, side) in enumerate(sides):
                while at[n] < len(side) and side[at[n]].start <= end:
                    groups[n].append(side[at[n]])
                    end, grew, at[n] = max(end, side[at[n]].end), True, at[n] + 1
        made = [_applied(base, lines, some, start, end) for (lines, _side), some in zip(sides, groups, strict=True)]
        if groups[0] and groups[1] and made[0] != made[1]:
            return None
        joined += base[position:start]
        joined += made[0] if groups[0] else made[1]
        position = end
    return [*joined, *base[position:]]


def _applied(base: Lines, lines: Lines, some: list[Hunk], start: int, end: int) -> list[bytes]:
    """Return what one side made of lines [start, end) of the base."""
    made: list[bytes] = []
    for hunk in some:
        made += base[start : hunk.start]
        made += lines[hunk.first : hunk.last]
        start = hunk.end
    return [*made, *base[start:end]]
