"""Models that write: decoders that go on from a prompt, and models whose encoder reads the text first."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from worker.engine.answering import greedy
from worker.engine.answering.answers import Answers
from worker.engine.answering.linear_layers import multiply_with_onednn
from worker.engine.answering.measuring import described, latency, speed
from worker.engine.answering.rereading import Rereader
from worker.engine.batching import budget_on, plan_batches
from worker.engine.contracts import EngineError, EvaluateSpec
from worker.engine.inference import run_planned
from worker.engine.load import LoadedModel, load_model
from worker.engine.progress import Progress
from worker.engine.rows import Questions
from worker.engine.tasks.task import Value
from worker.engine.tasks.writing import WritingSettings, WritingTask
from worker.engine.tokenizing import check_ids

# Each step reads one token a row, so that more rows fit than where whole texts are read.
ROOM = 4
# A stop text may be spread over as many tokens as it has bytes.
BYTES_A_CHARACTER, SPARE_TOKENS = 4, 8


@dataclass(frozen=True)
class Asked:
    """What a model reads for a question."""

    ids: list[int]
    truncated: bool


def answer(
    task: WritingTask[Any], spec: EvaluateSpec, settings: WritingSettings, questions: Questions, progress: Progress
) -> Answers:
    """Let the model write an answer to every question."""
    model = load_model(spec.model_dir, heads=task.heads, dtype=spec.dtype, device=spec.device)
    multiply_with_onednn(model.model)
    hand = Hand(model, settings, model.max_length(spec.max_length))
    if model.config.has_encoder:
        prompts = task.sources(questions.values)
    else:
        prompts = task.prompts(questions.values, questions.context.get("train", []), settings, spec.seed)
    progress.report(0.05, "tokenising", always=True)
    started = time.perf_counter()
    asked = [hand.read(prompt) for prompt in prompts]
    found: list[Value] = [{} for _ in prompts]

    def write(batch: list[int]) -> None:
        for index, value in zip(batch, hand.write([asked[index].ids for index in batch]), strict=True):
            found[index] = value

    room = ROOM * budget_on(model.device.type, spec.token_budget)
    run_planned(
        model.device,
        plan_batches([len(row.ids) + settings.max_new_tokens for row in asked], room),
        write,
        done=lambda count: progress.report(0.1 + 0.8 * count / len(prompts), f"{count} of {len(prompts)} texts"),
    )
    seconds = time.perf_counter() - started
    progress.report(0.9, "measuring latency", always=True)

    def answer_one(prompt: str) -> None:
        run_planned(model.device, [[0]], lambda batch: discard(hand.write([hand.read(prompt).ids])))

    report = {
        "truncated_rows": sum(row.truncated for row in asked),
        "max_length": hand.max_length,
        "chat_template": "not applied",
        **speed(seconds, len(prompts)),
        "latency": latency(prompts, answer_one),
        **described(model),
    }
    return Answers(predictions=found, report=report)


def discard(_answers: object) -> None:
    """Forget what was only timed."""


class Hand:
    """A loaded model that reads prompts and writes answers within the settings of a benchmark."""

    def __init__(self, model: LoadedModel, settings: WritingSettings, max_length: int) -> None:
        self._model = model
        self._settings = settings
        self.max_length = max_length
        # A decoder reads and writes in the same window.
        self._room = max_length if model.config.has_encoder else max_length - settings.max_new_tokens
        if self._room < 1 or settings.max_new_tokens >= model.config.position_limit:
            raise EngineError(
                "unsupported_architecture",
                f"The model reads and writes at most {max_length} tokens, and the benchmark leaves "
                f"{settings.max_new_tokens} of them to an answer. It needs a model with a longer context.",
            )
        self._ends = ends_of(model)
        most = max((len(stop) for stop in settings.until), default=0)
        self._window = BYTES_A_CHARACTER * most + SPARE_TOKENS

    def read(self, prompt: str) -> Asked:
        """Return the tokens of a prompt: of one that is too long the end, of a source for an encoder the beginning."""
        if self._model.config.has_encoder:
            [tokens] = self._model.tokenizer.tokenize(
                [prompt], max_length=self._room, vocab_size=self._model.vocab_size, filler=self._model.pad_id or 0
            )
            return Asked(tokens.ids, tokens.truncated)
        ids = self._model.tokenizer.encode(prompt) or [self._model.pad_id or 0]
        check_ids(ids, self._model.vocab_size)
        return Asked(ids[-self._room :], len(ids) > self._room)

    def write(self, rows: Sequence[list[int]]) -> list[Value]:
        """Return an answer to each of the rows."""
        written = greedy.write(
            self._writer(rows), len(rows), most=self._settings.max_new_tokens, ends=self._ends, stops=self._stops()
        )
        return [{"text": self._text(ids), "tokens": len(ids), "stopped": stopped} for ids, stopped in written]

    def _writer(self, rows: Sequence[list[int]]) -> greedy.Writer:
        model, filler = self._model, self._model.pad_id or 0
        rereads = getattr(model.model, "rereads", False)
        if rereads and not model.config.has_encoder:
            return Rereader(model, rows, start=None, first_token=None)
        if rereads:
            first = first_token_of(model, getattr(self._settings, "target_language", ""))
            return Rereader(model, rows, start=start_of(model), first_token=first)
        if not model.config.has_encoder:
            return greedy.Decoder(model.model, rows, filler=filler)
        return greedy.EncoderDecoder(
            model.model,
            rows,
            filler=filler,
            start=start_of(model),
            first_token=first_token_of(model, getattr(self._settings, "target_language", "")),
            # Marian begins with the token for padding, and would write it for ever.
            never=model.pad_id if model.config.config.model_type == "marian" else None,
        )

    def _stops(self) -> Callable[[list[int]], bool]:
        until = self._settings.until

        def has_stop(ids: list[int]) -> bool:
            text = self._model.tokenizer.written(ids)
            return any(stop in text for stop in until)

        def stops(ids: list[int]) -> bool:
            # Only the last tokens are looked at, and all of them where one may be there.
            return has_stop(ids[-self._window :]) and has_stop(ids)

        return stops if until else lambda ids: False

    def _text(self, ids: list[int]) -> str:
        text = self._model.tokenizer.written(ids)
        # One after the other, as lm-eval does.
        for stop in self._settings.until:
            text = text.partition(stop)[0]
        return text[: self._settings.max_characters]


def ends_of(model: LoadedModel) -> frozenset[int]:
    """Return the tokens that end a text: those of config.json and that of the tokenizer."""
    stated = getattr(model.config.config, "eos_token_id", None)
    several = stated if isinstance(stated, list) else [stated]
    return frozenset(token for token in (*several, model.tokenizer.eos) if type(token) is int)


def start_of(model: LoadedModel) -> int:
    """Return the token that the decoder begins with."""
    for name in ("decoder_start_token_id", "pad_token_id", "bos_token_id"):
        token = getattr(model.config.config, name, None)
        if type(token) is int and 0 <= token < model.vocab_size:
            return token
    raise EngineError("bad_config", "config.json has no decoder_start_token_id: what the decoder begins with.")


def first_token_of(model: LoadedModel, language: str) -> int | None:
    """Return the token that every answer must begin with, if there is one: mBART names the language by it."""
    if model.config.config.model_type == "mbart" and language:
        vocabulary = model.tokenizer.tokenizer.get_vocab(with_added_tokens=True)
        codes = sorted(token for token in vocabulary if re.fullmatch(rf"{re.escape(language)}_[A-Z]{{2}}", token))
        # The older mBART has the language as the very start instead.
        if codes and vocabulary[codes[0]] != start_of(model):
            return int(vocabulary[codes[0]])
    token = getattr(model.config.config, "forced_bos_token_id", None)
    return token if type(token) is int and 0 <= token < model.vocab_size else None
