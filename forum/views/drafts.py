"""Unfinished texts: saved while they are written, listed, thrown away."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forum import admission, drafting
from forum.drafting import FIELDS
from models_hub.models import Repo
from portal import subjects
from portal.authentication import require_user
from portal.errors import DomainError, status_of


@never_cache
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """All drafts of the reader, the last one first."""
    user = require_user(request)
    drafts = list(user.drafts.order_by("-updated_at")[: drafting.MAX_DRAFTS])
    keys = {draft.key.removeprefix("new:") for draft in drafts}
    seen = subjects.describe(keys, user)
    repos = Repo.objects.visible_to(user).filter(pk__in=_ids(keys, "repo")).select_related("namespace")
    talks = {repo.pk: f"{repo.path}/discussions/new" for repo in repos}
    rows = [(draft, seen.get(draft.key.removeprefix("new:")), _address(draft.key, seen, talks)) for draft in drafts]
    return render(request, "forum/compose/drafts.html", {"rows": rows})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, key: str) -> HttpResponse:
    """Give an unfinished text, or keep it: for a program that saves while somebody writes, and for a button."""
    user, given = require_user(request), request.POST
    if request.method != "POST":
        found = drafting.find(key, by=user)
        facts = {"text": found.text, "title": found.title, "sequence": found.sequence} if found else {"sequence": 0}
        return JsonResponse({**facts, "rules": admission.limits_of(user).sentences()})
    is_program, number = request.headers.get("Accept") == "application/json", given.get("sequence", "")
    sequence = int(number) if is_program and number.isdecimal() and len(number) < 10 else None
    data = {name: given.get(name, "") for name in FIELDS}
    try:
        kept = drafting.save(
            key, by=user, text=given.get("text", ""), title=given.get("title", ""), data=data, sequence=sequence
        )
    except DomainError as error:
        if not is_program:
            raise
        return JsonResponse({"error": error.message, **error.data}, status=status_of(error))
    if is_program:
        return JsonResponse({"sequence": kept.sequence if kept else 0})
    messages.success(request, _("The draft is saved."))
    return redirect("forum_drafts")


@require_POST
def removal(request: HttpRequest, key: str) -> HttpResponse:
    """Throw a draft away, and lead back to where that was asked for."""
    drafting.discard(key, by=require_user(request))
    back = request.POST.get("back", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "forum_drafts")


def _ids(keys: set[str], kind: str) -> list[int]:
    return [int(key.partition(":")[2]) for key in keys if key.startswith(f"{kind}:")]


def _address(key: str, seen: dict[str, subjects.Subject], talks: dict[int, str]) -> str:
    """Return where a draft is gone on with, nothing where that is not possible any more."""
    kind, _colon, pk = key.partition(":")
    if kind == "new":
        return f"/forum/new?about={pk}" if pk else "/forum/new"
    if kind == "repo":
        return talks.get(int(pk), "")
    if kind == "post":
        return f"/forum/posts/{pk}/edit" if key in seen else ""
    found = seen.get(key)
    if found is None:
        return ""
    return f"/forum/topics/{pk}/replies" if found.path.startswith("/forum/") else f"{found.path}#reply"
