"""What a run publishes: a model that anybody can load, its adapter beside it, and the script that repeats the run.

Where a method becomes part of the weights the model is plain and has it. Where it does not, only the adapter is
published, which is put on its base wherever it is used.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from worker.engine.tuning.basis import Basis
from worker.engine.tuning.methods.low_rank import ADAPTER, LowRank
from worker.engine.tuning.methods.method import Attached
from worker.engine.tuning.registry import Method

ADAPTER_DIR = "adapter"
# Of an adapter's config: what says nothing about how it began.
UNTOLD = frozenset({"inference_mode", "base_model_name_or_path", "revision", "auto_mapping", "peft_version"})


def write_model(attached: Attached, method: Method, target: Path) -> None:
    """Write a plain model, with the adapter in a folder of its own, or the adapter alone; training ends with it."""
    if method.group == "whole" or not method.merges:
        attached.save(target)
        return
    attached.save(target / ADAPTER_DIR)
    merged = attached.merged()
    assert merged is not None
    merged.save_pretrained(target)


def write_tokenizer(basis: Basis, target: Path) -> None:
    """Write the files of the tokenizer, and one that every library reads."""
    for path in basis.files:
        shutil.copyfile(path, target / path.name)
    if basis.tokenizer is not None and not (target / "tokenizer.json").exists():
        basis.tokenizer.tokenizer.no_truncation()
        basis.tokenizer.tokenizer.save(str(target / "tokenizer.json"))


def facts_of(basis: Basis, attached: Attached) -> dict[str, Any]:
    """Return what the script has to know of the model, as JSON; asked before anything is merged."""
    assert basis.config is not None
    return {
        "model_class": basis.config.model_class.__name__,
        "config": json.loads(basis.settings.to_json_string(use_diff=False)),
        "new_head": basis.new_head,
        "trained": [name for name, value in attached.model.named_parameters() if value.requires_grad],
        "adapter": _adapter(attached),
    }


def _adapter(attached: Attached) -> dict[str, Any] | None:
    """Return how the adapter began, as far as it differs from what is usual."""
    if not isinstance(attached, LowRank):
        return None
    config = attached.peft.peft_config[ADAPTER]
    usual = type(config)().to_dict()
    changed: dict[str, Any] = {"peft_type": config.peft_type.value}
    for name, value in config.to_dict().items():
        if name not in (*UNTOLD, "peft_type") and value != usual.get(name):
            changed[name] = sorted(value) if isinstance(value, set) else value
    return changed
