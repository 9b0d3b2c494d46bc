"""The words that the portal uses, in both languages, for its readers; docs/glossary.md has those of its makers."""

from dataclasses import dataclass
from functools import lru_cache

import yaml

from forum.learning.guides import CHINESE, FOLDER

FILE = FOLDER / "glossary.yaml"
PATH = "/learn/glossary"


@dataclass(frozen=True)
class Word:
    """One word: what it is called and what it means; `link` leads to where it is met."""

    slug: str
    en: str
    zh: str
    means_en: str
    means_zh: str
    link: str = ""

    @property
    def path(self) -> str:
        return f"{PATH}#{self.slug}"

    def name(self, language: str) -> str:
        return self.zh if language == CHINESE else self.en

    def other_name(self, language: str) -> str:
        return self.en if language == CHINESE else self.zh

    def meaning(self, language: str) -> str:
        return self.means_zh if language == CHINESE else self.means_en


def words() -> list[Word]:
    """Return all words, sorted by their English names."""
    return list(_read(FILE.stat().st_mtime_ns))


def find(slug: str) -> Word | None:
    return next((word for word in words() if word.slug == slug), None)


@lru_cache(maxsize=1)
def _read(_time: int) -> tuple[Word, ...]:
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(sorted((Word(slug=slug, **row) for slug, row in rows.items()), key=lambda word: word.en.lower()))
