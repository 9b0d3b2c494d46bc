"""Which files are large content: the rules of a repository's .gitattributes, and the ones a new one starts with."""

import fnmatch
import re
from functools import lru_cache
from typing import NamedTuple

MODEL_PATTERNS = (
    "*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack *.npy *.npz *.onnx "
    "*.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* *.tar.* *.tar *.tflite *.tgz "
    "*.wasm *.xz *.zip *.zst *tfevents*"
).split()
DATASET_PATTERNS = (
    *MODEL_PATTERNS,
    *(
        "*.lz4 *.mds *.pcm *.sam *.raw *.aac *.flac *.mp3 *.ogg *.wav *.bmp *.gif *.png *.tiff *.jpg *.jpeg *.webp "
        "*.mp4 *.webm"
    ).split(),
)
RULE = " filter=lfs diff=lfs merge=lfs -text"
MAX_RULES = 1000
MAX_BYTES = 200_000
MAX_STARS = 8
_WILDCARDS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_NOTHING = re.compile(r"(?!)")


def initial(kind: str) -> bytes:
    """Return the .gitattributes of a new repository of this kind."""
    patterns = MODEL_PATTERNS if kind == "model" else DATASET_PATTERNS
    return "".join(f"{pattern}{RULE}\n" for pattern in patterns).encode()


class Pattern(NamedTuple):
    """One line of the file: what it matches and whether that is the whole path or the last name."""

    expression: re.Pattern[str]
    whole_path: bool
    positive: bool
    folder_only: bool = False


def is_large(content: bytes, path: str) -> bool:
    """Say whether .gitattributes `content` stores `path` as large content; the last match decides."""
    name = path.rsplit("/", 1)[-1]
    answer = False
    for pattern in _attribute_patterns(content):
        if pattern.expression.fullmatch(path if pattern.whole_path else name):
            answer = pattern.positive
    return answer


def is_ignored(content: str, path: str) -> bool:
    """Say whether .gitignore `content` names `path` or one of its folders; the last match decides."""
    answer = False
    parts = path.split("/")
    for pattern in _ignore_patterns(content):
        for depth in range(1, len(parts) + (0 if pattern.folder_only else 1)):
            candidate = "/".join(parts[:depth]) if pattern.whole_path else parts[depth - 1]
            if pattern.expression.fullmatch(candidate):
                answer = pattern.positive
                break
    return answer


@lru_cache(maxsize=256)
def _attribute_patterns(content: bytes) -> tuple[Pattern, ...]:
    found = []
    for line in content[:MAX_BYTES].decode("utf-8", "replace").splitlines()[:MAX_RULES]:
        glob, *attributes = line.split()[:50] or [""]
        large = "filter=lfs" in attributes
        if glob and not glob.startswith("#") and (large or {"-filter", "!filter"} & set(attributes)):
            found.append(Pattern(_compile(glob), "/" in glob, positive=large))
    return tuple(found)


@lru_cache(maxsize=64)
def _ignore_patterns(content: str) -> tuple[Pattern, ...]:
    found = []
    for line in content[:MAX_BYTES].splitlines()[:MAX_RULES]:
        glob = line.strip()
        if not glob or glob.startswith("#"):
            continue
        negated, glob = glob.startswith("!"), glob.removeprefix("!")
        folder_only, anchored = glob.endswith("/"), "/" in glob.rstrip("/")
        found.append(Pattern(_compile(glob.strip("/")), anchored, not negated, folder_only))
    return tuple(found)


def _compile(glob: str) -> re.Pattern[str]:
    """Translate a git glob. Stars are atomic or few, so that a hostile pattern cannot stall a match."""
    glob = glob.lstrip("/")[:300]
    if "/" not in glob:
        return re.compile(fnmatch.translate(glob))
    if glob.count("*") > MAX_STARS:
        return _NOTHING
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    return re.compile("".join(_WILDCARDS.get(part) or re.escape(part) for part in parts))
