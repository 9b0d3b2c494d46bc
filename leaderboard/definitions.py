"""eval.yaml: what it may say. Every refusal names the key and what would be right."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from leaderboard.engine_facts import MAX_LABELS, METRICS, RANKABLE
from leaderboard.models import Benchmark
from models_hub import cards
from portal.errors import InvalidInput

KEYS = frozenset(
    """version name name_zh description description_zh task split fields labels label_map primary metrics max_length
    seed bootstrap license test_is_public""".split()
)
MAX_NAME, MAX_DESCRIPTION, MAX_LABEL, MAX_FIELD = 120, 5000, 200, 100
MAX_PATH = 1024
DEFAULT_METRICS = ("accuracy", "precision_macro", "recall_macro", "f1_macro", "mcc")


class DefinitionRefused(InvalidInput):
    """eval.yaml cannot be used as it is."""

    code = "bad_definition"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A benchmark as its author describes it."""

    version: int
    name: str
    name_zh: str
    description: str
    description_zh: str
    task: str
    split_path: str
    fields: dict[str, str]
    labels: list[str]
    label_map: dict[str, str]
    primary_metric: str
    metrics: list[str]
    max_length: int | None
    seed: int
    bootstrap: int
    license: str
    test_is_public: bool


def parse(raw: str) -> Definition:
    """Read an eval.yaml without trusting it; raises DefinitionRefused or CardRefused."""
    value = cards.read_yaml(raw)
    if not isinstance(value, dict):
        raise DefinitionRefused(_("eval.yaml must hold “key: value” lines."))
    if unknown := sorted(set(value) - KEYS):
        raise _refused(unknown[0], _("is not known. Known keys: %(keys)s") % {"keys": ", ".join(sorted(KEYS))})
    return _read(_Reader(value))


def _read(reader: "_Reader") -> Definition:
    labels = reader.labels()
    return Definition(
        version=reader.number("version", 1, 100_000),
        name=reader.text("name", MAX_NAME),
        name_zh=reader.text("name_zh", MAX_NAME, default=""),
        description=reader.text("description", MAX_DESCRIPTION, default=""),
        description_zh=reader.text("description_zh", MAX_DESCRIPTION, default=""),
        task=reader.choice("task", Benchmark.Task.values),
        split_path=reader.split_path(),
        fields=reader.fields(),
        labels=labels,
        label_map=reader.label_map(labels),
        primary_metric=reader.choice("primary", RANKABLE, default="f1_macro"),
        metrics=reader.metrics(),
        max_length=reader.number("max_length", 8, 8192, default=None),
        seed=reader.number("seed", 0, 2**32 - 1, default=0),
        bootstrap=reader.number("bootstrap", 100, 100_000, default=2000),
        license=reader.text("license", 80, default=""),
        test_is_public=reader.flag("test_is_public", default=True),
    )


_REQUIRED: Any = object()


class _Reader:
    """Reads values of a mapping, each with its limits."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value

    def _get(self, key: str, default: Any, fits: Callable[[Any], bool], wanted: str) -> Any:
        found = self._value.get(key)
        if found is None:
            if default is _REQUIRED:
                raise _refused(key, _("is missing; it must be %(wanted)s") % {"wanted": wanted})
            return default
        if not fits(found):
            raise _refused(key, _("must be %(wanted)s, not %(found)s") % {"wanted": wanted, "found": _shown(found)})
        return found

    def text(self, key: str, limit: int, default: Any = _REQUIRED) -> str:
        wanted = _("text of at most %(limit)d characters") % {"limit": limit}
        found: str = self._get(key, default, lambda value: _is_text(value, limit), wanted)
        return found.strip()

    def number(self, key: str, least: int, most: int, default: Any = _REQUIRED) -> Any:
        wanted = _("a whole number from %(least)d to %(most)d") % {"least": least, "most": most}
        return self._get(key, default, lambda value: type(value) is int and least <= value <= most, wanted)

    def flag(self, key: str, *, default: bool) -> bool:
        found: bool = self._get(key, default, lambda value: isinstance(value, bool), _("true or false"))
        return found

    def choice(self, key: str, known: Any, default: Any = _REQUIRED) -> str:
        wanted = _("one of: %(known)s") % {"known": ", ".join(known)}
        found: str = self._get(key, default, lambda value: isinstance(value, str) and value in known, wanted)
        return found

    def labels(self) -> list[str]:
        wanted = _("a list of 2 to %(max)d different names (put yes, no, true and numbers in quotes)") % {
            "max": MAX_LABELS
        }
        found: list[str] = self._get("labels", _REQUIRED, _are_labels, wanted)
        return found

    def label_map(self, labels: list[str]) -> dict[str, str]:
        wanted = _("a mapping from the model's labels to labels of this benchmark")

        def fits(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and len(value) <= MAX_LABELS
                and all(isinstance(label, str) and label in labels for label in value.values())
                and all(_is_text(own, MAX_LABEL) for own in value)
            )

        found: dict[str, str] = self._get("label_map", {}, fits, wanted)
        return found

    def metrics(self) -> list[str]:
        wanted = _("a list of: %(known)s") % {"known": ", ".join(METRICS)}

        def fits(value: Any) -> bool:
            return (
                isinstance(value, list)
                and bool(value)
                and all(isinstance(name, str) and name in METRICS for name in value)
                and len(set(value)) == len(value)
            )

        found: list[str] = self._get("metrics", list(DEFAULT_METRICS), fits, wanted)
        return found

    def fields(self) -> dict[str, str]:
        wanted = _("a mapping with “input”, “target” and perhaps “input2”, each the name of a column")

        def fits(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and {"input", "target"} <= set(value) <= {"input", "input2", "target"}
                and all(_is_text(name, MAX_FIELD) for name in value.values())
                and len(set(value.values())) == len(value)
            )

        found: dict[str, str] = self._get("fields", {"input": "text", "target": "label"}, fits, wanted)
        return found

    def split_path(self) -> str:
        wanted = _("a mapping with “path”, the data file in this repository")

        def fits(value: Any) -> bool:
            return isinstance(value, dict) and set(value) == {"path"} and _is_text(value["path"], MAX_PATH)

        found: dict[str, str] = self._get("split", _REQUIRED, fits, wanted)
        return found["path"]


def _is_text(value: Any, limit: int) -> bool:
    """Say whether the value is text that a database and a page can hold: YAML may spell NUL and half a character."""
    if not isinstance(value, str) or not value.strip() or len(value) > limit or "\x00" in value:
        return False
    return not any("\ud800" <= char <= "\udfff" for char in value)


def _are_labels(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 2 <= len(value) <= MAX_LABELS
        and all(_is_text(label, MAX_LABEL) and label == label.strip() for label in value)
        and len(set(value)) == len(value)
    )


def _shown(value: Any) -> str:
    return repr(value)[:80]


def _refused(key: str, what: str) -> DefinitionRefused:
    key = key[:60].encode("utf-8", "replace").decode()
    return DefinitionRefused(_("eval.yaml: “%(key)s” %(what)s.") % {"key": key, "what": what}, data={"key": key})
