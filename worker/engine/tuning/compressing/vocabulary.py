"""A model with fewer tokens: those that texts use, and those without which no text can be read.

A text whose tokens are all kept is read as before, whatever the tokenizer. WordPiece takes the longest token at each
place, and Unigram the likeliest way through: what was the best of all is the best of fewer. BPE takes the first of its
merges that fits: all merges that lead to a kept token are kept, so that none that was taken before is missing.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json, read_json_object
from worker.engine.folder import ModelFolder, read_bounded
from worker.engine.load import LoadedModel
from worker.engine.model_config import CONFIG_LIMIT
from worker.engine.tokenizing import CHUNK, SETTINGS_LIMIT
from worker.engine.tuning.compressing.folders import write_folder
from worker.engine.tuning.exporting.published import write_json

BYTE = re.compile(r"<0x[0-9A-F]{2}>")
# Models that count positions from behind the id of the padding.
COUNT_FROM_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")
TOKEN_KEY = re.compile(r"[a-z_]+_token_id")
ASCII = 128


def keep_tokens(
    source: ModelFolder, model: LoadedModel, out: Path, *, texts: Iterable[Any], least: int
) -> dict[str, Any]:
    """Write a model that knows the tokens of these texts; `texts` are values of any shape that hold strings."""
    spec = json.loads(model.tokenizer.tokenizer.to_str())
    counted = count_tokens(model, texts)
    wanted = {number for number, count in counted.items() if count >= least}
    kept = sorted(closed(spec, wanted | always_kept(spec, model)))
    kept = [number for number in kept if number < model.vocab_size]
    if len(kept) >= model.vocab_size:
        raise EngineError("bad_spec", "The texts use every token of the model; nothing can be left out.")
    places = {number: place for place, number in enumerate(kept)}
    tensors = _rows_of(model, kept)
    raw = read_json_object(source.root / "config.json", limit=CONFIG_LIMIT, code="bad_config")
    write_folder(source, model, tensors, {"vocab_size": len(kept)} | renumbered(raw, places), out)
    (out / "tokenizer.json").write_text(json.dumps(rewritten(spec, places), ensure_ascii=False), encoding="utf-8")
    _rewrite_beside(out, places)
    seen, covered = sum(counted.values()), sum(counted[number] for number in kept)
    return {
        "tokens_before": model.vocab_size,
        "tokens_after": len(kept),
        "covered": covered / max(1, seen),  # share of the tokens of the texts that are as before
    }


def count_tokens(model: LoadedModel, texts: Iterable[Any]) -> Counter[int]:
    """Return how often each token comes, in whole texts and in those that are split into words."""
    counted: Counter[int] = Counter()
    whole: list[str] = []
    split: list[list[str]] = []
    for value in texts:
        _gather(value, whole, split)
    for ids in model.tokenizer.encode_all(whole):
        counted.update(ids)
    tokenizer = model.tokenizer.tokenizer
    for start in range(0, len(split), CHUNK):
        for encoding in tokenizer.encode_batch(split[start : start + CHUNK], is_pretokenized=True):
            counted.update(encoding.ids)
    return counted


def _gather(value: Any, whole: list[str], split: list[list[str]]) -> None:
    if isinstance(value, str):
        whole.append(value)
    elif isinstance(value, dict):
        for part in value.values():
            _gather(part, whole, split)
    elif isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            split.append(value)
        for part in value:
            _gather(part, whole, split)


def always_kept(spec: dict[str, Any], model: LoadedModel) -> set[int]:
    """Return the tokens with a meaning of their own, bytes, and the characters of ASCII."""
    kept = {int(token["id"]) for token in spec.get("added_tokens", [])}
    config: Any = model.config.config
    for name in config.to_dict():
        if TOKEN_KEY.fullmatch(name):
            stated = getattr(config, name)
            kept |= {token for token in (stated if isinstance(stated, list) else [stated]) if type(token) is int}
    if config.model_type in COUNT_FROM_PADDING:
        kept |= set(range((config.pad_token_id or 0) + 1))
    on_bytes = "ByteLevel" in json.dumps(spec.get("pre_tokenizer"))
    unknown = spec["model"].get("unk_token")
    for text, number in _vocabulary(spec):
        alone = text.removeprefix("##").removeprefix("\u2581")
        is_letter = len(alone) == 1 and (on_bytes or ord(alone) < ASCII)
        if is_letter or text == unknown or BYTE.fullmatch(text) or number == spec["model"].get("unk_id"):
            kept.add(number)
    return kept


def closed(spec: dict[str, Any], wanted: set[int]) -> set[int]:
    """Return the tokens with all that BPE makes on its way to them."""
    if spec["model"]["type"] != "BPE":
        return wanted
    numbers = spec["model"]["vocab"]
    texts = {number: text for text, number in numbers.items()}
    ranks = {pair: rank for rank, pair in enumerate(_merges(spec))}
    found = set(wanted)
    for number in wanted:
        for text in _on_the_way(texts.get(number, ""), ranks):
            if text in numbers:
                found.add(numbers[text])
    return found


def _on_the_way(text: str, ranks: dict[tuple[str, str], int]) -> Iterator[str]:
    parts = list(text)
    yield from parts
    while len(parts) > 1:
        pairs = [(ranks[pair], place) for place, pair in enumerate(pairwise(parts)) if pair in ranks]
        if not pairs:
            return
        place = min(pairs)[1]
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
        yield parts[place]


def rewritten(spec: dict[str, Any], places: dict[int, int]) -> dict[str, Any]:
    """Return tokenizer.json with the kept tokens alone, under their new numbers, wherever a number stands."""
    kind = spec["model"]
    if kind["type"] == "Unigram":
        kind["vocab"] = [pair for number, pair in enumerate(kind["vocab"]) if number in places]
        kind["unk_id"] = None if kind.get("unk_id") is None else places[kind["unk_id"]]
    else:
        kind["vocab"] = {text: places[number] for text, number in kind["vocab"].items() if number in places}
    if kind["type"] == "BPE":
        known = kind["vocab"]
        kind["merges"] = [list(pair) for pair in _merges(spec) if all(text in known for text in (*pair, "".join(pair)))]
    for token in spec.get("added_tokens", []):
        token["id"] = places[token["id"]]
    _renumber(spec.get("post_processor"), places)
    return spec


def _merges(spec: dict[str, Any]) -> list[tuple[str, str]]:
    pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in spec["model"]["merges"])
    return [(first, second) for first, second in pairs]


def _renumber(step: Any, places: dict[int, int]) -> None:
    """Change the numbers of tokens in what is put around texts."""
    if not isinstance(step, dict):
        return
    for part in step.get("processors", []):
        _renumber(part, places)
    for side in ("sep", "cls"):
        if isinstance(step.get(side), list):
            step[side] = [step[side][0], places[step[side][1]]]
    if step.get("type") == "TemplateProcessing":
        for token in step["special_tokens"].values():
            token["ids"] = [places[number] for number in token["ids"]]


def renumbered(raw: dict[str, Any], places: dict[int, int]) -> dict[str, Any]:
    """Return the keys of a config that name tokens, under their new numbers."""
    changed: dict[str, Any] = {}
    for name, value in raw.items():
        if TOKEN_KEY.fullmatch(name) and type(value) is int:
            changed[name] = places.get(value, value)
        elif TOKEN_KEY.fullmatch(name) and isinstance(value, list):
            changed[name] = [places.get(token, token) for token in value]
    return changed


def _rewrite_beside(out: Path, places: dict[int, int]) -> None:
    path = out / "generation_config.json"
    if path.exists():
        raw = read_json_object(path, limit=CONFIG_LIMIT, code="bad_config")
        write_json(path, raw | renumbered(raw, places))
    path = out / "tokenizer_config.json"
    raw = read_json_object(path, limit=SETTINGS_LIMIT, code="tokenizer_unreadable")
    if isinstance(decoder := raw.get("added_tokens_decoder"), dict):
        raw["added_tokens_decoder"] = {
            str(places[int(number)]): token for number, token in decoder.items() if int(number) in places
        }
        write_json(path, raw)
    path = out / "added_tokens.json"
    if path.exists():
        added = parse_json(read_bounded(path, limit=SETTINGS_LIMIT, code="tokenizer_unreadable"))
        write_json(path, {text: places[number] for text, number in added.items() if number in places})


def _vocabulary(spec: dict[str, Any]) -> Iterable[tuple[str, int]]:
    vocab = spec["model"]["vocab"]
    if isinstance(vocab, list):
        return [(str(pair[0]), number) for number, pair in enumerate(vocab)]
    return [(str(text), int(number)) for text, number in vocab.items()]


def _rows_of(model: LoadedModel, kept: Sequence[int]) -> dict[str, torch.Tensor]:
    """Return the weights with the rows of these tokens, in each table that has one for each token."""
    size, config = model.vocab_size, model.config.config
    others = {
        int(getattr(config, name))
        for name in ("hidden_size", "intermediate_size", "max_position_embeddings", "type_vocab_size", "embedding_size")
        if type(getattr(config, name, None)) is int
    }
    if size in others:
        raise EngineError(
            "unsupported_architecture", f"{size} is the size of the vocabulary and of something else too."
        )
    rows = torch.tensor(kept)
    made: dict[int, torch.Tensor] = {}
    tensors = {}
    for name, tensor in model.model.state_dict().items():
        if tensor.dim() and tensor.shape[0] == size:
            # Tied tables stay tied.
            tensors[name] = made.setdefault(tensor.data_ptr(), tensor[rows])
        else:
            tensors[name] = tensor
    return tensors
