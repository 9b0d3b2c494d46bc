"""What the hub says of who wants to hear of a repository: who watches it, and who keeps it."""

from collections.abc import Collection
from datetime import datetime

from models_hub.models import Repo, Watch
from portal import broadcasting, notifying
from portal.models import Membership, Muting, User

MANY_ADMINS = 50


def register() -> None:
    broadcasting.register_watched("repo", watched)
    notifying.register_mute("repo", mute)


def watched(repos: Collection[int], reader: User) -> dict[int, datetime | None]:
    """Return which of these repositories the reader watches, and since when."""
    return dict(Watch.objects.filter(repo__in=repos, user=reader).values_list("repo", "created_at"))


def mute(place: str, by: User) -> bool:
    """Watch a repository no longer, and hear nothing of it: it may be the person's own."""
    pk = int(place.partition(":")[2])
    Watch.objects.filter(repo=pk, user=by).delete()
    Muting.objects.get_or_create(user=by, place=place)
    return True


def keepers(repo: Repo) -> list[int]:
    """Return the ids of those who look after a repository: its owner, or the admins of its organization."""
    namespace = repo.namespace
    if namespace.user_id is not None:
        return [namespace.user_id]
    admins = Membership.objects.filter(organization=namespace.organization_id, role=Membership.Role.ADMIN)
    return list(admins.values_list("user", flat=True)[:MANY_ADMINS])
