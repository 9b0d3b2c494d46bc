"""A person's account as a whole: preferences, name, export, end. Sensitive steps ask for the password again."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import closing, renaming
from portal.account_settings_forms import DeletionForm, PreferencesForm, RenameForm
from portal.authentication import confirmed, require_user
from portal.errors import Conflict, DomainError, NotFound, status_of
from portal.models import AccountExport, AuditEntry, Event, User
from portal.views.preferences import speak

SHOWN_EXPORTS = 5
AUDIT_PAGE = 50


def _page(request: HttpRequest, user: User, *, status: int = 200, **forms: object) -> HttpResponse:
    now = user.language or translation.get_language()
    context = {
        "preferences": PreferencesForm(initial={"language": now, "theme": user.theme, "is_bot": user.is_bot}),
        "rename": RenameForm(),
        "deletion": DeletionForm(),
        "only_admin_of": closing.only_admin_of(user),
        "deletion_days": settings.ACCOUNT_DELETION_DAYS,
        "exports": user.exports.select_related("job").order_by("-id")[:SHOWN_EXPORTS],
        **forms,
    }
    return render(request, "portal/settings/account.html", context, status=status)


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """All that concerns the account itself."""
    return _page(request, require_user(request))


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Keep the language and the colours."""
    user, form = require_user(request), PreferencesForm(request.POST)
    if not form.is_valid():
        return _page(request, user, status=400, preferences=form)
    user.prefer(**form.cleaned_data)
    response = redirect("settings_account")
    speak(request, response, form.cleaned_data["language"], lambda: _("Your preferences are saved."))
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(allow_get=True)
def name(request: HttpRequest) -> HttpResponse:
    """Take another account name."""
    user, form = require_user(request), RenameForm(request.POST or None)
    if request.method != "POST":
        return redirect("settings_account")
    if not form.is_valid():
        return _page(request, user, status=400, rename=form)
    try:
        renaming.rename_account(user, name=form.cleaned_data["name"])
    except DomainError as error:
        form.add_error("name", error.message)
        return _page(request, User.objects.get(pk=user.pk), status=status_of(error), rename=form)
    messages.success(request, _("Your account name is %(name)s now.") % {"name": user.username})
    return redirect("settings_account")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(allow_get=True)
def deletion(request: HttpRequest) -> HttpResponse:
    """Have the account deleted in some days."""
    user, form = require_user(request), DeletionForm(request.POST or None)
    if request.method != "POST":
        return redirect("settings_account")
    if not form.is_valid():
        return _page(request, user, status=400, deletion=form)
    try:
        closing.ask(user, typed=form.cleaned_data["typed"])
    except DomainError as error:
        form.add_error("typed", error.message)
        return _page(request, user, status=status_of(error), deletion=form)
    logout(request)
    text = _("Your account will be deleted on %(date)s. Sign in before that day to keep it.")
    messages.success(request, text % {"date": f"{user.deletion_due_at:%Y-%m-%d}"})
    return redirect("home")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(allow_get=True)
def exports(request: HttpRequest) -> HttpResponse:
    """Have an export made."""
    user = require_user(request)
    if request.method == "POST":
        try:
            AccountExport.ask(by=user)
            messages.success(request, _("The export is being made. It appears here when it is ready."))
        except Conflict as error:
            messages.error(request, error.message)
    return redirect("settings_account")


@never_cache
@require_safe
@confirmed()
def export(request: HttpRequest, export_id: int) -> FileResponse:
    """Give the file to the person whose it is, and to nobody else."""
    user = require_user(request)
    found = get_object_or_404(AccountExport, pk=export_id, user=user)
    if not found.is_ready:
        raise NotFound(_("This export is not there any more."))
    try:
        file = found.path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(_("This export is not there any more.")) from error
    Event.record("account.export_downloaded", subject=f"user:{user.pk}", by=user)
    return FileResponse(file, as_attachment=True, filename=f"{user.username}.zip", content_type="application/zip")


@never_cache
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """What happened to the account, newest first."""
    user, before = require_user(request), request.GET.get("before", "")
    rows = AuditEntry.objects.filter(account=user)
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows.select_related("actor").order_by("-id")[: AUDIT_PAGE + 1])
    context = {
        "entries": page[:AUDIT_PAGE],
        "older": page[AUDIT_PAGE - 1].pk if len(page) > AUDIT_PAGE else None,
        "is_newest": not before,
        "days": settings.AUDIT_DAYS,
    }
    return render(request, "portal/settings/audit.html", context)
