"""The kinds of tasks that one's own examples can be of: which columns they have, and by what models are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leaderboard.task_kinds import KINDS


class Form(Enum):
    """What stands in a cell."""

    TEXT = "text"
    LABEL = "label"  # one name, or a number that stands for one
    NUMBER = "number"
    NAMES = "names"  # a list: JSON, or names with commas between them
    WORDS = "words"  # a list: JSON, or words with spaces between them
    ANSWERS = "answers"  # one or several that are right


@dataclass(frozen=True)
class Column:
    """A column that examples must have. `names` are what files often call it."""

    role: str
    label: str | Promise
    form: Form = Form.TEXT
    names: Sequence[str] = ()


@dataclass(frozen=True)
class ExampleTask:
    """A task with its columns; `primary` is a mean over examples where there is one, so that pairs can be tested."""

    columns: Sequence[Column]
    primary: str

    @property
    def target(self) -> Column:
        return self.columns[-1]


TEXTS = ("text", "sentence", "content", "review", "input", "文本", "句子")
LABELS = ("label", "class", "category", "sentiment", "target", "标签", "类别")
FIRST = ("sentence1", "text1", "premise", "question1", "first")
SECOND = ("sentence2", "text2", "hypothesis", "question2", "second")
ANSWERS = ("answer", "answers", "output", "target", "label")
_TEXT = Column("input", _("Text"), names=TEXTS)
_PAIR = (Column("input", _("First text"), names=FIRST), Column("input2", _("Second text"), names=SECOND))
TASKS: Mapping[str, ExampleTask] = {
    "text-classification": ExampleTask((_TEXT, Column("target", _("Label"), Form.LABEL, LABELS)), "accuracy"),
    "text-pair-classification": ExampleTask((*_PAIR, Column("target", _("Label"), Form.LABEL, LABELS)), "accuracy"),
    "multi-label-classification": ExampleTask(
        (_TEXT, Column("target", _("Labels"), Form.NAMES, ("labels", *LABELS))), "f1_samples"
    ),
    "text-regression": ExampleTask(
        (_TEXT, Column("target", _("Number"), Form.NUMBER, ("score", "value", *LABELS))), "mae"
    ),
    "token-classification": ExampleTask(
        (
            Column("input", _("Words"), Form.WORDS, ("tokens", "words", "text")),
            Column("target", _("Tags"), Form.WORDS, ("tags", "ner_tags", "labels")),
        ),
        "f1_entities",
    ),
    "question-answering": ExampleTask(
        (
            Column("input", _("Question"), names=("question", "query", "问题")),
            Column("context", _("Passage"), names=("context", "passage", "text", "文章")),
            Column("target", _("Answer"), Form.ANSWERS, ANSWERS),
        ),
        "f1",
    ),
    "sentence-similarity": ExampleTask(
        (*_PAIR, Column("target", _("Similarity"), Form.NUMBER, ("score", "similarity", "label"))), "spearman"
    ),
    "text-generation": ExampleTask(
        (
            Column("input", _("Question"), names=("question", "prompt", "input", "text")),
            Column("target", _("Answer"), Form.ANSWERS, ANSWERS),
        ),
        "exact_match",
    ),
    "translation": ExampleTask(
        (
            Column("input", _("Text"), names=("source", "text", "input")),
            Column("target", _("Translation"), names=("target", "translation", "output")),
        ),
        "chrf",
    ),
    "summarization": ExampleTask(
        (
            Column("input", _("Text"), names=("text", "document", "article", "input")),
            Column("target", _("Summary"), names=("summary", "highlights", "target", "output")),
        ),
        "rougeL",
    ),
}  # fmt: skip
assert set(TASKS) <= set(KINDS)
