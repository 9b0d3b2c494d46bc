"""How a model for sentences makes one vector of a text, read from its sentence-transformers files as hostile JSON.

`modules.json` lists what follows the encoder; each part has a folder with a `config.json`. Nothing in them chooses
code: what is not known here by name is refused.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json, read_json_object
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder, read_bounded
from worker.engine.weights import SINGLE, read_tensors

MODULES = "modules.json"
LIMIT = 1 << 20
MAX_MODULES = 8
MAX_PROMPTS = 64
MAX_PROMPT = 4096
MAX_WIDTH = 65_536
FOLDER = re.compile(r"[0-9]{1,2}_(?:Pooling|Dense|Normalize)")
# In the order in which sentence-transformers puts the parts of a vector behind each other.
POOLINGS = ("cls", "max", "mean", "lasttoken")
# How older files spell them, each with true or false.
OLD_POOLINGS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
ACTIVATIONS = {
    "Identity": lambda values: values,
    "Tanh": torch.tanh,
    "ReLU": torch.relu,
    "GELU": functional.gelu,
    "SiLU": functional.silu,
    "Sigmoid": torch.sigmoid,
}
QUERY_PROMPTS, DOCUMENT_PROMPTS = ("query",), ("document", "passage", "corpus")
SIMILARITIES = {"cosine": "cosine", "dot": "dot", "dot_score": "dot", "cos_sim": "cosine"}


@dataclass(frozen=True)
class Dense:
    """A layer behind the pooling."""

    weight: torch.Tensor  # (out, in)
    bias: torch.Tensor | None  # (out,)
    activation: str

    def apply(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the vectors (rows, out)."""
        made: torch.Tensor = ACTIVATIONS[self.activation](functional.linear(vectors, self.weight, self.bias))
        return made


