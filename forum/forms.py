"""The shape of what people write in conversations; what it means is checked by the verbs."""

from django import forms
from django.utils.translation import gettext_lazy as _

from forum.models.topics import MAX_TITLE
from forum.posting import MAX_TEXT
from models_hub.merging import Method
from models_hub.models import Review


class TitleForm(forms.Form):
    """The title of a discussion."""

    title = forms.CharField(label=_("Title"), max_length=MAX_TITLE)


class CommentForm(forms.Form):
    """What somebody has to say."""

    text = forms.CharField(
        label=_("Comment"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Markdown is shown formatted."),
    )


class EditForm(CommentForm):
    """Other words of a comment; `revision` names the text that the change was begun from."""

    revision = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)


class TopicForm(TitleForm, CommentForm):
    """A new discussion."""

    field_order = ("title", "text")


class MergeForm(forms.Form):
    """How a pull request is merged; `head` is the commit that the reader saw."""

    method = forms.ChoiceField(
        label=_("How"),
        initial=Method.MERGE,
        choices=[
            (Method.MERGE, _("Merge commit – both histories stay")),
            (Method.SQUASH, _("Squash – one commit by the author")),
            (Method.FAST_FORWARD, _("Fast-forward – the commits as they are")),
        ],
    )
    head = forms.CharField(max_length=40, widget=forms.HiddenInput)
    comment = forms.CharField(
        label=_("Comment"), required=False, max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )


class ReviewForm(forms.Form):
    """What a reviewer says of a pull request; `head` is the commit that the reviewer saw."""

    verdict = forms.ChoiceField(choices=Review.Verdict.choices)
    head = forms.CharField(max_length=40, widget=forms.HiddenInput)
    comment = forms.CharField(
        label=_("Comment"), required=False, max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )
