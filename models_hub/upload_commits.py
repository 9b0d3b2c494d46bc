"""The end of an upload: one commit of all its files, or a pull request."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from models_hub import browsing, contents, proposing, publishing, quotas, staging, uploading
from models_hub.changes import Change, PutFile, PutLarge
from models_hub.gitattributes import Effort
from models_hub.models import Upload, UploadFile
from models_hub.models.pull_requests import pull_number
from models_hub.storage import arriving_files, blob_store
from models_hub.storage.contract import Stored
from models_hub.uploading import drop_parts, mark
from portal.errors import Conflict, NotFound, QuotaExceeded
from portal.models import User

SAMPLE = 512
BATCH = 500


class ContentLost(Conflict):
    """Content that was here has been removed since; its file must be sent again."""

    code = "content_lost"


def publish(upload: Upload, *, title: str, description: str = "", proposes: bool = False) -> Upload:
    """Make one commit of all files, or a pull request; asked again after it is done, it changes nothing.

    Where it is refused, the upload stays as it is, to be mended or cancelled.
    """
    repo, area = upload.repo, arriving_files()
    with area.hold(upload.key, "publishing"):
        upload.refresh_from_db(fields=("page", "commit_oid"))
        if upload.page:
            return upload
        user = uploading.require_sender(upload.user, repo, upload.revision)
        publishing.checked_message(title, description)
        if upload.files.filter(sha256="").exists():
            raise Conflict(_("Some files have not arrived completely: send them first."))
        quotas.end_reservation(repo, upload.key)  # from here on each file is charged itself
        try:
            _commit(upload, user, title=title, description=description, proposes=proposes)
        except Exception:
            _reserve_again(upload)
            raise
    area.drop_all(upload.key)
    return upload


def _commit(upload: Upload, user: User, *, title: str, description: str, proposes: bool) -> None:
    repo, revision = upload.repo, upload.revision
    changes = _changes(upload, user)
    if proposes and pull_number(revision) is None:
        pull, made = publishing.propose(
            repo=repo, by=user, changes=changes, title=title, description=description, base=revision
        )
        upload.page = f"{repo.path}/discussions/{pull.number}"
    else:
        made = publishing.commit(
            repo=repo, by=user, changes=changes, title=title, description=description, branch=revision
        )
        number = pull_number(revision)
        tree = f"{repo.path}/tree/{quote(revision)}/{quote(upload.folder)}".rstrip("/")
        upload.page = tree if number is None else f"{repo.path}/discussions/{number}"
    upload.commit_oid = made.oid
    upload.save(update_fields=("page", "commit_oid"))


def _changes(upload: Upload, user: User) -> Iterator[Change]:
    """Yield the files one by one; what is large moves into the store, and the repository gets the right to it."""
    repo, area, effort = upload.repo, arriving_files(), Effort()
    attributes = publishing.head_file(repo, ".gitattributes", browsing.resolve_revision(repo, upload.revision))
    for file in upload.files.order_by("number").iterator(chunk_size=BATCH):
        if file.is_kept:
            _require_kept(upload, file)
            yield PutLarge(file.path, file.sha256, file.size)
            continue
        sample = area.read(upload.key, file.number, SAMPLE)
        if staging.is_large(file.path, file.size, sample, attributes=attributes, effort=effort):
            proposing.charge(repo, user, file.size)
            _move_in(upload, file)
            yield PutLarge(file.path, file.sha256, file.size)
        else:
            content = area.read(upload.key, file.number, file.size + 1)
            if hashlib.sha256(content).hexdigest() != file.sha256:
                drop_parts(upload, file)
                raise _lost(file)
            yield PutFile(file.path, content)


def _require_kept(upload: Upload, file: UploadFile) -> None:
    """Raise when content that the repository had is gone again: uploads may take longer than the collector waits."""
    if file.sha256 not in contents.claimed_by(upload.repo, [file.sha256]):
        drop_parts(upload, file)
        raise _lost(file)


def _move_in(upload: Upload, file: UploadFile) -> None:
    """Give the repository the right to a verified file, in the transaction that notes where it is now."""
    path = arriving_files().path(upload.key, file.number)
    if not path.is_file():
        drop_parts(upload, file)
        raise _lost(file)
    with transaction.atomic():
        contents.register(upload.repo, sha256=file.sha256, size=file.size)
        mark(file, file.sha256, is_kept=True)
        blob_store().adopt(path, Stored(file.sha256, file.size))


def _lost(file: UploadFile) -> ContentLost:
    return ContentLost(_("“%(path)s” is no longer here: send it again.") % {"path": file.path[:200]})


def _reserve_again(upload: Upload) -> None:
    """Set aside again what is still only here; where the room has gone meanwhile, the next attempt will say so."""
    left = upload.files.filter(is_kept=False).aggregate(total=Sum("size"))["total"] or 0
    with suppress(QuotaExceeded, NotFound):
        quotas.reserve(upload.repo, upload.key, left)
