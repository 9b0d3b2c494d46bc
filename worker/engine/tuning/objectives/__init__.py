"""How models learn each kind of task. The modules import torch, and are loaded only for their task."""

import importlib

from worker.engine.contracts import EngineError
from worker.engine.tuning.contracts import Recipe
from worker.engine.tuning.objectives.objective import Objective

_HERE = "worker.engine.tuning.objectives"
# A task is named here once its module is there.
OBJECTIVES = {
    "text-classification": "classifying.Classifying",
    "text-pair-classification": "classifying.Classifying",
    "multi-label-classification": "several_labels.SeveralLabels",
    "text-regression": "regressing.Regressing",
    "token-classification": "tagging.Tagging",
    "question-answering": "span_finding.SpanFinding",
    "text-generation": "writing.Writing",
    "language-modeling": "running_text.RunningText",
    "translation": "writing.Writing",
    "summarization": "writing.Writing",
    "sentence-similarity": "comparing.Comparing",
    "fill-mask": "hidden_words.HiddenWords",
    "image-classification": "seeing.Seeing",
}
# What a recipe may ask for instead.
FEW_ROWS = dict.fromkeys(("text-classification", "text-pair-classification"), "few_rows.FewRows")


def find(task: str, recipe: Recipe | None = None) -> type[Objective]:
    """Return how a task is learned."""
    if task not in OBJECTIVES:
        raise EngineError("bad_spec", f"models can be trained for: {', '.join(OBJECTIVES)}")
    few_rows = recipe is not None and recipe.few_rows
    if few_rows and task not in FEW_ROWS:
        raise EngineError("bad_spec", f"few_rows is possible for: {', '.join(FEW_ROWS)}")
    module, _, name = (FEW_ROWS if few_rows else OBJECTIVES)[task].partition(".")
    found: type[Objective] = getattr(importlib.import_module(f"{_HERE}.{module}"), name)
    return found
