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

MAX_TEXT = 200


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
    optional: bool = False  # it may be left out, which means that the engine decides
    tasks: tuple[str, ...] = ()

    def read(self, value: Any) -> Any:
        """Return a value within bounds, whole numbers as int; raises InvalidInput that names the option."""
        if value is None and (self.optional or self.default is None):
            return None
        if self.type == "bool":
            if isinstance(value, bool):
                return value
            raise self._refused(_("must be true or false"))
        if self.type == "choice":
            if value in self.choices:
                return value
            raise self._refused(_("must be one of: %(choices)s") % {"choices": ", ".join(self.choices)})
        if self.type == "text":
            if isinstance(value, str) and len(value) <= MAX_TEXT:
                return value
            raise self._refused(_("must be a text of at most %(max)d characters") % {"max": MAX_TEXT})
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
    merges: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)
    types: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)

    def refusal(self, model_type: str, task: str) -> str:
        """Return why the method does not fit, in English as the registry has it; "" where it does."""
        for key in (f"{model_type}/{task}", f"*/{task}", model_type):
            if key in self.refused:
                return self.refused[key]
        if self.types and model_type not in self.types:
            return "This method is not known to work on this architecture."
        return ""


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


def options() -> Mapping[str, Option]:
    """Return the options of a recipe in the order of the form."""
    return _registry()[0]


def methods() -> Mapping[str, Method]:
    """Return the methods by name."""
    return _registry()[1]


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
def families() -> Mapping[str, str]:
    """Return the family of each type of model that the engine knows: encoder, decoder, seq2seq or vision."""
    raw: Mapping[str, list[str]] = _read("tasks.toml")["families"]
    return {model_type: family for family, types in raw.items() for model_type in types}


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
def _registry() -> tuple[Mapping[str, Option], Mapping[str, Method]]:
    raw = _read("registry.toml")
    found = {name: _option(name, values) for name, values in raw.get("options", {}).items()}
    return found, {name: _method(name, values) for name, values in raw.get("methods", {}).items()}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(settings.TUNING_REGISTRY) / name).read_text(encoding="utf-8"))


def _option(name: str, values: Mapping[str, Any]) -> Option:
    known = {key: value for key, value in values.items() if key in Option.__dataclass_fields__}
    for key in ("choices", "tasks"):
        known[key] = tuple(known.get(key, ()))
    return Option(name=name, **known)


def _method(name: str, values: Mapping[str, Any]) -> Method:
    return Method(
        name=name,
        merges=bool(values.get("merges", False)),
        options={key: _option(key, value) for key, value in values.get("options", {}).items()},
        types=values.get("types", {}),
        refused=values.get("refused", {}),
    )


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
    )
