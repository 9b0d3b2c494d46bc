"""Changes become a commit: the only way in, for pages, the hub wire, git push and job results."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from dulwich.objects import Commit as GitCommit

from models_hub import browsing, drafting, gitattributes, landing, permissions, proposing, quotas, staging
from models_hub.changes import Change, Delete, PutFile, PutKnown, PutLarge
from models_hub.checking import is_text
from models_hub.drafting import Draft
from models_hub.git import objects
from models_hub.models import DEFAULT_BRANCH, ZERO_OID, Commit, PullRequest, Ref, Repo, RepoAlias
from models_hub.models.pull_requests import pull_number
from models_hub.models.refs import HEADS, full_name, stale
from portal.errors import Conflict, InvalidInput, NotAllowed, SignInRequired, StaleParent
from portal.models import Asker, Event, Namespace, User
from portal.names import check_name
from portal.permissions import can_write_in

__all__ = [
    "Change", "Delete", "PutFile", "PutKnown", "PutLarge", "commit", "create_repo", "delete_repo", "head_file",
    "propose", "require_manager", "require_pusher", "require_writer", "set_private",
]  # fmt: skip


T = TypeVar("T")

MAX_DESCRIPTION = 20_000
STATIC = "static"  # the one sdk of Spaces
_PARENT = re.compile(r"[0-9a-f]{5,40}")


def create_repo(*, by: Asker, namespace: str, kind: str, name: str, private: bool = False, sdk: str = "") -> Repo:
    """Create a repository with its initial commit: .gitattributes, and for a Space a card that names its `sdk`."""
    user = _signed_in(by)
    if kind not in Repo.Kind.values:
        raise InvalidInput(_("A repository is of type “model”, “dataset” or “space”."))
    if kind == Repo.Kind.SPACE:
        _check_sdk(sdk)
    check_name(name, what=_("repository name"))
    owner = Namespace.objects.named(namespace).first()
    if owner is None or not can_write_in(user, owner):
        raise NotAllowed(
            _("You don’t have the rights to create a repository under the namespace “%(name)s”.")
            % {"name": namespace[:100]}
        )
    try:
        with transaction.atomic():
            quotas.hold_owner(owner.pk)
            repo = Repo.objects.create(
                kind=kind, namespace=owner, name=name, lower=name.lower(), private=private, created_by=user
            )
            Event.record("repo.created", subject=f"repo:{repo.pk}", by=user, name=repo.full_name, repo_kind=kind)
            RepoAlias.objects.filter(kind=kind, namespace=owner, lower=name.lower()).delete()
            commit(repo=repo, by=user, changes=_first_files(repo, sdk), title="initial commit", parent=ZERO_OID)
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
        note_deleted(repo, by=user)
        erase_repo(repo)


def note_deleted(repo: Repo, *, by: User) -> None:
    """Tell those who react to it that a repository is gone, in the caller's transaction."""
    Event.record(
        "repo.deleted",
        subject=f"repo:{repo.pk}",
        by=by,
        name=repo.full_name,
        repo_kind=repo.kind,
        private=repo.private,
    )


def erase_repo(repo: Repo) -> None:
    """Remove the rows of a repository whose deletion was noted."""
    with transaction.atomic():
        quotas.forget(repo)
        repo.delete()
        # A mirrored name that holds nothing any more is free again.
        Namespace.objects.filter(pk=repo.namespace_id, is_mirror=True, repos__isnull=True).delete()


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


