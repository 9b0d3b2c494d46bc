"""What goes beside an exported graph: the files by which other programs find and understand it."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel
from worker.engine.sentence_modules import FOLDER, MODULES
from worker.engine.tuning.exporting.kinds import Kind

BESIDE = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "generation_config.json",
    MODULES,
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
)
SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id")
CHUNK = 1 << 20


def copy_beside(folder: ModelFolder, model: LoadedModel, kind: Kind, out: Path) -> None:
    """Copy configuration and tokenizer; what an older model has in another form is written anew."""
    for name in ("config.json", *BESIDE):
        if path := folder.find(name, code="bad_config"):
            shutil.copyfile(path, out / name)
    if not (out / "tokenizer.json").exists():
        (out / "tokenizer.json").write_text(model.tokenizer.tokenizer.to_str(), encoding="utf-8")
    if not (out / "tokenizer_config.json").exists():
        length = {} if model.tokenizer.stated_length is None else {"model_max_length": model.tokenizer.stated_length}
        write_json(out / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **length})
    if kind.name == "text-generation" and not (out / "generation_config.json").exists():
        stated = {name: getattr(model.config.config, name, None) for name in SPECIAL}
        write_json(out / "generation_config.json", {name: token for name, token in stated.items() if token is not None})
    if kind.name == "feature-extraction":
        _copy_modules(folder, out)


def _copy_modules(folder: ModelFolder, out: Path) -> None:
    for name in folder.names():
        if FOLDER.fullmatch(name) and (folder.root / name).is_dir():
            below = folder.below(name, code="bad_config")
            (out / name).mkdir(exist_ok=True)
            for part in ("config.json", "model.safetensors"):
                if path := below.find(part, code="bad_config"):
                    shutil.copyfile(path, out / name / part)


def facts_of(path: Path) -> dict[str, Any]:
    """Return size and digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def write_json(path: Path, value: Any) -> None:
    """Write a value for programs and people."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
