"""Tokenizers trained on the texts at hand, the same in every process: ties go by the alphabet."""

import random
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any

import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerBase

from worker.engine.perturbing.scripts import HAN
from worker.engine.tuning.byte_pairs import ALPHABET, learn_merges
from worker.engine.tuning.contracts import Architecture
from worker.engine.wordpiece import SPECIAL_TOKENS, train_wordpiece

# More texts than these change little of a small vocabulary; every n-th is looked at.
MOST_TEXTS = 200_000
ENCODERS = ("bert", "roberta")
# What they read ends with a token that says so, as what they write does.
READ_AND_WRITE = ("bart", "t5")
MARKS = {"pad": "<pad>", "unk": "<unk>", "bos": "<s>", "eos": "</s>", "mask": "<mask>"}


def train(wanted: Architecture, texts: Iterable[str]) -> PreTrainedTokenizerBase:
    """Return a tokenizer of the kind that is wanted; what puts tokens around texts depends on the model."""
    kept = _some(texts)
    if wanted.tokenizer == "wordpiece":
        made = train_wordpiece(kept, vocab_size=wanted.vocab_size, max_length=wanted.max_positions)
        return made if wanted.model_type in ENCODERS else _with_ends(made, wanted)
    if wanted.tokenizer == "bpe":
        return _finished(_bpe(kept, wanted), wanted)
    return _finished(_characters(kept, wanted), wanted)


def _some(texts: Iterable[str]) -> list[str]:
    kept = list(islice(texts, 10 * MOST_TEXTS))
    if len(kept) <= MOST_TEXTS:
        return kept
    return random.Random(0).sample(kept, MOST_TEXTS)  # noqa: S311  (which texts are looked at is no secret)


def _bpe(texts: Iterable[str], wanted: Architecture) -> Tokenizer:
    """Return byte-level BPE with the splitting that GPT-2, Llama 3 and Qwen have in common with llama.cpp.

    Models that llama.cpp does not run get Chinese characters one by one. Otherwise merges go over whole phrases, each
    of which is seen a few times: of 8,000 sentences a translator learned a third of what it does from characters.
    """
    splitter: Any = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if wanted.model_type in READ_AND_WRITE:
        alone = pre_tokenizers.Split(Regex(f"[{HAN}]"), "isolated")
        splitter = pre_tokenizers.Sequence([alone, splitter])
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(word for word, _place in splitter.pre_tokenize_str(text))
    merges = learn_merges(counts, wanted.vocab_size - len(MARKS) - len(ALPHABET))
    tokens = dict.fromkeys([*MARKS.values(), *ALPHABET, *(first + second for first, second in merges)])
    vocab = {token: number for number, token in enumerate(tokens)}
    made = Tokenizer(models.BPE(vocab=vocab, merges=merges, fuse_unk=False))
    made.pre_tokenizer = splitter
    made.decoder = decoders.ByteLevel()
    return made


def _characters(texts: Iterable[str], wanted: Architecture) -> Tokenizer:
    """Return a tokenizer whose tokens are single characters, the most frequent ones."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    kept = sorted(counts, key=lambda char: (-counts[char], char))[: wanted.vocab_size - len(MARKS)]
    vocab = {token: number for number, token in enumerate([*MARKS.values(), *kept])}
    made = Tokenizer(models.WordLevel(vocab=vocab, unk_token=MARKS["unk"]))
    made.normalizer = normalizers.Sequence([])
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    made.decoder = decoders.Fuse()
    return made


def _finished(made: Tokenizer, wanted: Architecture) -> PreTrainedTokenizerBase:
    """Return a tokenizer with the tokens around texts that the model expects."""
    bos, eos = MARKS["bos"], MARKS["eos"]
    numbers = [(token, made.token_to_id(token)) for token in (bos, eos)]
    if wanted.model_type in ENCODERS:
        made.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A {eos}",
            pair=f"{bos} $A {eos} $B:1 {eos}:1" if wanted.model_type == "bert" else f"{bos} $A {eos} {eos} $B {eos}",
            special_tokens=numbers,
        )
    elif wanted.model_type in READ_AND_WRITE:
        made.post_processor = processors.TemplateProcessing(
            single=f"$A {eos}", pair=f"$A {eos} $B {eos}", special_tokens=numbers[1:]
        )
    marks: dict[str, Any] = {f"{name}_token": token for name, token in MARKS.items()}
    if wanted.model_type in ENCODERS:
        marks |= {"cls_token": bos, "sep_token": eos}
    return _wrapper(
        tokenizer_object=made, model_max_length=wanted.max_positions, clean_up_tokenization_spaces=False, **marks
    )


def _wrapper(**values: Any) -> PreTrainedTokenizerBase:
    make: Any = transformers.PreTrainedTokenizerFast
    made: PreTrainedTokenizerBase = make(**values)
    return made


def _with_ends(made: PreTrainedTokenizerBase, wanted: Architecture) -> PreTrainedTokenizerBase:
    """Return a WordPiece tokenizer for a model that writes: texts end with a token that says so."""
    backend: Tokenizer = made.backend_tokenizer
    pad, unk, cls, sep, mask = SPECIAL_TOKENS
    template = f"$A {sep}" if wanted.model_type in READ_AND_WRITE else "$A"
    backend.post_processor = processors.TemplateProcessing(
        single=template, pair=f"{template} $B", special_tokens=[(sep, backend.token_to_id(sep))]
    )
    return _wrapper(
        tokenizer_object=backend,
        model_max_length=wanted.max_positions,
        pad_token=pad, unk_token=unk, bos_token=cls, eos_token=sep, mask_token=mask,
    )  # fmt: skip
