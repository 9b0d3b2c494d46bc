"""How far the portal trusts the reader: each criterion with the number now, and what each level unlocks."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from portal import evidence, trust, trusting
from portal.authentication import require_user
from portal.badge_forms import AppointmentForm
from portal.errors import DomainError
from portal.models import Term, Trust, TrustChange, TrustLevel, User

CHANGES = 20
STEWARDS = 60
# What each level lets people do, in the words of the page.
UNLOCKS: dict[TrustLevel, list[str | Promise]] = {
    TrustLevel.NEW: [
        _("On your first day begin 3 topics and answer 10 times; two links and one picture in each post"),
        _("Publish models and data sets"),
        _("Report what breaks a rule"),
    ],
    TrustLevel.BASIC: [
        _("Write without the limits of newcomers"),
        _("Your likes and reactions count, with half the weight"),
        _("Your reports weigh more with this level and each further one"),
    ],
    TrustLevel.MEMBER: [
        _("Your likes and reactions count in full"),
        _("Look after newcomers as a mentor"),
        _("One and a half times as many evaluations and training runs a day"),
    ],
    TrustLevel.REGULAR: [
        _("Give topics other names, tags and categories"),
        _("Confirm contributions of others, and accept translations"),
        _("Twice as many evaluations and training runs a day"),
        _("Your reactions count one and a half times"),
        _("Search engines follow the links in what you write"),
    ],
    TrustLevel.STEWARD: [
        _("Keep order in the categories that staff give you: pin, close, split and merge, and decide on reports there"),
        _("Given by staff for six months"),
    ],
}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The five levels; for who is signed in, with live numbers."""
    return _page(request)


@require_POST
def rules_read(request: HttpRequest) -> HttpResponse:
    """The reader says to have read the rules."""
    trusting.note_rules_read(require_user(request))
    return redirect("badge", slug="first-light")


@require_POST
def appointment(request: HttpRequest) -> HttpResponse:
    """Make somebody a steward."""
    user, form = require_user(request), AppointmentForm(request.POST)
    if form.is_valid():
        try:
            trusting.appoint(form.cleaned_data["person"], by=user, reason=form.cleaned_data["reason"])
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect("trust")
    return _page(request, form, status=400)


@require_POST
def end_of_term(request: HttpRequest, term_id: int) -> HttpResponse:
    """Let a steward be one no longer."""
    user = require_user(request)
    term = get_object_or_404(Term.objects.serving().select_related("user"), pk=term_id)
    trusting.end_term(term.user, by=user)
    return redirect("trust")


def _page(request: HttpRequest, form: AppointmentForm | None = None, *, status: int = 200) -> HttpResponse:
    user = request.user
    context: dict[str, object] = {
        "part": "trust",
        "stewards": Term.objects.serving().select_related("user").order_by("until")[:STEWARDS],
    }
    level = TrustLevel.NEW
    steps: dict[int, trusting.Step] = {}
    if isinstance(user, User):
        trusting.recheck([user.pk])
        level = TrustLevel(trust.level(user))
        steps = {int(step.level): step for step in trusting.steps(user)}
        context["rules_read"] = Trust.objects.filter(user=user, rules_read_at__isnull=False).exists()
        context["needs_address"] = not any(evidence.confirmed_among([user.pk]))
        context["changes"] = TrustChange.objects.filter(user=user).order_by("-created_at")[:CHANGES]
        context["form"] = (form or AppointmentForm()) if user.is_staff else None
    context["level"] = level
    context["rows"] = [
        (one, UNLOCKS[one], steps.get(one), one <= level, one == min(level + 1, TrustLevel.STEWARD))
        for one in TrustLevel
    ]
    return render(request, "portal/trust/page.html", context, status=status)
