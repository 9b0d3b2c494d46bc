"""A question with several answers to choose from: the model takes the one that it finds the most likely."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any, Literal

import numpy as np

from worker.engine.contracts import EngineError, require
from worker.engine.measures.likelihood import choice_accuracy, chosen
from worker.engine.records import Record
from worker.engine.tasks import prompting
from worker.engine.tasks.likelihoods import (
    Asked,
    Found,
    LikelihoodTask,
    checked_likelihood,
    group_of,
    is_group,
    rounded,
    shares_by_group,
)
from worker.engine.tasks.task import Measure, Measured, Role, Value, bad_gold, refused

MAX_CHOICES = len(ascii_uppercase)
MAX_CHOICE = 20_000
METRICS = ("acc", "acc_norm", "acc_bytes")


@dataclass(frozen=True, kw_only=True)
class ChoiceSettings:
    """How a question is put. The names of lm-eval for the same: doc_to_text, target_delimiter, num_fewshot."""

    # `{column}` stands for a column of the row and `{choices}` for the answers with their letters, one in a line.
    prompt: str = "{input}"
    before_answer: str = " "
    # Whether the model continues with the text of an answer or with its letter.
    answers: Literal["texts", "letters"] = "texts"
    # The same answers for all rows, where rows have none of their own.
    choices: list[str] = field(default_factory=list)
    few_shot: int = 0

    def __post_init__(self) -> None:
        prompting.check_prompt(self.prompt)
        prompting.check_before("before_answer", self.before_answer)
        prompting.check_shots(self.few_shot)
        if self.choices:
            require(2 <= len(self.choices) <= MAX_CHOICES, f"settings.choices must be 2 to {MAX_CHOICES} texts")
            require(all(choice.strip() for choice in self.choices), "settings.choices must not be empty texts")
        lettered = self.answers == "letters"
        shown = "{choices}" in self.prompt
        require(shown or not lettered, "settings.prompt must show {choices} where the answers are letters")


class MultipleChoice(LikelihoodTask[ChoiceSettings]):
    """MMLU, HellaSwag, ARC and their like."""

    name = "multiple-choice"
    roles = {
        "input": Role(default="question"),
        "choices": Role(default="choices", required=False),
        "target": Role(default="answer"),
        "group": Role(default="subject", required=False),
    }
    files: Mapping[str, bool] = {"train": False}
    settings_type = ChoiceSettings
    measures = tuple(Measure(name, "proportion") for name in METRICS)
    default_primary = "acc"

    def read(self, record: Record, settings: ChoiceSettings) -> tuple[Value, Value]:
        """Return the question as it is put and its answers, and which of them is right."""
        prompt, texts, answers = _put(record, settings)
        right = _right(record, texts)
        longest = max(range(len(texts)), key=lambda at: len(texts[at]))
        group = group_of(record)
        question = {"prompt": prompt, "choices": answers, **group}
        return question, {"answer": right, "choices": answers, "longest": longest, **group}

    def read_extra(self, role: str, record: Record, settings: ChoiceSettings) -> Value:
        """Return a question with its right answer, as a model sees it before the one that it is asked."""
        prompt, texts, answers = _put(record, settings)
        return {"text": prompt + settings.before_answer + answers[_right(record, texts)], **group_of(record)}

    def asked(self, question: Value, examples: Sequence[Value], settings: ChoiceSettings, seed: int) -> list[Asked]:
        """Return each answer behind the question and the examples before it."""
        if settings.few_shot and not examples:
            raise EngineError("bad_spec", "few_shot needs a file “train” with the examples")
        before = prompting.shots(examples, settings.few_shot, seed, question.get("group"))
        context = prompting.with_shots(before, question["prompt"])
        return [Asked(settings.before_answer + choice, context) for choice in question["choices"]]

    def answer(self, found: Sequence[Found]) -> Value:
        """Return how likely each answer is."""
        return {"log_likelihoods": [rounded(one.log_likelihood) for one in found]}

    def check_gold(self, value: Value, settings: ChoiceSettings) -> Value:
        """Return the right answer among all."""
        choices = value.get("choices")
        if not {"answer", "choices", "longest"} <= set(value) <= {"answer", "choices", "longest", "group"}:
            raise bad_gold("it has not exactly an answer and its choices")
        if not isinstance(choices, list) or not 2 <= len(choices) <= MAX_CHOICES:
            raise bad_gold("it has no list of choices")
        if not all(isinstance(choice, str) and choice for choice in choices) or not is_group(value.get("group", "-")):
            raise bad_gold("it has a choice that is no text")
        if any(type(value[key]) is not int or not 0 <= value[key] < len(choices) for key in ("answer", "longest")):
            raise bad_gold("its answer is none of the choices")
        return value

    def max_row_bytes(self, settings: ChoiceSettings) -> int:
        """Return the room for a number for each choice."""
        return 1024 + 32 * MAX_CHOICES

    def check(self, value: Value, gold: Value, settings: ChoiceSettings) -> Value:
        """Return one likelihood for each choice."""
        given = value.get("log_likelihoods")
        if set(value) != {"log_likelihoods"} or not isinstance(given, list):
            raise refused("must have exactly id and log_likelihoods")
        if len(given) != len(gold["choices"]):
            raise refused(f"must have {len(gold['choices'])} log_likelihoods, one for each choice")
        return {"log_likelihoods": [checked_likelihood(one) for one in given]}

    def digest_part(self, prediction: Value) -> int:
        """Return the choice: how likely it is moves in the seventh digit from one machine to the next."""
        return int(np.argmax(prediction["log_likelihoods"]))

    def pretend(self, numbers: Iterator[float], question: Value, settings: ChoiceSettings) -> Value:
        """Return a likelihood for each choice."""
        return {"log_likelihoods": [rounded(-20 * next(numbers)) for _choice in question["choices"]]}

    def measure(self, golds: Sequence[Value], predictions: Sequence[Value], settings: ChoiceSettings) -> Measured:
        """Return how often the right answer is taken, by the three rules of lm-eval."""
        right = [row["answer"] for row in golds]
        picks = [
            chosen(answer["log_likelihoods"], gold["choices"]) for gold, answer in zip(golds, predictions, strict=True)
        ]
        items = choice_accuracy(right, picks)
        return Measured(
            items=items,
            details=shares_by_group(items["acc"], golds),
            floors={
                "chance": _floor(float(np.mean([1 / len(row["choices"]) for row in golds]))),
                "longest": _floor(float(np.mean([row["longest"] == row["answer"] for row in golds]))),
                "position": _floor(float(np.bincount(right).max()) / len(right)),
            },
        )


def _floor(share: float) -> dict[str, Any]:
    return {"metrics": dict.fromkeys(METRICS, share)}


def _put(record: Record, settings: ChoiceSettings) -> tuple[str, list[str], list[str]]:
    """Return the prompt of a row, the texts of its answers, and what the model continues with."""
    texts = settings.choices or record.texts("choices", least=2, most=MAX_CHOICES)
    if any(len(text) > MAX_CHOICE for text in texts):
        raise record.bad("choices", f"must hold texts of at most {MAX_CHOICE} characters")
    letters = list(ascii_uppercase[: len(texts)])
    lettered = "\n".join(f"{letter}. {text}" for letter, text in zip(letters, texts, strict=True))
    prompt = prompting.filled(settings.prompt, record, {"choices": lettered})
    return prompt, texts, letters if settings.answers == "letters" else texts


def _right(record: Record, texts: list[str]) -> int:
    """Return which answer is right: the file may hold its position from 0, its letter or its text."""
    value = record.get("target")
    readings: set[int] = set()
    if type(value) is int:
        readings = {value}
    elif isinstance(value, str):
        value = value.strip()
        readings = {at for at, text in enumerate(texts) if text.strip() == value}
        if len(value) == 1 and value in ascii_uppercase:
            readings.add(ascii_uppercase.index(value))
        elif not readings and value.isascii() and value.isdigit() and len(value) < 3:
            readings = {int(value)}
    if len(readings) > 1:
        raise record.bad("target", f"is {value[:80]!r}, which may mean several choices: write the position from 0")
    if not readings or not 0 <= (at := readings.pop()) < len(texts):
        raise record.bad("target", f"is {str(value)[:80]!r}, which is none of the {len(texts)} choices")
    return at
