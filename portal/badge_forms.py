"""The shape of what people send to the pages of badges, trust and seasons."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal import locating
from portal.claiming import MAX_NOTE
from portal.models import Asker, Award, User
from portal.subjects import Subject


class PlaceField(forms.CharField):
    """The address of a page of this portal, as text; the form knows who looks."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"spellcheck": "false", "autocapitalize": "none", "placeholder": "/alice/tiny"}
        super().__init__(max_length=locating.MAX_ADDRESS, widget=forms.TextInput(attrs=attrs), **kwargs)


class PersonField(forms.CharField):
    """The name of an account."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"spellcheck": "false", "autocapitalize": "none"}
        super().__init__(max_length=96, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> User:
        """Return the person; an unknown name is refused."""
        name = str(super().clean(value)).strip().lstrip("@").lower()
        person = User.objects.filter(namespace__lower=name, is_active=True).first() if name.isascii() else None
        if person is None:
            raise forms.ValidationError(gettext("Nobody has this name."))
        return person


class PlacesForm(forms.Form):
    """A form in which pages of this portal are named."""

    def __init__(self, *args: Any, reader: Asker, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reader = reader

    def place(self, name: str) -> str:
        """Return the key of a named page."""
        found: Subject | None = locating.find(self.cleaned_data[name], self.reader)
        if found is None:
            raise forms.ValidationError(gettext("Name a page of this portal that you can open."))
        return found.key


class ClaimForm(PlacesForm):
    """What somebody did, and where it can be seen."""

    address = PlaceField(label=_("Address of the page"))
    note = forms.CharField(
        label=_("What you did"), max_length=MAX_NOTE, widget=forms.Textarea(attrs={"rows": 3}), strip=True
    )

    def clean_address(self) -> str:
        return self.place("address")


class DecisionForm(forms.Form):
    """Yes or no, and for no the reason."""

    accept = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)


class MentorForm(forms.Form):
    """Whom to look after."""

    person = PersonField(label=_("Account name of the newcomer"))


class AppointmentForm(forms.Form):
    """Who becomes a steward, and why."""

    person = PersonField(label=_("Account name"))
    reason = forms.CharField(label=_("Reason"), max_length=300)


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(label=_("Reason"), max_length=300)


class AwardForm(forms.Form):
    """One of the ten, and why."""

    kind = forms.ChoiceField(choices=Award.Kind.choices)
    key = forms.CharField(max_length=60)
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


class PlacingForm(PlacesForm):
    """A place in a challenge."""

    person = PersonField(label=_("Account name"))
    board = forms.CharField(label=_("Challenge"), max_length=100)
    rank = forms.IntegerField(label=_("Place"), min_value=1, max_value=10)
    evaluation = PlaceField(label=_("Evaluation on withheld rows"))
    code = PlaceField(label=_("Repository with the code"))

    def clean_evaluation(self) -> str:
        return self.place("evaluation")

    def clean_code(self) -> str:
        return self.place("code")
