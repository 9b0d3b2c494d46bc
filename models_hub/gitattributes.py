"""Which files are large content: the rules of a repository's .gitattributes, and the ones a new one starts with."""

import fnmatch
import re
from collections.abc import Iterator, Sequence
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
MAX_GLOB = 300


def initial(kind: str) -> bytes:
    """Return the .gitattributes of a new repository of this kind."""
    patterns = MODEL_PATTERNS if kind == "model" else DATASET_PATTERNS
    return "".join(f"{pattern}{RULE}\n" for pattern in patterns).encode()


class Pattern(NamedTuple):
    """One line of the file. `parts` match one segment of a path each; None stands for `**`, any number of them."""

    parts: tuple[re.Pattern[str] | None, ...]
    whole_path: bool
    positive: bool
    folder_only: bool = False


def is_large(content: bytes, path: str) -> bool:
    """Say whether .gitattributes `content` stores `path` as large content; the last match decides."""
    segments = path.split("/")
    answer = False
    for pattern in _attribute_patterns(content):
        tried = segments if pattern.whole_path else segments[-1:]
        if len(tried) in _matched_lengths(pattern.parts, tried):
            answer = pattern.positive
    return answer


def is_ignored(content: str, path: str) -> bool:
    """Say whether .gitignore `content` names `path` or one of its folders; the last match decides."""
    segments = path.split("/")
    answer = False
    for pattern in _ignore_patterns(content):
        tried = segments[:-1] if pattern.folder_only else segments
        if pattern.whole_path:
            found = any(True for _ in _matched_lengths(pattern.parts, tried))
        else:
            found = any(1 in _matched_lengths(pattern.parts, [segment]) for segment in tried)
        if found:
            answer = pattern.positive
    return answer


def _matched_lengths(parts: Sequence[re.Pattern[str] | None], segments: Sequence[str]) -> Iterator[int]:
    """Yield each n for which the parts match the first n segments.

    All ways to match are followed at once, one segment after the other: no pattern can make this slow.
    """
    places = _with_skips(parts, {0})
    for count, segment in enumerate(segments, 1):
        after: set[int] = set()
        for place in places:
            if place == len(parts):
                continue
            part = parts[place]
            if part is None:
                after |= {place, place + 1}
            elif part.fullmatch(segment):
                after.add(place + 1)
        places = _with_skips(parts, after)
        if not places:
            return
        if len(parts) in places:
            yield count


def _with_skips(parts: Sequence[re.Pattern[str] | None], places: set[int]) -> set[int]:
    """Add where one comes to by letting `**` stand for nothing, which it may but at the end."""
    for place in sorted(places):
        following = place
        while following < len(parts) - 1 and parts[following] is None:
            following += 1
            places.add(following)
    return places


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


def _compile(glob: str) -> tuple[re.Pattern[str] | None, ...]:
    """Translate a git glob, segment by segment; fnmatch makes each star atomic, so that a match takes linear time."""
    segments = glob[:MAX_GLOB].lstrip("/").split("/")
    return tuple(None if segment == "**" else re.compile(fnmatch.translate(segment)) for segment in segments)
