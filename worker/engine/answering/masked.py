"""Encoders that put words into a gap: one token, or several that are found from left to right."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from worker.engine.answering.answers import Answers
from worker.engine.answering.linear_layers import multiply_with_onednn
from worker.engine.answering.measuring import described, latency, speed
from worker.engine.batching import plan_batches
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.failures import failing_as
from worker.engine.inference import check_finite, output, run_planned
from worker.engine.load import LoadedModel, load_model
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.tasks.fill_mask import MAX_WORD, MOST, FillMask, MaskSettings
from worker.engine.tasks.task import Array, Value
from worker.engine.tokenizing import Tokens, check_ids

# Beginnings of a word of several tokens that are followed at a time, and words of each length that are kept.
BEAM = MOST
# Tokens that are looked at for a place: enough that words are left when those without a letter are gone.
LOOKED_AT = 4 * MOST
MASKS = ("[MASK]", "<mask>")


@dataclass(frozen=True)
class Gap:
    """A text with one mask for each token of a word, and where the masks begin."""

    row: int
    tokens: Tokens
    start: int
    length: int
    # The best beginnings so far, with the sum of their log-probabilities.
    beam: list[tuple[float, tuple[int, ...]]] = field(default_factory=lambda: [(0.0, ())])


def answer(
    task: FillMask, spec: EvaluateSpec, settings: MaskSettings, questions: Questions, progress: Progress
) -> Answers:
    """Name the likeliest words for every gap."""
    model = load_model(spec.model_dir, heads=task.heads, dtype=spec.dtype, device=spec.device)
    multiply_with_onednn(model.model)
    filler = Filler(model, settings, model.max_length(spec.max_length))
    texts = [value["text"] for value in questions.values]
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    gaps = [filler.gap(row, text, length) for row, text in enumerate(texts) for length in filler.lengths]
    rows = len(gaps)
    found = filler.fill(
        gaps,
        budget=spec.token_budget,
        done=lambda count: progress.report(0.1 + 0.8 * count / rows, f"{count} of {rows} gaps"),
    )
    predictions = [filler.ranked(of_row) for of_row in found]
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(text: str) -> None:
        filler.fill([filler.gap(0, text, length) for length in filler.lengths], budget=spec.token_budget)

    report = {
        "truncated_rows": sum(gap.tokens.truncated for gap in gaps if gap.length == 1),
        "max_length": filler.max_length,
        **speed(seconds, len(texts)),
        "latency": latency(texts, answer_one),
        **described(model),
    }
    return Answers(predictions=predictions, report=report)


class Filler:
    """A loaded model that fills gaps within the settings of a benchmark."""

    def __init__(self, model: LoadedModel, settings: MaskSettings, max_length: int) -> None:
        self._model, self._settings, self.max_length = model, settings, max_length
        self.lengths = range(1, settings.max_tokens + 1)
        self._tokenizer = model.tokenizer.tokenizer
        self._mask = self._mask_id()
        self._mask_text = str(self._tokenizer.id_to_token(self._mask))
        added = self._tokenizer.get_added_tokens_decoder()
        self._special = frozenset(number for number, token in added.items() if token.special)

    def _mask_id(self) -> int:
        known = (self._tokenizer.token_to_id(name) for name in MASKS)
        mask = self._model.tokenizer.mask
        found = mask if mask is not None else next((number for number in known if number is not None), None)
        if found is None or found >= self._model.vocab_size:
            raise EngineError(
                "tokenizer_mismatch",
                "The tokenizer has no token for a word left out. Save it with its mask_token in tokenizer_config.json.",
            )
        return found

    def gap(self, row: int, text: str, length: int) -> Gap:
        """Return a text with its gap as masks; of a long one the part around the gap."""
        before, _gap, after = text.partition(self._settings.mask)
        with failing_as("tokenizer_unreadable", "The tokenizer fails on the texts of the benchmark."):
            self._tokenizer.no_truncation()
            encoding = self._tokenizer.encode(before + self._mask_text * length + after)
        ids: list[int] = encoding.ids
        check_ids(ids, self._model.vocab_size)
        places = [place for place, number in enumerate(ids) if number == self._mask]
        if len(places) != length or places != list(range(places[0], places[0] + length)):
            raise EngineError(
                "tokenizer_mismatch",
                f"The tokenizer makes {len(places)} masks of {length} (text {row + 1}). Save it with its mask_token as "
                "a special token, and leave the mask itself out of the texts.",
            )
        head, tail = _ends(encoding.special_tokens_mask)
        kept = _around(len(ids), head, tail, places[0], length, self.max_length)
        tokens = Tokens([ids[at] for at in kept], [encoding.type_ids[at] for at in kept], len(kept) < len(ids))
        return Gap(row, tokens, kept.index(places[0]), length)

    def fill(
        self, gaps: list[Gap], *, budget: int, done: Callable[[int], None] = lambda count: None
    ) -> list[dict[str, float]]:
        """Return the words for each row with their mean log-probability a token."""
        found: list[dict[str, float]] = [{} for _ in range(1 + max(gap.row for gap in gaps))]

        def answer_batch(batch: list[int]) -> None:
            for index in batch:  # a batch that did not fit is begun anew
                gaps[index].beam[:] = [(0.0, ())]
            for step in range(max(gaps[index].length for index in batch)):
                self._step([gaps[index] for index in batch if gaps[index].length > step], step, budget)
            for index in batch:
                self._collect(gaps[index], found[gaps[index].row])

        lengths = [len(gap.tokens.ids) for gap in gaps]
        run_planned(self._model.device, plan_batches(lengths, budget), answer_batch, done=done)
        return found

    def _step(self, gaps: Sequence[Gap], step: int, budget: int) -> None:
        """Lengthen every beginning by a token."""
        asked = [(gap, score, tokens) for gap in gaps for score, tokens in gap.beam]
        rows = [_with(gap, tokens) for gap, _score, tokens in asked]
        widened: dict[int, list[tuple[float, tuple[int, ...]]]] = {id(gap): [] for gap in gaps}
        for batch in plan_batches([len(row.ids) for row in rows], budget):
            numbers = self._log_probabilities([rows[at] for at in batch], [asked[at][0].start + step for at in batch])
            for at, likely in zip(batch, numbers, strict=True):
                gap, score, tokens = asked[at]
                best = np.argsort(-likely, kind="stable")[:LOOKED_AT].tolist()
                words = (token for token in best if self._is_part(token, first=step == 0))
                kept = [next(words, None) for _ in range(BEAM)]
                widened[id(gap)] += [
                    (score + float(likely[token]), (*tokens, token)) for token in kept if token is not None
                ]
        for gap in gaps:
            gap.beam[:] = sorted(widened[id(gap)], key=lambda pair: (-pair[0], pair[1]))[:BEAM]

    def _log_probabilities(self, rows: Sequence[Tokens], places: Sequence[int]) -> Array:
        logits = output(self._model, rows).logits  # (rows, tokens, vocabulary)
        read: Array = logits[range(len(rows)), list(places)].double().cpu().numpy()
        check_finite(read)
        read -= read.max(axis=1, keepdims=True)
        likely: Array = read - np.log(np.exp(read).sum(axis=1, keepdims=True))
        return likely

    def _is_part(self, token: int, *, first: bool) -> bool:
        """Say whether a token may stand in a word: some sign of its own, no token with a meaning of its own."""
        if token in self._special or token == self._mask or self._tokenizer.id_to_token(token) is None:
            return False
        return not first or bool(self._word((token,)))

    def _word(self, tokens: tuple[int, ...]) -> str:
        return self._model.tokenizer.written(tokens).strip()[:MAX_WORD]

    def _collect(self, gap: Gap, found: dict[str, float]) -> None:
        for score, tokens in gap.beam:
            if word := self._word(tokens):
                found[word] = max(score / gap.length, found.get(word, -np.inf))

    @staticmethod
    def ranked(found: dict[str, float]) -> Value:
        """Return the best words with their probability a token."""
        best = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST]
        scores = [float(f"{np.exp(score):.6g}") for _word, score in best]
        return {"words": [word for word, _score in best], "scores": [min(1.0, score) for score in scores]}


def _with(gap: Gap, tokens: tuple[int, ...]) -> Tokens:
    ids = gap.tokens.ids
    return Tokens([*ids[: gap.start], *tokens, *ids[gap.start + len(tokens) :]], gap.tokens.type_ids, truncated=False)


def _ends(special: Sequence[int]) -> tuple[int, int]:
    """Return how many tokens the tokenizer puts before and after every text."""
    head = next((at for at, one in enumerate(special) if not one), len(special))
    tail = next((at for at, one in enumerate(reversed(special)) if not one), 0)
    return head, tail


def _around(size: int, head: int, tail: int, start: int, length: int, room: int) -> list[int]:
    """Return the places that are kept: all where they fit, else both ends and the middle around the masks."""
    if size <= room:
        return list(range(size))
    inner = room - head - tail
    if inner < length:
        raise EngineError("tokenizer_mismatch", f"{room} tokens have no room for a gap of {length}.")
    first = min(max(head, start - (inner - length) // 2), size - tail - inner)
    return [*range(head), *range(first, first + inner), *range(size - tail, size)]
