"""Merging a pull request: two sides become one, or the paths are named on which they cannot agree."""

from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import ancestry, checking, comparing, drafting, landing, protecting, quotas, tree_merging
from models_hub.conversation import conversation
from models_hub.drafting import Draft
from models_hub.git import objects
from models_hub.models import DEFAULT_BRANCH, Commit, Proposer, PullRequest, Ref, Repo
from models_hub.models.refs import HEADS
from models_hub.proposing import require_live
from models_hub.protecting import RefChange
from models_hub.publishing import require_writer
from models_hub.tree_merging import Clash, Joined
from portal.errors import Conflict, InvalidInput, StaleParent
from portal.models import Asker, User

Status = PullRequest.Status

NAMED = 20  # conflicting paths in a message; `data` has all


class Method(StrEnum):
    """How the commits of a pull request come into the base branch."""

    MERGE = "merge"  # a commit with both histories as its parents
    SQUASH = "squash"  # one new commit of the author, with the branch as its parent
    FAST_FORWARD = "fast_forward"  # the commits themselves, which only works while the branch has not moved


class MergeConflict(Conflict):
    """Both sides changed the same paths. `data["paths"]` lists them."""

    code = "merge_conflict"


@dataclass(frozen=True)
class Sides:
    """The commits that a merge joins. `base` is where both began, None where they share no past."""

    onto: Commit
    head: Commit
    base: Commit | None

    @property
    def adds_nothing(self) -> bool:
        """The branch has all commits of the pull request already."""
        return self.base is not None and self.base.oid == self.head.oid

    @property
    def can_fast_forward(self) -> bool:
        return self.base is not None and self.base.oid == self.onto.oid


def sides(pull: PullRequest) -> Sides:
    """Return what the pull request would join now, or what it joined when it was merged.

    Raises Conflict when its base branch is gone.
    """
    refs = dict(Ref.objects.filter(repo=pull.repo, name__in=(pull.ref, HEADS + pull.base)).values_list("name", "oid"))
    onto = pull.merged_onto or refs.get(HEADS + pull.base)
    found = _commits(pull.repo, onto, refs[pull.ref]) if onto and pull.ref in refs else {}
    if onto is None or len(found) < len({onto, refs.get(pull.ref)}):  # removed, or its history was rewritten
        raise Conflict(_("The branch “%(name)s” no longer has what this was proposed for.") % {"name": pull.base})
    base = ancestry.merge_base(pull.repo, onto, refs[pull.ref])
    return Sides(
        onto=found[onto], head=found[refs[pull.ref]], base=_commits(pull.repo, base).get(base) if base else None
    )


def conflicts(repo: Repo, joined: Sides) -> list[Clash]:
    """Return the paths on which a merge would fail now, and why."""
    return [] if joined.adds_nothing or joined.can_fast_forward else _join(repo, joined).clashes


def merge(
    pull: PullRequest, *, by: Asker, method: str = Method.MERGE, head: str | None = None, comment: str = ""
) -> Commit:
    """Bring an open pull request into its base branch, and return the commit that did.

    `head` is the commit the caller looked at; Conflict when the pull request has moved since. MergeConflict names the
    paths changed on both sides. A base branch that moves meanwhile is followed: no commit is lost.
    """
    user = require_writer(by, pull.repo)
    if method not in list(Method):
        raise InvalidInput(_("A pull request is merged by “merge”, “squash” or “fast_forward”."))
    wanted = _Wanted(user, Method(method), head, comment)
    for _attempt in range(2):
        joined, draft = _prepare(pull, wanted)
        try:
            with transaction.atomic():
                return _land(pull, joined, draft, wanted)
        except StaleParent:
            continue
    with transaction.atomic():
        quotas.hold(pull.repo)  # which every commit takes: under a crowd of writers everyone gets a turn
        return _land(pull, *_prepare(pull, wanted), wanted)


def landing_of(pull: PullRequest, joined: Sides, method: Method = Method.SQUASH) -> RefChange:
    """Return the change of the base branch as the rules of the repository see it, before anything is merged."""
    new = joined.head.oid if method is Method.FAST_FORWARD and joined.can_fast_forward else ""
    return RefChange(pull.repo, HEADS + pull.base, joined.onto.oid, new, pull=pull, is_merge=method is Method.MERGE)


@dataclass(frozen=True)
class _Wanted:
    """Who merges how, having looked at which head."""

    user: User
    method: Method
    head: str | None
    comment: str


def _prepare(pull: PullRequest, wanted: _Wanted) -> tuple[Sides, Draft | None]:
    """Return what is to be joined, and the tree of it unless the branch has it all already."""
    joined = sides(pull)
    _require_ready(pull, joined, wanted.head)
    if not joined.adds_nothing:
        protecting.require(landing_of(pull, joined, wanted.method), by=wanted.user)
    return joined, None if joined.adds_nothing else _draft(pull, joined, wanted.method)


