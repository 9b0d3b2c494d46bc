"""Changes become a commit: the only way in, for pages, the hub wire, git push and job results."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from dulwich.objects import Blob as GitBlob
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID

from models_hub import browsing, cards, checking, contents, gitattributes, permissions
from models_hub.git import objects
from models_hub.git.objects import FILE_MODE, TreeItem
from models_hub.git.pointers import parse_pointer, pointer_text
from models_hub.models import DEFAULT_BRANCH, ZERO_OID, Blob, Commit, GitObject, Ref, Repo
from models_hub.models.refs import HEADS, stale
from portal.errors import Conflict, InvalidInput, NotAllowed, SignInRequired, StaleParent, TooLarge
from portal.models import Asker, Event, Namespace, User
from portal.names import check_name
from portal.permissions import can_write_in

WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".onnx", ".h5", ".msgpack", ".ckpt")
MAX_CHANGES = 25_000
MAX_TITLE = 300
MAX_DESCRIPTION = 20_000


@dataclass(frozen=True)
class PutFile:
    """A file sent with its bytes."""

    path: str
    content: bytes


@dataclass(frozen=True)
class PutLarge:
    """A file whose content the repository received before, named by digest."""

    path: str
    sha256: str
    size: int | None = None


@dataclass(frozen=True)
class Delete:
    """Remove a file, or a folder with all that is in it."""

    path: str


Change = PutFile | PutLarge | Delete


def create_repo(*, by: Asker, namespace: str, kind: str, name: str, private: bool = False) -> Repo:
    """Create a repository with its initial commit, which holds only .gitattributes."""
    user = _signed_in(by)
    check_name(name, what=_("repository name"))
    owner = Namespace.objects.filter(lower=namespace.lower()).first()
    if owner is None or not can_write_in(user, owner):
        raise NotAllowed(
            _("You don’t have the rights to create a repository under the namespace “%(name)s”.") % {"name": namespace}
        )
    if kind not in Repo.Kind.values:
        raise InvalidInput(_("A repository is of type “model” or “dataset”."))
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
        raise Conflict(
            _("You already created this %(kind)s repo: %(name)s") % {"kind": kind, "name": f"{owner.name}/{name}"},
            code="repo_exists",
            data={"path": existing.path} if existing else {},
        ) from error
    return repo


def delete_repo(repo: Repo, *, by: Asker) -> None:
    """Remove a repository with its history; its large content goes when nothing else holds it."""
    user = _signed_in(by)
    if not permissions.can_manage(user, repo):
        raise NotAllowed(_("Only an admin of the owner may delete this repository."))
    with transaction.atomic():
        Event.record(
            "repo.deleted", subject=f"repo:{repo.pk}", by=user, name=repo.full_name, repo_kind=repo.kind
        )
        repo.delete()


def commit(
    *,
    repo: Repo,
    by: Asker,
    changes: Sequence[Change],
    title: str,
    description: str = "",
    branch: str = DEFAULT_BRANCH,
    parent: str | None = None,
) -> Commit:
    """Apply changes to the head of `branch` as one commit, or change nothing at all.

    `parent` is the commit the caller looked at, at least 5 hex digits of it; StaleParent when the head is
    another one. Without `parent` a concurrent commit is followed, not lost. Changes that change nothing
    return the head itself.
    """
    user = _signed_in(by)
    if not permissions.can_write(user, repo):
        raise NotAllowed(_("You may read this repository but not write to it."))
    _check_request(changes, title, description)
    large = [_store_if_large(repo, change, changes) for change in changes]
    for _attempt in range(8):
        try:
            with transaction.atomic():
                return _commit_once(repo, user, large, title, description, branch, parent)
        except StaleParent:
            if parent is not None:
                raise
    raise StaleParent(stale())


def _signed_in(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    return by


def _check_request(changes: Sequence[Change], title: str, description: str) -> None:
    if not title.strip():
        raise InvalidInput(_("Give the commit a message."))
    if len(title) > MAX_TITLE or len(description) > MAX_DESCRIPTION:
        raise InvalidInput(_("The commit message is too long."))
    if "\x00" in title + description:
        raise InvalidInput(_("The commit message holds a NUL character."))
    if len(changes) > MAX_CHANGES:
        raise TooLarge(_("A commit may change at most %(max)d files.") % {"max": MAX_CHANGES})
    for change in changes:
        checking.normalize_path(change.path.rstrip("/") if isinstance(change, Delete) else change.path)
        if isinstance(change, PutFile) and change.path == "README.md":
            _check_card(change.content)


def _check_card(content: bytes) -> None:
    if len(content) > settings.MAX_CARD_BYTES:
        raise TooLarge(
            _("README.md may have at most %(max)d bytes; move long material to other files.")
            % {"max": settings.MAX_CARD_BYTES}
        )
    try:
        cards.read_metadata(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidInput(_("README.md must be UTF-8 text.")) from error


def _store_if_large(repo: Repo, change: Change, changes: Sequence[Change]) -> Change:
    """Turn a file that belongs to the large ones into a reference to stored content."""
    if not isinstance(change, PutFile) or not change.content:
        return change
    if pointer := parse_pointer(change.content):  # a pointer is a claim: the bytes must be here
        return PutLarge(change.path, pointer.sha256, pointer.size)
    if not is_large_upload(repo, change.path, len(change.content), change.content[:512]):
        return change
    blob = contents.receive(repo, iter([change.content]))
    return PutLarge(change.path, blob.sha256, blob.size)


def is_large_upload(repo: Repo, path: str, size: int, sample: bytes, *, attributes: bytes | None = None) -> bool:
    """Say whether a file belongs to large content: by .gitattributes, by size, or because it is binary."""
    if size == 0 or path in {".gitattributes", ".gitignore", "README.md"}:
        return False
    rules = head_file(repo, ".gitattributes") if attributes is None else attributes
    return gitattributes.is_large(rules, path) or size > settings.LFS_THRESHOLD_BYTES or b"\x00" in sample


def head_file(repo: Repo, path: str, branch: str = DEFAULT_BRANCH, limit: int = 200_000) -> bytes:
    """Return a small file at the head of a branch, b"" when there is none."""
    try:
        head = browsing.resolve_revision(repo, branch)
        return browsing.read(repo, browsing.find(repo, head, path), limit)
    except (browsing.RevisionNotFound, browsing.EntryNotFound):
        return b""


def _commit_once(
    repo: Repo,
    user: User,
    changes: Sequence[Change],
    title: str,
    description: str,
    branch: str,
    parent: str | None,
) -> Commit:
    head = _head(repo, branch)
    if parent is not None and parent != ZERO_OID and (head is None or not head.oid.startswith(parent)):
        raise StaleParent(stale())
    before = objects.flatten(repo, head.tree_oid) if head else {}
    files = {path: item for path, item in before.items() if not item.is_folder}
    new_blobs = _apply(repo, files, changes, folders={path for path, item in before.items() if item.is_folder})
    checking.check_tree(files)
    tree_oid, trees = objects.build_trees(files)
    if head and tree_oid == head.tree_oid:
        return head
    made = _commit_object(tree_oid, [head.oid] if head else [], user, title, description)
    objects.write(repo, [*new_blobs, *trees, made])
    row = _commit_row(repo, made, user, title, description, files)
    Ref.move(repo, HEADS + branch, expected=head.oid if head else None, new=row.oid)
    if branch == DEFAULT_BRANCH:
        _update_repo(repo, row, files)
    Event.record(
        "repo.committed",
        subject=f"repo:{repo.pk}",
        by=user,
        commit=row.oid,
        branch=branch,
        weights=row.weights_digest,
        weights_before=head.weights_digest if head else "",
    )
    return row


def _head(repo: Repo, branch: str) -> Commit | None:
    ref = Ref.objects.filter(repo=repo, name=HEADS + branch).first()
    if ref is None:
        if branch != DEFAULT_BRANCH:
            raise browsing.RevisionNotFound(
                _("This repository has no branch “%(name)s”.") % {"name": branch[:100]}
            )
        return None
    return Commit.objects.get(repo=repo, oid=ref.oid)


def _apply(
    repo: Repo, files: dict[str, TreeItem], changes: Sequence[Change], folders: set[str]
) -> list[GitBlob]:
    """Change `files` in place and return the small files' git objects that are to be written."""
    blobs: list[GitBlob] = []
    for change in changes:
        if isinstance(change, Delete):
            _delete(files, change.path.rstrip("/"), folders)
        elif isinstance(change, PutLarge):
            blob = contents.require(repo, change.sha256, change.size)
            _check_large(change.path, blob)
            pointer = GitBlob.from_string(pointer_text(blob.sha256, blob.size))
            blobs.append(pointer)
            files[change.path] = TreeItem(change.path, FILE_MODE, pointer.id.decode())
        else:
            git_blob = GitBlob.from_string(change.content)
            blobs.append(git_blob)
            files[change.path] = TreeItem(change.path, FILE_MODE, git_blob.id.decode())
    return blobs


