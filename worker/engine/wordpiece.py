"""A small WordPiece tokenizer for English and Chinese, trained on the texts at hand."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

from tokenizers import normalizers, pre_tokenizers
from transformers import BertTokenizer

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PAD_ID, UNK_ID, CLS_ID, SEP_ID, MASK_ID = range(5)
MIN_COUNT = 2
MAX_WORD = 100

Pair = tuple[str, str]


def train_wordpiece(texts: Iterable[str], *, vocab_size: int, max_length: int) -> BertTokenizer:
    """Train a lower-casing tokenizer that takes words apart and every Chinese character alone."""
    pieces = learn_pieces(_word_counts(texts), vocab_size - len(SPECIAL_TOKENS))
    vocab = {token: index for index, token in enumerate([*SPECIAL_TOKENS, *pieces])}
    return BertTokenizer(vocab=vocab, do_lower_case=True, model_max_length=max_length)


def learn_pieces(counts: Counter[str], size: int) -> list[str]:
    """Return at most `size` pieces: the characters, then the most frequent merges.

    The trainer of the tokenizers library breaks ties by the order of a hash map and gave another vocabulary in
    every process, so the same seed trained another model. Here ties go by the alphabet.
    """
    words = sorted(counts)
    splits = [[word[0], *(f"##{char}" for char in word[1:])] for word in words]
    letters: Counter[str] = Counter()
    pairs: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for index, (word, split) in enumerate(zip(words, splits, strict=True)):
        for letter in split:
            letters[letter] += counts[word]
        _count(split, counts[word], index, pairs, where)
    # A dict keeps the order and drops the piece that two ways of merging lead to.
    pieces = dict.fromkeys(sorted(letters, key=lambda letter: (-letters[letter], letter))[:size])
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    while heap and len(pieces) < size:
        count, pair = heapq.heappop(heap)
        if -count < MIN_COUNT:
            break
        if -count != pairs[pair]:
            # Merges since then took some of its occurrences; it queues again with what is left.
            if pairs[pair] >= MIN_COUNT:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        merged = pair[0] + pair[1].removeprefix("##")
        pieces[merged] = None
        changed: set[Pair] = set()
        for index in where.pop(pair):
            amount = counts[words[index]]
            changed |= _count(splits[index], -amount, index, pairs, where)
            splits[index] = _merge(splits[index], pair, merged)
            changed |= _count(splits[index], amount, index, pairs, where)
        for other in changed:
            if pairs[other] >= MIN_COUNT:
                heapq.heappush(heap, (-pairs[other], other))
    return list(pieces)


def _word_counts(texts: Iterable[str]) -> Counter[str]:
    # handle_chinese_chars puts spaces round each CJK character, so that none of them ever merges.
    normalizer = normalizers.BertNormalizer(lowercase=True, handle_chinese_chars=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    return Counter({word: count for word, count in counts.items() if len(word) <= MAX_WORD})


def _count(
    split: list[str], amount: int, index: int, pairs: Counter[Pair], where: defaultdict[Pair, set[int]]
) -> set[Pair]:
    found = set()
    for pair in pairwise(split):
        pairs[pair] += amount
        found.add(pair)
        if amount > 0:
            where[pair].add(index)
    return found


def _merge(split: list[str], pair: Pair, merged: str) -> list[str]:
    result: list[str] = []
    position = 0
    while position < len(split):
        if tuple(split[position : position + 2]) == pair:
            result.append(merged)
            position += 2
        else:
            result.append(split[position])
            position += 1
    return result
