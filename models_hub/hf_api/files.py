"""The bytes of a file at a revision: whole, in ranges, or their headers alone."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from models_hub import browsing, downloading, making_room, permissions
from models_hub.browsing import Entry, EntryNotFound
from models_hub.delivering import TEXT, RangeOutside, Span, asked_span, content_type, disposition, is_known
from models_hub.git.pointers import MAX_POINTER_BYTES, parse_pointer, pointer_text
from models_hub.hf_api.calls import Call
from models_hub.hf_api.xet_tokens import lead_to_xet
from models_hub.models import Commit, Repo
from models_hub.responses import blob_response
from portal.authentication import address_of

SANDBOX = "default-src 'none'; sandbox"


def resolve(call: Call, kind: str, namespace: str, name: str, revision: str, path: str) -> HttpResponseBase:
    """Answer 200 with all headers and no redirect: the newest client reads them from the last answer."""
    repo, commit, entry = _located(call, kind, namespace, name, revision, path)
    response = _bytes_of(call, repo, entry)
    response["Content-Disposition"] = disposition(entry, download=call.flag("download"))
    lead_to_xet(response, call, repo, commit, entry)
    if _is_declared(call) or downloading.is_query_file(repo, entry.path):
        _note(call, repo)
    return _finished(response, repo, commit)


def _is_declared(call: Call) -> bool:
    """Clients say with this header that what they do is a download, whatever the file and the method."""
    return call.request.headers.get("X-HF-Download-Counter") == "1"


def _note(call: Call, repo: Repo) -> None:
    request = call.request
    downloading.note(
        repo,
        by=call.user,
        address=address_of(request),
        agent=request.headers.get("User-Agent", ""),
        only_head=request.method == "HEAD" and not _is_declared(call),
    )


def raw(call: Call, kind: str, namespace: str, name: str, revision: str, path: str) -> HttpResponseBase:
    """Answer with what git holds, as text: of large content, its pointer."""
    repo, commit, entry = _located(call, kind, namespace, name, revision, path)
    etag = f'"{entry.oid}"'
    if is_known(call.request.headers.get("If-None-Match", ""), etag):
        response = HttpResponse(status=304)
    else:
        content = pointer_text(entry.blob.sha256, entry.size) if entry.blob else browsing.read(repo, entry, entry.size)
        response = HttpResponse(content, content_type=TEXT)
    response["ETag"] = etag
    response["Content-Disposition"] = disposition(entry, download=False)
    return _finished(response, repo, commit)


def _located(call: Call, kind: str, namespace: str, name: str, revision: str, path: str) -> tuple[Repo, Commit, Entry]:
    repo = call.repo(kind, namespace, name)
    permissions.require_download(call.user, repo)
    commit = browsing.resolve_revision(repo, revision)
    entry = browsing.find(repo, commit, path)
    if entry.is_folder:
        raise EntryNotFound(_("“%(path)s” is a folder.") % {"path": path[:300]}, data={"commit": commit.oid})
    if entry.blob is None and entry.size <= MAX_POINTER_BYTES and parse_pointer(browsing.read(repo, entry, entry.size)):
        # A pointer is never committed without its content: the content was removed for good since.
        raise EntryNotFound(_("The content of this file was removed."), data={"commit": commit.oid})
    return repo, commit, entry


def _bytes_of(call: Call, repo: Repo, entry: Entry) -> HttpResponseBase:
    etag = f'"{entry.etag}"'
    # Whoever reads in parts says by this that all are to be of one content.
    if not is_known(call.request.headers.get("If-Match", etag), etag):
        return _with_validators(HttpResponse(status=412), etag)
    if is_known(call.request.headers.get("If-None-Match", ""), etag):
        return _with_validators(HttpResponse(status=304), etag)
    asked = call.request.headers.get("Range", "")
    if call.request.headers.get("If-Range", etag) != etag:
        asked = ""  # the caller holds the beginning of another content
    try:
        span = asked_span(asked, entry.size)
    except RangeOutside:
        response: HttpResponseBase = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{entry.size}"
    else:
        response = _sent(call, repo, entry, span)
    return _with_validators(response, etag)


def _with_validators(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    return response


def _sent(call: Call, repo: Repo, entry: Entry, span: Span | None) -> HttpResponseBase:
    start, length = (span.start, span.length) if span else (0, entry.size)
    if call.request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(content_type=content_type(entry))
    elif entry.blob:
        making_room.note_use(repo, entry.blob)
        response = blob_response(entry.blob, start, length, content_type=content_type(entry))
    else:
        response = HttpResponse(b"".join(browsing.stream(repo, entry, start, length)), content_type=content_type(entry))
    response["Content-Length"] = str(length)
    if span:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{entry.size}"
    return response


def _finished(response: HttpResponseBase, repo: Repo, commit: Commit) -> HttpResponseBase:
    response["X-Repo-Commit"] = commit.oid
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    response["Cache-Control"] = "private, no-cache" if repo.private else "no-cache"
    return response
