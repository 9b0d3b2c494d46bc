"""The form of exports and compressions."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from models_hub.adapting import columns, converting, registry, texts
from models_hub.adapting.sources import Source
from models_hub.run_fields import REPO_NAME

NEED_ROWS = converting.METHODS


class SubjectForm(forms.Form):
    """Which model, and on which data its answers are compared."""

    base = forms.CharField(
        label=_("Model"), max_length=200, widget=forms.TextInput(attrs={**REPO_NAME, "data-complete": "model"})
    )
    dataset = forms.CharField(
        label=_("Data set to compare the answers on"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={**REPO_NAME, "data-complete": "dataset"}),
        help_text=_("Needed to make a model smaller; an export may do without."),
    )
    task = forms.ChoiceField(label=_("What the model does"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["task"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *((name, texts.task_label(name)) for name in registry.tasks())]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("dataset") and not cleaned.get("task"):
            self.add_error("task", _("Say what the model does, so that its answers can be compared."))
        return cleaned


class ConvertForm(forms.Form):
    """What is made of the model, and where it goes."""

    target = forms.CharField(
        label=_("Name of the result"),
        max_length=200,
        widget=forms.TextInput(attrs=REPO_NAME),
        help_text=_(
            "A new model that only you see until you publish it. The name of a model of yours gets a pull request."
        ),
    )
    keep_layers = forms.IntegerField(
        label=_("Layers to keep"), required=False, min_value=1, max_value=converting.MAX_LAYERS
    )
    keep_heads = forms.IntegerField(
        label=_("Heads to keep in each layer"), required=False, min_value=1, max_value=converting.MAX_LAYERS
    )
    least_count = forms.IntegerField(
        label=_("Keep tokens that stand there so often"),
        required=False,
        initial=1,
        min_value=1,
        max_value=converting.MAX_COUNT,
    )

    def __init__(
        self, *args: Any, task: registry.Task | None, source: Source | None, fitting: list[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.task = task
        choices = [(name, texts.CONVERSIONS[name].label) for name in fitting]
        self.fields["what"] = forms.ChoiceField(
            label=_("What is made of it"),
            choices=choices,
            widget=forms.RadioSelect,
            initial=fitting[0] if fitting else None,
        )
        for name in fitting:
            offered = converting.PRECISIONS.get(name) or (converting.QUANTIZED if name == "quantize" else ())
            usual = converting.USUAL.get(name, ("int8",))
            if task is None:
                offered = tuple(one for one in offered if one != converting.CALIBRATED)
            if offered:
                self.fields[f"precisions_{name}"] = forms.MultipleChoiceField(
                    label=_("Precisions"), required=False,
                    choices=[(one, texts.PRECISIONS.get(one, one)) for one in offered],
                    widget=forms.CheckboxSelectMultiple, initial=list(usual),
                )  # fmt: skip
        if task is not None and source is not None:
            paths = [(path, path) for path in source.paths]
            self.fields["file_train"] = forms.ChoiceField(
                label=_("File with rows"),
                choices=paths,
                initial=source.guessed.get("test") or source.guessed.get("train", ""),
            )
            choices = [("", "—"), *((name, name) for name in source.columns)]
            guessed = columns.guess(task, source.columns)
            for role in task.columns:
                self.fields[f"column_{role}"] = forms.ChoiceField(
                    label=str(texts.ROLES[role]), choices=choices, required=role not in task.optional,
                    initial=guessed.get(role, ""),
                )  # fmt: skip

    @property
    def data_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith(("file_", "column_"))]

    def parts(self) -> Iterator[tuple[str, str, list[BoundField]]]:
        """Yield each conversion with its help and the fields of its own."""
        field = self.fields["what"]
        assert isinstance(field, forms.ChoiceField)
        for name, _label in list(field.choices):  # type: ignore[arg-type]
            own = [self[key] for key in (f"precisions_{name}",) if key in self.fields]
            own += [self["keep_layers"]] if name == "layers" else []
            own += [self["keep_heads"]] if name == "heads" else []
            own += [self["least_count"]] if name == "vocabulary" else []
            yield str(name), str(texts.CONVERSIONS[str(name)].help), own

    def wish(self, *, base: str, data: str, revisions: Mapping[str, str]) -> dict[str, Any]:
        """Return what the form says, as `converting.read` takes it."""
        values = self.cleaned_data
        what = values["what"]
        chosen = {"format": what} if what in converting.PRECISIONS else {"method": what}
        rows: dict[str, Any] = {}
        if self.task is not None:
            columns = {role: column for role in self.task.columns if (column := values[f"column_{role}"])}
            rows = {"task": self.task.name, "data": data, "files": {"train": values["file_train"]}, "fields": columns}
        return {
            "base": base,
            "target": values["target"].strip(),
            "precisions": values.get(f"precisions_{what}") or [],
            "keep_layers": values["keep_layers"],
            "keep_heads": values["keep_heads"],
            "least_count": values["least_count"] or 1,
            **chosen,
            **rows,
            **revisions,
        }
