"""Whether a model's files fit a kind of task: what could only fail is refused before a job is made, with a reason."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from leaderboard import adapters, model_files
from leaderboard.adapters import Base
from leaderboard.not_evaluable import NotEvaluable
from leaderboard.task_kinds import KINDS, Kind
from models_hub import browsing
from models_hub.browsing import Entry
from models_hub.models import Commit, Repo

MAX_CONFIG_BYTES = 1024 * 1024
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
# A model without a head; what is left behind where modules.json says that the body makes vectors of sentences.
BODY = "Model"
NO_BODY = ("HeadModel", "HeadsModel")
LEFT_BEHIND = ("ForMaskedLM", "ForPreTraining", "ForCausalLM", "LMHeadModel")


def check_evaluable(model: Repo, commit: Commit, entries: Sequence[Entry], task: str, base: Base | None = None) -> None:
    """Raise NotEvaluable when the files alone show that an evaluation must fail; an adapter comes with its base."""
    config = _config_of(model, entries, base)
    entries = [*entries, *(base.entries if base else [])]
    _check_config(config, task, {entry.path for entry in entries})
    _check_files(model, commit, entries, KINDS[task])


def fitting_kinds(model: Repo, commit: Commit, entries: Sequence[Entry], base: Base | None = None) -> list[str]:
    """Return the kinds of task that the model can be evaluated on; raises NotEvaluable when there are none."""
    config = _config_of(model, entries, base)
    entries = [*entries, *(base.entries if base else [])]
    fitting: list[str] = []
    refusal: NotEvaluable | None = None
    for task in KINDS:
        try:
            _check_config(config, task, {entry.path for entry in entries})
        except NotEvaluable as error:
            refusal = refusal or error
        else:
            fitting.append(task)
    if refusal is not None and not fitting:
        raise refusal
    # No head is for texts and for images, so that all of them need the same files.
    _check_files(model, commit, entries, KINDS[fitting[0]])
    return fitting


def _config_of(model: Repo, entries: Sequence[Entry], base: Base | None) -> dict[str, Any]:
    if not model.is_model:
        raise NotEvaluable(_("This is a data set; only models can be evaluated."), code="not_a_model")
    if base is not None:
        return adapters.config_of(model, entries, base)
    files = {entry.path: entry for entry in entries}
    if model_files.CONFIG not in files:
        raise NotEvaluable(
            _("config.json is missing. Publish the model with save_pretrained() or push_to_hub(), which write it."),
            code="missing_config",
        )
    return _read_config(model, files[model_files.CONFIG])


def _check_files(model: Repo, commit: Commit, entries: Sequence[Entry], kind: Kind) -> None:
    paths = {entry.path for entry in entries}
    if kind.reads_images and model_files.PREPROCESSOR not in paths:
        raise NotEvaluable(
            _("preprocessor_config.json is missing. Publish it too: image_processor.push_to_hub() writes it."),
            code="missing_preprocessor",
        )
    if not kind.reads_images and not model_files.TOKENIZERS & paths:
        raise NotEvaluable(
            _("The tokenizer is missing. Publish tokenizer.json too: tokenizer.push_to_hub() writes it."),
            code="missing_tokenizer",
        )
    if not any(model_files.are_weights(path) for path in paths):
        _refuse_weights(model, commit)


def _read_config(model: Repo, entry: Entry) -> dict[str, Any]:
    if entry.size > MAX_CONFIG_BYTES:
        raise NotEvaluable(_("config.json is larger than any real one."), code="bad_config")
    try:
        value = json.loads(browsing.read(model, entry, MAX_CONFIG_BYTES))
    except (ValueError, RecursionError) as error:
        raise NotEvaluable(
            _("config.json is not JSON: %(why)s") % {"why": str(error)[:100]}, code="bad_config"
        ) from error
    if not isinstance(value, dict):
        raise NotEvaluable(_("config.json must hold a JSON object."), code="bad_config")
    return value


def _check_config(config: dict[str, Any], task: str, paths: Collection[str]) -> None:
    if config.get("auto_map"):
        raise NotEvaluable(
            _("config.json asks for code of its own (auto_map), which is never run here. Use a built-in architecture."),
            code="custom_code",
        )
    kind = KINDS[task]
    declared = config.get("architectures")
    names = [name for name in declared if isinstance(name, str)] if isinstance(declared, list) else []
    if not _has_head(names, kind, paths):
        raise NotEvaluable(
            (
                _(
                    "config.json declares %(declared)s as architecture; this benchmark needs one that ends in "
                    "%(head)s. Save the model with sentence-transformers, or its body alone with AutoModel."
                )
                if BODY in kind.heads
                else _(
                    "config.json declares %(declared)s as architecture; this benchmark needs one that ends in "
                    "%(head)s. Fine-tune the model for this task first."
                )
            )
            % {
                "declared": ", ".join(names)[:100] or pgettext("declared as architecture", "none"),
                "head": " / ".join(kind.heads),
            },
            code="wrong_architecture",
        )
    _check_type(config, kind)
    if not all(name.endswith(BODY) for name in names):
        _check_outputs(config, kind)


def _check_type(config: dict[str, Any], kind: Kind) -> None:
    """Refuse encoders under the name of a decoder: they would load and give a number that means nothing."""
    model_type = config.get("model_type")
    if kind.model_types and isinstance(model_type, str) and model_type not in kind.model_types:
        raise NotEvaluable(
            _(
                "config.json says that the model is of type %(stated)s; this benchmark needs one that predicts the "
                "next token of running text: %(known)s."
            )
            % {"stated": model_type[:60], "known": ", ".join(kind.model_types)},
            code="wrong_architecture",
        )


def _has_head(names: Sequence[str], kind: Kind, paths: Collection[str]) -> bool:
    """Say whether one of the declared classes ends as the kind of task needs it."""
    heads = [head for head in kind.heads if head != BODY]
    if any(name.endswith(head) for name in names for head in heads):
        return True
    # Where the author's modules.json says that the body makes vectors of sentences, its head is left behind.
    left_behind = LEFT_BEHIND if model_files.MODULES in paths else ()
    bodies = [name for name in names if name.endswith(BODY) and not name.endswith(NO_BODY)]
    return BODY in kind.heads and (bool(bodies) or any(name.endswith(left_behind) for name in names))


def _check_outputs(config: dict[str, Any], kind: Kind) -> None:
    """Refuse a head of the right name that was trained for something else, where config.json says so."""
    stated = config.get("problem_type")
    if isinstance(stated, str) and kind.problem_types and stated not in kind.problem_types:
        raise NotEvaluable(
            _("config.json says that the model is for %(stated)s; this benchmark needs a model for %(wanted)s.")
            % {"stated": stated[:60], "wanted": " / ".join(kind.problem_types)},
            code="wrong_problem_type",
        )
    labels = config.get("id2label")
    count = len(labels) if isinstance(labels, dict) else config.get("num_labels", 2)
    if kind.most_outputs is not None and count > kind.most_outputs:
        raise NotEvaluable(
            _("This benchmark needs a model with at most %(n)d outputs; this one has %(count)d.")
            % {"n": kind.most_outputs, "count": count},
            code="wrong_outputs",
        )
    if kind.outputs is not None and count != kind.outputs:
        raise NotEvaluable(
            ngettext(
                "This benchmark needs a model with one output, trained with num_labels=1.",
                "This benchmark needs a model with %(n)d outputs, trained with num_labels=%(n)d.",
                kind.outputs,
            )
            % {"n": kind.outputs},
            code="wrong_outputs",
        )


def _refuse_weights(model: Repo, commit: Commit) -> None:
    names = browsing.items_below(model, commit)
    if any(name.endswith(PICKLES) for name in names):
        raise NotEvaluable(
            _("The weights are only there as a format that can run code. Publish them as model.safetensors."),
            code="unsafe_weights",
        )
    raise NotEvaluable(
        _("model.safetensors is missing. save_pretrained() writes it beside config.json."), code="missing_weights"
    )
