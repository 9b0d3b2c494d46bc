"""What a model that a run begins from must have, seen from its files without an engine."""

import json
from typing import Any

from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.models import Commit, Repo
from portal.errors import InvalidInput

CONFIG = "config.json"
MAX_CONFIG_BYTES = 1024 * 1024
TOKENIZERS = frozenset({"tokenizer.json", "vocab.txt", "vocab.json"})
WEIGHTS_SUFFIX = ".safetensors"


class NotTrainable(InvalidInput):
    """The model lacks something that a run needs; the code says what."""

    code = "not_trainable"


def config_of(base: Repo, commit: Commit) -> dict[str, Any]:
    """Return config.json of a model; raises NotTrainable."""
    try:
        entry = browsing.find(base, commit, CONFIG)
    except browsing.EntryNotFound:
        raise NotTrainable(
            _("%(model)s has no config.json, so nobody can tell what its weights are.") % {"model": base.full_name},
            code="missing_config",
        ) from None
    try:
        value = json.loads(browsing.read(base, entry, MAX_CONFIG_BYTES))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise NotTrainable(
            _("config.json of %(model)s is not a JSON object.") % {"model": base.full_name}, code="bad_config"
        )
    if value.get("auto_map"):
        raise NotTrainable(
            _("config.json asks for code of its own (auto_map), which is never run here. Use a built-in architecture."),
            code="custom_code",
        )
    return value


def model_type(base: Repo, commit: Commit) -> str:
    """Return the type of model that config.json names, "" where it names none."""
    named = config_of(base, commit).get("model_type")
    return named if isinstance(named, str) else ""


def heads_of(config: dict[str, Any]) -> list[str]:
    """Return the classes that config.json names, none where it names them in no list."""
    named = config.get("architectures")
    return [one for one in named if isinstance(one, str)] if isinstance(named, list) else []


def require_weights(base: Repo, commit: Commit, *, needs_tokenizer: bool) -> None:
    """Raise NotTrainable where weights or tokenizer are missing."""
    paths = set(browsing.items_below(base, commit))
    if not any(path.endswith(WEIGHTS_SUFFIX) for path in paths):
        raise NotTrainable(
            _("%(model)s has no weights as safetensors. Publish model.safetensors, or convert the weights first.")
            % {"model": base.full_name},
            code="missing_weights",
        )
    if needs_tokenizer and not TOKENIZERS & paths:
        raise NotTrainable(
            _("%(model)s has no tokenizer. Publish tokenizer.json too: tokenizer.push_to_hub() writes it.")
            % {"model": base.full_name},
            code="missing_tokenizer",
        )
