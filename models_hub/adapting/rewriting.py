"""Models that write training rows otherwise: what a wish says of them, and why one cannot be asked."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from models_hub.adapting import aids, bases, registry, texts
from models_hub.adapting.aids import Role
from models_hub.models import Commit, Repo
from portal.errors import InvalidInput

FILL, BACK = "augment_fill", "augment_back"
# Which models an option needs.
NEEDED = {FILL: (Role.WORDS,), BACK: (Role.THERE, Role.BACK)}
ROLES = tuple(str(role) for roles in NEEDED.values() for role in roles)


def read(values: Any, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return {role: {"model", "revision"}}, those that the recipe needs and no other; raises InvalidInput."""
    if not isinstance(values, Mapping) or not set(values) <= set(ROLES):
        raise _refused(_("“helpers” may name: %(roles)s.") % {"roles": ", ".join(ROLES)})
    for option, roles in NEEDED.items():
        for role in roles:
            if recipe.get(option) and role not in values:
                named = {
                    "label": texts.option_text(option).label, "option": option, "field": texts.HELPERS[role].label,
                    "role": role,
                }  # fmt: skip
                raise _refused(
                    _("“%(label)s” (%(option)s) needs a model: name one in “%(field)s” (helpers.%(role)s).") % named,
                    role,
                )
            if role in values and not recipe.get(option):
                raise _refused(
                    _("“%(role)s” of “helpers” is asked nothing without %(option)s.") % {"option": option, "role": role}
                )
    return {role: aids.read_named(values[role], role) for role in ROLES if role in values}


def check(role: str, model: Repo, commit: Commit) -> None:
    """Refuse a model that cannot do what it is named for."""
    config = bases.config_of(model, commit)
    bases.require_weights(model, commit, needs_tokenizer=True)
    if role == Role.WORDS:
        if not any(head.endswith("ForMaskedLM") for head in bases.heads_of(config)):
            raise _refused(
                _("%(model)s does not fill gaps: that takes a model that ends in ForMaskedLM.")
                % {"model": model.full_name},
                role,
            )
    elif registry.family(bases.model_type(model, commit)) != "seq2seq":
        raise _refused(
            _("%(model)s does not translate: that takes a model whose encoder reads the text, such as Marian.")
            % {"model": model.full_name},
            role,
        )


def _refused(message: str, role: str = "") -> InvalidInput:
    return InvalidInput(message, code="unfit_helper", data={"field": f"helpers.{role}" if role else "helpers"})
