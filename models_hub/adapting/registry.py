"""What the engine can train and how, read from its files: this process imports no engine.

The files are `registry.toml` (options of a recipe, methods) and `tasks.toml` in the folder that the settings name.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from portal.errors import InvalidInput

# Kinds of tasks whose models write with their embeddings: there is no head to train alone.
HEADLESS = ("text-generation", "language-modeling", "translation", "summarization", "fill-mask", "sentence-similarity")


@dataclass(frozen=True, kw_only=True)
class Option:
    """One value that a person may choose."""

    name: str
    group: str = ""
    type: str
    default: Any = None
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    log: bool = False
    tasks: tuple[str, ...] = ()

    def read(self, value: Any) -> Any:
        """Return a value within bounds, whole numbers as int; raises InvalidInput that names the option."""
        if value is None and self.default is None:  # left to the engine
            return None
        if self.type == "bool":
            if isinstance(value, bool):
                return value
            raise self._refused(_("must be true or false"))
        if self.type == "choice":
            if value in self.choices:
                return value
            raise self._refused(_("must be one of: %(choices)s") % {"choices": ", ".join(self.choices)})
        return self._number(value)

    def _number(self, value: Any) -> float | int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._refused(_("must be a number"))
        if self.type == "int" and value != int(value):
            raise self._refused(_("must be a whole number"))
        if (self.least is not None and value < self.least) or (self.most is not None and value > self.most):
            bounds = {"least": self.least, "most": self.most}
            raise self._refused(_("must be %(least)s to %(most)s") % bounds)
        return int(value) if self.type == "int" else float(value)

    def _refused(self, what: str) -> InvalidInput:
        return InvalidInput(f"{self.name}: {what}", code="invalid_option", data={"option": self.name})


@dataclass(frozen=True, kw_only=True)
class Method:
    """What of a model changes while it learns."""

    name: str
    group: str
    merges: bool
    needs: tuple[str, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A kind of task that a model can be trained for."""

    name: str
    columns: Mapping[str, str]  # role -> default column, "" for none
    optional: frozenset[str]  # roles that may be absent
    has_labels: bool
    families: tuple[str, ...]
    metric: str
    lower_is_better: bool
    distils: str  # the head that a teacher must have, "" where nothing can be learned from one
    # What is usual instead where a model begins from random numbers, by options of a recipe and by sizes.
    scratch_recipe: Mapping[str, Any]
    scratch_sizes: Mapping[str, Any]


def find_method(name: str) -> Method:
    """Return a method by its name; raises InvalidInput that names those there are."""
    try:
        return methods()[name]
    except KeyError:
        known = ", ".join(methods())
        raise InvalidInput(
            _("There is no method “%(name)s”; there are: %(known)s.") % {"name": name[:60], "known": known}
        ) from None


@cache
def tasks() -> Mapping[str, Task]:
    """Return the kinds of tasks by name."""
    return {name: _task(name, values) for name, values in _read("tasks.toml")["tasks"].items()}


@cache
def architectures() -> Mapping[str, Mapping[str, Any]]:
    """Return the facts of each type of model that the engine knows, its "family" among them."""
    raw = _raw()["architectures"]
    return {name: _facts(raw, name) for name in raw}


def family(model_type: str) -> str:
    """Return encoder, decoder, seq2seq or vision, "" for a type that the engine does not know."""
    return str(architectures().get(model_type, {}).get("family", ""))


def refusal(method: Method, model_type: str, task: str) -> str:
    """Return why a model of this type cannot be tuned so for a task, in English; "" where it can.

    The same as `refusal` of the engine's registry, for types that fit the task; a test holds both equal.
    """
    facts = architectures()[model_type]
    for key in (f"{model_type}/{task}", f"{model_type}/*", f"*/{task}", f"{facts['family']}/*"):
        if key in method.refused:
            return method.refused[key]
    for need in method.needs:
        if not (task not in HEADLESS if need == "head" else facts.get(need)):
            return str(_raw()["needs"][need]["reason"])
    return ""


def find_task(name: str) -> Task:
    """Return a kind of task by its name; raises InvalidInput that names those there are."""
    try:
        return tasks()[name]
    except KeyError:
        known = ", ".join(tasks())
        raise InvalidInput(
            _("No model can be trained for “%(name)s” here; the kinds of tasks are: %(known)s.")
            % {"name": name[:60], "known": known}
        ) from None


@cache
def options() -> Mapping[str, Option]:
    """Return the options of a recipe in the order of the form."""
    return {name: _option(name, values) for name, values in _raw()["options"].items()}


@cache
def teaching() -> Mapping[str, Option]:
    """Return the options of learning from a teacher."""
    return {name: _option(name, values) for name, values in _raw()["teaching"].items()}


@cache
def hardenings() -> Mapping[str, Mapping[str, Option]]:
    """Return the options of each attack while learning."""
    found = _raw()["hardenings"].items()
    return {kind: {name: _option(name, values) for name, values in own.items()} for kind, own in found}


def is_possible(hardening: str, task: str) -> bool:
    """Say whether an attack fits a kind of task; what no option of it restricts fits all."""
    return all(not option.tasks or task in option.tasks for option in hardenings().get(hardening, {}).values())


@cache
def methods() -> Mapping[str, Method]:
    """Return the methods by name, in the order of the form."""
    return {name: _method(name, values) for name, values in _raw()["methods"].items()}


@cache
def _raw() -> dict[str, Any]:
    return _read("registry.toml")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(settings.TUNING_REGISTRY) / name).read_text(encoding="utf-8"))


def _option(name: str, values: Mapping[str, Any]) -> Option:
    known = {key: value for key, value in values.items() if key in Option.__dataclass_fields__}
    for key in ("choices", "tasks"):
        known[key] = tuple(known.get(key, ()))
    return Option(name=name, **known)


def _method(name: str, values: Mapping[str, Any]) -> Method:
    own = values.get("options", {})
    if isinstance(own.get("like"), str):
        own = _raw()["methods"][own["like"]]["options"]
    return Method(
        name=name,
        group=values["group"],
        merges=bool(values["merges"]),
        needs=tuple(values.get("needs", ())),
        options={key: _option(key, value) for key, value in own.items()},
        refused=values.get("refused", {}),
    )


def _facts(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    own = dict(raw[name])
    like = own.pop("like", None)
    return {**_facts(raw, like), **own} if like else own


def _task(name: str, values: Mapping[str, Any]) -> Task:
    columns = {role.removesuffix("?"): column for role, column in values["columns"].items()}
    return Task(
        name=name,
        columns=columns,
        optional=frozenset(role.removesuffix("?") for role in values["columns"] if role.endswith("?")),
        has_labels=bool(values.get("has_labels", False)),
        families=tuple(values["families"]),
        metric=values["metric"],
        lower_is_better=bool(values.get("down", False)),
        distils=values.get("distils", ""),
        scratch_recipe=values.get("scratch", {}).get("recipe", {}),
        scratch_sizes=values.get("scratch", {}).get("sizes", {}),
    )
