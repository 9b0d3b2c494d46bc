"""Git LFS over HTTP: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md, and the Hub's multipart."""

import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from models_hub import contents, fetching, making_room, mirroring, permissions, proposing, publishing
from models_hub.addressing import moved_address
from models_hub.browsing import RepoMoved, RepoNotFound
from models_hub.delivering import RangeOutside, asked_span
from models_hub.git import grants, lfs_sessions, serving, transfers
from models_hub.git.grants import DOWNLOAD, UPLOAD, Grant
from models_hub.git.transfers import Wanted
from models_hub.models import Blob, Repo
from models_hub.permissions import DisabledRepo, GatedRepo
from models_hub.responses import blob_response
from models_hub.storage import ContentRefused
from portal import bounded_json, database
from portal.authentication import BadToken, Caller, caller_from_credentials, count_request
from portal.errors import DomainError, InvalidInput, NotFound, TooLarge, status_of

MEDIA_TYPE = "application/vnd.git-lfs+json"
MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_OBJECTS = 300  # clients ask for 256 at once
_OID = re.compile(r"[0-9a-f]{64}")

View = Callable[..., HttpResponseBase]


def face(view: View) -> View:
    """Translate failures into the JSON that LFS clients print; the caller proves itself by header or signature."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        try:
            return view(request, **arguments)
        except BadToken:
            return _failure(401, "Invalid credentials in Authorization header")
        except RepoMoved as moved:
            return HttpResponse(status=307, headers={"Location": moved_address(request.get_full_path(), moved) or "/"})
        except RepoNotFound as error:
            status = 404 if request.headers.get("Authorization") else 401
            response = _failure(status, error.message)
            response["X-Error-Code"] = "RepoNotFound"
            return response
        except DisabledRepo as error:
            return _failure(403, error.message)
        except GatedRepo as error:
            response = _failure(403 if request.headers.get("Authorization") else 401, error.message)
            response["X-Error-Code"] = "GatedRepo"
            return response
        except DomainError as error:
            return _failure(status_of(error), error.message)

    return answered


@face
@require_POST
def batch(request: HttpRequest, kind: str, namespace: str, name: str) -> HttpResponseBase:
    caller = caller_of(request, kind, namespace, name)
    repo = mirroring.visible_repo(caller.user, kind=kind, namespace=namespace, name=name)
    body = json_of(request)
    operation, wanted = body.get("operation"), _wanted(body)
    if not isinstance(operation, str) or operation not in {UPLOAD, DOWNLOAD}:
        raise InvalidInput(_("“operation” must be “upload” or “download”."))
    held = fetching.held_or_awaited(repo, [one.oid for one in wanted])
    base = f"{request.scheme}://{request.get_host()}{repo.path}.git/info/lfs/objects"
    if operation == DOWNLOAD:
        permissions.require_download(caller.user, repo)
        answers = [transfers.download_answer(one, held, repo=repo, caller=caller, base=base) for one in wanted]
        return answer({"transfer": "basic", "objects": answers})
    serving.require_sender(caller, repo)
    held = contents.claimed_by(repo, (one.oid for one in wanted))  # the client goes on to refer to these
    to_come = transfers.sizes_to_come(wanted, held)
    proposing.require_room(repo, caller.user, to_come)
    if to_come and "xet" in _transfers(body) and caller.key is None:  # tokens of Xet end with an access token
        sent = transfers.xet_upload(repo=repo, caller=caller, origin=f"{request.scheme}://{request.get_host()}")
        answers = [transfers.xet_answer(one, held, upload=sent) for one in wanted]
        return answer({"transfer": "xet", "objects": answers, "hash_algo": "sha256"})
    multipart = "multipart" in _transfers(body)
    answers = [
        transfers.upload_answer(one, held, repo=repo, caller=caller, base=base, multipart=multipart) for one in wanted
    ]
    in_parts = any("header" in one.get("actions", {}).get("upload", {}) for one in answers)
    return answer({"transfer": "multipart" if in_parts else "basic", "objects": answers, "hash_algo": "sha256"})


@face
@require_POST
def verify(request: HttpRequest, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """Confirm that an upload has arrived and is the repository's; git-lfs shows the signature, others their token."""
    wanted = _checked(json_of(request))
    if signature := request.GET.get("grant", ""):
        repo = grants.read(UPLOAD, signature, oid=wanted.oid).repo
    else:
        caller = caller_of(request, kind, namespace, name)
        repo = mirroring.visible_repo(caller.user, kind=kind, namespace=namespace, name=name)
        serving.require_sender(caller, repo)
    blob = contents.held_by(repo, [wanted.oid]).get(wanted.oid)
    if wanted.problem or blob is None:
        raise NotFound(wanted.problem or _("This repository has no such content: send the file again."))
    contents.require({blob.sha256: blob}, wanted.oid, wanted.size)
    return answer({"oid": blob.sha256, "size": blob.size})


