"""Likes: given, taken back and counted."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from models_hub import trending
from models_hub.models import Like, Repo
from portal.errors import NotAllowed, SignInRequired
from portal.models import Asker, Event, User
from portal.privacy import shows
from portal.reach import may_use


def like(repo: Repo, *, by: Asker) -> None:
    """Like a repository; a second time changes nothing."""
    user = _require_person(by)
    try:
        with transaction.atomic():
            row = Like.objects.create(repo=repo, user=user)
            trending.add(repo.pk, trending.LIKE, at=row.created_at)
            count([repo.pk])
            Event.record("repo.liked", subject=f"repo:{repo.pk}", by=user)
    except IntegrityError:
        if not Like.objects.filter(repo=repo, user=user).exists():
            raise
    repo.refresh_from_db(fields=("likes", "trend"))


def unlike(repo: Repo, *, by: Asker) -> None:
    """Take a like back; without one nothing changes."""
    user = _require_person(by)
    with transaction.atomic():
        row = Like.objects.select_for_update().filter(repo=repo, user=user).first()
        if row is None:
            return
        row.delete()
        trending.add(repo.pk, -trending.LIKE, at=row.created_at)
        count([repo.pk])
        Event.record("repo.unliked", subject=f"repo:{repo.pk}", by=user)
    repo.refresh_from_db(fields=("likes", "trend"))


def has_liked(user: Asker, repo: Repo) -> bool:
    return user.is_authenticated and Like.objects.filter(repo=repo, user_id=user.pk).exists()


def likes_of(user: User, *, seen_by: Asker) -> QuerySet[Like]:
    """Return a person's likes, the latest first; those of repositories that the asker may not see are left out."""
    if not shows(user, "likes", to=seen_by):
        return Like.objects.none()
    visible = Repo.objects.visible_to(seen_by)
    return Like.objects.filter(user=user, repo__in=visible).select_related("repo__namespace").order_by("-id")


def likers_of(repo: Repo, *, seen_by: Asker) -> QuerySet[Like]:
    """Return the likes of a repository by people who show what they like, and the asker’s own."""
    shown = Q(user__shows_likes=True) | Q(user_id=seen_by.pk or 0)
    return Like.objects.filter(shown, repo=repo, user__is_active=True).select_related("user")


def _require_person(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to like a repository."))
    if not may_use(by, "discussions"):
        raise NotAllowed(_("This access token may not like repositories."))
    return by


def count(repos: Iterable[int]) -> None:
    """Count anew, in the transaction of the caller: accounts that ended took their likes with them."""
    given = Like.objects.filter(repo=OuterRef("pk")).order_by().values("repo").annotate(count=Count("pk"))
    Repo.objects.filter(pk__in=list(repos)).update(likes=Coalesce(Subquery(given.values("count")), 0))
