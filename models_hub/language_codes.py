"""Languages by the codes that cards use, found by their names in English and in Chinese."""

import re
from functools import lru_cache

from babel import Locale, UnknownLocaleError

SPECIAL = {"multilingual", "code"}
_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}")


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    names = {}
    for tongue in ("zh_Hant", "zh", "en"):
        for code, name in Locale.parse(tongue).languages.items():
            names[str(name).casefold()] = code.replace("_", "-")
    return names


def code_of(text: str) -> str | None:
    """Return the code of a language that is given by its code or its name, None where it is none."""
    text = text.strip()
    if text.lower() in SPECIAL:
        return text.lower()
    if found := _by_name().get(text.casefold()):
        return found
    if not _CODE.fullmatch(text):
        return None
    known = text.split("-")[0] in Locale.parse("en").languages
    return text if known or len(text.split("-")[0]) == 3 else None  # ISO 639-3 has more than anybody has named


@lru_cache(maxsize=8)
def choices(reader: str) -> list[tuple[str, str]]:
    """Return languages with their names for a reader, each with its own name too where that differs."""
    try:
        locale = Locale.parse(reader.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale.parse("en")
    own = Locale.parse("zh" if locale.language == "en" else "en").languages
    rows = [(code.replace("_", "-"), f"{name} · {own.get(code, '')}") for code, name in locale.languages.items()]
    return sorted(((code, name) for code, name in rows if len(code) <= 3), key=lambda row: row[1])
