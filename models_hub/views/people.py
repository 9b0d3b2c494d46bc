"""What the hub knows of a person, as fragments of the profile page: the text about them, activity and likes."""

from collections import Counter
from datetime import date, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_noop as _
from django.views.decorators.http import require_safe

from models_hub import rendering
from models_hub.models import Like, Repo
from portal.models import Event, Namespace, User

DAYS = 371  # 53 whole weeks
LATEST = 30
LIKES = 60
# What counts as activity, and what a reader sees of it.
ACTS = {
    "repo.created": _("created"),
    "repo.committed": _("changed"),
    "repo.released": _("released a version of"),
    "repo.liked": _("likes"),
}


def _namespace(name: str) -> Namespace:
    spaces = Namespace.objects.select_related("user", "organization").exclude(user__is_active=False)
    return get_object_or_404(spaces.filter(is_mirror=False), lower=name.lower())


def _person(name: str) -> User:
    return get_object_or_404(User.objects.filter(is_active=True), namespace__lower=name.lower())


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
    person, today = _person(name), timezone.localdate()
    start = today - timedelta(days=DAYS - 1)
    start -= timedelta(days=(start.weekday()))
    acts = Event.objects.filter(actor=person, kind__in=ACTS, created_at__date__gte=start, subject__startswith="repo:")
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
    latest = acts.filter(subject__in=subjects).order_by("-id")[:LATEST]
    context = {
        "name": name,
        "total": sum(days.values()),
        "days": [_day(start + timedelta(days=n), days) for n in range((today - start).days + 1)],
        "latest": [(act, ACTS[act.kind], seen[_repo_id(act.subject)]) for act in latest],
    }
    return render(request, "models_hub/people/activity.html", context)


def _repo_id(subject: str) -> int:
    return int(subject.removeprefix("repo:"))


def _day(day: date, days: Counter[date]) -> tuple[date, int, int]:
    count = days[day]
    return day, count, 0 if not count else 1 if count < 3 else 2 if count < 10 else 3


@require_safe
def likes(request: HttpRequest, name: str) -> HttpResponse:
    """The repositories that a person likes, as far as the reader may see them."""
    liked = Like.objects.filter(user=_person(name), repo__in=Repo.objects.visible_to(request.user))
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        liked = liked.filter(pk__lt=int(before))
    page = list(liked.select_related("repo__namespace").order_by("-id")[: LIKES + 1])
    older = page[LIKES - 1].pk if len(page) > LIKES else None
    return render(request, "models_hub/people/likes.html", {"name": name, "likes": page[:LIKES], "older": older})
