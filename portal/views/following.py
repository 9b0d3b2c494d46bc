"""Following a person or an organization, from their page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from portal.authentication import require_user
from portal.models import Follow, Namespace


@require_POST
def begin(request: HttpRequest, name: str) -> HttpResponse:
    user, namespace = require_user(request), _load(name)
    Follow.begin(namespace, by=user)
    return redirect("profile", name=namespace.name)


@require_POST
def end(request: HttpRequest, name: str) -> HttpResponse:
    user, namespace = require_user(request), _load(name)
    Follow.end(namespace, by=user)
    return redirect("profile", name=namespace.name)


def _load(name: str) -> Namespace:
    return get_object_or_404(Namespace.objects.exclude(user__is_active=False), lower=name.lower())