def _delete(files: dict[str, TreeItem], path: str, folders: set[str]) -> None:
    if path in files:
        del files[path]
        return
    below = [name for name in files if name.startswith(path + "/")]
    if not below or path not in folders:
        raise browsing.EntryNotFound("A file with this name doesn't exist")
    for name in below:
        del files[name]


def _check_large(path: str, blob: Blob) -> None:
    """Refuse weights whose header lies: they would fail, or harm, in every program that loads them."""
    if path.lower().endswith(".safetensors"):
        checking.read_safetensors_header(contents.BlobReader(blob), blob.size, path)


def _commit_object(tree_oid: str, parents: list[str], user: User, title: str, description: str) -> GitCommit:
    identity = f"{user.username} <{user.username}@users.noreply>".encode()
    made = GitCommit()
    made.tree = ObjectID(tree_oid.encode())
    made.parents = [ObjectID(oid.encode()) for oid in parents]
    made.author = made.committer = identity
    made.author_time = made.commit_time = int(timezone.now().timestamp())
    made.author_timezone = made.commit_timezone = 0
    made.encoding = b"UTF-8"
    made.message = f"{title}\n\n{description}\n".encode() if description.strip() else f"{title}\n".encode()
    return made


def _commit_row(
    repo: Repo, made: GitCommit, user: User, title: str, description: str, files: dict[str, TreeItem]
) -> Commit:
    row, _created = Commit.objects.get_or_create(
        repo=repo,
        oid=made.id.decode(),
        defaults={
            "tree_oid": made.tree.decode(),
            "parents": [oid.decode() for oid in made.parents],
            "title": title.strip().splitlines()[0],
            "description": description,
            "author_name": user.username,
            "author": user,
            "authored_at": datetime.fromtimestamp(made.commit_time, tz=UTC),
            "weights_digest": weights_digest(files),
        },
    )
    return row


