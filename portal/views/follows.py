"""All that one follows, of every kind, in one place; and the end of each."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal import following
from portal.authentication import require_user


@never_cache
@require_safe
def follows(request: HttpRequest) -> HttpResponse:
    """What one follows of one kind, a page of it, and how much there is of the others."""
    user, kinds = require_user(request), following.kinds()
    name = request.GET.get("kind", kinds[0].name)
    if name not in {kind.name for kind in kinds}:
        raise Http404
    before = request.GET.get("before", "")
    known = before.isascii() and before.isdigit() and len(before) < 19
    rows = list(following.kind_named(name).page(user, int(before) if known else None, following.PAGE + 1))
    context = {
        "kinds": [(kind.name, kind.title, kind.count(user)) for kind in kinds],
        "kind": name,
        "followed": rows[: following.PAGE],
        "next_before": rows[following.PAGE - 1].pk if len(rows) > following.PAGE else None,
    }
    return render(request, "portal/settings/following.html", context)


@require_POST
def end(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Follow one thing no longer; what is not followed stays so."""
    user = require_user(request)
    following.kind_named(kind).end(user, pk)
    messages.success(request, _("You follow it no longer."))
    response = redirect("settings_following")
    response["Location"] += f"?kind={kind}"
    return response
