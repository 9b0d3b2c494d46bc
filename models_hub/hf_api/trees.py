"""Files and folders of a revision."""

from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from django.http import JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from models_hub import browsing, permissions
from models_hub.browsing import Entry
from models_hub.hf_api import routing, security
from models_hub.hf_api.calls import MAX_JSON_BYTES, Call
from models_hub.hf_api.shapes import page, read_cursor, timestamp, tree_entry
from models_hub.models import Commit, Repo
from models_hub.tracing import last_commits
from portal.errors import InvalidInput, TooLarge

PAGE = 1000
PAGE_WITH_COMMITS = 100
MAX_PATHS = 10_000


def tree(call: Call, kind: str, namespace: str, name: str, revision: str, path: str = "") -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    commit = browsing.resolve_revision(repo, revision)
    items = browsing.items_below(repo, commit, path.strip("/"), recursive=call.flag("recursive"))
    largest = PAGE_WITH_COMMITS if call.flag("expand") else PAGE
    size, start = call.number("limit", largest, largest), _start(call)
    entries = browsing.entries(repo, dict(islice(items.items(), start, start + size)))
    end = start + size
    # The next page is asked of the commit, not of the branch, which may move on between the two.
    view = {"kind": kind, "namespace": namespace, "name": name, "revision": commit.oid}
    address = reverse("tree", urlconf=routing.ROUTES, kwargs=view | ({"path": path} if path else {}))
    shown = _shown(call, repo, commit, entries, expand=call.flag("expand"))
    return page(call, shown, cursor=[end] if end < len(items) else None, path=address)


def paths_info(call: Call, kind: str, namespace: str, name: str, revision: str) -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    commit = browsing.resolve_revision(repo, revision)
    paths, expand = _asked(call)
    entries = browsing.find_many(repo, commit, paths)
    shown = _shown(call, repo, commit, entries, expand=expand)
    for row, entry in zip(shown, entries, strict=True):
        # Clients copy a file between repositories only when they know this hash, however small the file is.
        if entry.blob and entry.blob.in_pieces and entry.blob.xet_hash:
            row["xetHash"] = entry.blob.xet_hash
    return JsonResponse(shown, safe=False)


def _start(call: Call) -> int:
    cursor = read_cursor(call)
    return cursor[0] if cursor and isinstance(cursor[0], int) and 0 <= cursor[0] < 10**9 else 0


def _shown(call: Call, repo: Repo, commit: Commit, entries: list[Entry], *, expand: bool) -> list[dict[str, Any]]:
    shown = [tree_entry(entry) for entry in entries]
    if expand:
        found = last_commits(repo, commit, [entry.path for entry in entries])
        # What is in a file is told to those who may have it.
        may_read = permissions.can_download(call.user, repo)
        scanned = security.file_statuses(repo, commit, entries) if may_read else {}
        for row in shown:
            if last := found.get(row["path"]):
                row["lastCommit"] = {"id": last.oid, "title": last.title, "date": timestamp(last.authored_at)}
            if status := scanned.get(row["path"]):
                row["securityFileStatus"] = status
    return shown


def _asked(call: Call) -> tuple[list[str], bool]:
    """Read the paths from a form, as clients send it, or from JSON."""
    if call.request.content_type == "application/json":
        body = call.json()
        paths, expand = body.get("paths", []), bool(body.get("expand"))
    else:
        raw = call.request.read(MAX_JSON_BYTES + 1)
        if len(raw) > MAX_JSON_BYTES:
            raise TooLarge(_("The request body may have at most %(max)d bytes.") % {"max": MAX_JSON_BYTES})
        form = _parse_form(raw)
        paths = form.getlist("paths") + form.getlist("paths[]")
        expand = str(form.get("expand", "")).lower() in {"true", "1"}
    paths = [paths] if isinstance(paths, str) else paths
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise InvalidInput(_("“paths” must be a list of paths."))
    if len(paths) > MAX_PATHS:
        raise TooLarge(_("Ask for at most %(max)d paths at once.") % {"max": MAX_PATHS})
    return [path.strip("/") for path in paths], expand


def _parse_form(raw: bytes) -> QueryDict:
    """Parse with room for as many paths as a folder upload asks about; Django's own limit is for pages."""
    form = QueryDict(mutable=True)
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_PATHS + 2)
    except ValueError as error:
        raise TooLarge(_("Ask for at most %(max)d paths at once.") % {"max": MAX_PATHS}) from error
    for key, value in pairs:
        form.appendlist(key, value)
    return form
