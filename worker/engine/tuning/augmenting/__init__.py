"""Training rows that are written in other ways, anew each epoch: a pure function of seed, epoch and row.

Rows of the dev and the test part are never changed. What only some kinds of tasks may have is refused for the others:
where something is put in or left out, what holds between two texts may not hold any more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from worker.engine.contracts import EngineError
from worker.engine.perturbing.draws import chosen, generator, pick
from worker.engine.perturbing.scripts import replaced
from worker.engine.tuning import registry
from worker.engine.tuning.augmenting import rewritten, tagged, texts
from worker.engine.tuning.augmenting.lexicon import Lexicon, read
from worker.engine.tuning.augmenting.rewritten import Rewritten
from worker.engine.tuning.contracts import FinetuneSpec, Recipe
from worker.engine.tuning.objectives.objective import Row

PREFIX = "augment_"
TEXTS: dict[str, Callable[[str, Random, float, Lexicon | None], str]] = {
    "synonyms": texts.synonyms,
    "swap": texts.swap,
    "delete": texts.delete,
    "insert": texts.insert,
    "characters": texts.characters,
}
TAGGED: dict[str, Callable[[tagged.Tagged, Random, float, Lexicon | None], tagged.Tagged]] = {
    "synonyms": tagged.synonyms,
    "swap": tagged.swap,
    "delete": tagged.delete,
    "insert": tagged.insert,
    "characters": tagged.characters,
}
# What other models have made of the rows before.
FILL, BACK = "fill", "back"
FIELDS = ("text", "text2")
SINGLE = frozenset({"delete", "insert"})


@dataclass(frozen=True)
class Augmenting:
    """What is done to the rows of a run."""

    rows: Sequence[Row]
    rates: dict[str, float]  # by kind, of words or characters
    share: float  # of the rows that are changed
    copies: int  # beside each row
    seed: int
    lexicon: Lexicon | None
    made: dict[int, Rewritten] = field(default_factory=dict)  # by the number of a row

    def row(self, epoch: int, number: int, copy: int) -> Row | None:
        """Return a row as it is written in this epoch, None where it stays as it is; copy 0 is the row itself.

        Where there are copies it is they that are changed.
        """
        if self.copies and not copy:
            return None
        rng = generator(self.seed, "augment", str(epoch), str(number), str(copy))
        if rng.random() >= self.share:
            return None
        # One kind for each row, the first that fits it.
        order = sorted((rng.random(), kind) for kind in self.rates)
        for _key, kind in order:
            changed = self._changed(number, kind, rng)
            if changed is not None:
                return changed
        return None

    def _changed(self, number: int, kind: str, rng: Random) -> Row | None:
        row = self.rows[number]
        if kind in (FILL, BACK):
            return _made(row, kind, rng, self.rates[kind], self.made.get(number, Rewritten()))
        return _tagged(row, kind, rng, self) if "tokens" in row.question else _plain(row, kind, rng, self)


def find(spec: FinetuneSpec, rows: Sequence[Row]) -> Augmenting | None:
    """Return what a recipe asks to be done to the rows, None where it asks for nothing."""
    recipe = spec.recipe
    rates = rates_of(recipe)
    if not rates:
        return None
    options = registry.options()
    for kind in rates:
        allowed = options[PREFIX + kind].tasks or []
        if spec.task not in allowed:
            raise EngineError("bad_spec", f"{PREFIX}{kind} is possible for: {', '.join(allowed)}")
    if recipe.few_rows:
        raise EngineError("bad_spec", "few_rows makes pairs of the rows as they are; turn it off, or the augmentation")
    if "synonyms" in rates and spec.lexicon is None:
        raise EngineError("bad_spec", f"{PREFIX}synonyms needs a lexicon, a file of words and their synonyms")
    if {FILL, BACK} & set(rates) and spec.rewritten is None:
        raise EngineError("bad_spec", "augment_fill and augment_back need what `rewrite` makes of the rows")
    lexicon = read(spec.lexicon) if spec.lexicon else None
    made = rewritten.read(spec.rewritten, rows) if spec.rewritten else {}
    return Augmenting(rows, rates, recipe.augment_share, recipe.augment_copies, spec.seed, lexicon, made)


def rates_of(recipe: Recipe) -> dict[str, float]:
    """Return the kinds that a recipe asks for, with their rates."""
    found: dict[str, float] = {kind: float(getattr(recipe, PREFIX + kind)) for kind in (*TEXTS, FILL, BACK)}
    return {kind: rate for kind, rate in found.items() if rate > 0}


def _plain(row: Row, kind: str, rng: Random, asked: Augmenting) -> Row | None:
    """Return a row with its text changed, or with both texts of a pair changed in the same way."""
    if kind in SINGLE and "text2" in row.question:
        return None
    question: dict[str, Any] = dict(row.question)
    for name in FIELDS:
        if name in question:
            changed = TEXTS[kind](question[name], rng, asked.rates[kind], asked.lexicon)
            question[name] = changed if changed.strip() else question[name]
    return Row(question, row.gold) if question != row.question else None


def _tagged(row: Row, kind: str, rng: Random, asked: Augmenting) -> Row | None:
    before = (row.question["tokens"], row.gold["tags"])
    words, tags = TAGGED[kind](before, rng, asked.rates[kind], asked.lexicon)
    if (words, tags) == before:
        return None
    return Row({**row.question, "tokens": words}, {**row.gold, "tags": tags})


def _made(row: Row, kind: str, rng: Random, rate: float, made: Rewritten) -> Row | None:
    """Return a row with what other models made of it, None where they made nothing."""
    if kind == BACK:
        return Row({**row.question, **made.back}, row.gold) if made.back else None
    question = dict(row.question)
    for name, gaps in made.words.items():
        edits = [(at, end, pick(rng, others)) for at, end, others in chosen(rng, gaps, rate)] if gaps else []
        if name == "tokens":
            words = list(question[name])
            for at, _end, word in edits:
                words[at] = word
            question[name] = words
        else:
            question[name] = replaced(question[name], edits)
    return Row(question, row.gold) if question != row.question else None
