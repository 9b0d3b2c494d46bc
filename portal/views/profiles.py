"""The page of a person or an organization."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from portal.models import Follow, Membership, Namespace
from portal.permissions import can_administer

SHOWN = 30  # members, or organizations, that the side of the page names
FOLLOWERS = 12


@require_safe
def profile(request: HttpRequest, name: str) -> HttpResponse:
    """Who this is; the repositories come from the hub by a fragment."""
    spaces = Namespace.objects.select_related("user", "organization")
    namespace = get_object_or_404(spaces.exclude(user__is_active=False), lower=name.lower())
    if namespace.name != name:
        return redirect("profile", name=namespace.name)
    if namespace.is_mirror:
        return render(request, "portal/mirrored_profile.html", {"namespace": namespace})
    related = {"organization": namespace.organization} if namespace.organization else {"user": namespace.user}
    memberships = Membership.objects.filter(**related).select_related("user", "organization").order_by("created_at")
    followers = Follow.objects.of_active().filter(namespace=namespace)
    return render(
        request,
        "portal/profile.html",
        {
            "namespace": namespace,
            "subject": namespace.organization or namespace.user,
            "memberships": memberships.exclude(user__is_active=False)[:SHOWN],
            "may_administer": can_administer(request.user, namespace),
            "followers": followers.select_related("follower").order_by("-id")[:FOLLOWERS],
            "follower_count": followers.count(),
            "follows": Follow.is_on(namespace, by=request.user),
        },
    )
