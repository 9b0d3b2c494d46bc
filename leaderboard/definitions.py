"""eval.yaml: what it may say. Every refusal names the key and what would be right."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from leaderboard import perturbations
from leaderboard.definition_settings import MAX_LABEL, SETTINGS
from leaderboard.definition_values import REQUIRED, DefinitionRefused, Values, is_text, refused
from leaderboard.engine_facts import MAX_LABELS, MAX_ROBUSTNESS_ROWS, MAX_SLICE_COLUMNS
from leaderboard.task_kinds import KINDS, Kind
from models_hub import cards

KEYS = frozenset(
    """version name name_zh description description_zh task split fields primary metrics max_length seed bootstrap
    license test_is_public robustness slices""".split()
)
# What the same file says to the Hugging Face Hub; of it only `field_spec` is taken, where `fields` says nothing.
KEYS_OF_THE_HUB = frozenset({"evaluation_framework", "tasks"})
MAX_NAME, MAX_DESCRIPTION, MAX_FIELD = 120, 5000, 100
MAX_PATH = 1024


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
    files: dict[str, str]
    fields: dict[str, str]
    settings: dict[str, Any]
    labels: list[str]
    label_map: dict[str, str]
    primary_metric: str
    metrics: list[str]
    max_length: int | None
    seed: int
    bootstrap: int
    license: str
    test_is_public: bool
    robustness: dict[str, Any]
    slices: list[str]


def parse(raw: str) -> Definition:
    """Read an eval.yaml without trusting it; raises DefinitionRefused or CardRefused."""
    value = cards.read_yaml(raw)
    if not isinstance(value, dict):
        raise DefinitionRefused(_("eval.yaml must hold “key: value” lines."))
    task = _Reader(value).choice("task", KINDS)
    kind = KINDS[task]
    known = KEYS | set(kind.settings) | ({"files"} if kind.files else set())
    if unknown := sorted(set(value) - known - KEYS_OF_THE_HUB):
        raise refused(unknown[0], _("is not known. Known keys: %(keys)s") % {"keys": ", ".join(sorted(known))})
    definition = _read(_Reader(value), kind)
    _check_together(definition)
    return definition


def _check_together(definition: Definition) -> None:
    """Refuse settings that fit each by itself and not with another."""
    settings = definition.settings
    if settings.get("few_shot") and "train" not in definition.files:
        raise refused("few_shot", _("needs examples: name a data file “train” under “files”"))
    if settings.get("answers") == "letters" and "{choices}" not in settings["prompt"]:
        raise refused("prompt", _("must show {choices} where the answers are letters"))


def _read(reader: "_Reader", kind: Kind) -> Definition:
    labels = reader.labels(kind) if "labels" in kind.settings else []
    return Definition(
        version=reader.number("version", 1, 100_000),
        name=reader.text("name", MAX_NAME),
        name_zh=reader.text("name_zh", MAX_NAME, default=""),
        description=reader.text("description", MAX_DESCRIPTION, default=""),
        description_zh=reader.text("description_zh", MAX_DESCRIPTION, default=""),
        task=kind.name,
        split_path=reader.split_path(),
        files=reader.files(kind),
        fields=reader.fields(kind),
        settings={name: read(reader) for name, read in SETTINGS.items() if name in kind.settings},
        labels=labels,
        label_map=reader.label_map(labels) if "label_map" in kind.settings else {},
        primary_metric=reader.choice("primary", kind.rankable, default=kind.default_primary),
        metrics=reader.metrics(kind),
        max_length=reader.number("max_length", 8, 8192, default=None),
        seed=reader.number("seed", 0, 2**32 - 1, default=0),
        bootstrap=reader.number("bootstrap", 100, 100_000, default=2000),
        license=reader.text("license", 80, default=""),
        test_is_public=reader.flag("test_is_public", default=True),
        robustness=reader.robustness(kind),
        slices=reader.columns("slices", MAX_SLICE_COLUMNS),
    )


class _Reader(Values):
    """Reads the keys that every definition has."""

    def labels(self, kind: Kind) -> list[str]:
        wanted = _("a list of %(min)d to %(max)d different names (put yes, no, true and numbers in quotes)") % {
            "min": kind.least_labels,
            "max": MAX_LABELS,
        }
        if kind.are_tags:
            wanted = _("a list of the tags of IOB2: O, and for each type of entity B- and I- with its name")

        def fits(value: Any) -> bool:
            return _are_labels(value) and len(value) >= kind.least_labels

        found: list[str] = self.get("labels", REQUIRED, _are_tags if kind.are_tags else fits, wanted)
        return found

    def label_map(self, labels: list[str]) -> dict[str, str]:
        wanted = _("a mapping from the model's labels to labels of this benchmark")

        def fits(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and len(value) <= MAX_LABELS
                and all(isinstance(label, str) and label in labels for label in value.values())
                and all(is_text(own, MAX_LABEL) for own in value)
            )

        found: dict[str, str] = self.get("label_map", {}, fits, wanted)
        return found

    def metrics(self, kind: Kind) -> list[str]:
        wanted = _("a list of: %(known)s") % {"known": ", ".join(kind.metric_names)}

        def fits(value: Any) -> bool:
            return (
                isinstance(value, list)
                and bool(value)
                and all(isinstance(name, str) and name in kind.metric_names for name in value)
                and len(set(value)) == len(value)
            )

        found: list[str] = self.get("metrics", kind.default_metrics, fits, wanted)
        return found

    def fields(self, kind: Kind) -> dict[str, str]:
        required = {role for role, what in kind.roles.items() if what.required}
        wanted = _("a mapping from each of %(roles)s to the name of a column") % {"roles": _listed(kind, required)}

        def fits(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and required <= set(value) <= set(kind.roles)
                and all(is_text(name, MAX_FIELD) for name in value.values())
                and len(set(value.values())) == len(value)
            )

        default = self._field_spec(kind, fits) or kind.default_fields
        found: dict[str, str] = self.get("fields", default if required <= set(default) else REQUIRED, fits, wanted)
        return found

    def _field_spec(self, kind: Kind, fits: Callable[[Any], bool]) -> dict[str, str] | None:
        """Return the columns that the file names to the Hugging Face Hub, where it names all that are needed."""
        tasks = self.raw.get("tasks")
        first = tasks[0] if isinstance(tasks, list) and tasks else None
        named = first.get("field_spec") if isinstance(first, dict) else None
        if not isinstance(named, dict):
            return None
        own = {role: name for role, name in named.items() if role in kind.roles}
        return own if fits(own) else None

    def files(self, kind: Kind) -> dict[str, str]:
        names = ", ".join(kind.files)
        wanted = _("a mapping from each of %(names)s to “path”, a data file in this repository") % {"names": names}
        required = {name for name, needed in kind.files.items() if needed}

        def fits(value: Any) -> bool:
            return (
                isinstance(value, dict)
                and required <= set(value) <= set(kind.files)
                and all(isinstance(file, dict) and set(file) == {"path"} for file in value.values())
                and all(is_text(file["path"], MAX_PATH) for file in value.values())
            )

        found: dict[str, dict[str, str]] = self.get("files", REQUIRED if required else {}, fits, wanted)
        return {name: file["path"] for name, file in found.items()}

    def robustness(self, kind: Kind) -> dict[str, Any]:
        """Return what is asked beside the rows: {} is the fixed set, no perturbation at all is none."""
        names = perturbations.names_for(kind.name)
        wanted = _("true, false, or a mapping of rows (20 to %(most)d), strength (%(strengths)s) and perturbations") % {
            "most": MAX_ROBUSTNESS_ROWS,
            "strengths": ", ".join(perturbations.STRENGTHS),
        }
        wanted += f" ({', '.join(names)})" if names else ""

        def fits(value: Any) -> bool:
            if isinstance(value, bool):
                return bool(names) or not value
            if not isinstance(value, dict):
                return False
            rows, chosen = value.get("rows", 20), value.get("perturbations", [])
            return (
                bool(names)
                and type(rows) is int
                and 20 <= rows <= MAX_ROBUSTNESS_ROWS
                and set(value) <= {"rows", "strength", "perturbations"}
                and value.get("strength", "medium") in perturbations.STRENGTHS
                and isinstance(chosen, list)
                and all(isinstance(name, str) and name in names for name in chosen)
                and len(set(chosen)) == len(chosen)
            )

        found = self.get("robustness", True, fits, wanted)
        if isinstance(found, bool):
            return {} if found else {"perturbations": []}
        return dict(found)

    def columns(self, key: str, most: int) -> list[str]:
        wanted = _("a list of at most %(most)d names of columns") % {"most": most}

        def fits(value: Any) -> bool:
            return (
                isinstance(value, list)
                and len(value) <= most
                and all(is_text(name, MAX_FIELD) for name in value)
                and len(set(value)) == len(value)
            )

        found: list[str] = self.get(key, [], fits, wanted)
        return found

    def split_path(self) -> str:
        wanted = _("a mapping with “path”, the data file in this repository")

        def fits(value: Any) -> bool:
            return isinstance(value, dict) and set(value) == {"path"} and is_text(value["path"], MAX_PATH)

        found: dict[str, str] = self.get("split", REQUIRED, fits, wanted)
        return found["path"]


def _listed(kind: Kind, required: set[str]) -> str:
    more = [role for role in kind.roles if role not in required]
    names = ", ".join(f"“{role}”" for role in kind.roles if role in required)
    return _("%(names)s (and perhaps %(more)s)") % {"names": names, "more": ", ".join(more)} if more else names


def _are_labels(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 1 <= len(value) <= MAX_LABELS
        and all(is_text(label, MAX_LABEL) and label == label.strip() for label in value)
        and len(set(value)) == len(value)
    )


def _are_tags(value: Any) -> bool:
    """Say whether these are tags of IOB2, the one for words outside every entity among them."""
    if not _are_labels(value) or len(value) == 1 or "O" not in value:
        return False
    return all(tag == "O" or (tag[:2] in ("B-", "I-") and len(tag) > 2) for tag in value)
