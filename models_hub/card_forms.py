"""The form of a card's metadata: plain inputs with known values to choose from."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from models_hub import card_fields, language_codes, licences
from models_hub.card_fields import Metric, Values
from models_hub.checking import is_text
from models_hub.forms import CommitForm
from models_hub.models import Repo
from models_hub.relation_names import RELATIONS

MAX_ITEMS = 50
MAX_ITEM = 80
MAX_CARD = 200_000
LIBRARIES = (
    "transformers", "sentence-transformers", "peft", "gguf", "onnx", "safetensors", "spacy", "flair", "fasttext",
    "keras", "mlx", "setfit", "adapter-transformers", "scikit-learn", "pytorch",
)  # fmt: skip
METRICS = ("accuracy", "f1", "precision", "recall", "matthews_correlation", "exact_match", "perplexity", "bleu",
           "rouge", "chrf", "spearmanr", "pearsonr", "ndcg_at_10", "map", "wer", "cer", "mse")  # fmt: skip
SIZES = (
    "n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "n>1B",
)  # fmt: skip
_SEPARATORS = re.compile(r"[,\n;，、；]+")
_REPO = re.compile(r"[\w][\w.-]{0,95}(?:/[\w][\w.-]{0,95})?", re.ASCII)


class ListField(forms.CharField):
    """Several words, separated by commas of any kind or by lines."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        text = super().to_python(value) or ""
        items = list(dict.fromkeys(item.strip() for item in _SEPARATORS.split(text) if item.strip()))
        if len(items) > MAX_ITEMS:
            raise ValidationError(_("At most %(max)d entries.") % {"max": MAX_ITEMS})
        return [self.item(item) for item in items]

    def item(self, text: str) -> str:
        if len(text) > MAX_ITEM or not text.isprintable():
            raise ValidationError(
                _("“%(item)s” is too long or holds invisible characters.") % {"item": text[:MAX_ITEM]}
            )
        return text


class LanguagesField(ListField):
    """Languages by code or name."""

    def item(self, text: str) -> str:
        code = language_codes.code_of(text)
        if code is None:
            raise ValidationError(
                _("“%(item)s” is no language that is known here; write its name or its ISO 639 code, such as zh.")
                % {"item": text[:MAX_ITEM]}
            )
        return code


class ReposField(ListField):
    """Repositories by name, here or on another hub."""

    def item(self, text: str) -> str:
        if not _REPO.fullmatch(text):
            raise ValidationError(
                _("“%(item)s” is not the name of a repository; write it as owner/name.") % {"item": text[:MAX_ITEM]}
            )
        return text


def _input(label: Any, *, known: str = "", names: str = "", help_text: Any = "", kind: Any = None) -> forms.CharField:
    """Make a field that offers a list of known values, or names of repositories of a kind."""
    attributes = {"autocomplete": "off", "spellcheck": "false"}
    several = kind is not None
    attributes |= {"list": f"known-{known}"} if known and not several else {}
    attributes |= {"data-complete": names or known} if several and (names or known) else {}
    return (kind or forms.CharField)(
        label=label,
        required=False,
        max_length=5000 if several else 200,
        help_text=help_text,
        widget=forms.TextInput(attrs=attributes),
    )


