"""Which files a pattern of a card means, and which splits names of files and folders tell: the rules of `datasets`."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import lru_cache

TRAIN, VALIDATION, TEST = "train", "validation", "test"
KEYWORDS = {
    TRAIN: ("train", "training"),
    VALIDATION: ("validation", "valid", "dev", "val"),
    TEST: ("test", "testing", "eval", "evaluation"),
}
# A keyword counts only between these, so that "contest" is no test.
_APART = r"(?:^|[-._ 0-9/])"
_END = r"(?:$|[-._ 0-9/])"
_SHARD = re.compile(r"(?:^|.*/)(?P<split>\w+(?:\.\w+)*)-\d{5,}-of-\d{5,}(?:\.[^/]*)?", re.ASCII)
_WORDS = {
    split: re.compile(_APART + "(?:" + "|".join(words) + ")" + _END, re.IGNORECASE)
    for split, words in KEYWORDS.items()
}  # fmt: skip


def matching(pattern: str, paths: Iterable[str]) -> list[str]:
    """Return the paths that a glob pattern means: `*` stays within a folder, `**` goes through any number of them."""
    parts = tuple(part for part in pattern.removeprefix("./").strip("/").split("/") if part)
    return [path for path in paths if _matches(parts, tuple(path.split("/")))]


def _matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Say whether all parts fit; a set of positions in the pattern moves along the path, so that time is bounded."""
    places = _through(pattern, {0})
    for name in path:
        after = set()
        for place in places:
            if place < len(pattern) and pattern[place] == "**":
                after.add(place)
            elif place < len(pattern) and _fits(pattern[place], name):
                after.add(place + 1)
        places = _through(pattern, after)
    # A folder means the files in it.
    return len(pattern) in places


def _through(pattern: Sequence[str], places: set[int]) -> set[int]:
    """Add the places behind each `**`, which may stand for nothing."""
    found = set(places)
    for place in range(len(pattern)):
        if place in found and pattern[place] == "**":
            found.add(place + 1)
    return found


def _fits(part: str, name: str) -> bool:
    return _compiled(part[:200]).match(name) is not None


@lru_cache(maxsize=512)
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(translate(part))


def by_convention(paths: Sequence[str]) -> dict[str, list[str]]:
    """Return split -> files by their names: shards, else folders, else file names; without any all are for training."""
    shards: dict[str, list[str]] = {}
    for path in paths:
        if found := _SHARD.fullmatch(path):
            shards.setdefault(found["split"], []).append(path)
    if shards:
        return _ordered(shards)
    for part in (_folder, _file):
        splits: dict[str, list[str]] = {}
        for path in paths:
            split = _split_of(part(path))
            if split:
                splits.setdefault(split, []).append(path)
        if splits:
            return _ordered(splits)
    return {TRAIN: list(paths)} if paths else {}


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _file(path: str) -> str:
    return path.rpartition("/")[2]


def _split_of(text: str) -> str | None:
    return next((split for split, words in _WORDS.items() if words.search(text)), None)


def _ordered(splits: dict[str, list[str]]) -> dict[str, list[str]]:
    known = [split for split in (TRAIN, VALIDATION, TEST) if split in splits]
    return {split: splits[split] for split in (*known, *(split for split in splits if split not in known))}