@face
def content(request: HttpRequest, kind: str, namespace: str, name: str, oid: str) -> HttpResponseBase:
    """Take or give one content, for whoever holds a signed address."""
    signature = request.GET.get("grant", "")
    if request.method == "PUT":
        grant = grants.read(UPLOAD, signature, oid=oid)
        _check_length(request, grant.size)
        proposing.charge(grant.repo, grant.sender(), grant.size)
        contents.receive(grant.repo, _body(request), sha256=oid, size=grant.size)
        return HttpResponse()
    if request.method != "GET":
        return _failure(405, _("This address does not answer to this method."))
    grant = grants.read(DOWNLOAD, signature, oid=oid)
    blob = contents.require(fetching.held_or_awaited(grant.repo, [oid]), oid)
    making_room.note_use(grant.repo, blob)
    response = _sent(blob, request.headers.get("Range", ""))
    response["Content-Disposition"] = "attachment"
    response["Cache-Control"] = "private, no-cache"
    return response


def _sent(blob: Blob, asked: str) -> HttpResponseBase:
    """Answer with content, or with the range of it that goes on where an earlier answer was cut off."""
    try:
        span = asked_span(asked, blob.size)
    except RangeOutside:
        response: HttpResponseBase = _failure(416, _("The file ends before this range."))
        response["Content-Range"] = f"bytes */{blob.size}"
        return response
    start, length = (span.start, span.length) if span else (0, blob.size)
    response = blob_response(blob, start, length, content_type="application/octet-stream")
    response["Accept-Ranges"] = "bytes"
    if span:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{start + length - 1}/{blob.size}"
    return response


@face
def part(request: HttpRequest, kind: str, namespace: str, name: str, oid: str, number: int) -> HttpResponseBase:
    """Take one part of a large content."""
    if request.method != "PUT":
        return _failure(405, _("This address does not answer to this method."))
    grant = grants.read(UPLOAD, request.GET.get("grant", ""), oid=oid)
    if not 1 <= number <= transfers.part_count(grant.size):
        raise NotFound(_("This upload has no part %(number)d.") % {"number": number})
    size = transfers.length_of_part(grant.size, number)
    _check_length(request, size)
    digest = contents.receive_part(grant.repo, grant.upload, number, _body(request), size=size, whole=grant.size)
    response = HttpResponse()
    response["ETag"] = f'"{digest}"'
    return response


@face
@require_POST
def parts(request: HttpRequest, kind: str, namespace: str, name: str, oid: str) -> HttpResponseBase:
    """Join the parts: the whole is hashed again and kept only if it is what was announced."""
    grant: Grant = grants.read(UPLOAD, request.GET.get("grant", ""), oid=oid)
    count, sent = transfers.part_count(grant.size), json_of(request).get("parts")
    if not isinstance(sent, list) or len(sent) != count:
        raise ContentRefused(_("This upload has %(count)d parts: name each of them.") % {"count": count})
    if oid not in contents.held_by(grant.repo, [oid]):  # else it is the same order again: the first answer was lost
        proposing.charge(grant.repo, grant.sender(), grant.size)
        contents.receive_parts(grant.repo, grant.upload, count, sha256=oid, size=grant.size)
    return answer({})


