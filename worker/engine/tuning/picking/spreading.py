"""Texts as vectors of their letters, and a choice of rows of which no two say nearly the same. Imports no torch."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.engine.tasks.task import Array

WIDTH = 2048
PIECE = 3  # letters; three of them tell apart words of alphabets and say much of Chinese
NEAR = 0.8  # a cosine from which on two texts are near duplicates
PART = 1024


def vectors(texts: Sequence[str]) -> Array:
    """Return a vector of length one for each text: its pieces of three letters, rare ones count more."""
    counts = np.zeros((len(texts), WIDTH), dtype=np.float32)
    for row, text in enumerate(texts):
        plain = f" {' '.join(text.lower().split())} "
        pieces = [plain[at : at + PIECE] for at in range(max(1, len(plain) - PIECE + 1))]
        places = [zlib.crc32(piece.encode("utf-8", "replace")) % WIDTH for piece in pieces]
        np.add.at(counts[row], places, 1)
    weighted = np.log1p(counts)
    held = (counts > 0).sum(axis=0)
    weighted *= np.log((1 + len(texts)) / (1 + held)).astype(np.float32) + 1
    lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
    made: Array = weighted / np.where(lengths == 0, 1, lengths)
    return made


@dataclass(frozen=True)
class Choice:
    """The rows in the order in which they should be asked, and how many were passed over as near duplicates."""

    rows: list[int]
    passed: int


def choose(texts: Sequence[str], doubts: Array, known: Sequence[str], count: int) -> Choice:
    """Take again and again the row whose doubt, less what is alike to it already, is the largest.

    What is alike is the nearest of the rows taken so far and of those that have an answer. A near duplicate of one
    of them is not taken at all: its answer would teach nothing.
    """
    if not texts:
        return Choice([], 0)
    made = vectors([*texts, *known])
    mine, others = made[: len(texts)], made[len(texts) :]
    nearest = np.zeros(len(texts), dtype=np.float32)
    for start in range(0, len(others), PART):
        nearest = np.maximum(nearest, (mine @ others[start : start + PART].T).max(axis=1))
    open_rows = np.ones(len(texts), dtype=bool)
    taken: list[int] = []
    while len(taken) < count:
        worth = np.where(open_rows & (nearest < NEAR), doubts * (1 - nearest), -1.0)
        best = int(worth.argmax())
        if worth[best] < 0:
            break
        taken.append(best)
        open_rows[best] = False
        nearest = np.maximum(nearest, mine @ mine[best])
    return Choice(taken, int((open_rows & (nearest >= NEAR)).sum()))
