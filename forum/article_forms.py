"""The form that says what an article is."""

from django import forms
from django.utils.translation import gettext_lazy as _

from forum.models import Article
from portal.locating import MAX_ADDRESS


class ArticleForm(forms.Form):
    """Its language, and the article that it translates, if any."""

    language = forms.ChoiceField(label=_("Language"), choices=Article.Language.choices)
    original = forms.CharField(
        label=_("Translation of"),
        required=False,
        max_length=MAX_ADDRESS,
        help_text=_("The address of the article that this one translates; empty for none."),
    )
