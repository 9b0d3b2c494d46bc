"""Which files are large content: the rules of a repository's .gitattributes, and the ones a new one starts with."""

import fnmatch
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import gettext as _

from portal.errors import TooLarge

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
TWICE = ("**", "**")
# Of one file of patterns, segments of globs: each is compiled.
MAX_PARTS = 3000
# Of one request, some seconds: 25,000 files with the rules of a new data set take 1.5 million.
MAX_COMPARISONS = 4_000_000


class TooManyPatterns(TooLarge):
    """Comparing all files of a request with all patterns of the repository would keep a processor busy for long."""

    code = "too_many_patterns"


class Effort:
    """What the comparisons of one request may still cost."""

    def __init__(self) -> None:
        self._left = MAX_COMPARISONS

    def spend(self, comparisons: int) -> None:
        """Note comparisons; raises TooManyPatterns when they were the last ones allowed."""
        self._left -= comparisons
        if self._left < 0:
            raise TooManyPatterns(
                _(
                    "The patterns in .gitattributes or .gitignore are too many for so many files: "
                    "simplify them, or send fewer files at once."
                )
            )


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


def is_large(content: bytes, path: str, effort: Effort) -> bool:
    """Say whether .gitattributes `content` stores `path` as large content; the last match decides."""
    segments = path.split("/")
    answer = False
    for pattern in _attribute_patterns(content):
        if pattern.whole_path:
            found = len(segments) in _matched_lengths(pattern.parts, segments, effort)
        else:
            found = _matches_one(pattern.parts, segments[-1:], effort)
        if found:
            answer = pattern.positive
    return answer


def is_ignored(content: str, path: str, effort: Effort) -> bool:
    """Say whether .gitignore `content` names `path` or one of its folders; the last match decides."""
    segments = path.split("/")
    answer = False
    for pattern in _ignore_patterns(content):
        tried = segments[:-1] if pattern.folder_only else segments
        if pattern.whole_path:
            found = any(True for _length in _matched_lengths(pattern.parts, tried, effort))
        else:
            found = _matches_one(pattern.parts, tried, effort)
        if found:
            answer = pattern.positive
    return answer


def _matches_one(parts: Sequence[re.Pattern[str] | None], names: Sequence[str], effort: Effort) -> bool:
    """Say whether a pattern of one part matches one of the names: the way of most patterns, so the short one."""
    effort.spend(len(names))
    (part,) = parts
    return any(part is None or part.fullmatch(name) for name in names)


def _matched_lengths(parts: Sequence[re.Pattern[str] | None], segments: Sequence[str], effort: Effort) -> Iterator[int]:
    """Yield each n for which the parts match the first n segments.

    All ways to match are followed at once, one segment after the other: no pattern can make this slow.
    """
    places = _with_skips(parts, {0})
    for count, segment in enumerate(segments, 1):
        effort.spend(len(places))
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
    return _bounded(_read_attributes(content))


def _read_attributes(content: bytes) -> Iterator[Pattern]:
    for line in content[:MAX_BYTES].decode("utf-8", "replace").splitlines()[:MAX_RULES]:
        glob, *attributes = line.split()[:50] or [""]
        large = "filter=lfs" in attributes
        if glob and not glob.startswith("#") and (large or {"-filter", "!filter"} & set(attributes)):
            yield Pattern(_compile(glob), "/" in glob, positive=large)


@lru_cache(maxsize=64)
def _ignore_patterns(content: str) -> tuple[Pattern, ...]:
    return _bounded(_read_ignored(content))


def _read_ignored(content: str) -> Iterator[Pattern]:
    for line in content[:MAX_BYTES].splitlines()[:MAX_RULES]:
        glob = line.strip()
        if not glob or glob.startswith("#"):
            continue
        negated, glob = glob.startswith("!"), glob.removeprefix("!")
        folder_only, anchored = glob.endswith("/"), "/" in glob.rstrip("/")
        yield Pattern(_compile(glob.strip("/")), anchored, not negated, folder_only)


def _bounded(patterns: Iterator[Pattern]) -> tuple[Pattern, ...]:
    """Take the first patterns, as they are compiled, until they have MAX_PARTS parts."""
    taken: list[Pattern] = []
    room = MAX_PARTS
    for pattern in patterns:
        room -= len(pattern.parts)
        if room < 0:
            break
        taken.append(pattern)
    return tuple(taken)


def _compile(glob: str) -> tuple[re.Pattern[str] | None, ...]:
    """Translate a git glob, segment by segment; fnmatch makes each star atomic, so that a match takes linear time."""
    segments = glob[:MAX_GLOB].lstrip("/").split("/")
    # Two `**` in a row are one.
    kept = [segment for segment, before in zip(segments, ["", *segments], strict=False) if (segment, before) != TWICE]
    return tuple(None if segment == "**" else re.compile(fnmatch.translate(segment)) for segment in kept)
