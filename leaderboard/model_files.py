"""Which files of a model an evaluation reads, and a digest over them."""

import hashlib
import re
from collections.abc import Iterable

from models_hub import adapters, browsing
from models_hub.browsing import Entry
from models_hub.models import Commit, Repo

CONFIG = "config.json"
WEIGHTS_SUFFIX = ".safetensors"
WEIGHTS_INDEX = "model.safetensors.index.json"
# Any one of these lets the engine build a tokenizer.
TOKENIZERS = frozenset({"tokenizer.json", "vocab.txt", "vocab.json"})
# How images are made ready.
PREPROCESSOR = "preprocessor_config.json"
OTHERS = frozenset(
    {CONFIG, WEIGHTS_INDEX, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt"}
    | {PREPROCESSOR}
)
# How sentence-transformers says what becomes of the hidden states: a list of modules, each with a folder.
MODULES = "modules.json"
SENTENCES = frozenset({MODULES, "sentence_bert_config.json", "config_sentence_transformers.json"})
MODULE_FOLDER = re.compile(r"[0-9]{1,2}_(?:Pooling|Dense)")
MODULE_FILES = frozenset({"config.json", "model.safetensors"})
MAX_MODULES = 8


def read_by_evaluation(path: str) -> bool:
    """Say whether an evaluation reads the file: those beside config.json, and those of modules behind the encoder."""
    folder, _slash, name = path.rpartition("/")
    if folder:
        return MODULE_FOLDER.fullmatch(folder) is not None and name in MODULE_FILES
    return path in TOKENIZERS or path in OTHERS or path in SENTENCES or are_weights(path)


def are_weights(path: str) -> bool:
    """Say whether the file holds weights of the model itself."""
    return path.endswith(WEIGHTS_SUFFIX) and "/" not in path


def entries_of(repo: Repo, commit: Commit) -> list[Entry]:
    """Return the files of a commit that an evaluation reads, by path."""
    items = browsing.items_below(repo, commit)
    if MODULES in items:
        folders = [path for path, item in items.items() if item.is_folder and MODULE_FOLDER.fullmatch(path)]
        for folder in folders[:MAX_MODULES]:
            items |= browsing.items_below(repo, commit, folder)
    read = {path: item for path, item in items.items() if not item.is_folder and read_by_evaluation(path)}
    if adapters.is_adapter(items):
        read |= {path: items[path] for path in (adapters.CONFIG, adapters.PURPOSE) if path in items}
    return browsing.entries(repo, read)


def digest_of(entries: Iterable[Entry], base: Iterable[Entry] = ()) -> str:
    """Return a digest over paths and contents: what makes two commits the same model to an evaluation.

    Of an adapter the files of its base belong to it, too.
    """
    lines = [f"{entry.path} {entry.oid}\n" for entry in sorted(entries, key=lambda entry: entry.path)]
    lines += [f"base/{entry.path} {entry.oid}\n" for entry in sorted(base, key=lambda entry: entry.path)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
