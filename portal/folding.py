"""Traditional Chinese characters taken for simplified ones, so that what reads alike is found alike."""

from functools import cache
from importlib.resources import files


def simplified(text: str) -> str:
    """Return a text with each traditional character replaced by its simplified form."""
    return text if text.isascii() else text.translate(table())


@cache
def table() -> dict[int, str]:
    """Return OpenCC's table of single characters, each with the first of its simplified forms."""
    rows = (files("opencc") / "dictionary" / "TSCharacters.txt").read_text("utf-8").splitlines()
    pairs = [(old, new.split(" ")[0]) for old, _tab, new in (row.partition("\t") for row in rows)]
    return {ord(old): new for old, new in pairs if len(old) == len(new) == 1}
