"""The texts in a question, and what two of them have in common. Imports no torch."""

import unicodedata
from collections.abc import Iterator
from typing import Any


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a question, in its order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_in(part)


def normalised(text: str) -> str:
    """Return a text without case, space and punctuation: what is left says whether two texts are nearly the same."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum()) or text.strip()
