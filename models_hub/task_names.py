"""The tasks that models and data sets are made for: the Hub's slugs, in the reader's words."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Task(NamedTuple):
    """What a person reads for a task, with an icon's name, and a first input to try a model of it with."""

    label: str | Promise
    icon: str
    example: str = "Hello!"


TASKS = {
    "text-classification": Task(_("Text classification"), "tags", "I love this film."),
    "token-classification": Task(_("Token classification"), "braces", "Ada Lovelace was born in London."),
    "question-answering": Task(_("Question answering"), "question-circle"),
    "fill-mask": Task(_("Fill mask"), "input-cursor-text", "Paris is the [MASK] of France."),
    "sentence-similarity": Task(_("Sentence similarity"), "intersect", "A sentence to embed."),
    "feature-extraction": Task(_("Feature extraction"), "grid-3x3", "A sentence to embed."),
    "zero-shot-classification": Task(_("Zero-shot classification"), "ui-checks"),
    "summarization": Task(_("Summarization"), "file-text", "A long text to shorten."),
    "translation": Task(_("Translation"), "translate", "Good morning!"),
    "text-generation": Task(_("Text generation"), "chat-left-text", "Once upon a time"),
    "text2text-generation": Task(_("Text-to-text generation"), "arrow-left-right", "Good morning!"),
    "multiple-choice": Task(_("Multiple choice"), "list-check"),
    "text-ranking": Task(_("Text ranking"), "sort-down"),
    "text-retrieval": Task(_("Text retrieval"), "search"),
}
# Tasks of other fields, which cards may name as well; written otherwise, they are slips of the pen.
ELSEWHERE = frozenset(
    """any-to-any audio-classification audio-text-to-text audio-to-audio automatic-speech-recognition depth-estimation
    document-question-answering graph-ml image-classification image-feature-extraction image-segmentation
    image-text-to-image image-text-to-text image-text-to-video image-to-3d image-to-image image-to-text image-to-video
    keypoint-detection mask-generation object-detection other reinforcement-learning robotics table-question-answering
    table-to-text tabular-classification tabular-regression tabular-to-text text-to-3d text-to-audio text-to-image
    text-to-speech text-to-video time-series-forecasting unconditional-image-generation video-classification
    video-text-to-text video-to-video visual-document-retrieval visual-question-answering voice-activity-detection
    zero-shot-image-classification zero-shot-object-detection""".split()
)
_OTHER_ICON = "circle-square"


def task_label(slug: str) -> str:
    """Return the words for a task; a slug that is not known here stays as it is."""
    return str(TASKS[slug].label) if slug in TASKS else slug


def task_icon(slug: str) -> str:
    return TASKS[slug].icon if slug in TASKS else _OTHER_ICON
