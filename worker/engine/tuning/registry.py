"""What `registry.toml` says: options of recipes, methods with theirs, and what each architecture takes. No torch."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from worker.engine.contracts import EngineError

HERE = Path(__file__).parent
# Of tasks whose models write with their embeddings: nothing that is trained for the task alone.
HEADLESS = ("text-generation", "language-modeling", "translation", "summarization", "fill-mask", "sentence-similarity")


@dataclass(frozen=True, kw_only=True)
class Option:
    """A value that a recipe, or a method, may be given."""

    type: str
    group: str = ""
    default: Any = None
    least: float | None = None
    most: float | None = None
    choices: list[str] = field(default_factory=list)
    log: bool = False
    tasks: list[str] | None = None

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with a value, None where nothing is."""
        if self.type == "choice":
            return None if value in self.choices else f"must be one of: {', '.join(self.choices)}"
        if self.type == "bool":
            return None if isinstance(value, bool) else "must be true or false"
        whole = self.type == "int"
        number = isinstance(value, int) or (isinstance(value, float) and not whole and math.isfinite(value))
        if isinstance(value, bool) or not number:
            return "must be a whole number" if whole else "must be a number"
        low, high = -math.inf if self.least is None else self.least, math.inf if self.most is None else self.most
        return None if low <= value <= high else f"must be {self.least} to {self.most}"


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to tune a model."""

    name: str
    group: str
    merges: bool
    needs: list[str] = field(default_factory=list)
    options: dict[str, Option] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options of the method, the defaults where none is given."""
        if unknown := sorted(set(given) - set(self.options)):
            known = ", ".join(self.options) or "none"
            raise EngineError(
                "bad_spec", f"{self.name} has no option {', '.join(unknown)[:100]}; its options are: {known}"
            )
        for name, value in given.items():
            if problem := self.options[name].problem(value):
                raise EngineError("bad_spec", f"{name} of {self.name} {problem}")
        return {name: given.get(name, option.default) for name, option in self.options.items()}


@cache
def read() -> dict[str, Any]:
    """Return the file as it stands."""
    return tomllib.loads((HERE / "registry.toml").read_text(encoding="utf-8"))


@cache
def tasks() -> dict[str, Any]:
    """Return the kinds of tasks as they stand in their file."""
    found: dict[str, Any] = tomllib.loads((HERE / "tasks.toml").read_text(encoding="utf-8"))["tasks"]
    return found


def options() -> dict[str, Option]:
    """Return the options of a recipe, in the order of the form."""
    return {name: Option(**value) for name, value in read()["options"].items()}


def methods() -> dict[str, Method]:
    """Return the methods, in the order of the form."""
    found = {}
    for name, raw in read()["methods"].items():
        value = dict(raw)
        own = value.pop("options", {})
        own = read()["methods"][own["like"]]["options"] if isinstance(own.get("like"), str) else own
        chosen = {key: Option(**option) for key, option in own.items()}
        found[name] = Method(name=name, options=chosen, **value)
    return found


def method(name: str) -> Method:
    """Return the method of that name."""
    known = methods()
    if name not in known:
        raise EngineError("bad_spec", f"method must be one of: {', '.join(known)}")
    return known[name]


def architecture(model_type: str) -> dict[str, Any]:
    """Return the facts of an architecture, empty where it is not known."""
    raw = dict(read()["architectures"].get(model_type, {}))
    like = raw.pop("like", None)
    return {**architecture(like), **raw} if like else raw


def refusal(name: str, model_type: str, task: str) -> str | None:
    """Return why a model cannot be tuned in this way for this task, None where it can."""
    facts = architecture(model_type)
    chosen = methods().get(name)
    if chosen is None:
        return f"There is no method {name[:60]}; the methods are: {', '.join(methods())}."
    if not facts:
        return f"Models of the type {model_type[:60]} cannot be tuned here."
    families = tasks()[task]["families"] if task in tasks() else []
    if facts["family"] not in families:
        wanted = " or ".join(families) or "no model at all"
        return f"{task[:60]} needs a model of another kind ({wanted}); {model_type} is of the kind {facts['family']}."
    for key in (f"{model_type}/{task}", f"{model_type}/*", f"*/{task}", f"{facts['family']}/*"):
        if key in chosen.refused:
            return chosen.refused[key]
    for need in chosen.needs:
        has = task not in HEADLESS if need == "head" else facts.get(need)
        if not has:
            reason: str = read()["needs"][need]["reason"]
            return reason
    return None
