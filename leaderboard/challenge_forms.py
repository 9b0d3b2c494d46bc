"""The shape of what people send to the pages of challenges."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import yaml
from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from leaderboard.challenges import drafting
from leaderboard.metric_names import metric_label
from leaderboard.models import Benchmark, Challenge, Objection, Series
from leaderboard.task_kinds import KINDS
from models_hub import cards
from portal.errors import DomainError

PLAIN = {"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
LONG = {"rows": 5}
MAX_SETTINGS = 4000
WORDS = ("title", "title_zh", "summary", "summary_zh", "slug", "series")
TEXTS = drafting.TEXTS
TASK = ("task", "columns", "labels", "metric", "settings")
DATES = ("opens_at", "closes_at", "merges_until", "objection_days")
ENTRIES = (
    "takes_models", "takes_predictions", "max_parameters", "max_megabytes", "licenses", "team_size", "daily_limit",
    "final_limit", "takes_late",
)  # fmt: skip
MEGABYTE = 1_000_000


class MomentField(forms.DateTimeField):
    """A moment in UTC, whatever the reader’s clock says."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S")
        super().__init__(widget=widget, input_formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"], **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


class ChallengeForm(forms.Form):
    """Everything that an organizer sets of a challenge but its rows."""

    title = forms.CharField(label=_("Title"), max_length=120)
    title_zh = forms.CharField(label=_("Title in Chinese"), max_length=120, required=False)
    slug = forms.SlugField(
        label=_("Address"), max_length=60, help_text=_("/challenges/…: letters, digits, “-” and “_”."),
        widget=forms.TextInput(attrs=PLAIN),
    )  # fmt: skip
    summary = forms.CharField(label=_("In one sentence"), max_length=300, required=False)
    summary_zh = forms.CharField(label=_("The same in Chinese"), max_length=300, required=False)
    series = forms.ChoiceField(label=_("Series"), required=False)
    description = forms.CharField(
        label=_("What it is about"), required=False, max_length=drafting.MAX_TEXT, widget=forms.Textarea(attrs=LONG),
        help_text=_("Markdown, as the texts below."),
    )  # fmt: skip
    description_zh = forms.CharField(
        label=_("The same in Chinese"), required=False, max_length=drafting.MAX_TEXT, widget=forms.Textarea(attrs=LONG)
    )
    rules = forms.CharField(
        label=_("Rules"), max_length=drafting.MAX_TEXT, widget=forms.Textarea(attrs=LONG),
        help_text=_("Everybody accepts them before the first entry. They never change once the challenge is approved."),
    )  # fmt: skip
    rules_zh = forms.CharField(
        label=_("The same in Chinese"), required=False, max_length=drafting.MAX_TEXT, widget=forms.Textarea(attrs=LONG)
    )
    prizes = forms.CharField(
        label=_("Prizes"), required=False, max_length=drafting.MAX_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )
    prizes_zh = forms.CharField(
        label=_("The same in Chinese"), required=False, max_length=drafting.MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    task = forms.ChoiceField(label=_("Task"))
    columns = forms.CharField(
        label=_("Columns"), required=False, max_length=500,
        help_text=_("Where they have other names than usual, such as input: sentence, target: mood."),
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "input: text, target: label"}),
    )  # fmt: skip
    labels = forms.CharField(
        label=_("Labels"), required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 3, **PLAIN}),
        help_text=_("One a line, for tasks that have labels."),
    )  # fmt: skip
    metric = forms.ChoiceField(label=_("Metric"), required=False)
    settings = forms.CharField(
        label=_("Settings of the task"), required=False, max_length=MAX_SETTINGS,
        widget=forms.Textarea(attrs={"rows": 2, **PLAIN}), help_text=_("As in an eval.yaml, such as prompt or rules."),
    )  # fmt: skip

    opens_at = MomentField(label=_("Opens (UTC)"))
    closes_at = MomentField(label=_("Ends (UTC)"), help_text=_("Entries are refused from this second on."))
    merges_until = MomentField(label=_("Teams may change until (UTC)"))
    objection_days = forms.IntegerField(label=_("Days for objections"), min_value=1, max_value=60, initial=7)

    takes_models = forms.BooleanField(label=_("Models of this portal"), required=False, initial=True)
    takes_predictions = forms.BooleanField(label=_("Files of predictions"), required=False, initial=True)
    max_parameters = forms.IntegerField(label=_("Most parameters of a model"), min_value=1, required=False)
    max_megabytes = forms.FloatField(label=_("Most megabytes of weights"), min_value=0.001, required=False)
    licenses = forms.CharField(
        label=_("Licences that a model may have"), required=False, max_length=1000,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "apache-2.0, mit"}), help_text=_("All if you name none."),
    )  # fmt: skip
    team_size = forms.IntegerField(label=_("People in a team"), min_value=1, max_value=50, initial=5)
    daily_limit = forms.IntegerField(label=_("Entries of a team in a day (UTC)"), min_value=1, max_value=100, initial=5)
    final_limit = forms.IntegerField(label=_("Entries that count in the end"), min_value=1, max_value=10, initial=2)
    takes_late = forms.BooleanField(label=_("Take entries for practice after the end"), required=False)

    def __init__(self, *args: Any, series: Iterable[Series], of: Challenge | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = dict(Benchmark.Task.choices)
        _offer(self.fields["task"], [(name, names[name]) for name in drafting.tasks()])
        metrics = {one.name for name in drafting.tasks() for one in KINDS[name].metrics if one.rankable}
        usual = ("", _now("the usual one of the task"))
        _offer(self.fields["metric"], [usual, *sorted((name, metric_label(name)) for name in metrics)])
        _offer(self.fields["series"], [("", "–"), *((one.slug, one.name) for one in series)])
        if of is not None:
            self.initial.update(_facts_of(of))

    def groups(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """The fields in the parts in which the page shows them: id, title, fields."""
        parts = (
            ("words", _now("Name"), WORDS), ("texts", _now("Texts"), TEXTS), ("task", _now("Task"), TASK),
            ("dates", _now("Dates"), DATES), ("limits", _now("Entries and teams"), ENTRIES),
        )  # fmt: skip
        return [(name, title, [self[field] for field in fields]) for name, title, fields in parts]

    @property
    def values(self) -> dict[str, Any]:
        """What the verbs take."""
        cleaned = dict(self.cleaned_data)
        task = self._task(cleaned)
        megabytes = cleaned.pop("max_megabytes")
        licenses = [one.strip() for one in cleaned.pop("licenses").split(",") if one.strip()]
        own = {name: cleaned[name] for name in drafting.FIELDS if name in cleaned}
        own |= {"max_bytes": round(megabytes * MEGABYTE) if megabytes else None, "licenses": licenses[:20]}
        return {**own, "series": cleaned["series"], "task": task}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("columns", "settings"):
            try:
                found = _mapping(cleaned.get(name, ""), is_inline=name == "columns")
            except (ValueError, DomainError):
                self.add_error(name, _now("This is no list of “name: value”."))
            else:
                cleaned[f"{name}_found"] = found
        return cleaned

    def _task(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an eval.yaml would say of the task."""
        kind = KINDS[cleaned["task"]]
        said: dict[str, Any] = {"task": kind.name, **cleaned["settings_found"]}
        if cleaned["columns_found"]:
            said["fields"] = {**kind.default_fields, **cleaned["columns_found"]}
        if labels := [line.strip() for line in cleaned["labels"].splitlines() if line.strip()]:
            said["labels"] = labels
        if cleaned["metric"]:
            said["primary"] = cleaned["metric"]
        return said


class RowsForm(forms.Form):
    """The rows of a challenge: a file, or one of a private data set, and how much of it is public."""

    file = forms.FileField(
        label=_("A file of rows with their answers"), required=False,
        help_text=_("JSON lines or CSV. It is kept where nobody can download it again, you included."),
    )  # fmt: skip
    dataset = forms.CharField(
        label=_("Or a private data set of yours"), max_length=200, required=False,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "owner/name"}),
    )  # fmt: skip
    path = forms.CharField(
        label=_("The file in it"), max_length=1024, required=False,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "data/test.jsonl"}),
    )  # fmt: skip
    public_percent = forms.IntegerField(
        label=_("Per cent of the rows for the public standings"), min_value=1, max_value=90, initial=30,
        help_text=_("The others decide in the end. The portal draws which is which; nobody learns it."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("file")) == bool(cleaned.get("dataset")) and "file" not in self.errors:
            raise forms.ValidationError(_now("Choose a file, or name a data set: one of both."))
        if cleaned.get("dataset") and not cleaned.get("path"):
            self.add_error("path", _now("Name the file with the rows."))
        return cleaned


class EntryForm(forms.Form):
    """A model or a file of predictions."""

    model = forms.CharField(
        label=_("A model of yours"), max_length=200, required=False,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "owner/name"}),
    )  # fmt: skip
    revision = forms.CharField(
        label=_("Version"),
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "main"}),
    )
    file = forms.FileField(label=_("A file of predictions"), required=False, help_text=_(".csv or .jsonl"))
    code = forms.CharField(
        label=_("Repository with the code"), max_length=200, required=False,
        widget=forms.TextInput(attrs={**PLAIN, "placeholder": "owner/name"}),
        help_text=_("Medals count for a badge only where what made the entry is public."),
    )  # fmt: skip
    note = forms.CharField(label=_("Note for your team"), max_length=200, required=False)

    def __init__(self, *args: Any, challenge: Challenge, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not challenge.takes_models:
            del self.fields["model"], self.fields["revision"]
        if not challenge.takes_predictions:
            del self.fields["file"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("model")) == bool(cleaned.get("file")) and "file" not in self.errors:
            both = "model" in self.fields and "file" in self.fields
            raise forms.ValidationError(
                _now("Name a model, or choose a file: one of both.") if both else _now("Name what you enter.")
            )
        return cleaned


class BaselineForm(EntryForm):
    """What the organizer compares with."""

    title = forms.CharField(label=_("Name in the standings"), max_length=60)
    field_order = ("title", "model", "file")

    def __init__(self, *args: Any, challenge: Challenge, **kwargs: Any) -> None:
        super().__init__(*args, challenge=challenge, **kwargs)
        for name in ("revision", "code", "note"):
            self.fields.pop(name, None)


class TeamForm(forms.Form):
    """Another name of a team."""

    name = forms.CharField(label=_("Name of the team"), max_length=60)


class InvitationForm(forms.Form):
    """Whom to invite."""

    person = forms.CharField(label=_("Account name"), max_length=150, widget=forms.TextInput(attrs=PLAIN))


class SeriesForm(forms.Form):
    """A series of challenges."""

    title = forms.CharField(label=_("Title"), max_length=120)
    title_zh = forms.CharField(label=_("Title in Chinese"), max_length=120, required=False)
    slug = forms.SlugField(label=_("Address"), max_length=60, widget=forms.TextInput(attrs=PLAIN))


class TextForm(forms.Form):
    """An objection, an answer, or a reason."""

    text = forms.CharField(max_length=Objection.MAX_TEXT, widget=forms.Textarea(attrs={"rows": 3}))


class ExtensionForm(forms.Form):
    """A later end."""

    closes_at = MomentField(label=_("New end (UTC)"))


def _offer(field: forms.Field, choices: list[tuple[Any, Any]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def _mapping(text: str, *, is_inline: bool) -> dict[str, Any]:
    if not text.strip():
        return {}
    found = cards.read_yaml(f"{{{text}}}" if is_inline else text)
    if not isinstance(found, dict) or (is_inline and not all(isinstance(value, str) for value in found.values())):
        raise ValueError(text)
    return found


def _facts_of(challenge: Challenge) -> dict[str, Any]:
    facts = {name: getattr(challenge, name) for name in drafting.FIELDS}
    kind = KINDS[challenge.task]
    columns = {role: name for role, name in challenge.fields.items() if kind.default_fields.get(role) != name}
    settings = yaml.safe_dump(challenge.settings, allow_unicode=True, sort_keys=False) if challenge.settings else ""
    return {
        **facts,
        "series": challenge.series.slug if challenge.series else "",
        "task": challenge.task,
        "columns": ", ".join(f"{role}: {name}" for role, name in columns.items()),
        "labels": "\n".join(challenge.labels),
        "metric": challenge.metric,
        "settings": settings,
        "max_megabytes": challenge.max_bytes / MEGABYTE if challenge.max_bytes else None,
        "licenses": ", ".join(challenge.licenses),
    }
