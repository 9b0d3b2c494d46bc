"""Which files of a repository are weights, and which of them together are the model once.

A repository often holds the same model several times: in other formats, other precisions, or in shards.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_FILE = re.compile(
    r"(?P<folder>(?:[^/]+/)*)(?P<stem>[^/]+?)(?:-(?P<number>\d{5})-of-(?P<of>\d{5}))?"
    r"\.(?P<ending>safetensors|gguf|bin|onnx)"
)
ENDINGS = {"safetensors": "safetensors", "gguf": "gguf", "bin": "pytorch", "onnx": "onnx"}
# The file that loaders take first, in this order.
FIRST = ("model", "adapter_model", "diffusion_pytorch_model", "pytorch_model")
PICKLED = re.compile(r"(?:pytorch_model|adapter_model|diffusion_pytorch_model)(?:\.[a-z0-9]+)?")
VARIANT = re.compile(r"(.+)\.(?:fp16|fp32|bf16|fp8|int8|non_ema|ema)")
NOT_A_MODEL = ("mmproj", "ggml-vocab", "imatrix")  # what GGUF also carries


class WeightSet(NamedTuple):
    """Files that are one complete set of weights, or one part of a model's."""

    form: str
    folder: str
    stem: str
    paths: list[str]

    @property
    def name(self) -> str:
        return self.paths[0] if len(self.paths) == 1 else f"{self.folder}{self.stem}"


def is_pickled(path: str) -> bool:
    """Say whether a file is called as programs call weights that they have pickled."""
    match = _FILE.fullmatch(path)
    return match is not None and match["ending"] == "bin" and PICKLED.fullmatch(match["stem"]) is not None


def weight_sets(paths: Iterable[str], indexes: Mapping[str, Iterable[str]] | None = None) -> list[WeightSet]:
    """Return the complete sets among `paths`; one that lacks a shard is left out.

    `indexes` gives for a `*.safetensors.index.json` the files that it names: it knows better than names do.
    """
    present = set(paths)
    grouped: dict[tuple[str, str, str], dict[int, str]] = {}
    lengths: dict[tuple[str, str, str], int] = {}
    for path in sorted(present):
        match = _FILE.fullmatch(path)
        if match is None or (match["ending"] == "bin" and not PICKLED.fullmatch(match["stem"])):
            continue
        key = (ENDINGS[match["ending"]], match["folder"], match["stem"])
        grouped.setdefault(key, {})[int(match["number"] or 0)] = path
        lengths[key] = max(lengths.get(key, 1), int(match["of"] or 1))
    found = [
        WeightSet(*key, [shards[number] for number in sorted(shards)])
        for key, shards in grouped.items()
        if len(shards) == lengths[key]
    ]
    return _by_index(found, indexes or {}, present)


def _by_index(found: list[WeightSet], indexes: Mapping[str, Iterable[str]], present: set[str]) -> list[WeightSet]:
    for index, named in indexes.items():
        match = _FILE.fullmatch(index.removesuffix(".index.json"))
        files = list(dict.fromkeys(named))
        if match is None or not files:
            continue
        shards = {match["folder"] + name for name in files}
        found = [one for one in found if not shards & set(one.paths)]
        if shards <= present:
            found.append(WeightSet(ENDINGS[match["ending"]], match["folder"], match["stem"], sorted(shards)))
    return found


def whole_models(sets: list[WeightSet], folders: Iterable[str]) -> list[list[WeightSet]]:
    """Return each way to have the whole model: the sets that must be loaded together, the preferred way first.

    `folders` are those whose weights belong to the model beside the top folder's.
    """
    places = ["", *(f"{folder}/" for folder in folders)]
    ways = []
    for form in ("safetensors", "pytorch"):
        parts = [_parts([one for one in sets if one.form == form and one.folder == place]) for place in places]
        together = [one for part in parts for one in part]
        if together:
            ways.append(together)
            ways += [[one] for one in _variants(sets, together) if len(together) == 1]
    ggufs = [one for one in sets if one.form == "gguf" and not any(word in one.stem.lower() for word in NOT_A_MODEL)]
    onnx = [one for one in sets if one.form == "onnx" and one.stem.startswith("model")]
    return ways + [[one] for one in [*ggufs, *onnx]]


def _parts(sets: list[WeightSet]) -> list[WeightSet]:
    """Return what a loader takes from one folder: the set under the usual name, else all that are no variants."""
    stems = {one.stem: one for one in sets}
    first = next((stems[stem] for stem in FIRST if stem in stems), None)
    if first is not None:
        return [first]
    return [one for one in sets if not ((match := VARIANT.fullmatch(one.stem)) and match[1] in stems)]


def _variants(sets: list[WeightSet], taken: list[WeightSet]) -> list[WeightSet]:
    """Return the same set in other precisions: `model.fp16.safetensors` beside `model.safetensors`."""
    return [
        one
        for one in sets
        for main in taken
        if (one.form, one.folder) == (main.form, main.folder)
        and (match := VARIANT.fullmatch(one.stem))
        and match[1] == main.stem
    ]
