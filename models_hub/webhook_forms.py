"""The shape of a webhook on its page; what it means is checked by the verbs."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from models_hub.models import Webhook, WebhookTarget
from models_hub.webhooks import MAX_SECRET
from portal.models import Namespace

PREFIXES = {"models": "model", "datasets": "dataset", "spaces": "space"}
FOLDERS = {"dataset": "datasets/", "space": "spaces/"}


class WebhookForm(forms.Form):
    """Where it is sent, what it watches, what it is told of."""

    url = forms.URLField(label=_("Address"), max_length=1000, assume_scheme="https")
    watched = forms.CharField(
        label=_("What it watches"),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"}),
        help_text=_("One a line: an account such as alice, a model alice/bert, a data set datasets/alice/cars."),
    )
    domains = forms.MultipleChoiceField(
        label=_("What it is told of"),
        widget=forms.CheckboxSelectMultiple,
        choices=[("repo", _("changes of repositories")), ("discussion", _("discussions and pull requests"))],
    )
    secret = forms.CharField(
        label=_("Secret"),
        max_length=MAX_SECRET,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Sent in the header X-Webhook-Secret, by which the receiver knows who calls. Not shown again."),
    )

    def clean_watched(self) -> list[tuple[str, str]]:
        """Return type and name of each line; an account is looked up, for persons and organizations look alike."""
        lines = [line.strip().strip("/") for line in str(self.cleaned_data["watched"]).splitlines()]
        return [_target(line) for line in lines if line]


class WebhookChanges(WebhookForm):
    """The same of a webhook that is there. Its secret is never shown; an empty field keeps it."""

    def __init__(self, data: Mapping[str, Any] | None, webhook: Webhook, targets: Iterable[WebhookTarget]) -> None:
        watched = "\n".join(FOLDERS.get(one.type, "") + one.name for one in targets)
        super().__init__(data, initial={"url": webhook.url, "watched": watched, "domains": webhook.domains})
        self.fields["secret"].label = gettext("New secret")
        self.fields["secret"].help_text = gettext("Left empty, the secret stays as it is.")

    def changes(self) -> dict[str, Any]:
        return self.cleaned_data | {"secret": self.cleaned_data["secret"] or None}


def _target(line: str) -> tuple[str, str]:
    first, slash, rest = line.partition("/")
    if not slash:
        namespace = Namespace.objects.named(line).first()
        if namespace is None:
            raise forms.ValidationError(gettext("Nobody here is called “%(name)s”.") % {"name": line[:100]})
        return ("user" if namespace.user_id else "org"), namespace.name
    kind = PREFIXES.get(first, "model")
    return kind, rest if first in PREFIXES else line
