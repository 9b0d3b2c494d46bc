"""The shape of what people write in the forum, and of what keeps it in order; what it means is checked by the verbs."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.forms import model_to_dict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from forum.forms import CommentForm, TitleForm
from forum.keeping_order import MAX_REASON
from forum.models import Category, Topic
from forum.models.posts import revision_of
from forum.opening import NewTopic
from forum.polling import MAX_OPTIONS, MAX_WORDS, NewPoll
from portal.models import Asker

HOURS = {
    "1": _("in an hour"),
    "24": _("in a day"),
    "72": _("in three days"),
    "168": _("in a week"),
    "720": _("in a month"),
    "2160": _("in three months"),
}
COLORS = ("blue", "azure", "indigo", "purple", "pink", "red", "orange", "yellow", "lime", "green", "teal", "cyan")
_COMMA = re.compile(r"[,，、\s]+")


def later(hours: str) -> datetime | None:
    """Return the moment that a choice of HOURS means, None for none of them."""
    return timezone.now() + timedelta(hours=int(hours)) if hours in HOURS else None


class WhenField(forms.ChoiceField):
    """A moment that is some time away, or none."""

    def __init__(self, *, none: Any = None, **options: Any) -> None:
        choices = [*([("", none)] if none else []), *HOURS.items()]
        super().__init__(choices=choices, required=none is None, **options)


class ReplyForm(CommentForm):
    """An answer; `to` is the post that it answers, `began` when the page was made, signed."""

    to = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    began = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)


class NewTopicForm(TitleForm, CommentForm):
    """A new topic of the forum, perhaps with a poll. `rooms` are offered; of others the verb says why they are not."""

    category = forms.ModelChoiceField(
        label=_("Category"), queryset=Category.objects.none(), to_field_name="slug", empty_label=None
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[
            ("", _("as usual in this category")),
            (Topic.Kind.DISCUSSION, _("a discussion")),
            (Topic.Kind.QUESTION, _("a question, of which an answer can be accepted")),
        ],
    )
    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=300,
        help_text=_("Up to five words that tell what it is about, with commas between."),
        widget=forms.TextInput(attrs={"data-complete": "tag", "autocomplete": "off"}),
    )
    about = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    began = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
    question = forms.CharField(label=_("Question of the poll"), required=False, max_length=MAX_WORDS)
    options = forms.CharField(
        label=_("Choices, one a line"),
        required=False,
        max_length=MAX_OPTIONS * (MAX_WORDS + 2),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    max_choices = forms.IntegerField(label=_("Of which people choose at most"), required=False, min_value=1, initial=1)
    closes = WhenField(label=_("The poll ends"), none=pgettext_lazy("no end", "never"))

    field_order: tuple[str, ...] = ("category", "title", "text", "tags", "kind")

    def __init__(self, *args: Any, reader: Asker, rooms: Sequence[Category], **options: Any) -> None:
        super().__init__(*args, **options)
        category = self.fields["category"]
        category.queryset = Category.objects.visible_to(reader)  # type: ignore[attr-defined]
        category.choices = [(room.slug, room.title) for room in rooms]  # type: ignore[attr-defined]
        self.fields["text"].widget.attrs["rows"] = 12

    def new(self, *, seconds: float | None) -> NewTopic:
        """Return what is to be begun."""
        given = self.cleaned_data
        poll = None
        if given["question"] or given["options"].strip():
            choices = tuple(given["options"].splitlines())
            poll = NewPoll(given["question"], choices, given["max_choices"] or 1, later(given["closes"]))
        return NewTopic(
            title=given["title"],
            text=given["text"],
            kind=given["kind"],
            tags=words(given["tags"]),
            about=given["about"],
            poll=poll,
            seconds=seconds,
        )


def words(text: str) -> list[str]:
    """Return the words of a line with commas, in either language, between them."""
    return [word for word in _COMMA.split(text) if word]


class BookmarkForm(forms.Form):
    """What a bookmark is for, and when to be reminded."""

    note = forms.CharField(label=_("Note to yourself"), required=False, max_length=200)
    remind = WhenField(label=_("Remind me"), none=pgettext_lazy("no reminder", "never"))


class ReasonForm(forms.Form):
    """Why something is done to a topic."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=MAX_REASON)


class PinForm(ReasonForm):
    """How long a topic stands on top, and of what."""

    until = WhenField(label=_("Until"), initial="168")
    everywhere = forms.BooleanField(label=_("on top of the whole forum"), required=False)


class SlowForm(ReasonForm):
    """How long people wait between two posts."""

    seconds = forms.ChoiceField(
        label=_("Time between two posts"),
        choices=[
            ("0", _("none")),
            ("60", _("a minute")),
            ("600", _("ten minutes")),
            ("3600", _("an hour")),
            ("86400", _("a day")),
        ],
    )


class EndForm(ReasonForm):
    """When a topic closes by itself."""

    when = WhenField(label=_("It closes"), none=pgettext_lazy("no end", "never"))


class TagsForm(ReasonForm):
    """The tags of a topic, and what it is."""

    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"data-complete": "tag", "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[(Topic.Kind.DISCUSSION, _("discussion")), (Topic.Kind.QUESTION, _("question"))],
        required=False,
    )


class NameForm(TitleForm, ReasonForm):
    """Another title."""

    field_order = ("title", "reason")


