"""Which files of a model an evaluation reads, and a digest over them."""

import hashlib
from collections.abc import Iterable

from models_hub import browsing
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


def read_by_evaluation(path: str) -> bool:
    """Say whether an evaluation reads the file: those beside config.json, nothing of subfolders."""
    return path in TOKENIZERS or path in OTHERS or (path.endswith(WEIGHTS_SUFFIX) and "/" not in path)


def entries_of(repo: Repo, commit: Commit) -> list[Entry]:
    """Return the files of a commit that an evaluation reads, by path."""
    return [
        entry for entry in browsing.list_folder(repo, commit) if not entry.is_folder and read_by_evaluation(entry.path)
    ]


def digest_of(entries: Iterable[Entry]) -> str:
    """Return a digest over paths and contents: what makes two commits the same model to an evaluation."""
    lines = (f"{entry.path} {entry.oid}\n" for entry in sorted(entries, key=lambda entry: entry.path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
