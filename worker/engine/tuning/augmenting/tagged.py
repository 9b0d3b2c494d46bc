"""The same changes for sentences whose words have tags: entities stay whole, and every word keeps its tag."""

from random import Random

from worker.engine.measures.entities import OUTSIDE
from worker.engine.perturbing import chinese, letters
from worker.engine.perturbing.draws import chosen, pick
from worker.engine.perturbing.registry import perturbed_tokens
from worker.engine.perturbing.scripts import script_of
from worker.engine.tuning.augmenting.lexicon import Lexicon
from worker.engine.tuning.augmenting.texts import SHORTEST, is_negation

Tagged = tuple[list[str], list[str]]  # words, tags
# What moves no position.
_NOISE = {"latin": (letters.keyboard,), "han": (chinese.homophone, chinese.near_shape)}


def synonyms(sentence: Tagged, rng: Random, share: float, lexicon: Lexicon | None) -> Tagged:
    """Replace words outside entities by other single words."""
    words, tags = sentence
    known = _known(sentence, lexicon)
    changed = list(words)
    for place in chosen(rng, list(known), share):
        changed[place] = pick(rng, known[place])
    return changed, tags


def swap(sentence: Tagged, rng: Random, share: float, lexicon: Lexicon | None) -> Tagged:
    """Let neighbours outside entities change places."""
    words, tags = sentence
    free = set(free_places(sentence))
    pairs = [at for at in sorted(free) if at + 1 in free and not _is_negated(words, at)]
    changed, last = list(words), -2
    for at in chosen(rng, pairs, share) if len(words) >= SHORTEST else []:
        if at > last + 1:
            changed[at], changed[at + 1] = words[at + 1], words[at]
            last = at
    return changed, tags


def delete(sentence: Tagged, rng: Random, share: float, lexicon: Lexicon | None) -> Tagged:
    """Leave words out that are outside entities, with their tags."""
    words, tags = sentence
    free = [at for at in free_places(sentence) if not _is_negated(words, at)]
    gone = set(chosen(rng, free, share)) if len(words) >= SHORTEST else set()
    kept = [at for at in range(len(words)) if at not in gone]
    return ([words[at] for at in kept], [tags[at] for at in kept]) if kept else sentence


def insert(sentence: Tagged, rng: Random, share: float, lexicon: Lexicon | None) -> Tagged:
    """Put synonyms in, or words of the sentence, after words that are outside entities."""
    words, tags = sentence
    free = free_places(sentence)
    offered = list(_known(sentence, lexicon).values()) or [[words[at]] for at in free]
    if len(words) < SHORTEST or not free:
        return sentence
    after = {at: pick(rng, pick(rng, offered)) for at in chosen(rng, free, share)}
    changed: list[str] = []
    new_tags: list[str] = []
    for at, word in enumerate(words):
        changed += [word, *([after[at]] if at in after else [])]
        new_tags += [tags[at], *([OUTSIDE] if at in after else [])]
    return changed, new_tags


def characters(sentence: Tagged, rng: Random, share: float, lexicon: Lexicon | None) -> Tagged:
    """Make slips of the fingers that move no position."""
    words, tags = sentence
    kinds = _NOISE.get(script_of("".join(words)), ())
    if not kinds:
        return sentence
    kind = pick(rng, kinds)
    return perturbed_tokens(words, lambda text: kind(text, rng, share)), tags


def free_places(sentence: Tagged) -> list[int]:
    """Return the places of words that may move or go."""
    return [
        at
        for at, (word, tag) in enumerate(zip(*sentence, strict=True))
        if tag == OUTSIDE and word.isalpha() and not is_negation(word)
    ]


def _is_negated(words: list[str], at: int) -> bool:
    return at > 0 and is_negation(words[at - 1])


def _known(sentence: Tagged, lexicon: Lexicon | None) -> dict[int, list[str]]:
    if lexicon is None:
        return {}
    words = sentence[0]
    found = {
        at: [other for other in lexicon.of(words[at]) if not any(map(str.isspace, other))]
        for at in free_places(sentence)
    }
    return {at: others for at, others in found.items() if others}
