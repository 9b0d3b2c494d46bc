"""The folder of a model to what training begins from: like `load`, but a head that is not there yet is a new one."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import PretrainedConfig, PreTrainedModel

from worker.engine.contracts import EngineError
from worker.engine.folder import ModelFolder
from worker.engine.load import check_size, choose_device, fill, incomplete, wrong_shapes
from worker.engine.model_config import BODY, CheckedConfig, read_base
from worker.engine.tasks.task import Task
from worker.engine.tokenizing import LoadedTokenizer, load_tokenizer
from worker.engine.tuning.basis import Basis, Head
from worker.engine.tuning.contracts import FinetuneSpec
from worker.engine.weights import find_weights, read_tensors

# Published with the result as they are.
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)
FILE_LIMIT = 64 << 20
# What architectures call the shares of numbers that are dropped while training.
DROPOUTS = (
    "hidden_dropout_prob attention_probs_dropout_prob hidden_dropout attention_dropout embedding_dropout mlp_dropout "
    "dropout activation_dropout dropout_rate resid_pdrop embd_pdrop attn_pdrop classifier_dropout seq_classif_dropout "
    "qa_dropout summary_first_dropout"
).split()
# Rows are padded to one width, which a model must be able to tell from text.
PADS = ("pad_token_id", "eos_token_id", "bos_token_id")


def begin(spec: FinetuneSpec, task: Task[Any], settings: Any, head: Head, heads: Sequence[str]) -> Basis:
    """Load the base of a run; what is new in it comes from torch's random numbers, which the caller has seeded."""
    assert spec.model_dir is not None
    folder = ModelFolder(spec.model_dir)
    made, standing = read_base(folder, heads, labels=head.labels, problem_type=head.problem_type)
    config = standing if standing is not None and _serves(task, standing, settings, head) else made
    tokenizer = load_tokenizer(folder, config.config.model_type)
    notes = [*settle(config.config, tokenizer), *drop(config.config, spec.recipe.dropout)]
    tensors = read_tensors(find_weights(folder))
    check_size(config, tensors)
    new_head = config is made and standing is not None
    if new_head:
        tensors = {name: tensor for name, tensor in tensors.items() if not _of_head(name, config)}
    model, fresh = build(config, tensors)
    if fresh:
        notes.append(f"These tensors are new and began with random numbers: {', '.join(fresh[:20])}.")
    device = choose_device(spec.device)
    return Basis(
        model=model.to(device),  # type: ignore[arg-type]
        device=device,
        tokenizer=tokenizer,
        config=config,
        files=[path for name in TOKENIZER_FILES if (path := _small(folder, name))],
        fresh=fresh,
        new_head=new_head,
        notes=notes,
    )


def build(config: CheckedConfig, tensors: dict[str, torch.Tensor]) -> tuple[PreTrainedModel, list[str]]:
    """Return a model and the names of its tensors that are new; the body must be whole."""
    model, info = fill(config, tensors, torch.float32)
    body = model.base_model_prefix + "."
    has_body = any(name.startswith(body) for name in model.state_dict())
    # The pooler of a body is a part of the head: many models are saved without it.
    whole = [name for name in model.state_dict() if not has_body or name.startswith(body)]
    of_body = {name for name in whole if "pooler." not in name}
    mismatched = sorted(info.get("mismatched_keys", ()))
    if wrong := [found for found in mismatched if found[0] in of_body]:
        raise wrong_shapes(wrong)
    fresh = sorted({*info["missing_keys"], *(name for name, _found, _wanted in mismatched)})
    if absent := [name for name in fresh if name in of_body]:
        raise incomplete(absent)
    if info.get("error_msgs"):
        raise EngineError("weights_unreadable", "The weights do not fit config.json.")
    if config.model_class.__name__.endswith(BODY):
        # Vectors are made of hidden states; a pooler takes no part in them.
        fresh = [name for name in fresh if "pooler." not in name]
    return model, fresh


def settle(config: PretrainedConfig, tokenizer: LoadedTokenizer) -> list[str]:
    """Give a model that has no token for padding one, and say so: rows are padded to one width."""
    if getattr(config, "pad_token_id", None) is not None:
        return []
    known = [getattr(config, name, None) for name in PADS] + [tokenizer.eos, 0]
    pad = next(token for token in known if type(token) is int and 0 <= token < config.vocab_size)
    config.pad_token_id = pad
    return [f"The model names no token for padding; its token {pad} was taken."]


def drop(config: PretrainedConfig, rate: float | None) -> list[str]:
    """Set every dropout of a model; the published config.json says so too."""
    if rate is None:
        return []
    changed = [name for name in DROPOUTS if isinstance(getattr(config, name, None), int | float)]
    for name in changed:
        setattr(config, name, rate)
    return [] if changed else ["The model has no dropout that could be changed."]


def _serves(task: Task[Any], standing: CheckedConfig, settings: Any, head: Head) -> bool:
    """Say whether the head that a base has is for the labels of the task."""
    if head.labels is None:
        return True
    fit = getattr(task, "fit", None)
    if fit is None:
        return standing.labels == head.labels
    try:
        fit(standing.labels, settings)
    except EngineError:
        return False
    return True


def _of_head(name: str, config: CheckedConfig) -> bool:
    return not name.startswith(config.model_class.base_model_prefix + ".")


def _small(folder: ModelFolder, name: str) -> Any:
    path = folder.find(name, code="tokenizer_unreadable")
    return path if path is not None and path.stat().st_size <= FILE_LIMIT else None
