"""What all tasks have in common in which a model writes: how it is asked, where it ends, and what it hands back."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from worker.engine.contracts import EngineError, require
from worker.engine.records import Record, is_encodable
from worker.engine.tasks import prompting
from worker.engine.tasks.task import Task, Value, bad_gold, refused

# Decoders, and models with an encoder and a decoder.
HEADS = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "MTModel")
INPUT = "{input}"
MAX_STOPS, MAX_STOP = 16, 64
MAX_NEW_TOKENS = 1024
MAX_REFERENCES = 64
# Tokens of real vocabularies stand for four characters on average; a hostile one may hold whole books in a token.
CHARACTERS_A_TOKEN, FREE_CHARACTERS = 16, 1000
STOPPED = ("end", "stop", "length")


@dataclass(frozen=True, kw_only=True)
class WritingSettings:
    """How a question becomes a prompt and where an answer ends.

    `{column}` in a prompt stands for a column of the row. Solved examples of the file `train` stand before the
    question, `before_answer` between the prompt of an example and its answer. Models with an encoder were trained for
    their task on the text itself: they read `source_prompt` where the kind of task has one, and no examples.
    """

    prompt: str = INPUT
    few_shot: int = 0
    before_answer: str = " "
    until: list[str] = field(default_factory=lambda: ["\n"])
    max_new_tokens: int = 128

    def __post_init__(self) -> None:
        prompting.check_prompt(self.prompt)
        prompting.check_before("before_answer", self.before_answer)
        prompting.check_shots(self.few_shot)
        require(len(self.until) <= MAX_STOPS, f"until must be a list of at most {MAX_STOPS} texts")
        require(all(0 < len(stop) <= MAX_STOP for stop in self.until), f"until: texts of 1 to {MAX_STOP} characters")
        require(1 <= self.max_new_tokens <= MAX_NEW_TOKENS, f"max_new_tokens must be 1 to {MAX_NEW_TOKENS}")

    @property
    def max_characters(self) -> int:
        """How long an answer may be."""
        return FREE_CHARACTERS + CHARACTERS_A_TOKEN * self.max_new_tokens


W = TypeVar("W", bound=WritingSettings)


class WritingTask(Task[W]):
    """A text goes in, and a text of the model's own words comes out, always the likeliest token after the other."""

    files = {"train": False}
    # One text may take seconds, and none should be written twice.
    turn_rows = 64
    heads = HEADS
    more_gold: tuple[str, ...] = ()  # what `beside` returns
    answering = "worker.engine.answering.generator"

    def read(self, record: Record, settings: W) -> tuple[Value, Value]:
        """Return what is asked, and every answer that counts as right."""
        prompt = prompting.filled(settings.prompt, record)
        question = {"prompt": prompt, **self.source(record, settings, prompt)}
        return question, {"answers": answers_of(record, "target"), **self.beside(record)}

    def source(self, record: Record, settings: W, prompt: str) -> Value:
        """Return what models with an encoder read instead of the prompt."""
        return {}

    def beside(self, record: Record) -> Value:
        """Return what of the question the scorer needs."""
        return {}

    def read_extra(self, role: str, record: Record, settings: W) -> Value:
        """Return a solved example."""
        answer = answers_of(record, "target")[0]
        return {"text": prompting.filled(settings.prompt, record) + settings.before_answer + answer}

    def prompts(self, questions: Sequence[Value], examples: Sequence[Value], settings: W, seed: int) -> list[str]:
        """Return what a decoder is to go on from: the examples, the same for every question, and the question."""
        if settings.few_shot and not examples:
            raise EngineError("bad_spec", "few_shot needs a file “train” with the examples")
        shots = prompting.shots(examples, settings.few_shot, seed, None)
        return [prompting.with_shots(shots, row["prompt"]) for row in questions]

    def sources(self, questions: Sequence[Value]) -> list[str]:
        """Return what an encoder reads."""
        parts = (slice(*row["part"]) if "part" in row else slice(None) for row in questions)
        return [str(row.get("source", row["prompt"][part])) for row, part in zip(questions, parts, strict=True)]

    def check_gold(self, value: Value, settings: W) -> Value:
        """Return the right answers, each a text."""
        if set(value) != {"answers", *self.more_gold} or not are_texts(value["answers"]) or not value["answers"]:
            raise bad_gold("it has no list of answers")
        return self.checked_beside(value)

    def checked_beside(self, value: Value) -> Value:
        """Return a reference whose further parts are checked too."""
        return value

    def max_row_bytes(self, settings: W) -> int:
        """Return the room for the longest answer, every character of it a control character."""
        return 256 + 6 * settings.max_characters

    def check(self, value: Value, gold: Value, settings: W) -> Value:
        """Return the answer, its length in tokens and why it ends."""
        if set(value) != {"text", "tokens", "stopped"}:
            raise refused("must have exactly id, text, tokens and stopped")
        text, tokens = value["text"], value["tokens"]
        if not isinstance(text, str) or len(text) > settings.max_characters or not is_encodable(text):
            raise refused(f"must have a text of at most {settings.max_characters} characters")
        if type(tokens) is not int or not 0 <= tokens <= settings.max_new_tokens:
            raise refused(f"must have 0 to {settings.max_new_tokens} tokens")
        if value["stopped"] not in STOPPED:
            raise refused(f"must have stopped at one of: {', '.join(STOPPED)}")
        return value

    def digest_part(self, prediction: Value) -> str:
        """Return the text."""
        text: str = prediction["text"]
        return text

    def pretend(self, numbers: Iterator[float], question: Value, settings: W) -> Value:
        """Return a word of the question."""
        words = question["prompt"].split()
        return {
            "text": words[int(next(numbers) * len(words))][: settings.max_characters],
            "tokens": 1,
            "stopped": "end",
        }

    @staticmethod
    def texts(predictions: Sequence[Value]) -> list[str]:
        """Return the answers without the space around them."""
        return [row["text"].strip() for row in predictions]

    @abstractmethod
    def signatures(self, settings: W) -> dict[str, str]:
        """Return how the measures were computed, as their own libraries say it."""

    def details(self, predictions: Sequence[Value], settings: W) -> dict[str, Any]:
        """Return how long the answers are, why they end, and how they were measured."""
        tokens = np.array([row["tokens"] for row in predictions])
        stopped = [row["stopped"] for row in predictions]
        return {
            "writing": {
                "tokens_mean": float(tokens.mean()),
                "tokens_median": float(np.median(tokens)),
                "tokens_most": int(tokens.max()),
                "max_new_tokens": settings.max_new_tokens,
                "empty": sum(not text for text in self.texts(predictions)),
                **{f"stopped_{name}": stopped.count(name) for name in STOPPED},
            },
            "signatures": self.signatures(settings),
        }


def source_of(record: Record, source_prompt: str, prompt: str) -> Value:
    """Return a text for an encoder: where it stands in the prompt, if it does, for most of a question is that text."""
    source = prompting.filled(source_prompt, record)
    at = prompt.find(source)
    return {"source": source} if at < 0 else {"part": [at, at + len(source)]}


def answers_of(record: Record, role: str) -> list[str]:
    """Return every right answer of a line: a text, a number, or a list of texts."""
    value = record.get(role)
    if isinstance(value, list):
        return record.texts(role, most=MAX_REFERENCES)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [str(value)]
    return [record.text(role)]


def are_texts(value: object) -> bool:
    """Say whether it is a list of texts that can be written."""
    return isinstance(value, list) and all(isinstance(text, str) and is_encodable(text) for text in value)