def weights_digest(files: dict[str, TreeItem]) -> str:
    """Return a digest of all weight files of a tree, "" when it has none.

    The git id of a pointer stands for the content, so no large content is read.
    """
    lines = [f"{path} {item.oid}\n" for path, item in sorted(files.items()) if path.endswith(WEIGHT_SUFFIXES)]
    return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""


def _update_repo(repo: Repo, head: Commit, files: dict[str, TreeItem]) -> None:
    """Refresh what lists and search show from the new head of the default branch."""
    listed = browsing.entries(repo, files)
    repo.head = head.oid
    repo.updated_at = timezone.now()
    repo.size = sum(entry.size for entry in listed)
    repo.parameters = _count_parameters(listed)
    _read_card(repo, files)
    repo.save(
        update_fields=(
            "head", "updated_at", "size", "parameters", "task", "library", "license", "languages", "tags", "card",
        )
    )  # fmt: skip


def _count_parameters(listed: Iterable[browsing.Entry]) -> int | None:
    """Count the parameters in the safetensors headers; None when there is no such file."""
    total, found = 0, False
    for entry in listed:
        if entry.blob and entry.path.endswith(".safetensors") and "/" not in entry.path:
            tensors = checking.read_safetensors_header(contents.BlobReader(entry.blob), entry.size, entry.path)
            total += sum(tensor.elements for tensor in tensors)
            found = True
    return total if found else None


def _read_card(repo: Repo, files: dict[str, TreeItem]) -> None:
    metadata: dict[str, object] = {}
    item = files.get("README.md")
    row = GitObject.objects.filter(repo=repo, oid=item.oid).first() if item else None
    if row is not None:
        try:
            metadata = cards.read_metadata(objects.body(row).decode("utf-8", "replace"))
        except cards.CardRefused:
            metadata = {}
    repo.card = metadata
    repo.task = cards.first_text(metadata.get("pipeline_tag") or metadata.get("task_categories") or "")
    repo.library = cards.first_text(metadata.get("library_name") or "")
    repo.license = cards.first_text(metadata.get("license") or "")
    repo.languages = cards.texts(metadata.get("language") or [])
    repo.tags = cards.texts(metadata.get("tags") or [])
