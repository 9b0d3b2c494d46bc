"""Which script a text is in, and which parts of it are never touched."""

import re
from typing import Literal

Script = Literal["latin", "han", "other"]
Span = tuple[int, int]

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
MIN_SHARE = 0.3  # Chinese writes names and terms in Latin letters within its sentences
_HAN = re.compile(f"[{HAN}]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_OTHER_HAN_USERS = re.compile("[\u3040-\u30ff\uac00-\ud7af]")  # Japanese and Korean

# Addresses, handles, tags, the markers of models and blanks to fill in: a change there is another text.
_KEPT = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+|[@#]\w+#?|\[[A-Z_]{2,12}\]|</?[a-z_0-9]{1,16}>|\{[^{}\s]{0,40}\}|_{2,}"
)
# A text without its negation says the opposite, and its label would be wrong.
NEGATIONS = frozenset("不没沒無无非未别別莫勿否")
NEGATION_WORDS = frozenset(
    """aint arent cannot cant couldnt didnt doesnt dont hardly hasnt havent isnt neither never nobody none nothing
    nowhere rarely seldom shouldnt wasnt werent without wont wouldnt""".split()
)


def script_of(text: str) -> Script:
    """Return the script whose perturbations apply to the text."""
    han, latin = len(_HAN.findall(text)), len(_LATIN.findall(text))
    if _OTHER_HAN_USERS.search(text) or not han + latin:
        return "other"
    letters = sum(char.isalpha() for char in text)
    if han >= MIN_SHARE * letters:
        return "han"
    return "latin" if latin >= (1 - MIN_SHARE) * letters else "other"


def kept_spans(text: str) -> list[Span]:
    """Return the stretches that no perturbation may touch."""
    return [match.span() for match in _KEPT.finditer(text)]


def outside(position: int, spans: list[Span]) -> bool:
    """Say whether a position lies in none of the spans."""
    return all(not start <= position < end for start, end in spans)


def words_of(text: str, least: int) -> list[Span]:
    """Return the stretches of at least `least` plain letters that may be misspelt."""
    kept = kept_spans(text)
    found = re.finditer(rf"(?<![\w'’-])[A-Za-z]{{{least},}}(?![\w'’])", text)
    return [
        match.span() for match in found if match.group().lower() not in NEGATION_WORDS and outside(match.start(), kept)
    ]


def han_of(text: str) -> list[int]:
    """Return the positions of Chinese characters that may be mistaken: all but negations and what is kept."""
    kept = kept_spans(text)
    return [
        match.start()
        for match in _HAN.finditer(text)
        if match.group() not in NEGATIONS and outside(match.start(), kept)
    ]


def replaced(text: str, edits: list[tuple[int, int, str]]) -> str:
    """Return the text with each (start, end, new) put in; edits do not overlap and count in the old text."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text
