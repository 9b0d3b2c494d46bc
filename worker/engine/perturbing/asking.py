"""Which changed questions a model is asked beside those of a benchmark: some rows, each in every way that applies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.engine.contracts import RobustnessSpec, require
from worker.engine.perturbing.registry import FIELDS, PERTURBATIONS, perturb_question
from worker.engine.perturbing.scripts import Script, script_of
from worker.engine.tasks.task import Value

# What is asked where a benchmark names nothing: for each script a few of every kind, in the order of the page.
FIXED: dict[Script, tuple[str, ...]] = {
    "latin": ("keyboard", "swap", "drop", "lower_case", "upper_case", "punctuation", "spacing", "suffix", "names",
              "places"),
    "han": ("homophone", "near_shape", "swap", "drop", "punctuation", "punctuation_width", "spacing", "other_script",
            "suffix", "names", "places"),
    "other": (),
}  # fmt: skip
# How many rows are asked again: fewer where each of them is a passage to read, or a hundred candidates to judge.
ROWS = 200
ROWS_OF = {"question-answering": 100, "text-ranking": 50}


@dataclass(frozen=True)
class Changed:
    """The rows that were chosen, and of each perturbation which of them it changed, by their place among the chosen."""

    rows: list[int]
    changed: dict[str, list[int]]
    questions: list[Value]  # of one perturbation after the other, in the order of the rows


def ask_changed(task: str, ids: Sequence[str], questions: Sequence[Value], spec: RobustnessSpec) -> Changed:
    """Return the changed questions; one that a perturbation leaves as it is would be answered as before."""
    most = spec.rows or ROWS_OF.get(task, ROWS)
    spread = np.linspace(0, len(questions) - 1, min(len(questions), most))
    rows = [round(position) for position in spread.tolist()]
    found = Changed(rows, {}, [])
    for name in names_for(task, [questions[row] for row in rows], spec):
        places = []
        for place, row in enumerate(rows):
            asked = {"id": ids[row], **questions[row]}
            changed = perturb_question(name, task, asked, seed=spec.seed, strength=spec.strength)
            if changed != asked:
                places.append(place)
                found.questions.append({name: value for name, value in changed.items() if name != "id"})
        if places:
            found.changed[name] = places
    return found


def names_for(task: str, questions: Sequence[Value], spec: RobustnessSpec) -> list[str]:
    """Return the perturbations that leave the answers of the task right: those named, or those of the scripts."""
    if spec.perturbations is not None:
        for name in spec.perturbations:
            require(name in PERTURBATIONS, f'there is no perturbation "{name[:60]}"')
            require(task in PERTURBATIONS[name].tasks, f'"{name}" may change the right answers of {task[:60]}')
        return list(dict.fromkeys(spec.perturbations))
    scripts = {script_of(text) for question in questions for text in _texts(task, question)}
    names = dict.fromkeys(name for script in ("latin", "han") if script in scripts for name in FIXED[script])
    return [name for name in names if task in PERTURBATIONS[name].tasks]


def _texts(task: str, question: Value) -> list[str]:
    values = [question[field] for field in FIELDS.get(task, ()) if question.get(field)]
    return ["".join(value) if isinstance(value, list) else value for value in values]