def _commits(repo: Repo, *oids: str) -> dict[str, Commit]:
    return {row.oid: row for row in Commit.objects.select_related("author").filter(repo=repo, oid__in=oids)}


def _join(repo: Repo, joined: Sides) -> Joined:
    base = joined.base.tree_oid if joined.base else None
    ours = comparing.changed_files(repo, base, joined.onto.tree_oid)
    theirs = comparing.changed_files(repo, base, joined.head.tree_oid)
    return tree_merging.join(ours, theirs, tree_merging.reader(repo))


def _require_ready(pull: PullRequest, joined: Sides, head: str | None) -> None:
    pull.refresh_from_db(fields=("status",))
    require_live(pull)
    if pull.status == Status.DRAFT:
        raise Conflict(_("This pull request is a draft: set its status to “open” before merging it."))
    if head and joined.head.oid != head:
        raise Conflict(_("The pull request has new commits since you looked at it. Look at them, then merge again."))


def _draft(pull: PullRequest, joined: Sides, method: Method) -> Draft:
    """Return the tree that the base branch will have."""
    if method is Method.FAST_FORWARD and not joined.can_fast_forward:
        raise Conflict(
            _("The branch “%(name)s” has commits of its own: merge or squash instead.") % {"name": pull.base}
        )
    change = _join(pull.repo, joined)
    if change.clashes:
        paths = [clash.path for clash in change.clashes]
        names = ", ".join(paths[:NAMED])
        raise MergeConflict(
            _(
                "Both sides changed these files: %(paths)s. Merge “%(base)s” into %(ref)s with git and push it, or "
                "commit the version of “%(base)s” there."
            )
            % {
                "paths": names if len(paths) <= NAMED else f"{names}, …",
                "base": pull.base,
                "ref": pull.ref,
            },
            data={"paths": paths},
        )
    objects.write(pull.repo, change.texts)
    onto = objects.flatten(pull.repo, joined.onto.tree_oid)
    files = change.apply({path: item for path, item in onto.items() if not item.is_folder})
    checking.check_tree(files)
    return drafting.compose(pull.repo, joined.onto, files, describe=pull.base == DEFAULT_BRANCH)


def _land(pull: PullRequest, joined: Sides, draft: Draft | None, wanted: _Wanted) -> Commit:
    """Move the base branch and note the decision, inside the caller's transaction; raises StaleParent."""
    user = wanted.user
    made = joined.onto if draft is None else _made(pull, joined, draft, user, wanted.method)
    now = PullRequest.objects.select_for_update().get(pk=pull.pk)
    head = Ref.objects.select_for_update().filter(repo=pull.repo, name=pull.ref).values_list("oid", flat=True).first()
    if head != joined.head.oid:
        raise StaleParent(_("The pull request has new commits since you looked at it."))
    if now.status != Status.OPEN:
        raise Conflict(_("Somebody else decided about this pull request just now."))
    if draft is not None:
        landing.move_branch(
            pull.repo, HEADS + pull.base, old=joined.onto, new=made, by=user, description=draft.description, merges=pull
        )
    pull.status = Status.MERGED
    pull.merge_commit, pull.merged_onto, pull.merged_by = made.oid, joined.onto.oid, user
    pull.save(update_fields=("status", "merge_commit", "merged_onto", "merged_by", "updated_at"))
    Proposer.objects.filter(repo=pull.repo, user=pull.author).delete()
    conversation().merged(pull, by=user, comment=wanted.comment)
    return made


def _made(pull: PullRequest, joined: Sides, draft: Draft, user: User, method: Method) -> Commit:
    """Return the commit to which the base branch will move; a new one is stored."""
    if method is Method.FAST_FORWARD:
        return joined.head
    author = pull.author if method is Method.SQUASH and pull.author else user
    title = conversation().title_of(pull)
    made = objects.make_commit(
        draft.tree_oid,
        [joined.onto.oid] if method is Method.SQUASH else [joined.onto.oid, joined.head.oid],
        title=f"{title} (#{pull.number})" if method is Method.SQUASH else f"Merge pull request #{pull.number}: {title}",
        description=_trailer(pull) if method is Method.MERGE else "",
        author=author.username,
        committer=user.username,
    )
    objects.write(pull.repo, [*draft.new_trees, made])
    return landing.note_commit(pull.repo, made, author=author, weights_digest=draft.weights_digest)


def _trailer(pull: PullRequest) -> str:
    return f"Proposed by {pull.author.username}." if pull.author else ""
