"""Merges of byte-level BPE, learned so that the same texts give the same merges in every process."""

import heapq
from collections import Counter, defaultdict
from itertools import pairwise

from tokenizers import pre_tokenizers

MIN_COUNT = 2
MAX_WORD = 100
# One character for each of the 256 bytes.
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())

Pair = tuple[str, str]


def learn_merges(counts: Counter[str], size: int) -> list[Pair]:
    """Return at most `size` merges, the most frequent first; of equally frequent ones the first in the alphabet."""
    words = sorted(word for word in counts if len(word) <= MAX_WORD)
    splits = [list(word) for word in words]
    pairs: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, (word, split) in enumerate(zip(words, splits, strict=True)):
        for pair in pairwise(split):
            pairs[pair] += counts[word]
            where[pair].add(index)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(merges) < size:
        count, pair = heapq.heappop(heap)
        if -count != pairs[pair]:
            # Merges since then took some of its occurrences; it queues again with what is left.
            if pairs[pair] >= MIN_COUNT:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        if -count < MIN_COUNT:
            break
        merges.append(pair)
        changed: set[Pair] = set()
        for index in where.pop(pair):
            changed |= _merge_in(index, pair, splits, counts[words[index]], pairs, where)
        for other in changed:
            if pairs[other] >= MIN_COUNT:
                heapq.heappush(heap, (-pairs[other], other))
    return merges


def _merge_in(
    index: int,
    pair: Pair,
    splits: list[list[str]],
    amount: int,
    pairs: Counter[Pair],
    where: defaultdict[Pair, set[int]],
) -> set[Pair]:
    """Merge a pair in one word and return the pairs whose number has changed."""
    before = Counter(pairwise(splits[index]))
    splits[index] = _merged(splits[index], pair)
    after = Counter(pairwise(splits[index]))
    for other in after:
        where[other].add(index)
    for other in before.keys() | after.keys():
        pairs[other] += amount * (after[other] - before[other])
    return before.keys() | after.keys()


def _merged(split: list[str], pair: Pair) -> list[str]:
    result: list[str] = []
    position = 0
    while position < len(split):
        if (split[position], *split[position + 1 : position + 2]) == pair:
            result.append(pair[0] + pair[1])
            position += 2
        else:
            result.append(split[position])
            position += 1
    return result
