"""Other ways to write a text that leave its label right, by EDA (Wei and Zou 2019) with care for negations.

A negation is never left out, and what follows it stays where it is. Chinese has no spaces between words: where
others change words, single characters are changed there, and synonyms are found by the lexicon's own words.
"""

import re
from itertools import pairwise
from random import Random

from worker.engine.perturbing import chinese, letters
from worker.engine.perturbing.draws import chosen, pick
from worker.engine.perturbing.scripts import NEGATION_WORDS, NEGATIONS, Span, kept_spans, outside, replaced, script_of
from worker.engine.tuning.augmenting.lexicon import Lexicon

SHORTEST = 4  # words; of a shorter text every word counts
_LETTERS = "A-Za-z\u00c0-\u024f"
_WORD = re.compile(f"(?<![\\w'’-])[{_LETTERS}]+(?:['’-][{_LETTERS}]+)*(?![\\w’'-])")
_SHORT_NEGATIONS = {"no", "not", "nor", "n't", "n’t"}
_NOISE = {
    "latin": (letters.keyboard, letters.swap, letters.drop, letters.insert),
    "han": (chinese.homophone, chinese.near_shape, letters.swap, letters.drop),
}


def synonyms(text: str, rng: Random, share: float, lexicon: Lexicon | None) -> str:
    """Replace words by others of the lexicon."""
    found = _known(text, lexicon)
    return replaced(text, [(*span, pick(rng, others)) for span, others in chosen(rng, found, share)])


def swap(text: str, rng: Random, share: float, lexicon: Lexicon | None) -> str:
    """Let neighbouring words change places."""
    if script_of(text) == "han":
        return letters.swap(text, rng, share)
    words = _words(text)
    pairs = [
        (one, two)
        for place, (one, two) in enumerate(pairwise(words))
        if _are_free(text, [one, two, *words[place - 1 : place]]) and text[one[1] : two[0]].isspace()
    ]
    edits, last = [], -1
    for one, two in chosen(rng, pairs, share) if len(words) >= SHORTEST else []:
        if one[0] >= last:
            edits.append((one[0], two[1], text[slice(*two)] + text[one[1] : two[0]] + text[slice(*one)]))
            last = two[1]
    return replaced(text, edits)


def delete(text: str, rng: Random, share: float, lexicon: Lexicon | None) -> str:
    """Leave words out."""
    if script_of(text) == "han":
        return letters.drop(text, rng, share)
    words = _words(text)
    if len(words) < SHORTEST:
        return text
    free = [word for place, word in enumerate(words) if _are_free(text, words[max(0, place - 1) : place + 1])]
    return replaced(text, [(start, _past_space(text, end), "") for start, end in chosen(rng, free, share)]).rstrip()


def insert(text: str, rng: Random, share: float, lexicon: Lexicon | None) -> str:
    """Put synonyms of words in after others, or words of the text themselves where there is no lexicon."""
    han = script_of(text) == "han"
    known = [others for _span, others in _known(text, lexicon)]
    if han and not known:
        return letters.insert(text, rng, share)
    words = list(lexicon.han_words(text)) if han and lexicon else _words(text)
    free = [word for word in words if _are_free(text, [word])]
    offered = known or [[text[slice(*word)]] for word in free]
    if not free or len(words) < (1 if han else SHORTEST):
        return text
    gap = "" if han else " "
    return replaced(text, [(end, end, gap + pick(rng, pick(rng, offered))) for _at, end in chosen(rng, free, share)])


def characters(text: str, rng: Random, share: float, lexicon: Lexicon | None) -> str:
    """Make one kind of the slips that robustness is measured with."""
    kinds = _NOISE.get(script_of(text), ())
    return pick(rng, kinds)(text, rng, share) if kinds else text


def is_negation(word: str) -> bool:
    """Say whether a text without this word could say the opposite."""
    plain = word.lower()
    bare = plain.replace("'", "").replace("’", "")
    return (
        plain in _SHORT_NEGATIONS
        or plain.endswith(("n't", "n’t"))
        or bare in NEGATION_WORDS
        or any(char in NEGATIONS for char in word)
    )


def _known(text: str, lexicon: Lexicon | None) -> list[tuple[Span, list[str]]]:
    """Return the words that have synonyms, with them."""
    if lexicon is None:
        return []
    kept = kept_spans(text)
    spans = list(lexicon.han_words(text)) if script_of(text) == "han" else _words(text)
    found = [(span, lexicon.of(text[slice(*span)])) for span in spans if outside(span[0], kept)]
    return [(span, others) for span, others in found if others and _are_free(text, [span])]


def free_words(text: str) -> list[Span]:
    """Return the words that another one may take the place of: no negations."""
    return [word for word in _words(text) if _are_free(text, [word])]


def _words(text: str) -> list[Span]:
    kept = kept_spans(text)
    return [match.span() for match in _WORD.finditer(text) if outside(match.start(), kept)]


def _are_free(text: str, words: list[Span]) -> bool:
    return not any(is_negation(text[slice(*word)]) for word in words)


def _past_space(text: str, at: int) -> int:
    return at + 1 if text[at : at + 1] == " " else at
