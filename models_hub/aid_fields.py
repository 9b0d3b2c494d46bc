"""The part of a run’s form that names what else it reads: a teacher, models that write rows, rows without labels."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from models_hub.adapting import registry, rewriting, texts, unlabelled, wishes
from models_hub.adapting.texts import Text
from models_hub.forms import NAME_ATTRIBUTES
from models_hub.run_fields import as_text, below, named_in, option_field, repo_field


def of(task: registry.Task) -> Iterator[tuple[str, forms.Field]]:
    """Yield the fields that have a meaning for a kind of task, by name."""
    for option, roles in rewriting.NEEDED.items():
        for role in roles if _has(task, option) else ():
            yield f"helper_{role}", repo_field(texts.HELPERS[role])
    if _has(task, unlabelled.ROUNDS):
        told = _("Empty stands for the data set of the run.")
        yield "unlabelled_data", repo_field(Text(_("Data set with rows without labels"), told), "dataset")
        yield (
            "unlabelled_file",
            forms.CharField(
                label=_("File in it"),
                max_length=wishes.MAX_NAME,
                required=False,
                widget=forms.TextInput(attrs={**NAME_ATTRIBUTES, "placeholder": "unlabelled.jsonl"}),
                help_text=_(
                    "With the columns of the rows to learn from; those that have a label there are left alone."
                ),
            ),
        )
    if task.distils:
        told = _("A model that does this task already, with the same tokenizer and labels. A revision goes after an @.")
        yield "teacher", repo_field(Text(_("Teacher"), told))
        for name, one in registry.teaching().items():
            field = option_field(one, texts.TEACHING[name])
            field.required = False
            yield f"teacher.{name}", field


def initial(wish: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the fields begin with, where another run was asked for so."""
    teacher, rows = wish.get("teacher", {}), wish.get("unlabelled", {})
    return {
        **{f"teacher.{name}": value for name, value in teacher.items()},
        "teacher": as_text(teacher),
        "unlabelled_data": as_text(rows),
        "unlabelled_file": rows.get("file", ""),
        **{f"helper_{role}": as_text(named) for role, named in wish.get("helpers", {}).items()},
    }


def read(values: Mapping[str, Any], *, data: str, revision: str) -> dict[str, Any]:
    """Return what the fields say, as `wishes.read` takes it; `data` is the data set of the run."""
    named = named_in(values.get("teacher", ""))
    return {
        "teacher": named | below(values, "teacher.") if named else {},
        "helpers": _helpers(values),
        "unlabelled": _unlabelled(values, {"dataset": data, "revision": revision}),
    }


def _helpers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the models that are asked something; a name that is left from before does no harm."""
    wanted = [role for option, roles in rewriting.NEEDED.items() if values.get(f"option_{option}") for role in roles]
    return {role: named for role in wanted if (named := named_in(values.get(f"helper_{role}", "")))}


def _unlabelled(values: Mapping[str, Any], own: dict[str, str]) -> dict[str, str]:
    path = values.get("unlabelled_file", "").strip()
    if not path or not values.get(f"option_{unlabelled.ROUNDS}"):
        return {}
    return {**(named_in(values["unlabelled_data"], "dataset") or own), "file": path}


def _has(task: registry.Task, option: str) -> bool:
    return task.name in registry.options()[option].tasks
