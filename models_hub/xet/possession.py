"""Which chunks an asker may make files of without sending them: those sent earlier, and those that may be read.

Knowing hashes proves nothing: the hash of a xorb with one chunk is the chunk's, and a chunk's hash is all that a
shard has to know of it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Q, QuerySet

from models_hub.models import AccessRequest, Piece, Repo, Restriction, Xorb, XorbRight
from portal.models import AccessToken, Asker, User
from portal.reach import reach_of


class Interval(NamedTuple):
    """Chunks [first, end) of a xorb."""

    first: int
    end: int


def readable_repos(user: Asker) -> QuerySet[Repo]:
    """Return the repositories whose files the user may download, as `permissions.can_download` says of one."""
    visible = Repo.objects.visible_to(user).exclude(restriction__level__gte=Restriction.Level.DISABLE)
    reach = reach_of(user)
    if reach is not None and not reach.everywhere:  # a limited token opens only the gated ones that it was given
        given = Q(namespace_id__in=list(reach.namespaces)) | Q(pk__in=list(reach.repos))
        visible = visible.filter(Q(gated=Repo.Gate.OPEN) | given)
    if not isinstance(user, User):
        return visible.filter(gated=Repo.Gate.OPEN)
    if user.is_superuser:
        return visible
    accepted = AccessRequest.objects.filter(user=user, status=AccessRequest.Status.ACCEPTED)
    return visible.filter(
        Q(gated=Repo.Gate.OPEN)
        | Q(namespace__user_id=user.pk)
        | Q(namespace__organization_id__in=user.memberships.values("organization_id"))
        | Q(pk__in=accepted.values("repo_id"))
    )


def possessed(xorb: Xorb, *, user: User, access: AccessToken | None) -> list[Interval]:
    """Return the chunks of a xorb that the user may use, as intervals that do not touch."""
    if XorbRight.objects.filter(XorbRight.of(user, access), xorb=xorb).exists():
        return [Interval(0, xorb.chunk_count)]
    readable = Piece.objects.filter(xorb=xorb, blob__repo_blobs__repo__in=readable_repos(user))
    return joined(Interval(*row) for row in readable.values_list("first_chunk", "end_chunk").distinct())


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same chunks in order, as few intervals as possible."""
    result: list[Interval] = []
    for first, end in sorted(intervals):
        if result and first <= result[-1].end:
            result[-1] = Interval(result[-1].first, max(result[-1].end, end))
        else:
            result.append(Interval(first, end))
    return result
