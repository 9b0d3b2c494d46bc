"""What can be wrong with a published file. Codes, because the program that reads it speaks to no reader."""

from typing import Any


class ImportRefused(Exception):
    """A file cannot be imported. `code` names the text that a reader of the page sees."""

    def __init__(self, code: str, **data: Any) -> None:
        super().__init__(f"{code}: {data}" if data else code)
        self.code = code
        self.data = data


def shown(value: Any) -> str:
    """Return the beginning of a value, fit to be shown in a sentence."""
    text = " ".join(str(value).split())[:80]
    return "".join(char if char.isprintable() and not "\ud800" <= char <= "\udfff" else "�" for char in text)
