"""Adapters alone: which model one is put on, and what both are together to an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from leaderboard import model_files
from leaderboard.models import Evaluation
from leaderboard.not_evaluable import NotEvaluable
from leaderboard.task_kinds import KINDS
from models_hub import adapters
from models_hub.browsing import Entry
from models_hub.models import Commit, Repo
from portal.models import Asker

# What `peft` calls the kinds of tasks, and the heads that they stand for; the rest writes with the base's own.
HEADS = {
    "SEQ_CLS": "ForSequenceClassification",
    "TOKEN_CLS": "ForTokenClassification",
    "QUESTION_ANS": "ForQuestionAnswering",
    "FEATURE_EXTRACTION": "Model",
}
# Kinds of task whose heads are trained with the adapter, and not those of the base.
OWN_HEADS = ("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForImageClassification")


@dataclass(frozen=True)
class Base:
    """The model that an adapter is put on, at the commit that is taken."""

    repo: Repo
    commit: Commit
    entries: list[Entry]


def base_of(model: Repo, entries: Sequence[Entry], reader: Asker) -> Base | None:
    """Return the base of an adapter, None for a whole model; raises NotEvaluable where the reader has none."""
    files = {entry.path: entry for entry in entries}
    if not adapters.is_adapter(files):
        return None
    try:
        found = adapters.base_of(model, adapters.read(model, files[adapters.CONFIG]), reader)
    except adapters.NoBase as error:
        raise NotEvaluable(error.message, code=error.code) from None
    return Base(found.repo, found.commit, model_files.entries_of(found.repo, found.commit))


def config_of(model: Repo, entries: Sequence[Entry], base: Base) -> dict[str, Any]:
    """Return config.json of the base as it is with the adapter on it: the head and labels are those of the adapter."""
    files = {entry.path: entry for entry in entries}
    own = {entry.path: entry for entry in base.entries}
    if model_files.CONFIG not in own or not any(model_files.are_weights(path) for path in own):
        raise NotEvaluable(
            _("%(name)s, which the adapter is put on, has no config.json or no weights as safetensors.")
            % {"name": base.repo.full_name},
            code="unusable_base",
        )
    whole = _read(base.repo, own[model_files.CONFIG])
    purpose = _read(model, files[adapters.PURPOSE]) if adapters.PURPOSE in files else {}
    head = _head(purpose, _read(model, files[adapters.CONFIG]))
    if not head:
        return whole
    labels = purpose.get("labels")
    changed: dict[str, Any] = {"architectures": [head], "problem_type": purpose.get("problem_type")}
    if isinstance(labels, list):
        changed["id2label"] = {str(number): label for number, label in enumerate(labels)}
    return whole | changed


def seen_base(evaluation: Evaluation, reader: Asker) -> Repo | None:
    """Return what an adapter was put on, where the reader may see it."""
    if evaluation.base_id is None:
        return None
    return Repo.objects.visible_to(reader).select_related("namespace").filter(pk=evaluation.base_id).first()


def _head(purpose: dict[str, Any], config: dict[str, Any]) -> str:
    """Return the class that base and adapter are together, "" for that of the base."""
    task = purpose.get("task")
    heads = KINDS[task].heads if isinstance(task, str) and task in KINDS else ()
    own = [head for head in heads if head in OWN_HEADS]
    named = config.get("task_type")
    head = own[0] if own else HEADS.get(named, "") if isinstance(named, str) and not heads else ""
    return f"Adapted{head}" if head else ""


def _read(repo: Repo, entry: Entry) -> dict[str, Any]:
    try:
        return adapters.read(repo, entry)
    except adapters.NoBase as error:
        raise NotEvaluable(error.message, code=error.code) from None
