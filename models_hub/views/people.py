"""What the hub knows of people and organizations, as fragments of their pages: what they say, activity and likes."""

from collections import Counter
from datetime import date, timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_safe

from models_hub import rendering
from models_hub.models import Like, Repo
from portal.models import Asker, Event, Membership, Namespace

DAYS = 371  # 53 whole weeks
LATEST = 30
LIKES = 60
MAX_REPOS = 500  # of an organization, those whose acts are looked at: the ones that changed last
# What counts as activity, and what a reader sees of it.
ACTS = {
    "repo.created": _("created"),
    "repo.committed": _("changed"),
    "repo.released": _("released a version of"),
    "repo.liked": _("likes"),
}


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
def activity(request: HttpRequest, name: str) -> HttpResponse:
    """A year of days and the latest acts, of repositories that the reader may see and of no others."""
    namespace, today = _namespace(name), timezone.localdate()
    start = today - timedelta(days=DAYS - 1)
    start -= timedelta(days=(start.weekday()))
    acts = _acts(namespace, request.user).filter(created_at__date__gte=start)
    rows = list(acts.values("subject", day=TruncDate("created_at")).annotate(count=Count("id")))
    touched = {_repo_id(str(row["subject"])) for row in rows}
    seen = {
        repo.pk: repo
        for repo in Repo.objects.visible_to(request.user).select_related("namespace").filter(pk__in=touched)
    }
    days: Counter[date] = Counter()
    for row in rows:
        if _repo_id(str(row["subject"])) in seen:
            days[row["day"]] += row["count"]
    subjects = [f"repo:{pk}" for pk in seen]
    latest = acts.filter(subject__in=subjects).select_related("actor").order_by("-id")[:LATEST]
    context = {
        "namespace": namespace,
        "total": sum(days.values()),
        "days": [_day(start + timedelta(days=n), days) for n in range((today - start).days + 1)],
        "latest": [(act, ACTS[act.kind], seen[_repo_id(act.subject)]) for act in latest],
    }
    return render(request, "models_hub/people/activity.html", context)


def _acts(namespace: Namespace, reader: Asker) -> QuerySet[Event]:
    """Return what a person did, or what anybody did to an organization's repositories, likes of them apart."""
    acts = Event.objects.filter(kind__in=ACTS, subject__startswith="repo:")
    if namespace.user_id:
        return acts.filter(actor=namespace.user_id)
    owned = Repo.objects.visible_to(reader).filter(namespace=namespace).order_by("-updated_at")[:MAX_REPOS]
    subjects = [f"repo:{pk}" for pk in owned.values_list("pk", flat=True)]
    return acts.filter(subject__in=subjects).exclude(kind="repo.liked")


def _repo_id(subject: str) -> int:
    return int(subject.removeprefix("repo:"))


def _day(day: date, days: Counter[date]) -> tuple[date, int, int]:
    count = days[day]
    return day, count, 0 if not count else 1 if count < 3 else 2 if count < 10 else 3


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
    if namespace.user_id:
        return Like.objects.filter(user=namespace.user_id)
    members = Membership.objects.visible_to(reader).filter(organization=namespace.organization_id)
    return Like.objects.filter(user__in=members.values("user"))
