"""A tokenizer as GGUF files hold it; one that llama.cpp has no name for is refused, for it would read other tokens."""

import json
from dataclasses import dataclass
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.load import LoadedModel

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN2.replace(r"\p{N}| ?", r"\p{N}{1,3}| ?")
# What llama.cpp calls the ways to split a text that it knows.
GPT_2, SMOLLM, QWEN, LLAMA_BPE = "gpt-2", "smollm", "qwen2", "llama-bpe"
NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
PROBES = ("a", "the film", "1")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What a GGUF file says of a tokenizer."""

    pre: str
    tokens: list[str]
    types: list[int]
    merges: list[str]
    add_bos: bool
    add_eos: bool
    bos: int | None
    eos: int | None


def vocabulary_of(model: LoadedModel) -> Vocabulary:
    """Return the tokenizer of a model, or say why no GGUF file can hold it."""
    spec = json.loads(model.tokenizer.tokenizer.to_str())
    kind = spec["model"]
    if kind.get("type") != "BPE" or kind.get("byte_fallback") or kind.get("continuing_subword_prefix"):
        raise _refused(f"its model is {str(kind.get('type'))[:40]}, and only BPE on bytes can be written")
    pre = pre_tokenizer_of(spec)
    size = model.vocab_size
    added = {int(token["id"]): token for token in spec.get("added_tokens", [])}
    texts = {int(number): token for token, number in kind["vocab"].items()}
    texts |= {number: token["content"] for number, token in added.items()}
    if max(texts) >= size:
        raise EngineError(
            "tokenizer_mismatch", f"The tokenizer has the id {max(texts)}, but the model only {size} embeddings."
        )
    types = [_type(number, texts, added) for number in range(size)]
    before, behind = _around(model)
    return Vocabulary(
        pre=pre,
        tokens=[texts.get(number, f"[PAD{number}]") for number in range(size)],
        types=types,
        merges=[pair if isinstance(pair, str) else " ".join(pair) for pair in kind["merges"]],
        add_bos=bool(before),
        add_eos=bool(behind),
        bos=before[0] if before else model.tokenizer.bos,
        eos=behind[0] if behind else model.tokenizer.eos,
    )


def pre_tokenizer_of(spec: dict[str, Any]) -> str:
    """Return llama.cpp's name for how a tokenizer splits texts, found by its steps and not by a hash of its output."""
    steps = _steps(spec.get("pre_tokenizer"), "pretokenizers")
    kinds = [step.get("type") for step in steps]
    bytes_last = bool(steps) and kinds[-1] == "ByteLevel" and not steps[-1].get("add_prefix_space")
    splits_by_itself = bytes_last and steps[-1].get("use_regex", True)
    normalizers = [step.get("type") for step in _steps(spec.get("normalizer"), "normalizers")]
    whole_words = bool(spec["model"].get("ignore_merges"))
    name = None
    if splits_by_itself and kinds == ["ByteLevel"]:
        name = GPT_2
    elif splits_by_itself and kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
        name = SMOLLM
    elif bytes_last and not splits_by_itself and kinds == ["Split", "ByteLevel"]:
        name = {QWEN2: QWEN, LLAMA3: LLAMA_BPE}.get(steps[0].get("pattern", {}).get("Regex"))
    # Qwen composes letters and accents first, which llama.cpp leaves to whoever writes the text.
    if name is None or normalizers not in ([], *([["NFC"]] if name == QWEN else [])):
        shown = " and ".join(map(str, [*normalizers, *kinds])) or "nothing"
        raise _refused(f"it splits texts by {shown[:120]} in a way that llama.cpp has no name for")
    if whole_words != (name == LLAMA_BPE):
        raise _refused("what it does with words that are a token (ignore_merges) is not what llama.cpp does")
    return name


def _steps(step: Any, key: str) -> list[dict[str, Any]]:
    if not isinstance(step, dict):
        return []
    return list(step[key]) if step.get("type") == "Sequence" else [step]


def _type(number: int, texts: dict[int, str], added: dict[int, Any]) -> int:
    if number not in texts:
        return UNUSED
    if number not in added:
        return NORMAL
    return CONTROL if added[number].get("special") else USER_DEFINED


def _around(model: LoadedModel) -> tuple[list[int], list[int]]:
    """Return the tokens that are put before and behind every text."""
    found = set()
    for text in PROBES:
        plain, whole = (model.tokenizer.encode(text, special=special) for special in (False, True))
        place = next((at for at in range(len(whole)) if whole[at : at + len(plain)] == plain), 0)
        found.add((tuple(whole[:place]), tuple(whole[place + len(plain) :])))
    if len(found) != 1 or any(len(side) > 1 for side in next(iter(found))):
        raise _refused("what it puts around texts is more than one token on a side")
    [(before, behind)] = found
    return list(before), list(behind)


def _refused(why: str) -> EngineError:
    return EngineError(
        "export_failed",
        f"A GGUF file cannot hold this tokenizer: {why}. Known are byte-level BPE tokenizers that split as GPT-2, "
        "SmolLM, Qwen 2 or Llama 3 do.",
    )
