"""A person's public keys for git over SSH."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import ssh_addresses
from portal.authentication import confirmed, require_user
from portal.errors import DomainError
from portal.forms import SshKeyForm
from portal.models import SshKey


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@confirmed(allow_get=True)
def ssh_keys(request: HttpRequest) -> HttpResponse:
    """List keys and add one."""
    user = require_user(request)
    form = SshKeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            key = SshKey.add(user=user, **form.cleaned_data)
        except DomainError as error:
            form.add_error("text", error.message)
        else:
            messages.success(request, _("The key “%(name)s” is added.") % {"name": key.name})
            return redirect("settings_ssh_keys")
    context = {
        "form": form,
        "keys": SshKey.objects.filter(user=user).order_by("-created_at", "-id"),
        "ssh_login": ssh_addresses.login(request.get_host()),
    }
    return render(request, "portal/settings/ssh_keys.html", context, status=400 if form.is_bound else 200)


@require_POST
def removal(request: HttpRequest, key_id: int) -> HttpResponse:
    """End a key of one's own."""
    key = get_object_or_404(SshKey.objects.select_related("user"), pk=key_id, user=require_user(request))
    key.remove()
    messages.success(request, _("The key “%(name)s” is removed.") % {"name": key.name})
    return redirect("settings_ssh_keys")
