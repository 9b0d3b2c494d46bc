"""What of the hub belongs to people and to names: see portal/belongings.py; repositories go by handing.py."""

from collections.abc import Iterator, Sequence

from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from models_hub import handing, liking, quotas, trending, webhooks
from models_hub.adapting import annotating
from models_hub.models import (
    AccessRequest,
    Annotation,
    AnnotationRow,
    Collection,
    CollectionUpvote,
    Like,
    Proposer,
    PullRequest,
    Repo,
    Review,
    SavedSearch,
    XorbHolding,
)
from portal import belongings
from portal.belongings import ended, moved, signed
from portal.models import User

# Of two answers to one wish for access, the better one counts.
STATUSES = [AccessRequest.Status.REJECTED, AccessRequest.Status.PENDING, AccessRequest.Status.ACCEPTED]
MAX_NAME = 80


def register() -> None:
    belongings.register(
        *moved("models_hub.Repo.namespace", title=gettext_lazy("Repositories"), mover=handing.take_over),
        *moved("models_hub.RepoAlias.namespace"),
        *moved("models_hub.Collection.namespace", title=gettext_lazy("Collections")),
        *moved("models_hub.XorbHolding.namespace", join=_join_holding),
        *ended("models_hub.QuotaAccount.namespace"),
        *signed("models_hub.Repo.created_by", "models_hub.Collection.created_by", "models_hub.Deletion.by"),
        *signed("models_hub.Import.requested_by", "models_hub.AccessRequest.granted_by"),
        *signed("models_hub.Commit.author", title=gettext_lazy("Commits")),
        *signed("models_hub.Release.author"),
        *signed("models_hub.PullRequest.author", title=gettext_lazy("Pull requests"), changed=_drop_own_reviews),
        *signed("models_hub.PullRequest.merged_by"),
        *moved("models_hub.PullRequest_pushers.user", "models_hub.RefRule_people.user", "models_hub.FileLock.owner"),
        *moved("models_hub.Review.reviewer", join=_join_review, changed=_drop_reviews_of_own),
        *moved("models_hub.Proposer.user", join=_join_proposer),
        *moved("models_hub.AccessRequest.user", join=_join_request),
        *moved("models_hub.Like.user", title=gettext_lazy("Likes"), join=_join_like, changed=_count_likes),
        *moved("models_hub.CollectionUpvote.user", changed=_count_upvotes),
        *moved("models_hub.Watch.user", title=gettext_lazy("Follows")),
        *moved("models_hub.SavedSearch.user", join=_join_search),
        *moved("models_hub.Upload.user", "models_hub.XorbRight.user"),
        *moved("models_hub.Run.owner", "models_hub.Study.owner", title=gettext_lazy("Runs")),
        *ended("models_hub.BaseScore.owner"),
        *moved("models_hub.AnnotationQueue.owner", title=gettext_lazy("Queues of rows to label")),
        *moved("models_hub.AnnotationQueue_people.user"),
        *signed("models_hub.AnnotationRow.holder"),
        *signed("models_hub.Annotation.by", title=gettext_lazy("Labels given"), changed=_settle_rows),
        # An address that somebody else may have chosen is told of nothing until its new owner wants that.
        *moved(
            "models_hub.Webhook.owner",
            title=gettext_lazy("Webhooks"),
            also=lambda _person: {"disabled": True, "disabled_reason": webhooks.HANDED_ON},
        ),
    )
    belongings.register_obstacle(_obstacles)


def _obstacles(source: User, target: User) -> Iterator[str]:
    """Names that both have, of which links could not know which is meant; and what the other has no room for."""
    theirs = Repo.objects.filter(namespace=source.namespace, deleted_at__isnull=True)
    taken = Repo.objects.filter(namespace=target.namespace, kind=OuterRef("kind"), lower=OuterRef("lower"))
    for repo in theirs.annotate(taken=Subquery(taken.values("pk")[:1])).filter(taken__isnull=False)[:20]:
        yield _("Both have a %(kind)s called %(name)s. Rename one of them.") % {
            "kind": repo.get_kind_display(),
            "name": repo.name,
        }
    account = quotas.account_now(target.namespace)
    needed = quotas.account_now(source.namespace).used
    if needed and needed > account.room:
        yield _("%(name)s has no room for what %(other)s keeps here.") % {
            "name": target.username,
            "other": source.username,
        }


def _join_holding(row: XorbHolding, twin: XorbHolding) -> None:
    twin.unused, twin.touched_at = max(row.unused, twin.unused), max(row.touched_at, twin.touched_at)
    twin.save(update_fields=("unused", "touched_at"))


def _drop_own_reviews(pulls: Sequence[PullRequest]) -> None:
    Review.objects.filter(pull__in=[pull.pk for pull in pulls], reviewer=F("pull__author")).delete()


def _drop_reviews_of_own(reviews: Sequence[Review]) -> None:
    """Nobody approves the own change, also when it was the own only later."""
    Review.objects.filter(pull__in={row.pull_id for row in reviews}, reviewer=F("pull__author")).delete()


def _join_review(row: Review, twin: Review) -> None:
    """The later word counts."""
    if row.pk > twin.pk:
        names = [field.name for field in Review._meta.concrete_fields if field.name not in {"id", "pull", "reviewer"}]
        for name in names:
            setattr(twin, name, getattr(row, name))
        twin.save(update_fields=names)


def _join_proposer(row: Proposer, twin: Proposer) -> None:
    twin.sent += row.sent
    twin.save(update_fields=("sent",))


def _join_request(row: AccessRequest, twin: AccessRequest) -> None:
    if STATUSES.index(AccessRequest.Status(row.status)) > STATUSES.index(AccessRequest.Status(twin.status)):
        twin.status, twin.granted_by, twin.rejection_reason = row.status, row.granted_by, row.rejection_reason
        twin.save(update_fields=("status", "granted_by", "rejection_reason"))


def _join_like(row: Like, _twin: Like) -> None:
    trending.add(row.repo_id, -trending.LIKE, at=row.created_at)


def _count_likes(likes: Sequence[Like]) -> None:
    liking.count({row.repo_id for row in likes})


def _count_upvotes(votes: Sequence[CollectionUpvote]) -> None:
    given = CollectionUpvote.objects.filter(collection=OuterRef("pk")).order_by().values("collection")
    counted = given.annotate(count=Count("pk")).values("count")
    rows = Collection.objects.filter(pk__in={row.collection_id for row in votes})
    rows.update(upvotes=Coalesce(Subquery(counted), 0))


def _settle_rows(given: Sequence[Annotation]) -> None:
    """Of two answers that were two people’s, one is left."""
    for row in AnnotationRow.objects.filter(pk__in={one.row_id for one in given}, is_written=False):
        annotating.settle(row)


def _join_search(row: SavedSearch, twin: SavedSearch) -> None:
    """A search of the same name that looks for something else stays under another name."""
    if row.query == twin.query:
        return
    name = f"{row.name[: MAX_NAME - 12]} ({row.pk})"
    SavedSearch.objects.get_or_create(
        user=twin.user, kind=row.kind, name=name, defaults={"query": row.query, "seen_at": row.seen_at}
    )