def caller_of(request: HttpRequest, kind: str, namespace: str, name: str) -> Caller:
    """Return who asks of a repository: by the token that git sends as a password, or by what it was told over SSH."""
    header = request.headers.get("Authorization", "")
    known = lfs_sessions.caller_of(header, kind=kind, full_name=f"{namespace}/{name}")
    caller = known or caller_from_credentials(header)
    count_request(request, "resolvers", caller.user)  # a push asks after each of its files
    return caller


def require_writer(caller: Caller, repo: Repo) -> None:
    """Raise SignInRequired or NotAllowed unless the caller may write, with this very token."""
    publishing.require_writer(caller.user, repo)
    caller.require_write()


def json_of(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object in the body."""
    raw = request.read(MAX_BODY_BYTES + 1)
    if len(raw) > MAX_BODY_BYTES:
        raise TooLarge(_("The request body may have at most %(max)d bytes.") % {"max": MAX_BODY_BYTES})
    try:
        value = bounded_json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_("The request body is not valid JSON.")) from error
    if not isinstance(value, dict):
        raise InvalidInput(_("The request body must be a JSON object."))
    return value


def _wanted(body: dict[str, Any]) -> list[Wanted]:
    objects = body.get("objects")
    if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
        raise InvalidInput(_("“objects” must be a list of objects."))
    if len(objects) > MAX_OBJECTS:
        raise TooLarge(_("Ask for at most %(max)d objects at once.") % {"max": MAX_OBJECTS})
    if body.get("hash_algo", "sha256") != "sha256":
        raise InvalidInput(_("Only the hash “sha256” is supported."))
    return [_checked(one) for one in objects]


def _checked(one: dict[str, Any]) -> Wanted:
    oid, size = one.get("oid"), one.get("size")
    if not isinstance(oid, str) or not _OID.fullmatch(oid):
        return Wanted(str(oid)[:100], 0, _("“oid” must be a sha256 in 64 lower-case hexadecimal digits."))
    if type(size) is not int or size < 0:
        return Wanted(oid, 0, _("“size” must be a number of bytes."))
    return Wanted(oid, size)


def _transfers(body: dict[str, Any]) -> list[Any]:
    offered = body.get("transfers")
    return offered if isinstance(offered, list) else []


def _check_length(request: HttpRequest, size: int) -> None:
    """Refuse a body of another length than announced before a byte of it is read."""
    announced = request.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) != size:
        raise ContentRefused(
            _("Expected %(expected)d bytes but %(announced)s are announced. Send the file as it is.")
            % {"expected": size, "announced": announced}
        )


def _body(request: HttpRequest) -> Iterator[bytes]:
    """Yield the body; where the client has gone, it ends early and is refused for its length."""
    database.let_go()  # while the body comes, from many senders at once, nothing is asked
    try:
        while block := request.read(contents.RECEIVE_SIZE):
            yield block
    except UnreadablePostError:
        return


def answer(value: dict[str, Any], *, status: int = 200) -> JsonResponse:
    """Return an answer of the kind that LFS clients read."""
    response = JsonResponse(value, status=status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "private, no-cache"
    return response


def _failure(status: int, message: str) -> JsonResponse:
    response = JsonResponse({"message": message, "error": message}, status=status, content_type=MEDIA_TYPE)
    if status == 401:
        response["LFS-Authenticate"] = 'Basic realm="Git LFS"'
        response["WWW-Authenticate"] = 'Basic realm="Git LFS"'
    response["Cache-Control"] = "private, no-cache"
    return response
