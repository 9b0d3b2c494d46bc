"""Changes become a commit: the only way in, for pages, the hub wire, git push and job results."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID

from models_hub import browsing, drafting, gitattributes, landing, permissions, staging
from models_hub.changes import Change, Delete, PutFile, PutLarge
from models_hub.checking import is_text
from models_hub.drafting import Draft
from models_hub.git import objects
from models_hub.models import DEFAULT_BRANCH, ZERO_OID, Commit, Ref, Repo
from models_hub.models.refs import HEADS, stale
from models_hub.staging import Staged
from portal.errors import Conflict, InvalidInput, NotAllowed, SignInRequired, StaleParent
from portal.models import Asker, Event, Namespace, User
from portal.names import check_name
from portal.permissions import can_write_in

__all__ = [
    "Change", "Delete", "PutFile", "PutLarge", "commit", "create_repo", "delete_repo", "head_file", "require_manager",
    "require_writer", "set_private",
]  # fmt: skip


MAX_DESCRIPTION = 20_000
_PARENT = re.compile(r"[0-9a-f]{5,40}")


def create_repo(*, by: Asker, namespace: str, kind: str, name: str, private: bool = False) -> Repo:
    """Create a repository with its initial commit, which holds only .gitattributes."""
    user = _signed_in(by)
    if kind not in Repo.Kind.values:
        raise InvalidInput(_("A repository is of type “model” or “dataset”."))
    check_name(name, what=_("repository name"))
    owner = Namespace.objects.filter(lower=namespace.lower()).first() if is_text(namespace) else None
    if owner is None or not can_write_in(user, owner):
        raise NotAllowed(
            _("You don’t have the rights to create a repository under the namespace “%(name)s”.")
            % {"name": namespace[:100]}
        )
    try:
        with transaction.atomic():
            repo = Repo.objects.create(
                kind=kind, namespace=owner, name=name, lower=name.lower(), private=private, created_by=user
            )
            Event.record("repo.created", subject=f"repo:{repo.pk}", by=user, name=repo.full_name, repo_kind=kind)
            first = PutFile(".gitattributes", gitattributes.initial(kind))
            commit(repo=repo, by=user, changes=[first], title="initial commit", parent=ZERO_OID)
    except IntegrityError as error:
        existing = Repo.objects.select_related("namespace").visible_to(user).named(kind, namespace, name).first()
        if existing is None:
            raise
        raise Conflict(
            _("You already created this %(kind)s repo: %(name)s") % {"kind": kind, "name": existing.full_name},
            code="repo_exists",
            data={"path": existing.path, "name": existing.full_name},
        ) from error
    return repo


def delete_repo(repo: Repo, *, by: Asker) -> None:
    """Remove a repository with its history and its right to large content."""
    user = require_manager(by, repo)
    with transaction.atomic():
        Event.record("repo.deleted", subject=f"repo:{repo.pk}", by=user, name=repo.full_name, repo_kind=repo.kind)
        repo.delete()


def set_private(repo: Repo, *, by: Asker, private: bool) -> None:
    """Hide a repository from all but its owner's people, or show it to everybody."""
    user = require_manager(by, repo)
    with transaction.atomic():
        if Repo.objects.filter(pk=repo.pk, private=not private).update(private=private):
            Event.record("repo.visibility_changed", subject=f"repo:{repo.pk}", by=user, private=private)
    repo.private = private


def require_writer(by: Asker, repo: Repo) -> User:
    """Return the user when the user may write to the repository; raises SignInRequired or NotAllowed."""
    user = _signed_in(by)
    if not permissions.can_write(user, repo):
        raise NotAllowed(_("You may read this repository but not write to it."))
    return user


def require_manager(by: Asker, repo: Repo) -> User:
    """Return the user when the user may change the repository itself; raises SignInRequired or NotAllowed."""
    user = _signed_in(by)
    if not permissions.can_manage(user, repo):
        raise NotAllowed(_("Only an admin of the owner may change or delete this repository."))
    return user


