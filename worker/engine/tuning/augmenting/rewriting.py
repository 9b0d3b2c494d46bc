"""The verb `rewrite`: a model proposes other words for gaps, two others translate a text there and back.

It runs once, before the training, in a process of its own. Which of what it found is taken is a pure function of seed,
epoch and row, as with every other kind of augmentation. Models that need a prompt to translate are not for this.
"""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from worker.engine.answering.sharing import sharing
from worker.engine.contracts import EvaluateSpec
from worker.engine.perturbing.draws import chosen, generator
from worker.engine.perturbing.scripts import Span, kept_spans, outside, script_of
from worker.engine.progress import Progress
from worker.engine.repeating import repeatable
from worker.engine.rows import Questions, write_lines
from worker.engine.tasks import find
from worker.engine.tasks.task import Value
from worker.engine.tuning.augmenting import tagged, texts
from worker.engine.tuning.augmenting.lexicon import cased
from worker.engine.tuning.augmenting.rewritten import MAX_GAPS
from worker.engine.tuning.contracts import REWRITTEN_FILE, RewriteSpec
from worker.engine.tuning.objectives.objective import Row
from worker.engine.tuning.reading import read_rows

# For private use, so that no text has it.
GAP = "\ue0f0"
SHARE = 0.3  # of the words of a row, and at most MAX_GAPS
KEPT = 5  # words for a gap
LONGEST = 1000  # characters of a text that is translated
MOST_TOKENS = 192
FIELDS = ("text", "text2")


def rewrite(spec: RewriteSpec, progress: Progress) -> dict[str, Any]:
    """Write what the models made of the rows, and return how much that is."""
    repeatable(spec.seed, spec.threads)
    rows = read_rows(spec.train, "training")
    numbers = asked(spec, len(rows))
    words = _words(spec, rows, numbers, progress) if spec.words_dir else {}
    back = _there_and_back(spec, rows, numbers, progress) if spec.there_dir else {}
    lines = [
        {"row": number, "words": words.get(number, {}), "back": back.get(number, {})}
        for number in numbers
        if number in words or number in back
    ]
    out_dir = Path(spec.out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    write_lines(out_dir / REWRITTEN_FILE, lines)
    progress.report(1.0, "done", always=True)
    return {"rows": len(rows), "asked": len(numbers), "words": len(words), "back": len(back)}


def asked(spec: RewriteSpec, count: int) -> list[int]:
    """Return the rows that the models are asked about: all, or as many as are allowed, drawn."""
    if count <= spec.max_rows:
        return list(range(count))
    rng = generator(spec.seed, "rewrite")
    keys = [rng.random() for _ in range(count)]
    return sorted(sorted(range(count), key=keys.__getitem__)[: spec.max_rows])


def _words(
    spec: RewriteSpec, rows: Sequence[Row], numbers: Sequence[int], progress: Progress
) -> dict[int, dict[str, list[list[Any]]]]:
    """Return for each row the gaps that another word may fill, with these words."""
    gaps = [(number, *gap) for number in numbers for gap in gaps_of(rows[number], generator(spec.seed, str(number)))]
    questions = [{"text": text} for _number, _name, _span, _word, text in gaps]
    answers = _answers("fill-mask", spec, spec.words_dir, questions, {"mask": GAP, "max_tokens": 1}, progress)
    found: dict[int, dict[str, list[list[Any]]]] = {}
    for (number, name, span, word, _text), answer in zip(gaps, answers, strict=True):
        if others := fitting(word, answer["words"]):
            found.setdefault(number, {}).setdefault(name, []).append([*span, others])
    return found


def gaps_of(row: Row, rng: Random) -> Iterator[tuple[str, Span, str, str]]:
    """Yield (field, from and to, word, text with the gap) for words that another one may take the place of."""
    if "tokens" in row.question:
        words = row.question["tokens"]
        free = [(at, at + 1) for at in tagged.free_places((words, row.gold["tags"]))]
        for at, end in _drawn(rng, free):
            yield "tokens", (at, end), words[at], " ".join([*words[:at], GAP, *words[end:]])
        return
    text = row.question.get("text")
    if isinstance(text, str) and GAP not in text and "text2" not in row.question:
        for at, end in _drawn(rng, _free(text)):
            yield "text", (at, end), text[at:end], text[:at] + GAP + text[end:]


def _drawn(rng: Random, free: Sequence[Span]) -> list[Span]:
    return chosen(rng, free, min(SHARE, MAX_GAPS / len(free))) if free else []


def _free(text: str) -> list[Span]:
    """Return the words that may go; of Chinese, characters."""
    if script_of(text) != "han":
        return texts.free_words(text)
    kept = kept_spans(text)
    single = [(at, at + 1) for at, char in enumerate(text) if char.isalpha() and outside(at, kept)]
    return [span for span in single if not texts.is_negation(text[slice(*span)])]


def fitting(word: str, proposed: Sequence[str]) -> list[str]:
    """Return the proposals that are other words, none of which turns the sense around, written as large as the word."""
    others = [
        cased(other, word)
        for other in proposed
        if other.isalpha() and not texts.is_negation(other) and script_of(other) == script_of(word)
    ]
    return [other for other in dict.fromkeys(others) if other.lower() != word.lower()][:KEPT]


def _there_and_back(
    spec: RewriteSpec, rows: Sequence[Row], numbers: Sequence[int], progress: Progress
) -> dict[int, dict[str, str]]:
    """Return what comes back of the texts of each row, where it is not the text itself."""
    asked_for = [
        (number, name, text)
        for number in numbers
        for name in FIELDS
        if isinstance(text := rows[number].question.get(name), str) and text.strip() and len(text) <= LONGEST
    ]
    sent = list(dict.fromkeys(" ".join(text.split()) for _number, _name, text in asked_for))
    there = _translated(spec, spec.there_dir, sent, progress)
    back = dict(zip(sent, _translated(spec, spec.back_dir, there, progress), strict=True))
    found: dict[int, dict[str, str]] = {}
    for number, name, text in asked_for:
        plain = " ".join(text.split())
        if (other := back[plain]) and other != plain:
            found.setdefault(number, {})[name] = other
    return found


def _translated(spec: RewriteSpec, folder: str | None, sent: Sequence[str], progress: Progress) -> list[str]:
    """Return the translations, "" for what has none."""
    questions = [{"prompt": text, "source": text} for text in sent if text]
    settings = {"max_new_tokens": MOST_TOKENS}
    answers = iter(_answers("translation", spec, folder, questions, settings, progress))
    return [" ".join(next(answers)["text"].split()) if text else "" for text in sent]


def _answers(
    task_name: str,
    spec: RewriteSpec,
    folder: str | None,
    questions: list[Value],
    settings: dict[str, Any],
    progress: Progress,
) -> list[Value]:
    """Let a model answer as it answers a benchmark."""
    if not questions:
        return []
    task = find(task_name)
    chosen_settings = task.settings(settings)
    asked_spec = EvaluateSpec(
        task=task_name,
        model_dir=folder or "",
        inputs="",
        out_dir=spec.out_dir,
        settings=settings,
        seed=spec.seed,
        threads=spec.threads,
        device=spec.device,
    )
    family = importlib.import_module(task.answering).answer
    with sharing():
        found: list[Value] = family(
            task, asked_spec, chosen_settings, Questions([str(n) for n in range(len(questions))], questions), progress
        ).predictions
    return found