@dataclass(frozen=True)
class Normalize:
    """Each vector to length one."""

    def apply(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the vectors (rows, width)."""
        return functional.normalize(vectors, dim=1)


@dataclass(frozen=True, kw_only=True)
class SentenceModules:
    """What becomes of the hidden states of a text, and what is written before it."""

    stated: bool = False  # by the author's files; else the mean, which is the usual guess
    pooling: Sequence[str] = ("mean",)
    steps: Sequence[Dense | Normalize] = ()
    max_length: int | None = None
    lower_case: bool = False
    prompts: Mapping[str, str] = field(default_factory=dict)
    default_prompt: str = ""
    similarity: str = "cosine"
    weights_bytes: int = 0

    def prompt(self, names: Sequence[str] = ()) -> str:
        """Return what is written before a text of this sort: the first of these prompts, else the usual one."""
        return next((self.prompts[name] for name in names if name in self.prompts), self.default_prompt)

    def vectors(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return one vector (rows, width) for hidden states (rows, tokens, size) and their mask (rows, tokens)."""
        # In double precision: what is left to differ between batches is the encoder's own rounding.
        made = torch.cat([pooled(name, hidden.double(), mask) for name in self.pooling], dim=1).cpu()
        for step in self.steps:
            made = step.apply(made)
        return made


def pooled(name: str, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return one vector (rows, size) of hidden states (rows, tokens, size)."""
    if name == "cls":
        return hidden[:, 0]
    if name == "lasttoken":
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(dim=1) - 1]
    kept = mask.unsqueeze(-1).bool()  # (rows, tokens, 1)
    if name == "max":
        return hidden.masked_fill(~kept, -torch.inf).max(dim=1).values
    return (hidden * kept).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def read_modules(folder: ModelFolder, hidden_size: int) -> SentenceModules:
    """Return what the files say; a model without them is pooled by the mean."""
    path = folder.find(MODULES, code="bad_config")
    if path is None:
        return SentenceModules()
    kinds = [_kind(module) for module in _list_in(read_bounded(path, limit=LIMIT, code="bad_config"))]
    if [kind for kind, _path in kinds[:2]] != ["Transformer", "Pooling"] or len(kinds) > MAX_MODULES:
        raise _bad(f"{MODULES} must begin with Transformer and Pooling and hold at most {MAX_MODULES} modules")
    if kinds[0][1]:
        raise _bad(
            f"{MODULES} keeps the encoder in the folder {kinds[0][1][:60]!r}; save the model with a newer version of "
            "sentence-transformers, which puts it beside config.json"
        )
    pooling, width = _pooling(_below(folder, kinds[1][1]), hidden_size)
    steps: list[Dense | Normalize] = []
    size = 0
    for kind, name in kinds[2:]:
        if kind == "Normalize":
            steps.append(Normalize())
            continue
        if kind != "Dense":
            raise _bad(f"{MODULES} holds {kind} at a place where only Dense and Normalize are known")
        dense, bytes_read = _dense(_below(folder, name), width)
        steps.append(dense)
        width, size = len(dense.weight), size + bytes_read
    length, lower_case = _of_the_encoder(folder)
    return SentenceModules(
        stated=True,
        pooling=pooling,
        steps=steps,
        max_length=length,
        lower_case=lower_case,
        weights_bytes=size,
        **_of_the_model(folder),
    )


def _list_in(text: str) -> list[Any]:
    with failing_as("bad_config", f"{MODULES} cannot be read as JSON."):
        value = parse_json(text)
    if not isinstance(value, list):
        raise _bad(f"{MODULES} must hold a list of modules")
    return value


def _kind(module: Any) -> tuple[str, str]:
    """Return the last part of a module's class name, which stayed the same through all versions, and its folder."""
    kind, path = (module.get(key) for key in ("type", "path")) if isinstance(module, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(path, str):
        raise _bad(f"each module of {MODULES} must have a type and a path")
    package, _, name = kind.rpartition(".")
    if not package.startswith("sentence_transformers") or name not in ("Transformer", "Pooling", "Dense", "Normalize"):
        raise EngineError(
            "unsupported_architecture",
            f"{MODULES} asks for {kind[:100]!r}; known here are Transformer, Pooling, Dense and Normalize of "
            "sentence-transformers.",
        )
    return name, path


def _below(folder: ModelFolder, name: str) -> ModelFolder:
    if not FOLDER.fullmatch(name):
        raise _bad(f"{MODULES} names the folder {name[:60]!r}; save the model with sentence-transformers anew")
    return folder.below(name, code="bad_config")


def _pooling(folder: ModelFolder, hidden_size: int) -> tuple[tuple[str, ...], int]:
    said = _config_in(folder)
    width = said.get("embedding_dimension", said.get("word_embedding_dimension"))
    if width != hidden_size:
        raise _bad(f"the pooling is made for vectors of {str(width)[:20]} numbers, the encoder gives {hidden_size}")
    if said.get("include_prompt", True) is not True:
        raise _bad("a pooling that leaves out the prompt is not computed here; train it with include_prompt=True")
    modes = said.get("pooling_mode")
    if modes is None:
        modes = [mode for key, mode in OLD_POOLINGS.items() if said.get(key) is True]
    modes = [modes] if isinstance(modes, str) else modes
    if not isinstance(modes, list) or not modes or any(mode not in POOLINGS for mode in modes):
        raise EngineError(
            "unsupported_architecture",
            f"The pooling {str(modes)[:100]} is not computed here; known are {', '.join(POOLINGS)}.",
        )
    pooling = tuple(mode for mode in POOLINGS if mode in modes)
    return pooling, hidden_size * len(pooling)


def _dense(folder: ModelFolder, width: int) -> tuple[Dense, int]:
    said = _config_in(folder)
    activation = str(said.get("activation_function", "torch.nn.modules.activation.Tanh")).rpartition(".")[2]
    if activation not in ACTIVATIONS:
        raise EngineError(
            "unsupported_architecture",
            f"The activation {activation[:60]!r} of a Dense module is not computed here; known are "
            f"{', '.join(ACTIVATIONS)}.",
        )
    path = folder.need(
        SINGLE, code="missing_weights", why="it holds a Dense module; sentence-transformers writes it with safetensors"
    )
    tensors = read_tensors([path])
    weight, bias = tensors.get("linear.weight"), tensors.get("linear.bias")
    if weight is None or weight.dim() != 2 or weight.shape[1] != width or not 1 <= len(weight) <= MAX_WIDTH:
        raise EngineError("weights_unreadable", f"A Dense module must have a linear.weight for {width} numbers.")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise EngineError("weights_unreadable", "The linear.bias of a Dense module does not fit its linear.weight.")
    dense = Dense(weight.double(), None if bias is None else bias.double(), activation)
    return dense, path.stat().st_size


def _config_in(folder: ModelFolder) -> dict[str, Any]:
    path = folder.need("config.json", code="bad_config", why=f"{MODULES} names a module in {folder.root.name}")
    return read_json_object(path, limit=LIMIT, code="bad_config")


def _of_the_encoder(folder: ModelFolder) -> tuple[int | None, bool]:
    path = folder.find("sentence_bert_config.json", code="bad_config")
    said = read_json_object(path, limit=LIMIT, code="bad_config") if path else {}
    length = said.get("max_seq_length")
    if length is not None and not (type(length) is int and 1 <= length <= 1_000_000):
        raise _bad("max_seq_length in sentence_bert_config.json must be a positive whole number")
    return length, said.get("do_lower_case") is True


def _of_the_model(folder: ModelFolder) -> dict[str, Any]:
    path = folder.find("config_sentence_transformers.json", code="bad_config")
    said = read_json_object(path, limit=LIMIT, code="bad_config") if path else {}
    prompts = said.get("prompts") or {}
    if (
        not isinstance(prompts, dict)
        or len(prompts) > MAX_PROMPTS
        or not all(isinstance(prompt, str) and len(prompt) <= MAX_PROMPT for prompt in prompts.values())
    ):
        raise _bad(f"prompts in config_sentence_transformers.json must be texts of at most {MAX_PROMPT} characters")
    usual = said.get("default_prompt_name")
    if usual is not None and (not isinstance(usual, str) or usual not in prompts):
        raise _bad("default_prompt_name in config_sentence_transformers.json names no prompt")
    similarity = said.get("similarity_fn_name") or "cosine"
    if not isinstance(similarity, str) or similarity not in SIMILARITIES:
        raise EngineError(
            "unsupported_architecture",
            f"The similarity {str(similarity)[:40]!r} is not computed here; known are cosine and dot.",
        )
    return {
        "prompts": prompts,
        "default_prompt": prompts[usual] if usual else "",
        "similarity": SIMILARITIES[similarity],
    }


def _bad(what: str) -> EngineError:
    return EngineError("bad_config", f"The model's files cannot be used: {what}.")