def require_pusher(by: Asker, repo: Repo, branch: str) -> User:
    """Return the user when the user may commit to this branch, or to this pull request (`refs/pr/<number>`)."""
    number = pull_number(branch)
    return require_writer(by, repo) if number is None else proposing.require_pusher(by, repo, number)


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

    `branch` is a branch's name or the reference of a pull request, `refs/pr/<number>`. `changes` is read once, one
    after the other, so that a large commit may come as a stream. `parent` is the commit the caller looked at, at least
    5 hex digits of it; StaleParent when the head is another one. Without `parent` a concurrent commit is followed, not
    lost. Changes that change nothing return the head itself.
    """
    ref = full_name(branch)
    signed = _Signed(require_pusher(by, repo, branch), *checked_message(title, description))
    describe = ref == HEADS + DEFAULT_BRANCH
    return _apply(repo, signed, changes, ref, parent, lambda draft: _land(repo, draft, signed, ref), describe=describe)


def propose(
    *,
    repo: Repo,
    by: Asker,
    changes: Iterable[Change],
    title: str,
    description: str = "",
    base: str = DEFAULT_BRANCH,
    parent: str | None = None,
) -> tuple[PullRequest, Commit]:
    """Commit changes as `commit` does, not to the branch `base` but to a new pull request for it."""
    signed = _Signed(proposing.require_proposer(by, repo), *checked_message(title, description))

    def land(draft: Draft) -> tuple[PullRequest, Commit]:
        if draft.changes_nothing:
            raise InvalidInput(_("These changes change nothing: there is nothing to propose."))
        made = _write(repo, draft, signed)
        pull = proposing.open_pull_request(
            repo=repo, by=by, title=signed.title, description=signed.description, base=base
        )
        return pull, _move(repo, draft, made, signed, pull.ref)

    return _apply(repo, signed, changes, HEADS + base, parent, land)


def head_file(repo: Repo, path: str, head: Commit, limit: int = 200_000) -> bytes:
    """Return the beginning of a file at a commit, b"" when there is none."""
    try:
        return browsing.read(repo, browsing.find(repo, head, path), limit)
    except browsing.EntryNotFound:
        return b""


@dataclass(frozen=True)
class _Signed:
    """Who commits with what message."""

    user: User
    title: str
    description: str


def _signed_in(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    return by


def _check_sdk(sdk: str) -> None:
    """Only what a browser can show by itself can be a Space here: nothing of a Space runs on the portal."""
    if sdk != STATIC:
        raise InvalidInput(
            _("Only static Spaces can be created: say sdk “static”. This portal runs no Spaces of type “%(sdk)s”.")
            % {"sdk": sdk[:40]}
            if sdk
            else _("A Space needs an “sdk”, and this portal knows only “static”.")
        )


def _first_files(repo: Repo, sdk: str) -> list[Change]:
    first: list[Change] = [PutFile(".gitattributes", gitattributes.initial(repo.kind))]
    if repo.is_space:
        first.append(PutFile("README.md", f"---\ntitle: {json.dumps(repo.name)}\nsdk: {sdk}\n---\n".encode()))
    return first


def checked_message(title: str, description: str) -> tuple[str, str]:
    """Return a title of one line and the rest of the message; raises InvalidInput for none or too much of it."""
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


def _apply(
    repo: Repo,
    signed: _Signed,
    changes: Iterable[Change],
    ref: str,
    parent: str | None,
    land: Callable[[Draft], T],
    *,
    describe: bool = False,
) -> T:
    """Draft the changes on the head of `ref` and land them in one transaction, anew where somebody was faster.

    `describe` is set when the default branch will move, whose head lists and search show.
    """
    head = _expected_head(repo, ref, parent)
    attributes = head_file(repo, ".gitattributes", head) if head else b""
    if not permissions.can_write(signed.user, repo):
        changes = proposing.metered(repo, signed.user, changes)
    staged = staging.stage(repo, changes, attributes=attributes)
    for _attempt in range(2):
        draft = drafting.draft(repo, head, staged, describe=describe)
        try:
            with transaction.atomic():
                return land(draft)
        except StaleParent:
            head = _expected_head(repo, ref, parent)
    with transaction.atomic():  # holding the branch: under a crowd of writers everyone gets a turn
        quotas.hold(repo)  # before the branch, see quotas.py
        Ref.objects.select_for_update().filter(repo=repo, name=ref).first()
        head = _expected_head(repo, ref, parent)
        return land(drafting.draft(repo, head, staged, describe=describe))


def _expected_head(repo: Repo, name: str, parent: str | None) -> Commit | None:
    """Return the head of the reference, None before the first commit; raises StaleParent if it is not `parent`."""
    ref = Ref.objects.filter(repo=repo, name=name).first() if is_text(name) else None
    if ref is None:
        if parent != ZERO_OID:
            raise browsing.RevisionNotFound(
                _("This repository has no branch “%(name)s”.") % {"name": name.removeprefix(HEADS)[:100]}
            )
        return None
    if parent is not None:
        if not _PARENT.fullmatch(parent):
            raise InvalidInput(_("The parent commit must be given by 5 to 40 lower-case hexadecimal digits."))
        if not ref.oid.startswith(parent):
            raise StaleParent(stale())
    return Commit.objects.get(repo=repo, oid=ref.oid)


def _land(repo: Repo, draft: Draft, signed: _Signed, ref: str) -> Commit:
    """Write the commit and move the reference to it, inside the caller's transaction."""
    if draft.head and draft.changes_nothing:
        return draft.head
    return _move(repo, draft, _write(repo, draft, signed), signed, ref)


def _write(repo: Repo, draft: Draft, signed: _Signed) -> GitCommit:
    """Store the trees and the commit, which nothing names yet."""
    made = objects.make_commit(
        draft.tree_oid,
        [draft.head.oid] if draft.head else [],
        title=signed.title,
        description=signed.description,
        author=signed.user.username,
    )
    objects.write(repo, [*draft.new_trees, made])
    return made


def _move(repo: Repo, draft: Draft, made: GitCommit, signed: _Signed, ref: str) -> Commit:
    row = landing.note_commit(repo, made, author=signed.user, weights_digest=draft.weights_digest)
    landing.move_branch(repo, ref, old=draft.head, new=row, by=signed.user, description=draft.description)
    return row
