"""Where branches and tags change: the last step of every way to do so, inside the caller's transaction.

Each asks the rules of the repository first (`protecting.py`).
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from dulwich.objects import Commit as GitCommit

from models_hub import ancestry, describing, protecting
from models_hub.conversation import conversation
from models_hub.describing import Description
from models_hub.git.formats import CommitRecord
from models_hub.models import Commit, PullRequest, Ref, Repo
from models_hub.models.pull_requests import pull_number
from models_hub.protecting import RefChange
from portal.errors import Conflict
from portal.models import Event, User

MAX_TITLE = 300


def note_commit(repo: Repo, made: GitCommit, *, author: User | None, weights_digest: str) -> Commit:
    """Write the row of a commit object, which is stored already; a commit that is known stays as it is.

    Names and dates are those in the object: whoever made it elsewhere, `author` is an account only when we know so.
    """
    title, _newline, rest = made.message.decode("utf-8", "replace").partition("\n")
    row, _created = Commit.objects.get_or_create(
        repo=repo,
        oid=made.id.decode(),
        defaults={
            "tree_oid": made.tree.decode(),
            "parents": [oid.decode() for oid in made.parents],
            "title": title.strip()[:MAX_TITLE],
            "description": rest.strip(),
            "author_name": author.username if author else _name(made.author),
            "author": author,
            "authored_at": datetime.fromtimestamp(made.author_time, tz=UTC),
            "weights_digest": weights_digest,
        },
    )
    return row


def note_commits(repo: Repo, made: Iterable[tuple[CommitRecord, User | None, str]]) -> None:
    """Do as `note_commit` for many commits, parents first, each with its author and the digest of its weights."""
    rows = [
        Commit(
            repo=repo,
            oid=record.oid,
            tree_oid=record.tree,
            parents=list(record.parents),
            title=record.message.lstrip().partition("\n")[0].strip()[:MAX_TITLE],
            description=record.message.lstrip().partition("\n")[2].strip(),
            author_name=author.username if author else record.author_name[:150],
            author=author,
            authored_at=datetime.fromtimestamp(record.author_time, tz=UTC),
            weights_digest=weights_digest,
        )
        for record, author, weights_digest in made
    ]
    Commit.objects.bulk_create(rows, ignore_conflicts=True, batch_size=90)


def move_branch(
    repo: Repo,
    name: str,
    *,
    old: Commit | None,
    new: Commit,
    by: User | None,
    description: Description | None,
    merges: PullRequest | None = None,
) -> None:
    """Move the reference `name`, such as `refs/heads/main`, from `old` to `new`; raises StaleParent and ProtectedRef.

    `description` is given when the reference is the default branch: lists and search then show the new head.
    `merges` is the pull request that the move brings in. The reference of a pull request itself moves until it is
    decided, and its conversation shows what came.
    """
    pull = _hold_pull_request(repo, name)
    protecting.require(RefChange(repo, name, old.oid if old else None, new.oid, merges), by=by)
    Ref.move(repo, name, expected=old.oid if old else None, new=new.oid)
    if description:
        _note_head(repo, new, description)
    Event.record(
        "repo.committed",
        subject=f"repo:{repo.pk}",
        by=by,
        commit=new.oid,
        before=old.oid if old else "",
        branch=name.removeprefix("refs/heads/"),
        weights=new.weights_digest,
        weights_before=old.weights_digest if old else "",
    )
    if pull is not None:
        if by is not None and by.pk != pull.author_id:
            pull.pushers.add(by)
        conversation().committed(pull, ancestry.added(repo, old.oid if old else None, new.oid), by=by)


def begin_ref(repo: Repo, name: str, oid: str, *, by: User, message: str = "", tag_oid: str = "") -> Ref:
    """Give a commit that is here another name, a branch or a tag; raises StaleParent when there is one of this name."""
    protecting.require(RefChange(repo, name, None, oid), by=by)
    return _begin(repo, name, oid, by=by, message=message, tag_oid=tag_oid)


def replace_tag(ref: Ref, oid: str, *, by: User, message: str, tag_oid: str) -> Ref:
    """Let a tag name another commit, or the same one in other words."""
    protecting.require(RefChange(ref.repo, ref.name, ref.oid, oid), by=by)
    ref.delete()
    return _begin(ref.repo, ref.name, oid, by=by, message=message, tag_oid=tag_oid)


def end_ref(ref: Ref, *, by: User) -> None:
    """Remove a branch or a tag."""
    protecting.require(RefChange(ref.repo, ref.name, ref.oid, None), by=by)
    ref.delete()
    Event.record("repo.ref_deleted", subject=f"repo:{ref.repo_id}", by=by, ref=ref.name, commit=ref.oid)


def _begin(repo: Repo, name: str, oid: str, *, by: User, message: str, tag_oid: str) -> Ref:
    Ref.move(repo, name, expected=None, new=oid)
    ref = Ref.objects.get(repo=repo, name=name)
    if message or tag_oid:
        ref.message, ref.tag_oid = message, tag_oid
        ref.save(update_fields=("message", "tag_oid"))
    Event.record("repo.ref_created", subject=f"repo:{repo.pk}", by=by, ref=name, commit=oid)
    return ref


def _name(identity: bytes) -> str:
    """Return the name of `Name <address>`; addresses are nobody's business."""
    return identity.decode("utf-8", "replace").partition("<")[0].strip()[:150]


def _note_head(repo: Repo, head: Commit, description: Description) -> None:
    """Show the new head of the default branch in lists and search."""
    repo.head = head.oid
    repo.updated_at = timezone.now()
    describing.note(repo, description)
    repo.save(update_fields=("head", "updated_at", *describing.COLUMNS))


def _hold_pull_request(repo: Repo, name: str) -> PullRequest | None:
    """Lock the pull request whose reference this is, so that it is not decided while its reference moves."""
    number = pull_number(name)
    if number is None:
        return None
    pull = PullRequest.objects.select_for_update().filter(repo=repo, number=number).first()
    if pull is not None and not pull.is_live:
        raise Conflict(_("Pull request %(number)d is merged or closed: its commits stay.") % {"number": number})
    return pull