def commit(
    *,
    repo: Repo,
    by: Asker,
    changes: Iterable[Change],
    title: str,
    description: str = "",
    branch: str = DEFAULT_BRANCH,
    parent: str | None = None,
) -> Commit:
    """Apply changes to the head of `branch` as one commit, or change nothing at all.

    `changes` is read once, one after the other, so that a large commit may come as a stream. `parent` is the
    commit the caller looked at, at least 5 hex digits of it; StaleParent when the head is another one. Without
    `parent` a concurrent commit is followed, not lost. Changes that change nothing return the head itself.
    """
    user = require_writer(by, repo)
    title, description = _message(title, description)
    head = _expected_head(repo, branch, parent)
    attributes = head_file(repo, ".gitattributes", head) if head else b""
    staged = staging.stage(repo, changes, attributes=attributes)
    signed = _Signed(user, title, description, branch)
    for _attempt in range(2):
        draft = drafting.draft(repo, head, staged, describe=branch == DEFAULT_BRANCH)
        try:
            with transaction.atomic():
                return _land(repo, draft, signed)
        except StaleParent:
            head = _expected_head(repo, branch, parent)
    return _commit_alone(repo, staged, signed, parent)


def head_file(repo: Repo, path: str, head: Commit, limit: int = 200_000) -> bytes:
    """Return the beginning of a file at a commit, b"" when there is none."""
    try:
        return browsing.read(repo, browsing.find(repo, head, path), limit)
    except browsing.EntryNotFound:
        return b""


@dataclass(frozen=True)
class _Signed:
    """Who commits what message where."""

    user: User
    title: str
    description: str
    branch: str


def _signed_in(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    return by


def _message(title: str, description: str) -> tuple[str, str]:
    """Return a title of one line and the rest of the message."""
    title, _newline, rest = title.strip().partition("\n")
    description = "\n\n".join(part.strip() for part in (rest, description) if part.strip())
    if not title:
        raise InvalidInput(_("Give the commit a message."))
    if len(title) > landing.MAX_TITLE or len(description) > MAX_DESCRIPTION:
        raise InvalidInput(
            _("The commit message is too long: at most %(title)d characters in its first line and %(all)d below it.")
            % {"title": landing.MAX_TITLE, "all": MAX_DESCRIPTION}
        )
    if not is_text(title + description):
        raise InvalidInput(_("The commit message holds a character that is not text."))
    return title.strip(), description


def _expected_head(repo: Repo, branch: str, parent: str | None) -> Commit | None:
    """Return the head of the branch, None before the first commit; raises StaleParent if it is not `parent`."""
    ref = Ref.objects.filter(repo=repo, name=HEADS + branch).first()
    if ref is None:
        if parent != ZERO_OID:
            raise browsing.RevisionNotFound(_("This repository has no branch “%(name)s”.") % {"name": branch[:100]})
        return None
    if parent is not None:
        if not _PARENT.fullmatch(parent):
            raise InvalidInput(_("The parent commit must be given by 5 to 40 lower-case hexadecimal digits."))
        if not ref.oid.startswith(parent):
            raise StaleParent(stale())
    return Commit.objects.get(repo=repo, oid=ref.oid)


def _commit_alone(repo: Repo, staged: Sequence[Staged], signed: _Signed, parent: str | None) -> Commit:
    """Commit while holding the branch: under a crowd of writers everyone gets a turn."""
    with transaction.atomic():
        Ref.objects.select_for_update().filter(repo=repo, name=HEADS + signed.branch).first()
        head = _expected_head(repo, signed.branch, parent)
        return _land(repo, drafting.draft(repo, head, staged, describe=signed.branch == DEFAULT_BRANCH), signed)


def _land(repo: Repo, draft: Draft, signed: _Signed) -> Commit:
    """Write the commit and move the branch to it, inside the caller's transaction."""
    head = draft.head
    if head and draft.changes_nothing:
        return head
    made = _commit_object(draft.tree_oid, [head.oid] if head else [], signed)
    objects.write(repo, [*draft.new_trees, made])
    row = landing.note_commit(repo, made, author=signed.user, weights_digest=draft.weights_digest)
    landing.move_branch(repo, HEADS + signed.branch, old=head, new=row, by=signed.user, description=draft.description)
    return row


def _commit_object(tree_oid: str, parents: list[str], signed: _Signed) -> GitCommit:
    name = signed.user.username
    made = GitCommit()
    made.tree = ObjectID(tree_oid.encode())
    made.parents = [ObjectID(oid.encode()) for oid in parents]
    made.author = made.committer = f"{name} <{name}@users.noreply>".encode()
    made.author_time = made.commit_time = int(timezone.now().timestamp())
    made.author_timezone = made.commit_timezone = 0
    made.encoding = b"UTF-8"
    text = f"{signed.title}\n\n{signed.description}\n" if signed.description else f"{signed.title}\n"
    made.message = text.encode()
    return made
