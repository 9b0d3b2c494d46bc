"""A person's access tokens."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from portal.authentication import require_user
from portal.errors import DomainError
from portal.forms import TokenForm
from portal.models import AccessToken, Authorization, User


@never_cache
@sensitive_variables("secret")
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """List tokens and create one. The answer to creation is the only page that ever holds the secret."""
    user = require_user(request)
    form = TokenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _page(request, user, form, status=400 if form.is_bound else 200)
    try:
        token, secret = AccessToken.issue(user=user, **form.cleaned_data)
    except DomainError as error:
        form.add_error(None, error.message)
        return _page(request, user, form, status=400)
    return _page(request, user, TokenForm(), created=token, secret=secret, status=201)


def _page(request: HttpRequest, user: User, form: TokenForm, *, status: int, **created: object) -> HttpResponse:
    live = AccessToken.objects.live().personal().filter(user=user).order_by("-created_at", "-id")
    allowed = Authorization.objects.filter(user=user, revoked_at__isnull=True).select_related("app")
    context = {
        "form": form,
        "tokens": live.prefetch_related("grants"),
        "authorizations": allowed.order_by("-created_at", "-id"),
        **created,
    }
    return render(request, "portal/settings/tokens.html", context, status=status)


@require_POST
def revocation(request: HttpRequest, token_id: int) -> HttpResponse:
    """End a token of one's own."""
    user = require_user(request)
    token = get_object_or_404(AccessToken, pk=token_id, user=user)
    token.revoke()
    messages.success(request, _("The token “%(name)s” is revoked.") % {"name": token.name})
    return redirect("settings_tokens")