class CardForm(CommitForm):
    """The metadata of a card, its text where there is none yet, and the commit. `seen` is the commit it was read at."""

    license = forms.ChoiceField(label=gettext_lazy("Licence"), required=False)
    license_name = _input(
        gettext_lazy("Name of the licence"), help_text=gettext_lazy("Only for a licence that is not in the list.")
    )
    license_link = _input(gettext_lazy("Address or file of the licence"))
    language = _input(
        gettext_lazy("Languages"),
        known="languages",
        kind=LanguagesField,
        help_text=gettext_lazy("Names in English or Chinese, or codes; separated by commas."),
    )
    pipeline_tag = _input(gettext_lazy("Task"), known="tasks")
    task_categories = _input(gettext_lazy("Tasks"), known="tasks", kind=ListField)
    size_categories = _input(gettext_lazy("Rows"), known="sizes", kind=ListField)
    library_name = _input(gettext_lazy("Library"), known="libraries")
    base_model = _input(
        gettext_lazy("Made from"),
        names="model",
        kind=ReposField,
        help_text=gettext_lazy("The models it was made from, as owner/name; separated by commas."),
    )
    base_model_relation = forms.ChoiceField(label=gettext_lazy("What was done to them"), required=False)
    datasets = _input(
        gettext_lazy("Trained on"),
        names="dataset",
        kind=ReposField,
        help_text=gettext_lazy("Data sets as owner/name; separated by commas."),
    )
    tags = _input(
        gettext_lazy("Tags"),
        kind=ListField,
        help_text=gettext_lazy("Words that people may search for; commas between."),
    )
    epochs = forms.DecimalField(label=gettext_lazy("Epochs"), required=False, min_value=0, max_value=10**6)
    learning_rate = forms.FloatField(label=gettext_lazy("Learning rate"), required=False, min_value=0, max_value=1000)
    batch_size = forms.IntegerField(label=gettext_lazy("Batch size"), required=False, min_value=1, max_value=10**9)
    hardware = _input(gettext_lazy("Hardware"), help_text=gettext_lazy("Such as 1 × RTX 4090, 3 hours."))
    text = forms.CharField(
        label=gettext_lazy("Text of the card"),
        required=False,
        strip=False,
        max_length=MAX_CARD,
        widget=forms.Textarea(attrs={"rows": 18, "class": "editor", "spellcheck": "false"}),
        help_text=gettext_lazy("Markdown. The template has the sections that readers look for; change it as you like."),
    )
    seen = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, repo: Repo, current: Values, has_card: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = card_fields.OF_KIND[Repo.Kind(repo.kind)]
        kept = {*self.names, "title", "description", "target", "seen", *(() if has_card else ("text",))}
        for name in [name for name in self.fields if name not in kept]:
            del self.fields[name]
        self._choose("license", _licence_choices(current.get("license", "")))
        relations = [("", _("as the files show")), *((code, name) for code, name in RELATIONS.items())]
        self._choose("base_model_relation", relations)
        self._current = current

    def _choose(self, name: str, choices: Any) -> None:
        field = self.fields.get(name)
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, value in cleaned.items():
            if isinstance(value, str) and not is_text(value):
                self.add_error(name, _("It holds a character that is not text."))
        return cleaned

    def values(self) -> Values:
        """Return what the fields say, in the form of `card_fields.values_of`."""
        return {name: _plain(self.cleaned_data.get(name)) for name in self.names}


class MetricForm(forms.Form):
    """One measured number; a row without a value is taken away."""

    dataset = forms.CharField(label=gettext_lazy("Data set"), required=False, max_length=193)
    metric = forms.CharField(
        label=gettext_lazy("Metric"),
        required=False,
        max_length=MAX_ITEM,
        widget=forms.TextInput(attrs={"list": "known-metrics", "autocomplete": "off"}),
    )
    value = forms.CharField(label=gettext_lazy("Value"), required=False, max_length=40)
    place = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        told = [name for name in ("dataset", "metric", "value") if cleaned.get(name)]
        if cleaned.get("value") and len(told) < 3:
            raise ValidationError(_("Name the data set and the metric of this number."))
        return cleaned


MetricRows = formset_factory(MetricForm, extra=2, max_num=card_fields.MAX_RESULTS, absolute_max=60)


def rows_of(formset: "BaseFormSet[MetricForm]", old: Sequence[Metric]) -> list[Metric]:
    """Return the rows that a valid formset tells, with what the card said of them before."""
    known = {row.place: row for row in old}
    found = []
    for form in formset.forms:
        told = form.cleaned_data
        if told.get("value"):
            place = told.get("place", "") if told.get("place") in known else ""
            task = known[place].task if place else ""
            found.append(Metric(told["dataset"], told["metric"], told["value"], task, place))
    return found


def _licence_choices(current: str) -> list[Any]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for code, licence in licences.LICENCES.items():
        groups.setdefault(licence.kind, []).append((code, f"{licence.name} ({code})"))
    known = [(str(licences.CLASSES[kind]), rows) for kind, rows in groups.items()]
    other = [(current, current)] if current and current not in licences.LICENCES else []
    return [("", _("none declared")), *other, *known]


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    return value if isinstance(value, list | str) else str(card_fields.number(str(value)))
