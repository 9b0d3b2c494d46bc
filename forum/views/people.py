"""What a person answered, as a fragment of the person's page: the answers that others accepted."""

from django.db.models import F, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from forum.models import Post, Topic
from portal.models import Namespace

PAGE = 30


@require_safe
def answers(request: HttpRequest, name: str) -> HttpResponse:
    """The accepted answers of a person in topics of others, as far as the reader may see them, the latest first."""
    namespace = get_object_or_404(Namespace.objects.known_as(name).filter(user__is_active=True).select_related("user"))
    solved = Topic.objects.visible_to(request.user).exclude(author=namespace.user).filter(accepted=OuterRef("pk"))
    posts = Post.objects.filter(author=namespace.user, hidden_at=None, held_at=None)
    posts = posts.annotate(solved=Subquery(solved.values("pk")[:1])).filter(solved=F("topic"))
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        posts = posts.filter(pk__lt=int(before))
    page = list(posts.select_related("topic__repo__namespace", "topic__author").order_by("-pk")[: PAGE + 1])
    context = {
        "namespace": namespace,
        "answers": page[:PAGE],
        "is_first": not before,
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
    }
    return render(request, "forum/people/answers.html", context)
