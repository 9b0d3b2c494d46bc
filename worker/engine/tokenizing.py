"""The tokenizer of a model folder, read as hostile, and texts to token ids."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from tokenizers import Encoding, Tokenizer, decoders

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json, read_json_object
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder, read_bounded
from worker.engine.model_config import refuse_custom_code

TOKENIZER_LIMIT = 64 << 20
# Everything but the vocabulary. SentencePiece's character map alone takes about a megabyte.
PIPELINE_LIMIT = 4 << 20
SETTINGS_LIMIT = 4 << 20
CHUNK = 512
# "No limit" is written as 10**30 by transformers.
MAX_MODEL_LENGTH = 1_000_000
WORDPIECE = {
    "bert": "BertTokenizer",
    "distilbert": "BertTokenizer",
    "electra": "BertTokenizer",
    "ernie": "BertTokenizer",
    "mobilebert": "BertTokenizer",
    "squeezebert": "BertTokenizer",
    "mpnet": "MPNetTokenizer",
}
BYTE_BPE = {
    "gpt2": "GPT2Tokenizer",
    "qwen2": "Qwen2Tokenizer",
    "qwen3": "Qwen2Tokenizer",
    "roberta": "RobertaTokenizer",
}


_CHINESE = "[\u3400-\u4dbf\u4e00-\u9fff\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]"
_BETWEEN_CHINESE = re.compile(f"(?<={_CHINESE}) (?={_CHINESE})")
# One text, or a pair that the model reads together.
Text = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Tokens:
    """One tokenised row."""

    ids: list[int]
    type_ids: list[int]
    truncated: bool


@dataclass(frozen=True)
class LoadedTokenizer:
    """A tokenizer without padding or truncation of its own, and the length that its author states."""

    tokenizer: Tokenizer
    stated_length: int | None
    # The tokens that begin and end a text, as far as the model's author names them.
    bos: int | None = None
    eos: int | None = None
    # What stands for a word that is to be found.
    mask: int | None = None

    def encode(self, text: str, *, special: bool = True) -> list[int]:
        """Return the ids of a whole text, with the tokens that its author puts around texts or without them."""
        return self.encode_all([text], special=special)[0]

    def encode_all(self, texts: Sequence[str], *, special: bool = True) -> list[list[int]]:
        """Do the same for many texts at once."""
        found: list[list[int]] = []
        self.tokenizer.no_truncation()
        for start in range(0, len(texts), CHUNK):
            with failing_as("tokenizer_unreadable", "The tokenizer fails on the texts of the benchmark."):
                encodings = self.tokenizer.encode_batch(texts[start : start + CHUNK], add_special_tokens=special)
            found += [encoding.ids for encoding in encodings]
        return found

    def decode(self, ids: Sequence[int], *, special: bool = False) -> str:
        """Return the text of ids."""
        with failing_as("tokenizer_unreadable", "The tokenizer cannot make text of its own tokens."):
            text: str = self.tokenizer.decode(ids, skip_special_tokens=not special)
        return text

    def written(self, ids: Sequence[int]) -> str:
        """Return what a model wrote as people write it."""
        text = self.decode(list(ids))
        # WordPiece has no sign for a space: its decoder puts one between all tokens, Chinese characters among them.
        return _BETWEEN_CHINESE.sub("", text) if isinstance(self.tokenizer.decoder, decoders.WordPiece) else text

    def tokenize(self, texts: Sequence[Text], *, max_length: int, vocab_size: int, filler: int) -> list[Tokens]:
        """Tokenise every text once; an id without an embedding is an error, a text without a token gets the filler."""
        with failing_as("tokenizer_mismatch", f"The tokenizer cannot keep to {max_length} tokens."):
            self.tokenizer.enable_truncation(max_length)
        tokens = []
        for start in range(0, len(texts), CHUNK):
            chunk = list(texts[start : start + CHUNK])
            with failing_as("tokenizer_unreadable", "The tokenizer fails on the texts of the benchmark."):
                encodings = self.tokenizer.encode_batch(chunk)
            tokens += [tokens_of(encoding, vocab_size, filler) for encoding in encodings]
        return tokens

    def encode_words(
        self, sentences: Sequence[list[str]], *, max_length: int, vocab_size: int, filler: int
    ) -> list[tuple[Tokens, list[int | None]]]:
        """Tokenise sentences that are split into words; each comes with the number of the word of each token."""
        with failing_as("tokenizer_mismatch", f"The tokenizer cannot keep to {max_length} tokens."):
            self.tokenizer.enable_truncation(max_length)
        found: list[tuple[Tokens, list[int | None]]] = []
        for start in range(0, len(sentences), CHUNK):
            with failing_as("tokenizer_unreadable", "The tokenizer fails on the texts of the benchmark."):
                encodings = self.tokenizer.encode_batch(sentences[start : start + CHUNK], is_pretokenized=True)
            found += [(tokens_of(encoding, vocab_size, filler), encoding.word_ids) for encoding in encodings]
        return found


def load_tokenizer(folder: ModelFolder, model_type: str) -> LoadedTokenizer:
    """Read tokenizer.json, or the vocabulary files of an older model."""
    settings = _settings(folder)
    if path := folder.find("tokenizer.json", code="tokenizer_unreadable"):
        tokenizer = _from_json(path)
    elif model_type in WORDPIECE and (path := folder.find("vocab.txt", code="tokenizer_unreadable")):
        tokenizer = _from_vocab(path, WORDPIECE[model_type], settings)
    elif model_type in BYTE_BPE and folder.find("vocab.json", code="tokenizer_unreadable"):
        tokenizer = _from_merges(folder, BYTE_BPE[model_type])
    else:
        raise EngineError("missing_tokenizer", f"tokenizer.json is missing. {_how_to_make_one(model_type)}")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    stated = settings.get("model_max_length")
    usable = type(stated) is int and 1 <= stated <= MAX_MODEL_LENGTH
    bos, eos, mask = (_special(name, settings, folder, tokenizer) for name in ("bos", "eos", "mask"))
    return LoadedTokenizer(tokenizer, stated if usable else None, bos, eos, mask)


def _how_to_make_one(model_type: str) -> str:
    if model_type == "marian":
        # Two SentencePiece models and a vocabulary of their own: transformers has no fast tokenizer for them.
        return "Convert source.spm, target.spm and vocab.json of the model to one, with its tokens and their ids."
    return "Save it beside the weights with AutoTokenizer.from_pretrained(...).save_pretrained(...)."


def _settings(folder: ModelFolder) -> dict[str, Any]:
    path = folder.find("tokenizer_config.json", code="tokenizer_unreadable")
    if path is None:
        return {}
    settings = read_json_object(path, limit=SETTINGS_LIMIT, code="tokenizer_unreadable")
    refuse_custom_code(settings, "tokenizer_config.json")
    return settings


def _special(name: str, settings: dict[str, Any], folder: ModelFolder, tokenizer: Tokenizer) -> int | None:
    """Return the id of a token with a meaning of its own, where a file names one that the tokenizer has."""
    key = f"{name}_token"
    named = settings.get(key)
    if key not in settings and (path := folder.find("special_tokens_map.json", code="tokenizer_unreadable")):
        named = read_json_object(path, limit=SETTINGS_LIMIT, code="tokenizer_unreadable").get(key)
    content = named.get("content") if isinstance(named, dict) else named
    number: int | None = tokenizer.token_to_id(content) if isinstance(content, str) else None
    return number


def _from_json(path: Path) -> Tokenizer:
    text = read_bounded(path, limit=TOKENIZER_LIMIT, code="tokenizer_unreadable")
    with failing_as("tokenizer_unreadable", "tokenizer.json cannot be read."):
        spec = parse_json(text)
        if not isinstance(spec, dict) or not isinstance(spec.get("model"), dict):
            raise EngineError("tokenizer_unreadable", 'tokenizer.json must be an object with a "model"')
        # A padding length of 10**10 aborts the process, past any `except`; padding is the engine's affair anyway.
        spec["padding"] = spec["truncation"] = None
        # Random merges are for training: with them no score would come out twice.
        for sampling in ("dropout", "alpha", "nbest_size"):
            if sampling in spec["model"]:
                spec["model"][sampling] = None
        steps = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
        if sum(len(json.dumps(spec.get(step))) for step in steps) > PIPELINE_LIMIT:
            raise EngineError(
                "tokenizer_unreadable", "the steps of tokenizer.json are larger than any real tokenizer's"
            )
        return Tokenizer.from_str(json.dumps(spec))


def _from_vocab(path: Path, class_name: str, settings: dict[str, Any]) -> Tokenizer:
    text = read_bounded(path, limit=TOKENIZER_LIMIT, code="tokenizer_unreadable")
    vocab = {token: index for index, token in enumerate(text.removesuffix("\n").split("\n"))}
    options = {"do_lower_case": True, "tokenize_chinese_chars": True, "strip_accents": None}
    chosen = {name: settings[name] for name in options if isinstance(settings.get(name), bool)}
    with failing_as("tokenizer_unreadable", "vocab.txt cannot be used."):
        return _backend(getattr(transformers, class_name)(vocab=vocab, **(options | chosen)), vocab)


def _from_merges(folder: ModelFolder, class_name: str) -> Tokenizer:
    vocab_path = folder.need("vocab.json", code="missing_tokenizer", why="it numbers the tokens")
    merges_path = folder.need("merges.txt", code="missing_tokenizer", why="it belongs to vocab.json")
    vocab = read_json_object(vocab_path, limit=TOKENIZER_LIMIT, code="tokenizer_unreadable")
    lines = read_bounded(merges_path, limit=TOKENIZER_LIMIT, code="tokenizer_unreadable").split("\n")
    with failing_as("tokenizer_unreadable", "vocab.json and merges.txt cannot be used."):
        merges = [tuple(line.split(" ")) for line in lines if line.strip() and not line.startswith("#version")]
        return _backend(getattr(transformers, class_name)(vocab=vocab, merges=merges), vocab)


def _backend(wrapper: Any, vocab: dict[str, int]) -> Tokenizer:
    tokenizer: Tokenizer = wrapper.backend_tokenizer
    # The class invents special tokens that a truncated vocabulary lacks, with ids behind its end.
    if invented := sorted(set(tokenizer.get_vocab()) - set(vocab)):
        raise EngineError("tokenizer_unreadable", f"the vocabulary lacks the special tokens {', '.join(invented[:5])}")
    return tokenizer


def check_ids(ids: Sequence[int], vocab_size: int) -> None:
    """Refuse ids without an embedding."""
    if ids and max(ids) >= vocab_size:
        raise EngineError(
            "tokenizer_mismatch",
            f"The tokenizer makes the id {max(ids)}, but the model has embeddings for 0 to {vocab_size - 1} only. "
            "Save the tokenizer that the model was trained with, or resize the embeddings.",
        )


def tokens_of(encoding: Encoding, vocab_size: int, filler: int) -> Tokens:
    check_ids(encoding.ids, vocab_size)
    return Tokens(encoding.ids or [filler], encoding.type_ids or [0], bool(encoding.overflowing))
