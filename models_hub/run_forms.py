"""The forms of runs: what to begin from, then everything about how, drawn from the engine's registry."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from models_hub import aid_fields
from models_hub.adapting import bringing, columns, registry, teaching, texts, wishes
from models_hub.adapting.sources import Source
from models_hub.forms import NAME_ATTRIBUTES
from models_hub.run_fields import REPO_NAME, below, option_field
from portal.names import MAX_NAME

MAX_UPLOAD_BYTES = 64 * 1024**2
# Shown at once; the rest of a recipe is folded away.
PLAIN = ("epochs", "lr", "batch_size")


class Group(NamedTuple):
    """Some options of a recipe under one heading."""

    name: str
    title: str
    fields: list[BoundField]


class BeginningForm(forms.Form):
    """What to begin from, and what for."""

    task = forms.ChoiceField(label=_("What it is to learn"))
    base = forms.CharField(
        label=_("Model to begin from"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={**REPO_NAME, "data-complete": "model"}),
        help_text=_("Leave empty to train a new one from random numbers."),
    )
    dataset = forms.CharField(
        label=_("Data set"),
        max_length=200,
        widget=forms.TextInput(attrs={**REPO_NAME, "data-complete": "dataset"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["task"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, texts.task_label(name)) for name in registry.tasks()]


class UploadForm(forms.Form):
    """A table of one's own, which becomes a private data set."""

    file = forms.FileField(
        label=_("CSV or JSONL file"),
        allow_empty_file=True,  # the reading of tables says what to do about one
        widget=forms.FileInput(attrs={"accept": ",".join(bringing.ENDINGS)}),
        help_text=_("A row of column names, and an example in each row under it. At most 64 MB."),
    )
    name = forms.CharField(
        label=_("Name of the data set"),
        max_length=MAX_NAME,
        required=False,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("Leave empty to name it after the file."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if (file.size or 0) > MAX_UPLOAD_BYTES:
            raise forms.ValidationError(
                gettext("A form takes files of at most %(max)d MB; publish a larger one as a data set first.")
                % {"max": MAX_UPLOAD_BYTES // 1024**2}
            )
        return file


class RunForm(forms.Form):
    """Everything about a run whose task, model and data are known; `wish` is what it says."""

    target = forms.CharField(
        label=_("Name of the result"),
        max_length=200,
        widget=forms.TextInput(attrs=REPO_NAME),
        help_text=_(
            "A new model that only you see until you publish it. The name of a model of yours gets a pull request."
        ),
    )
    title = forms.CharField(label=_("Title of the run"), max_length=200, required=False)
    labels = forms.CharField(
        label=_("Labels"),
        required=False,
        widget=forms.TextInput(attrs=NAME_ATTRIBUTES),
        help_text=_("Separated by commas, in the order of their numbers. Leave empty to take those of the data."),
    )
    dev_share = forms.FloatField(label=_("Share for validation"), initial=0.1, min_value=0, max_value=0.5)
    test_share = forms.FloatField(label=_("Share for the final test"), initial=0.1, min_value=0, max_value=0.5)
    seed = forms.IntegerField(label=_("Seed"), initial=0, min_value=0, max_value=wishes.MAX_SEED)

    def __init__(
        self,
        *args: Any,
        task: registry.Task,
        model_type: str,
        source: Source,
        values: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.task = task
        self.model_type = model_type
        self.is_new = not model_type
        self._add_data(source, values or {})
        self._add_methods()
        self._add_options(values or {})
        self._add_hardenings()
        self.fields |= dict(aid_fields.of(task))
        if self.is_new:
            self._add_sizes()
        if not task.has_labels:
            del self.fields["labels"]
        self._fill_in(values or {})

    def _fill_in(self, values: Mapping[str, Any]) -> None:
        """Let the form begin with what another run was asked for."""
        labels = values.get("labels", [])
        known: dict[str, Any] = {name: value for name, value in values.items() if name != "labels"}
        known["labels"] = "" if any("," in label for label in labels) else ", ".join(labels)
        known |= {f"size_{name}": value for name, value in values.get("architecture", {}).items()}
        recipe = values.get("recipe", {})
        method = recipe.get(wishes.METHOD, "full")
        known["method"] = method
        known |= {f"{method}.{name}": value for name, value in recipe.get(wishes.METHOD_OPTIONS, {}).items()}
        harden = f"harden.{recipe.get(wishes.HARDEN)}"
        known |= {f"{harden}.{name}": value for name, value in recipe.get(wishes.HARDEN_OPTIONS, {}).items()}
        known |= aid_fields.initial(values)
        for name, value in known.items():
            if name in self.fields:
                self.fields[name].initial = value

    def _add_data(self, source: Source, values: Mapping[str, Any]) -> None:
        paths = [(path, path) for path in source.paths]
        for part, label in (
            ("train", _("Rows to learn from")),
            ("dev", _("Rows for validation")),
            ("test", _("Rows for the final test")),
        ):
            needed = part == "train"
            choices = paths if needed else [("", gettext("cut off the rows to learn from")), *paths]
            self.fields[f"file_{part}"] = forms.ChoiceField(
                label=label, choices=choices, required=needed, initial=values.get("files", source.guessed).get(part, "")
            )
        if self.task.name in registry.options()[wishes.SYNONYMS].tasks and source.lexicons:
            self.fields[f"file_{wishes.LEXICON}"] = forms.ChoiceField(
                label=_("Lexicon of synonyms"),
                choices=[("", "—"), *((path, path) for path in source.lexicons)],
                required=False,
                initial=values.get("files", {}).get(wishes.LEXICON, ""),
                help_text=_("A JSON object of words and lists of synonyms, or lines with tabs between them."),
            )
        self._add_columns(source, values)

    def _add_columns(self, source: Source, values: Mapping[str, Any]) -> None:
        has_chats = self.task.name == wishes.CONVERSING and wishes.MESSAGES in source.columns
        choices = [("", "—"), *((name, name) for name in source.columns)]
        guessed = {} if has_chats else columns.guess(self.task, source.columns)
        for role in self.task.columns:
            known = guessed.get(role, "")
            if has_chats and role == "input":
                known = known or wishes.MESSAGES
            is_answer = has_chats and role == "target"
            self.fields[f"column_{role}"] = forms.ChoiceField(
                label=str(texts.ROLES[role]),
                choices=choices,
                required=role not in self.task.optional and not is_answer,
                initial=values.get("fields", {}).get(role, known),
                help_text=_("Leave empty for conversations, which hold their answers.") if is_answer else "",
            )

    def _add_methods(self) -> None:
        offered = []
        for name, method in registry.methods().items():
            if self.is_new and name != "full":
                continue
            if not self.is_new and registry.refusal(method, self.model_type, self.task.name):
                continue
            offered.append((name, texts.METHODS[name].label))
            for key, option in method.options.items():
                self.fields[f"{name}.{key}"] = option_field(option, texts.option_text(key))
        self.fields["method"] = forms.ChoiceField(
            label=_("What changes"), choices=offered, initial="full", widget=forms.RadioSelect
        )

    def _add_options(self, values: Mapping[str, Any]) -> None:
        usual = self.task.scratch_recipe if self.is_new else {}
        recipe = {**usual, **values.get("recipe", {})}
        for name, option in registry.options().items():
            if option.tasks and self.task.name not in option.tasks:
                continue
            if name == wishes.HARDEN:
                fitting = (kind for kind in option.choices if registry.is_possible(kind, self.task.name))
                option = replace(option, choices=tuple(fitting))
            field = option_field(option, texts.option_text(name))
            field.initial = recipe.get(name, option.default)
            self.fields[f"option_{name}"] = field

    def _add_hardenings(self) -> None:
        if f"option_{wishes.HARDEN}" in self.fields:
            for kind, options in registry.hardenings().items():
                if not registry.is_possible(kind, self.task.name):
                    continue
                for name, option in options.items():
                    field = option_field(option, texts.hardening_text(kind, name))
                    field.required = False  # those of other attacks are not shown
                    self.fields[f"harden.{kind}.{name}"] = field

    def _add_sizes(self) -> None:
        usual = wishes.scratch_sizes(self.task)
        for name, (_default, least, most) in wishes.SIZES.items():
            self.fields[f"size_{name}"] = forms.IntegerField(
                label=str(texts.SIZES[name]), initial=usual[name], min_value=least, max_value=most
            )
        for name, choices in (("model_type", wishes.scratch_types(self.task)), ("tokenizer", wishes.TOKENIZERS)):
            self.fields[f"size_{name}"] = forms.ChoiceField(
                label=str(texts.SIZES[name]),
                choices=[(value, value) for value in choices],
                initial=self.task.scratch_sizes.get(name),
            )

    # What the template draws, part by part.

    @property
    def data_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith(("file_", "column_"))]

    @property
    def knows_no_column(self) -> bool:
        """Whether none of the columns has a name that tells what it is for."""
        return not any(field.initial for name, field in self.fields.items() if name.startswith("column_"))

    @property
    def share_fields(self) -> list[BoundField]:
        return [self[name] for name in ("labels", "dev_share", "test_share", "seed") if name in self.fields]

    @property
    def size_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith("size_")]

    @property
    def teacher_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.partition(".")[0] == teaching.TEACHER]

    @property
    def unlabelled_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith("unlabelled_")]

    @property
    def helper_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith("helper_")]

    def hardening_parts(self) -> Iterator[tuple[str, list[BoundField]]]:
        """Yield each attack with the fields of its own."""
        for kind in registry.hardenings():
            if own := [self[key] for key in self.fields if key.startswith(f"harden.{kind}.")]:
                yield kind, own

    @property
    def plain_fields(self) -> list[BoundField]:
        return [self[f"option_{name}"] for name in PLAIN]

    def method_parts(self) -> Iterator[tuple[str, str, list[BoundField]]]:
        """Yield each method that fits with its help and the fields of its own."""
        field = self.fields["method"]
        assert isinstance(field, forms.ChoiceField)
        for name, _label in list(field.choices):  # type: ignore[arg-type]
            own = [self[key] for key in self.fields if key.startswith(f"{name}.")]
            yield str(name), str(texts.METHODS[str(name)].help), own

    def option_groups(self) -> Iterator[Group]:
        """Yield the options that are folded away."""
        groups: dict[str, list[BoundField]] = {}
        for name, option in registry.options().items():
            if f"option_{name}" in self.fields and name not in PLAIN:
                groups.setdefault(option.group, []).append(self[f"option_{name}"])
        for group, fields in groups.items():
            yield Group(group, str(texts.GROUPS[group]), fields)

    def wish(self, *, base: str, data: str, revisions: Mapping[str, str], only_check: bool) -> dict[str, Any]:
        """Return what the form says, as `wishes.read` takes it."""
        values = self.cleaned_data
        labels = [label.strip() for label in values.get("labels", "").split(",") if label.strip()]
        return {
            "task": self.task.name,
            "base": base,
            "data": data,
            "target": values["target"].strip(),
            "title": values["title"].strip(),
            "files": {part: path for part in (*wishes.PARTS, wishes.LEXICON) if (path := values.get(f"file_{part}"))},
            "fields": {role: column for role in self.task.columns if (column := values[f"column_{role}"])},
            "labels": labels,
            "recipe": self._recipe(values),
            "architecture": self._sizes(values),
            "dev_share": values["dev_share"],
            "test_share": values["test_share"],
            "seed": values["seed"],
            "only_check": only_check,
            **aid_fields.read(values, data=data, revision=revisions.get("data_revision", "")),
            **revisions,
        }

    def _recipe(self, values: Mapping[str, Any]) -> dict[str, Any]:
        method = values["method"]
        own = {key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{method}.")}
        recipe = {
            key.removeprefix("option_"): value
            for key, value in values.items()
            if key.startswith("option_") and value is not None
        }
        own = {key: value for key, value in own.items() if value is not None}
        found = {**recipe, "method": method, **({"method_options": own} if own else {})}
        if harden := below(values, f"harden.{recipe.get(wishes.HARDEN)}."):
            found[wishes.HARDEN_OPTIONS] = harden
        return found

    def _sizes(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {key.removeprefix("size_"): value for key, value in values.items() if key.startswith("size_")}
