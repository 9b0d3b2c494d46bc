"""Before a commit: how each file is to be sent."""

import base64
import binascii
from typing import Any

from django.conf import settings
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import browsing, checking, gitattributes, proposing, publishing, staging
from models_hub.browsing import Entry
from models_hub.gitattributes import Effort
from models_hub.hf_api.calls import Call, text
from models_hub.models import Repo
from models_hub.models.refs import HEADS
from portal.errors import InvalidInput, TooLarge
from portal.models import User

MAX_FILES = 300  # clients ask about 256 at once
SAMPLE_BYTES = 512


def preupload(call: Call, kind: str, namespace: str, name: str, revision: str) -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    may_commit(call, repo, revision.removeprefix(HEADS))
    body = call.json()
    asked = _asked_files(body)
    commit = browsing.resolve_revision(repo, revision)
    attributes = publishing.head_file(repo, ".gitattributes", commit)
    ignored = body.get("gitIgnore")
    if not isinstance(ignored, str):
        ignored = publishing.head_file(repo, ".gitignore", commit).decode("utf-8", "replace")
    there = {entry.path: entry for entry in browsing.find_many(repo, commit, [path for path, _size, _sample in asked])}
    sizes = [size for path, size, _sample in asked if not _is_as_long(there.get(path), size)]
    proposing.require_room(repo, call.user, sizes)
    effort = Effort()
    files = []
    for path, size, sample in asked:
        large = staging.is_large(path, size, sample, attributes=attributes, effort=effort)
        mode = {
            "uploadMode": "lfs" if large else "regular",
            "shouldIgnore": gitattributes.is_ignored(ignored, path, effort),
        }
        files.append({"path": path, **mode, **_known(there.get(path))})
    return JsonResponse({"files": files})


def may_commit(call: Call, repo: Repo, branch: str) -> User:
    """Return the caller who may commit to `branch`, or with create_pr propose a commit to it."""
    user = call.writer()
    if call.flag("create_pr"):
        return proposing.require_proposer(user, repo)
    return publishing.require_pusher(user, repo, branch)


def _asked_files(body: dict[str, Any]) -> list[tuple[str, int, bytes]]:
    """Return path, size and sample of each file in question."""
    files = body.get("files")
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise InvalidInput(_("“files” must be a list of objects."))
    if len(files) > MAX_FILES:
        raise TooLarge(_("Ask about at most %(max)d files at once.") % {"max": MAX_FILES})
    return [_asked_file(file) for file in files]


def _asked_file(file: dict[str, Any]) -> tuple[str, int, bytes]:
    path = checking.normalize_path(text(file.get("path"), "path"))
    size, sample = file.get("size", 0), text(file.get("sample"), "sample", default="")
    if not isinstance(size, int) or size < 0:
        raise InvalidInput(_("“size” must be a number of bytes."))
    if size > settings.MAX_FILE_BYTES:
        raise TooLarge(
            _("“%(path)s” is larger than the %(max)d bytes that a file may have.")
            % {"path": path, "max": settings.MAX_FILE_BYTES}
        )
    try:
        return path, size, base64.b64decode(sample, validate=True)[:SAMPLE_BYTES]
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(_("“sample” must be base64.")) from error


def _is_as_long(entry: Entry | None, size: int) -> bool:
    """A file of the same length is probably the same, and then takes no room."""
    return entry is not None and entry.size == size


def _known(entry: Entry | None) -> dict[str, str]:
    """The id by which the client sees that it need not send the file again."""
    return {"oid": entry.etag} if entry and not entry.is_folder else {}
