"""Watching repositories. What happens in them is told by the feed and by notifications."""

from django.utils.translation import gettext as _

from models_hub.models import Repo, Watch
from portal import notifying
from portal.errors import InvalidInput, NotAllowed, SignInRequired
from portal.models import Asker, User
from portal.reach import may_use

MAX_WATCHED = 500


def watch(repo: Repo, *, by: Asker) -> None:
    """Watch a repository; a second time changes nothing."""
    user = _require_person(by)
    if Watch.objects.filter(user=user).count() >= MAX_WATCHED:
        raise InvalidInput(_("You watch %(max)d repositories already: leave one first.") % {"max": MAX_WATCHED})
    Watch.objects.get_or_create(user=user, repo=repo)
    notifying.unmute(f"repo:{repo.pk}", by=user)


def unwatch(repo: Repo, *, by: Asker) -> None:
    """Watch it no longer."""
    Watch.objects.filter(user=_require_person(by), repo=repo).delete()


def is_watched(repo: Repo, *, by: Asker) -> bool:
    return by.is_authenticated and Watch.objects.filter(user_id=by.pk, repo=repo).exists()


def _require_person(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to watch a repository."))
    if not may_use(by, "discussions"):
        raise NotAllowed(_("This access token may not watch repositories."))
    return by
