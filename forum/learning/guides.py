"""Guides: Markdown files of docs/learn, `<slug>.<language>.md`, each with a few facts above its text.

Another guide is two more files and nothing else; tests/forum/test_tutorials.py runs the code of all of them.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from models_hub import cards

FOLDER = Path(settings.BASE_DIR) / "docs" / "learn"
ENGLISH, CHINESE = "en", "zh-hans"
LANGUAGES = {ENGLISH: "English", CHINESE: "中文"}
LEVELS: dict[str, Promise] = {"start": _("first steps"), "work": _("everyday work"), "deep": _("in depth")}
# What stands in the texts for the address of the portal and the name of the reader.
ADDRESS, NAME = "https://portal.example", "your-name"
_HEADING = re.compile(r"(#{2,3}) +(.+?) *")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True)
class Section:
    """A part of a guide below one of its headings; the first one has none."""

    title: str
    anchor: str
    text: str


@dataclass(frozen=True)
class Guide:
    """One guide in one language. `number` is its place in the order, and what a topic about it names."""

    slug: str
    language: str
    number: int
    title: str
    summary: str
    minutes: int
    level: str
    icon: str
    tags: tuple[str, ...]
    needs: tuple[str, ...]
    next: tuple[str, ...]
    text: str

    @property
    def path(self) -> str:
        return f"/learn/{self.slug}"

    @property
    def level_name(self) -> str | Promise:
        return LEVELS[self.level]

    @property
    def sections(self) -> list[Section]:
        return _sections(self.text)


def language_of(code: str | None) -> str:
    """Return the language of guides for a language of the site."""
    return CHINESE if (code or "").startswith("zh") else ENGLISH


def listed(language: str) -> list[Guide]:
    """Return all guides in a language, in their order."""
    files = [(path.name, path.stat().st_mtime_ns) for path in sorted(FOLDER.glob(f"*.{language}.md"))]
    return list(_read(tuple(files)))


def find(slug: str, language: str) -> Guide | None:
    return next((guide for guide in listed(language) if guide.slug == slug), None)


def neighbours(guide: Guide) -> tuple[Guide | None, Guide | None]:
    """Return the guides before and after one in the order of all."""
    row = listed(guide.language)
    place = row.index(guide)
    return row[place - 1] if place else None, row[place + 1] if place + 1 < len(row) else None


def named(slugs: Sequence[str], language: str) -> list[Guide]:
    """Return the guides of these names, in the order of the names."""
    known = {guide.slug: guide for guide in listed(language)}
    return [known[slug] for slug in slugs if slug in known]


def related(tags: Sequence[str], language: str, *, at_most: int = 3) -> list[Guide]:
    """Return the guides that share most with some tags; the first ones where none shares any."""
    wanted = set(tags)
    row = listed(language)
    near = [guide for guide in row if wanted & set(guide.tags)]
    return sorted(near, key=lambda guide: -len(wanted & set(guide.tags)))[:at_most] or row[:at_most]


def filled(text: str, *, address: str, name: str) -> str:
    """Return a text with the address of this portal and the reader’s name where the guide has stand-ins."""
    return text.replace(ADDRESS, address).replace(NAME, name or NAME)


def anchor(title: str) -> str:
    """Return the id that the renderer gives a heading."""
    plain = unicodedata.normalize("NFKC", re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", title))
    plain = re.sub(r"[^\w\s-]", "", plain).strip().lower()
    return "card-" + re.sub(r"[-\s]+", "-", plain)


@lru_cache(maxsize=4)
def _read(files: tuple[tuple[str, int], ...]) -> tuple[Guide, ...]:
    return tuple(sorted((_guide(FOLDER / name) for name, _time in files), key=lambda guide: guide.number))


def _guide(path: Path) -> Guide:
    slug, language, _ending = path.name.split(".")
    head, text = cards.split_card(path.read_text(encoding="utf-8"))
    facts: dict[str, Any] = yaml.safe_load(head)
    facts |= {key: tuple(facts.get(key, ())) for key in ("tags", "needs", "next")}
    return Guide(slug=slug, language=language, text=text, **facts)


@lru_cache(maxsize=64)
def _sections(text: str) -> list[Section]:
    found, title, lines, fence = [], "", [], ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence and line.strip().startswith(fence) else fence or mark[1]
        heading = None if fence else _HEADING.fullmatch(line)
        if heading is None:
            lines.append(line)
            continue
        found.append(Section(title, anchor(title) if title else "", "\n".join(lines)))
        title, lines = heading[2], []
    return [*found, Section(title, anchor(title) if title else "", "\n".join(lines))]
