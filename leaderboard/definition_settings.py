"""What an eval.yaml may set of a task, beside its labels: prompts, lengths, rules of scoring."""

import re
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from leaderboard.definition_values import Values, is_text

MAX_LABEL = 200
BOX_FORMATS = ("xywh", "xyxy")  # left, top, width, height as in COCO; or left, top, right, bottom
MAX_PROMPT, MAX_MARK, MAX_CHOICES, MAX_SHOTS = 4000, 64, 26, 32
MAX_STOPS = 16
BLEU_TOKENIZATIONS = ("13a", "intl", "zh", "char")
PLACE = re.compile(r"\{\w+\}")


def _prompt(values: Values, key: str = "prompt") -> str:
    """Return a text in which names in braces stand for columns; white space at its ends belongs to it."""
    wanted = _("text of at most %(limit)d characters with a column in braces, such as {input}") % {"limit": MAX_PROMPT}

    def fits(value: Any) -> bool:
        return is_text(value, MAX_PROMPT) and PLACE.search(value) is not None

    found: str = values.get(key, "{input}", fits, wanted)
    return found


def _mark(values: Values, key: str, default: str) -> str:
    """Return what stands between two texts: a space perhaps, or nothing."""
    wanted = _("text of at most %(limit)d characters, which may be spaces or empty") % {"limit": MAX_MARK}
    # A point before it, since text must not be white space alone.
    found: str = values.get(
        key, default, lambda value: isinstance(value, str) and is_text(f".{value}", MAX_MARK + 1), wanted
    )
    return found


def _stops(values: Values) -> list[str]:
    """Return the texts at which an answer ends; line breaks are written in double quotes."""
    wanted = _("a list of at most %(most)d texts of at most %(limit)d characters") % {
        "most": MAX_STOPS,
        "limit": MAX_MARK,
    }

    def fits(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) <= MAX_STOPS
            and all(value and is_text(f".{value}", MAX_MARK + 1) for value in value)
        )

    found: list[str] = values.get("until", ["\n"], fits, wanted)
    return found


def _language(values: Values, key: str) -> str:
    wanted = _("a code of two or three small letters, such as zh")

    def fits(value: Any) -> bool:
        return isinstance(value, str) and re.fullmatch("[a-z]{2,3}", value) is not None

    found: str = values.get(key, "", fits, wanted)
    return found


def _choices(values: Values) -> list[str]:
    wanted = _("a list of 2 to %(max)d texts (put yes, no, true and numbers in quotes)") % {"max": MAX_CHOICES}

    def fits(value: Any) -> bool:
        return (
            isinstance(value, list)
            and 2 <= len(value) <= MAX_CHOICES
            and all(is_text(choice, MAX_PROMPT) for choice in value)
        )

    found: list[str] = values.get("choices", [], fits, wanted)
    return found


# Settings of tasks beside labels and label map, and how each is read.
SETTINGS: dict[str, Callable[[Values], Any]] = {
    "box_format": lambda values: values.choice("box_format", BOX_FORMATS, default=BOX_FORMATS[0]),
    "threshold": lambda values: values.share("threshold", 0.5),
    "rules": lambda values: values.choice("rules", ("squad", "cmrc"), default="squad"),
    "no_answer": lambda values: values.flag("no_answer", default=False),
    "max_answer_length": lambda values: values.number("max_answer_length", 1, 512, default=30),
    "relevant_label": lambda values: values.text("relevant_label", MAX_LABEL, default=""),
    "prompt": lambda values: _prompt(values),
    "before_answer": lambda values: _mark(values, "before_answer", " "),
    "before_text": lambda values: _mark(values, "before_text", " "),
    "answers": lambda values: values.choice("answers", ("texts", "letters"), default="texts"),
    "choices": lambda values: _choices(values),
    "few_shot": lambda values: values.number("few_shot", 0, MAX_SHOTS, default=0),
    "mask": lambda values: values.text("mask", 40, default="[MASK]"),
    "max_tokens": lambda values: values.number("max_tokens", 1, 8, default=3),
    "until": lambda values: _stops(values),
    "max_new_tokens": lambda values: values.number("max_new_tokens", 1, 1024, default=128),
    "ignore_case": lambda values: values.flag("ignore_case", default=True),
    "ignore_punctuation": lambda values: values.flag("ignore_punctuation", default=True),
    "source_prompt": lambda values: _prompt(values, "source_prompt"),
    "bleu_tokenization": lambda values: values.choice("bleu_tokenization", BLEU_TOKENIZATIONS, default="13a"),
    "target_language": lambda values: _language(values, "target_language"),
    "rouge_tokenization": lambda values: values.choice("rouge_tokenization", ("words", "zh"), default="words"),
}
