"""Names of versions: which of them are semantic versions, how these are ordered, and which comes next."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_PART = r"(0|[1-9]\d{0,8})"
_VERSION = re.compile(rf"(v?){_PART}\.{_PART}\.{_PART}(-[0-9A-Za-z.-]{{1,60}})?(\+[0-9A-Za-z.-]{{1,60}})?", re.ASCII)


class Version(NamedTuple):
    """A semantic version; `preview` is what follows its numbers, such as `-rc.1`."""

    major: int
    minor: int
    patch: int
    is_final: bool
    preview: str = ""
    prefix: str = "v"

    @property
    def rank(self) -> str:
        """A text that orders versions as numbers do, final ones after their previews."""
        return f"{self.major:09}{self.minor:09}{self.patch:09}{int(self.is_final)}"


def read(name: str) -> Version | None:
    """Return the semantic version that a tag names, with or without “v”, else None."""
    found = _VERSION.fullmatch(name)
    if found is None:
        return None
    return Version(int(found[2]), int(found[3]), int(found[4]), not found[5], found[5] or "", found[1])


def rank(name: str) -> str:
    """Return what orders a tag among semantic versions, "" for one that is none."""
    version = read(name)
    return version.rank if version else ""


def proposals(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return (part, name) of the versions that may come next: patch, minor, major; or how to begin."""
    known = [version for version in map(read, names) if version]
    if not known:
        return [("first", "v0.1.0"), ("stable", "v1.0.0")]
    last = max(known)
    if not last.is_final:
        return [("final", _name(last.prefix, last.major, last.minor, last.patch)), *_next(last)[1:]]
    return _next(last)


def _next(last: Version) -> list[tuple[str, str]]:
    return [
        ("patch", _name(last.prefix, last.major, last.minor, last.patch + 1)),
        ("minor", _name(last.prefix, last.major, last.minor + 1, 0)),
        ("major", _name(last.prefix, last.major + 1, 0, 0)),
    ]


def _name(prefix: str, *parts: int) -> str:
    return prefix + ".".join(map(str, parts))
