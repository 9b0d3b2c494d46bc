"""Adapters alone: which model one is put on, and what both are together to an evaluation."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from leaderboard import model_files
from leaderboard.models import Evaluation
from leaderboard.not_evaluable import NotEvaluable
from leaderboard.task_kinds import KINDS
from models_hub import browsing, describing, former_names
from models_hub.browsing import Entry
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.permissions import can_download
from portal.errors import NotFound
from portal.models import Asker

MAX_CONFIG_BYTES = 1024 * 1024
MAX_NAMES = 8
NAME, REVISION = "base_model_name_or_path", "revision"
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
    if not model_files.is_adapter(files):
        return None
    config = _read(model, files[model_files.ADAPTER_CONFIG])
    names = list(dict.fromkeys(_names(model, config)))[:MAX_NAMES]
    found = former_names.found_by(names, among=Repo.objects.visible_to(reader).filter(kind=Repo.Kind.MODEL))
    repos = [found[name.lower()] for name in names if name.lower() in found]
    repo = next((repo for repo in repos if repo != model and can_download(reader, repo)), None)
    if repo is None:
        raise NotEvaluable(
            _("These files are an adapter alone, and the model that it is put on, %(name)s, is not here for you to "
              "read. Publish the base here, or the adapter merged into it.")
            % {"name": ", ".join(names)[:200] or "–"},
            code="missing_base",
        )  # fmt: skip
    commit = _commit(repo, config)
    return Base(repo, commit, model_files.entries_of(repo, commit))


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
    purpose = _read(model, files[model_files.ADAPTER_PURPOSE]) if model_files.ADAPTER_PURPOSE in files else {}
    head = _head(purpose, _read(model, files[model_files.ADAPTER_CONFIG]))
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


def _names(model: Repo, config: dict[str, Any]) -> Iterator[str]:
    if isinstance(named := config.get(NAME), str):
        yield named
    yield from describing.base_models(model.card, model.config)


def _commit(repo: Repo, config: dict[str, Any]) -> Commit:
    revision = config.get(REVISION)
    try:
        return browsing.resolve_revision(repo, revision if isinstance(revision, str) and revision else DEFAULT_BRANCH)
    except NotFound:
        raise NotEvaluable(
            _("The adapter is for version %(revision)s of %(name)s, which is not here.")
            % {"revision": str(revision)[:60], "name": repo.full_name},
            code="missing_base",
        ) from None


def _read(repo: Repo, entry: Entry) -> dict[str, Any]:
    value: Any = None
    if entry.size <= MAX_CONFIG_BYTES:
        try:
            value = json.loads(browsing.read(repo, entry, MAX_CONFIG_BYTES))
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise NotEvaluable(
            _("%(path)s of %(name)s is not a JSON object.") % {"path": entry.path, "name": repo.full_name},
            code="bad_config",
        )
    return value
