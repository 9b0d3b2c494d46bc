"""Content goes from one repository to another without leaving the portal."""

from collections.abc import Iterable, Iterator

from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import browsing, contents, describing, landing, permissions, publishing, quotas, rights
from models_hub.git import objects
from models_hub.git.objects import TreeItem
from models_hub.models import DEFAULT_BRANCH, Blob, Commit, GitObject, Repo
from models_hub.models.refs import HEADS
from portal.errors import Conflict
from portal.models import Asker, Event, User

AT_ONCE = 500


def share(source: Repo, target: Repo, digests: Iterable[str], *, by: Asker) -> set[str]:
    """Give `target` the right to large content of `source`; returns the digests that `source` has not.

    The user must be able to download from the one and to write to the other. Raises StorageFull.
    """
    publishing.require_writer(by, target)
    permissions.require_download(by, source)
    wanted = set(digests)
    held = contents.claimed_by(source, wanted)
    _give(target, held.values())
    return wanted - set(held)


def duplicate(source: Repo, *, by: Asker, namespace: str, name: str, private: bool | None = None) -> Repo:
    """Make a new repository with the files of the head of another, as one commit.

    Unless said otherwise, it is as private as its source. Raises Conflict when there is one of this name.
    """
    permissions.require_download(by, source)
    if source.awaited.exists():
        raise Conflict(
            _("Some files of this copy are still with the hub that it follows: import it from there instead.")
        )
    head = browsing.resolve_revision(source, DEFAULT_BRANCH)
    private = source.private if private is None else private
    sdk = publishing.STATIC if source.is_space else ""
    with transaction.atomic():
        made = publishing.create_repo(by=by, namespace=namespace, kind=source.kind, name=name, private=private, sdk=sdk)
        assert isinstance(by, User)  # else nothing was created
        _copy(source, head, made, by)
        Event.record(
            "repo.duplicated", subject=f"repo:{made.pk}", by=by, source=source.pk, commit=head.oid, name=made.full_name
        )
    made.refresh_from_db()
    return made


def _copy(source: Repo, head: Commit, target: Repo, by: User) -> None:
    items = objects.flatten(source, head.tree_oid)
    for rows in _rows(source, [head.tree_oid, *(item.oid for item in items.values())], target):
        objects.insert(target, rows)
    blobs = [entry.blob for entry in browsing.entries(source, _files(items)) if entry.blob]
    _give(target, blobs)
    first = browsing.resolve_revision(target, DEFAULT_BRANCH)
    made = objects.make_commit(
        head.tree_oid, [first.oid], title=f"Duplicate from {source.full_name}", description="", author=by.username
    )
    objects.write(target, [made])
    row = landing.note_commit(target, made, author=by, weights_digest=head.weights_digest)
    described = describing.describe(target, browsing.entries(target, _files(items)))
    landing.move_branch(target, HEADS + DEFAULT_BRANCH, old=first, new=row, by=by, description=described)


def _rows(source: Repo, oids: list[str], target: Repo) -> Iterator[list[GitObject]]:
    """Yield copies of rows for another repository, some at a time."""
    batch: list[GitObject] = []
    for row in objects.stream(source, oids):
        batch.append(GitObject(repo=target, oid=row.oid, type=row.type, size=row.size, data=row.data))
        if len(batch) >= AT_ONCE:
            yield batch
            batch = []
    yield batch


def _give(target: Repo, blobs: Iterable[Blob]) -> None:
    with transaction.atomic():
        account = quotas.hold(target)
        for blob in blobs:
            rights.give(account, target, blob)


def _files(items: dict[str, TreeItem]) -> dict[str, TreeItem]:
    return {path: item for path, item in items.items() if not item.is_folder}
