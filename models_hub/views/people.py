"""What the hub knows of people and organizations, as fragments of their pages: what they say and what they like."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from models_hub import rendering
from models_hub.models import Like, Repo
from portal.models import Asker, Membership, Namespace
from portal.privacy import shows

LIKES = 60


def _namespace(name: str) -> Namespace:
    spaces = Namespace.objects.select_related("user", "organization").exclude(user__is_active=False)
    return get_object_or_404(spaces.known_as(name), is_mirror=False)


@require_safe
def about(request: HttpRequest, name: str) -> HttpResponse:
    """What a person or an organization says of itself, rendered like a comment."""
    namespace = _namespace(name)
    subject = namespace.organization or namespace.user
    text = subject.about if subject else ""
    html = rendering.comment_html(text, repo=None, revision="")
    return render(request, "models_hub/people/about.html", {"text": text, "html": html})


@require_safe
def likes(request: HttpRequest, name: str) -> HttpResponse:
    """The repositories that a person likes, or members of an organization do, as far as the reader may see them."""
    namespace = _namespace(name)
    liked = _likes(namespace, request.user).filter(repo__in=Repo.objects.visible_to(request.user))
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        liked = liked.filter(pk__lt=int(before))
    page = list(liked.select_related("repo__namespace", "user").order_by("-id")[: LIKES + 1])
    older = page[LIKES - 1].pk if len(page) > LIKES else None
    context = {"namespace": namespace, "likes": page[:LIKES], "older": older}
    return render(request, "models_hub/people/likes.html", context)


def _likes(namespace: Namespace, reader: Asker) -> QuerySet[Like]:
    """Return the likes of a person, or of those members whom the organization lets the reader see."""
    if namespace.user is not None:
        shown = shows(namespace.user, "likes", to=reader)
        return Like.objects.filter(user=namespace.user) if shown else Like.objects.none()
    members = Membership.objects.visible_to(reader).filter(organization=namespace.organization_id)
    return Like.objects.filter(user__in=members.values("user"), user__shows_likes=True)
