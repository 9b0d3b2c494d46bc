"""Reporting something, claiming a right, and what became of one's reports."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from portal import moderated, moderating, subjects
from portal.authentication import require_user
from portal.errors import DomainError
from portal.models import Case, Report
from portal.moderation_forms import CLAIMS, ClaimForm, ReportForm

PAGE = 30


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Say what is wrong with something that one sees."""
    user, about = require_user(request), request.GET.get("about", "")
    subject = subjects.find(about, user)
    target = moderated.load(about) if subject else None
    if subject is None or target is None:
        raise Http404
    claim = request.GET.get("claim", "")
    form: ReportForm | ClaimForm
    if claim in CLAIMS:
        form = CLAIMS[claim](request.POST or None)
    else:
        claim, form = "", ReportForm(request.POST or None, kind=subject.kind)
    context = {
        "subject": subject,
        "form": form,
        "claim": claim,
        "claim_label": Case.Kind(claim).label if claim else "",
        "claims": [(kind, Case.Kind(kind).label) for kind in CLAIMS],
        "is_own": target.author_id == user.pk,
    }
    if request.method == "POST" and form.is_valid():
        try:
            if isinstance(form, ClaimForm):
                moderating.report(
                    about, by=user, reason=form.reason, text=form.cleaned_data["text"], kind=claim, data=form.facts()
                )
            else:
                moderating.report(
                    about, by=user, reason=form.cleaned_data["reason"], text=form.cleaned_data["text"],
                    take_action=request.POST.get("take_action") == "1",
                )  # fmt: skip
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, _("Thank you. A moderator will look at it, and you will hear what came of it."))
            return redirect("reports")
    status = 400 if request.method == "POST" else 200
    return render(request, "portal/moderation/report.html", context, status=status)


@never_cache
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """One's own reports, newest first, and what became of each."""
    user, before = require_user(request), request.GET.get("before", "")
    rows = Report.objects.filter(reporter=user).select_related("case").order_by("-id")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows[: PAGE + 1])
    seen = subjects.describe([row.case.about for row in page], user)
    context = {
        "reports": [(row, seen.get(row.case.about)) for row in page[:PAGE]],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
    }
    return render(request, "portal/moderation/reports.html", context)
