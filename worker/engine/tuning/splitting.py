"""Rows to parts: no text is on both sides, and labels keep their shares."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from worker.engine.tuning.arranged_rows import Line
from worker.engine.tuning.question_texts import normalised, texts_in

# Where one group would hold more than this share of the rows, only rows with all texts in common stay together.
LARGEST_GROUP = 0.2
PARTS_OF_NUMBERS = 5


def split(lines: Sequence[Line], shares: Mapping[str, float], seed: int) -> dict[str, list[Line]]:
    """Return the lines of each part, in their order; what no part takes is for "train"."""
    groups = grouped(lines)
    strata = strata_of([line.gold for line in lines])
    counts = Counter(strata)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place)
    by_stratum: defaultdict[str, list[list[int]]] = defaultdict(list)
    for rows in members.values():
        rarest = min((strata[row] for row in rows), key=lambda name: (counts[name], name))
        by_stratum[rarest].append(rows)
    rng = random.Random(seed)  # noqa: S311  (which row is tested is no secret)
    chosen: dict[int, str] = {}
    carry = dict.fromkeys(shares, 0.0)
    for name in sorted(by_stratum):
        bundles = by_stratum[name]
        rng.shuffle(bundles)
        total = sum(map(len, bundles))
        for part, share in shares.items():
            # What rounding leaves of one label is taken from the next.
            carry[part] += share * total
            for rows in bundles:
                if rows[0] not in chosen and len(rows) <= carry[part] + 0.5:
                    carry[part] -= len(rows)
                    chosen |= dict.fromkeys(rows, part)
                if carry[part] < 0.5:
                    break
    found: dict[str, list[Line]] = {part: [] for part in ("train", *shares)}
    for place, line in enumerate(lines):
        found[chosen.get(place, "train")].append(line)
    return found


def grouped(lines: Sequence[Line]) -> list[int]:
    """Return a number for each line: lines that share a text have the same, of questions those about one passage."""
    keys = [_texts(line) for line in lines]
    groups = _connected(keys)
    if lines and max(Counter(groups).values()) > max(2, LARGEST_GROUP * len(lines)):
        groups = _connected([("\n".join(texts),) for texts in keys])
    return groups


def strata_of(golds: Sequence[Mapping[str, object]]) -> list[str]:
    """Return what the split keeps in its shares: the label, of several the rarest, of numbers their fifth."""
    if golds and isinstance(golds[0].get("value"), int | float):
        values = np.array([float(str(gold["value"])) for gold in golds])
        edges = np.unique(np.quantile(values, np.linspace(0, 1, PARTS_OF_NUMBERS + 1)[1:-1]))
        return [str(part) for part in np.searchsorted(edges, values).tolist()]
    several = [labels_of(gold) for gold in golds]
    counts = Counter(label for labels in several for label in set(labels))
    return [min(labels, key=lambda label: (counts[label], label)) if labels else "" for labels in several]


def labels_of(gold: Mapping[str, object]) -> list[str]:
    """Return the labels of an answer."""
    if isinstance(label := gold.get("label"), str):
        return [label]
    for name in ("labels", "tags"):
        if isinstance(several := gold.get(name), list):
            return [str(label) for label in several]
    return []


def _texts(line: Line) -> tuple[str, ...]:
    if "passage" in line.gold:
        return (str(line.gold["passage"]),)
    question = line.question
    if isinstance(question.get("tokens"), list):
        return (normalised(" ".join(question["tokens"])),)
    return tuple(dict.fromkeys(normalised(text) for text in texts_in(question)))


def _connected(keys: Sequence[tuple[str, ...]]) -> list[int]:
    parents = list(range(len(keys)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    first: dict[str, int] = {}
    for place, texts in enumerate(keys):
        for text in texts:
            other = root(first.setdefault(text, place))
            parents[max(other, root(place))] = min(other, root(place))
    return [root(place) for place in range(len(keys))]
