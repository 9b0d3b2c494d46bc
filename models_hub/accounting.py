"""Where an owner's bytes are, for the pages about storage: every number is counted from the rows that are charged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Sum

from models_hub import quotas, tidying
from models_hub.git import objects
from models_hub.models import Blob, Commit, GitObject, QuotaAccount, Repo, RepoBlob, Reservation, XorbHolding
from models_hub.reaching import Reached
from portal.models import Asker, Namespace
from portal.permissions import role_in
from portal.reach import Level, reaches

PAGE = 50
LARGEST = 10


@dataclass(frozen=True)
class RepoShare:
    """One repository's part, and how it was divided when the repository was last walked through."""

    repo: Repo
    bytes: int

    @property
    def is_divided(self) -> bool:
        """The parts add up only while nothing came or went since."""
        measure = getattr(self.repo, "measure", None)
        return measure is not None and measure.current + measure.history + measure.unused == self.bytes


@dataclass(frozen=True)
class OwnerStorage:
    """What one owner holds, and of what kinds."""

    account: QuotaAccount
    large: int
    git: int
    uploads: int
    kept_once: int  # charged for several repositories, but stored a single time
    repos: list[RepoShare]
    next_cursor: str
    largest: list[RepoBlob]

    @property
    def share(self) -> float:
        """How full it is, from 0 to 1 and beyond."""
        return self.account.used / self.account.limit_now if self.account.limit_now else 1.0


@dataclass(frozen=True)
class HeldFile:
    """Large content of a repository: where it stands, if at the head, and what it is for."""

    path: str
    blob: Blob
    place: str  # "current", "history" or "unused"


@dataclass(frozen=True)
class RepoStorage:
    """How the bytes of one repository are divided now."""

    current: int
    history: int
    unused: int
    kept_once: int
    largest: Sequence[HeldFile]

    @property
    def total(self) -> int:
        return self.current + self.history + self.unused


def may_see(user: Asker, namespace: Namespace) -> bool:
    """Whether somebody may see where an owner's bytes are, private repositories among them: whoever belongs to it."""
    return role_in(user, namespace) is not None and reaches(user, Level.READ, namespace_id=namespace.pk)


def of_owner(namespace: Namespace, *, cursor: str = "") -> OwnerStorage:
    """Return an owner's storage with one page of its repositories, the largest first."""
    large = dict(_by_repo(RepoBlob.objects.filter(repo__namespace=namespace), "blob__size"))
    git = dict(_by_repo(GitObject.objects.filter(repo__namespace=namespace), "size"))
    parts = dict(_by_repo(Reservation.objects.filter(repo__namespace=namespace), "bytes"))
    totals = {pk: large.get(pk, 0) + git.get(pk, 0) + parts.get(pk, 0) for pk in {*large, *git, *parts}}
    shares, following = _page(totals, cursor)
    unused = XorbHolding.objects.filter(namespace=namespace).aggregate(total=Sum("unused"))["total"] or 0
    distinct = Blob.objects.filter(pk__in=RepoBlob.objects.filter(repo__namespace=namespace).values("blob_id"))
    rights = RepoBlob.objects.filter(repo__namespace=namespace).select_related("blob", "repo__namespace")
    return OwnerStorage(
        account=quotas.account_now(namespace),
        large=sum(large.values()),
        git=sum(git.values()),
        uploads=unused + sum(parts.values()),
        kept_once=sum(large.values()) - (distinct.aggregate(total=Sum("size"))["total"] or 0),
        repos=shares,
        next_cursor=following,
        largest=list(rights.order_by("-blob__size", "-pk")[:LARGEST]),
    )


def of_repo(repo: Repo, reached: Reached) -> RepoStorage:
    """Return how a repository's bytes are divided at this moment, and its largest files."""
    current, history, unused = tidying.divide(repo, reached)
    rights = RepoBlob.objects.filter(repo=repo).select_related("blob").order_by("-blob__size", "-pk")
    elsewhere = RepoBlob.objects.exclude(repo=repo).filter(repo__namespace_id=repo.namespace_id).values("blob_id")
    shared = RepoBlob.objects.filter(repo=repo, blob_id__in=elsewhere)
    return RepoStorage(
        current=current,
        history=history,
        unused=unused,
        kept_once=shared.aggregate(total=Sum("blob__size"))["total"] or 0,
        largest=_placed(repo, reached, [right.blob for right in rights[:LARGEST]]),
    )


def of_each(repos: Iterable[int]) -> dict[int, int]:
    """Return the bytes that each of these repositories holds, by id, in as many questions however many they are."""
    wanted = list(repos)
    totals = dict.fromkeys(wanted, 0)
    for rows, column in ((RepoBlob.objects, "blob__size"), (GitObject.objects, "size"), (Reservation.objects, "bytes")):
        for pk, size in _by_repo(rows.filter(repo__in=wanted), column):
            totals[pk] += size
    return totals


def _by_repo(rows: QuerySet[Any], column: str) -> list[tuple[int, int]]:
    return list(rows.values_list("repo_id").annotate(total=Sum(column)).order_by())


def _page(totals: dict[int, int], cursor: str) -> tuple[list[RepoShare], str]:
    """Return a page of repositories after the cursor, `size-id` of the last one before, and the next cursor."""
    order = sorted(((-size, -pk) for pk, size in totals.items()))
    size, _dash, pk = cursor.partition("-")
    if size.isdecimal() and pk.isdecimal() and len(cursor) < 40:
        order = [place for place in order if place > (-int(size), -int(pk))]
    shown = order[:PAGE]
    repos = Repo.objects.select_related("namespace", "measure").in_bulk([-pk for _size, pk in shown])
    shares = [RepoShare(repos[-pk], -size) for size, pk in shown if -pk in repos]
    following = f"{-shown[-1][0]}-{-shown[-1][1]}" if len(order) > PAGE else ""
    return shares, following


def _placed(repo: Repo, reached: Reached, blobs: Sequence[Blob]) -> list[HeldFile]:
    head = Commit.objects.filter(repo=repo, oid=repo.head).values_list("tree_oid", flat=True).first()
    paths = {item.oid: path for path, item in objects.flatten(repo, head).items()} if head else {}
    return [HeldFile(paths.get(blob.pointer_oid, ""), blob, _place(blob, reached)) for blob in blobs]


def _place(blob: Blob, reached: Reached) -> str:
    if blob.pointer_oid in reached.current:
        return "current"
    return "history" if blob.pointer_oid in reached.everything else "unused"
