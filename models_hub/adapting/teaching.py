"""A model that a run learns from beside the labels: what a wish says of it, and why one cannot be asked."""

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.adapting import aids, bases, registry
from models_hub.adapting.aids import MODEL, REVISION
from models_hub.models import Commit, Repo
from portal.errors import InvalidInput

TEACHER, RUN, KEEP_LAYERS = "teacher", "run", "keep_layers"
TOKENIZER = "tokenizer.json"
# Of tokenizer.json: what decides which tokens a text becomes, as the engine compares it.
TELLING = ("model", "normalizer", "pre_tokenizer", "added_tokens")
# Larger ones are compared by the engine.
MAX_TOKENIZER_BYTES = 4 * 1024**2
MULTI_LABEL = "multi-label-classification"


def read(values: Any) -> dict[str, Any]:
    """Return {"model" or "run", "revision", and the options that differ}; raises InvalidInput."""
    options = registry.teaching()
    known = {MODEL, RUN, REVISION, *options}
    if not isinstance(values, Mapping) or not set(values) <= known:
        raise _refused(_("“teacher” may have: %(names)s.") % {"names": ", ".join(sorted(known))})
    if (values.get(MODEL) is None) == (values.get(RUN) is None):
        raise _refused(_("Name the teacher: a model, or the number of a run whose result it is."))
    found: dict[str, Any] = {}
    if values.get(RUN) is not None:
        if type(values[RUN]) is not int or not 0 < values[RUN] < 2**63:
            raise _refused(_("“%(name)s” must be a whole number.") % {"name": RUN})
        found[RUN] = values[RUN]
    else:
        found[MODEL] = aids.read_name(values[MODEL], TEACHER)
        found[REVISION] = aids.read_revision(values, TEACHER)
    chosen = {name: option.read(values.get(name, option.default)) for name, option in options.items()}
    return found | {name: value for name, value in chosen.items() if value != options[name].default}


def options_of(teacher: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the teacher is listened to, as the engine reads it."""
    return {name: value for name, value in teacher.items() if name in registry.teaching()}


def check_fits(task: registry.Task, recipe: Mapping[str, Any]) -> None:
    """Refuse what no teacher could teach; no repository is looked at."""
    if not task.distils:
        fitting = ", ".join(name for name, one in registry.tasks().items() if one.distils)
        raise _refused(_("This kind of task has no classes that a teacher could tell of; those that have: %(known)s.")
                       % {"known": fitting})  # fmt: skip
    if registry.find_method(recipe.get("method", "full")).group == "prompt":
        raise _refused(_("Invented tokens shift the rows, so that a teacher cannot be asked. Choose another method."))
    for name in ("mixup", "few_rows"):
        if recipe.get(name):
            raise _refused(_("%(name)s: cannot be together with a teacher.") % {"name": name})


def check(wish: Any, base: tuple[Repo, Commit] | None, teacher: Repo, commit: Commit) -> list[str]:
    """Refuse a teacher of another task, other tokens or other labels; return the labels that the student gets."""
    task = registry.find_task(wish.task)
    config = bases.config_of(teacher, commit)
    kind = bases.model_type(teacher, commit)
    bases.require_weights(teacher, commit, needs_tokenizer=True)
    _check_head(teacher, config, task)
    if wish.architecture and wish.architecture["model_type"] != kind:
        raise _refused(
            _("The teacher is of type “%(type)s”: a new model that learns from it must be of the same type.")
            % {"type": kind[:60]}
        )
    if base is not None and base[0] != teacher:
        _check_tokens(base, (teacher, commit))
    if not task.has_labels:
        return []
    labels = _labels(config)
    if wish.labels and wish.labels != labels:
        raise _refused(
            _("The labels must be those of the teacher in their order: %(labels)s.")
            % {"labels": ", ".join(labels)[:300]}
        )
    return labels


def _check_head(teacher: Repo, config: dict[str, Any], task: registry.Task) -> None:
    heads = bases.heads_of(config)
    is_multi = config.get("problem_type") == "multi_label_classification"
    fits = any(head.endswith(task.distils) for head in heads)
    if not fits or (task.distils == "ForSequenceClassification" and is_multi != (task.name == MULTI_LABEL)):
        raise _refused(
            _("%(model)s has not learned this kind of task, so it cannot teach it.") % {"model": teacher.full_name}
        )


def _labels(config: Mapping[str, Any]) -> list[str]:
    named = config.get("id2label")
    try:
        pairs = sorted((int(key), str(label)) for key, label in named.items()) if isinstance(named, dict) else []
    except ValueError:
        pairs = []
    if not pairs:
        raise _refused(_("config.json of the teacher names no labels (id2label)."))
    return [label for _number, label in pairs]


def _check_tokens(base: tuple[Repo, Commit], teacher: tuple[Repo, Commit]) -> None:
    mine, theirs = (_tokens(*one) for one in (base, teacher))
    if mine is not None and theirs is not None and mine != theirs:
        raise _refused(
            _("%(teacher)s reads other tokens than %(base)s. Both need the same tokenizer: begin from a model of the "
              "same family, or from some layers of the teacher.")
            % {"teacher": teacher[0].full_name, "base": base[0].full_name}
        )  # fmt: skip


def _tokens(repo: Repo, commit: Commit) -> Any:
    """Return what of a tokenizer counts, None where the engine has to look."""
    try:
        entry = browsing.find(repo, commit, TOKENIZER)
        if entry.is_folder or entry.size > MAX_TOKENIZER_BYTES:
            return None
        found = json.loads(browsing.read(repo, entry, MAX_TOKENIZER_BYTES))
    except (browsing.EntryNotFound, ValueError, RecursionError):
        return None
    return {name: found.get(name) for name in TELLING} if isinstance(found, dict) else None


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, code="unfit_teacher", data={"field": TEACHER})
