"""What the web process must know of the changes of texts that models are asked about. A test holds the engine equal."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STRENGTHS = ("light", "medium", "strong")
SINGLE_TEXTS = frozenset({"text-classification", "multi-label-classification"})
QUESTIONS = frozenset({"question-answering", "text-retrieval", "text-ranking"})
WHOLE_TEXTS = SINGLE_TEXTS | QUESTIONS | {"text-pair-classification", "text-regression", "sentence-similarity"}
TASKS = WHOLE_TEXTS | {"token-classification"}
# How many rows are asked again where eval.yaml says nothing.
ROWS = 200
ROWS_OF = {"question-answering": 100, "text-ranking": 50}


@dataclass(frozen=True)
class Perturbation:
    """One way to change a text, as pages name it."""

    title: str | Promise
    meaning: str | Promise
    tasks: frozenset[str]
    # A change after which the answer should be the same, and not merely could be.
    is_invariance: bool = False


PERTURBATIONS: dict[str, Perturbation] = {
    "keyboard": Perturbation(_("Neighbouring key"), _("a letter replaced by one beside it on the keyboard"), TASKS),
    "swap": Perturbation(_("Swapped"), _("two neighbouring letters or Chinese characters change places"), WHOLE_TEXTS),
    "drop": Perturbation(_("Left out"), _("a letter or a Chinese character is missing"), WHOLE_TEXTS),
    "insert": Perturbation(_("Typed twice"), _("a letter or a Chinese character too many"), WHOLE_TEXTS),
    "homophone": Perturbation(_("Same sound"), _("another Chinese character of the same sound"), TASKS),
    "near_shape": Perturbation(_("Like shape"), _("another Chinese character that looks alike"), TASKS),
    "lower_case": Perturbation(_("Small letters"), _("no capitals, as on a phone"), TASKS),
    "upper_case": Perturbation(_("Capitals"), _("all in capitals, as in headlines"), TASKS),
    "punctuation": Perturbation(_("No punctuation"), _("marks between sentences are left out"), WHOLE_TEXTS),
    "punctuation_width": Perturbation(
        _("Width of marks"), _("Chinese marks as narrow ones, or the other way round"), TASKS
    ),
    "spacing": Perturbation(_("Spacing"), _("a space is missing, doubled or between Chinese characters"), WHOLE_TEXTS),
    "digit_width": Perturbation(_("Width of digits"), _("digits as wide as Chinese characters"), TASKS),
    "other_script": Perturbation(_("Other script"), _("traditional characters for simplified ones, or back"), TASKS),
    "suffix": Perturbation(
        _("A sentence after it"), _("which has nothing to do with the text"), SINGLE_TEXTS, is_invariance=True
    ),
    "prefix": Perturbation(
        _("A sentence before it"), _("which has nothing to do with the text"), SINGLE_TEXTS, is_invariance=True
    ),
    "names": Perturbation(
        _("Other names"), _("the people in the text are called otherwise"), WHOLE_TEXTS - QUESTIONS, is_invariance=True
    ),
    "places": Perturbation(
        _("Other cities"), _("the text speaks of other cities"), WHOLE_TEXTS - QUESTIONS, is_invariance=True
    ),
}


def names_for(task: str) -> list[str]:
    """Return the perturbations that leave the right answers of a kind of task right."""
    return [name for name, perturbation in PERTURBATIONS.items() if task in perturbation.tasks]


def rows_for(task: str) -> int:
    """Return how many rows are asked again where a benchmark says nothing."""
    return ROWS_OF.get(task, ROWS)