class MoveForm(ReasonForm):
    """Another category."""

    category = forms.ModelChoiceField(
        label=_("Category"), queryset=Category.objects.none(), to_field_name="slug", empty_label=None
    )

    field_order: tuple[str, ...] = ("category", "reason")

    def __init__(self, *args: Any, reader: Asker, **options: Any) -> None:
        super().__init__(*args, **options)
        rooms = Category.objects.visible_to(reader).filter(archived_at=None)
        self.fields["category"].queryset = rooms  # type: ignore[attr-defined]
        self.fields["category"].label_from_instance = lambda room: room.title  # type: ignore[attr-defined]


class SplitForm(MoveForm):
    """Posts that become a topic of their own."""

    title = forms.CharField(label=_("Title of the new topic"), max_length=300)
    numbers = forms.CharField(
        label=_("Numbers of the posts"), max_length=2000, help_text=_("For example: 4, 6-9"), required=True
    )

    field_order = ("numbers", "title", "category", "reason")

    def clean_numbers(self) -> list[int]:
        """Return the numbers of a list with ranges."""
        found: set[int] = set()
        for part in words(self.cleaned_data["numbers"]):
            begin, dash, end = part.replace("–", "-").partition("-")
            if not begin.isdecimal() or (dash and not end.isdecimal()) or len(begin) > 9 or len(end) > 9:
                raise forms.ValidationError(_("“%(part)s” is no number and no range."), params={"part": part[:40]})
            first, last = int(begin), int(end or begin)
            if last - first > 1000 or last < first:
                raise forms.ValidationError(_("“%(part)s” is no number and no range."), params={"part": part[:40]})
            found.update(range(first, last + 1))
        return sorted(found)


class MergeTopicsForm(ReasonForm):
    """The topic that takes the posts of this one."""

    into = forms.CharField(
        label=_("Address or number of the topic that stays"), max_length=300, help_text=_("For example: /forum/t/12")
    )

    field_order = ("into", "reason")

    def clean_into(self) -> int:
        """Return the number of a topic, from its address too."""
        found = re.search(r"(?:/forum/t/|^#?)(\d{1,18})(?:\D|$)", self.cleaned_data["into"].strip())
        if found is None:
            raise forms.ValidationError(_("Give the address of a topic of the forum."))
        return int(found[1])


class CategoryForm(forms.ModelForm):  # type: ignore[type-arg]
    """A category in both languages, and its rules."""

    class Meta:
        model = Category
        fields = (
            "slug", "title_en", "title_zh", "about_en", "about_zh", "template_en", "template_zh", "icon", "color",
            "position", "readers", "trust_to_open", "trust_to_reply", "staff_open", "asks_questions",
            "reviews_articles", "slow_seconds",
        )  # fmt: skip
        labels = {
            "slug": _("Name in addresses"),
            "title_en": _("Title in English"),
            "title_zh": _("Title in Chinese"),
            "about_en": _("What belongs here, in English"),
            "about_zh": _("What belongs here, in Chinese"),
            "template_en": _("What a new topic holds at first, in English"),
            "template_zh": _("What a new topic holds at first, in Chinese"),
            "icon": _("Icon"),
            "color": _("Colour"),
            "position": _("Place in the list"),
            "readers": _("Who may enter"),
            "trust_to_open": _("Trust level to begin topics"),
            "trust_to_reply": _("Trust level to answer"),
            "staff_open": _("only staff begin topics"),
            "asks_questions": _("topics are questions"),
            "reviews_articles": _("topics are articles, which are reviewed"),
            "slow_seconds": _("Seconds between two posts of one person in a topic"),
        }
        widgets = {
            "template_en": forms.Textarea(attrs={"rows": 4}),
            "template_zh": forms.Textarea(attrs={"rows": 4}),
            "color": forms.Select(
                choices=[(name, name) for name in COLORS]
            ),
        }  # fmt: skip

    revision = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    icon = forms.RegexField(r"^[a-z0-9-]{1,40}$", label=_("Icon"), help_text=_("A name of the Bootstrap icons."))
    trust_to_open = forms.IntegerField(label=_("Trust level to begin topics"), min_value=0, max_value=4, initial=0)
    trust_to_reply = forms.IntegerField(label=_("Trust level to answer"), min_value=0, max_value=4, initial=0)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.now = model_to_dict(self.instance, self.Meta.fields)
        self.initial["revision"] = revision_of(repr(sorted(self.now.items())))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        self._require_seen(given)
        if not given.get("title_en") and not given.get("title_zh"):
            raise forms.ValidationError(_("Give a title in at least one language."))
        return given

    def _require_seen(self, given: dict[str, Any]) -> None:
        """Show what somebody else saved since this form was opened; sent once more, it takes the place of that."""
        if given.get("revision", "") in ("", self.initial["revision"]):
            return
        data = self.data.copy()  # type: ignore[attr-defined]
        data["revision"] = self.initial["revision"]
        self.data = data
        self.add_error(
            None,
            _("Somebody changed this category since you opened it. Nothing is saved yet: save again to replace that."),
        )
        for name, value in self.now.items():
            if name in given and given[name] != value:
                self.add_error(name, _("Now it says: %(value)s") % {"value": value})


class StewardForm(forms.Form):
    """Somebody to keep order in a category, and for how long."""

    name = forms.CharField(label=_("Account name"), max_length=96)
    months = forms.ChoiceField(
        label=_("For"), choices=[("3", _("three months")), ("6", _("half a year")), ("12", _("a year"))], initial="6"
    )
