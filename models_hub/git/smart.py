"""git over HTTP: clone, fetch and push. https://git-scm.com/docs/http-protocol

Whoever is refused is told in words: git prints the text of an answer, and what comes after “remote:”.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from itertools import chain
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from models_hub import mirroring
from models_hub.addressing import moved_address
from models_hub.browsing import RepoMoved, RepoNotFound
from models_hub.git import advertising, fetching, pktlines, receiving, serving
from models_hub.git.bodies import GitBody
from models_hub.git.packs import Limits
from models_hub.git.serving import FETCH, FETCH_COMMAND, MAX_FETCH_BYTES, PUSH
from models_hub.models import Repo
from models_hub.permissions import DisabledRepo, GatedRepo
from models_hub.responses import begun
from portal.authentication import BadToken, Caller, address_of, caller_from_credentials, count_request
from portal.errors import DomainError, SignInRequired, status_of

View = Callable[..., HttpResponseBase]


def face(view: View) -> View:
    """Translate failures into answers that git prints; the caller proves itself by a token in the header."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, namespace: str, name: str, **arguments: Any) -> HttpResponseBase:
        anonymous = not request.headers.get("Authorization")
        try:
            response = view(request, namespace=namespace, name=name.removesuffix(".git"), **arguments)
        except BadToken:
            return _sign_in(_("The access token is unknown or was revoked. Make one on the page “Access tokens”."))
        except RepoMoved as moved:
            location = moved_address(request.get_full_path(), moved) or "/"
            return HttpResponse(status=301 if request.method == "GET" else 307, headers={"Location": location})
        except (RepoNotFound, SignInRequired, GatedRepo) as error:
            if anonymous and not isinstance(
                error, DisabledRepo
            ):  # git sends credentials only when it is asked for them; all three must look the same
                return _sign_in(_("Sign in: the user name is free, the password is an access token of yours."))
            return _text(status_of(error), error.message)
        except DomainError as error:
            return _text(status_of(error), error.message)
        response["Cache-Control"] = "no-cache, max-age=0, must-revalidate"
        return response

    return answered


@face
def info_refs(request: HttpRequest, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """Begin a conversation: what there is, and what the server can do."""
    if request.method not in {"GET", "HEAD"}:
        return _text(405, _("This address does not answer to this method."))
    service = request.GET.get("service", "")
    caller, repo = _opened(request, kind, namespace, name)
    if service == PUSH:
        serving.require_pusher(caller, repo)
        return _advertised(PUSH, advertising.for_push(repo))
    if service != FETCH:
        return _text(403, _("Only git’s smart HTTP protocol is spoken here: use git 1.6.6 or later."))
    serving.require_fetcher(caller, repo)
    if _is_version_2(request):
        return _stream(iter([advertising.capabilities()]), f"{FETCH}-advertisement")
    return _advertised(FETCH, advertising.for_fetch(repo))


@face
def upload_pack(request: HttpRequest, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """Send what a client lacks."""
    if request.method != "POST":
        return _text(405, _("This address does not answer to this method."))
    caller, repo = _opened(request, kind, namespace, name)
    serving.require_fetcher(caller, repo)
    body = GitBody.of(request, MAX_FETCH_BYTES)
    try:
        lines = pktlines.lines(body.take)
        command, arguments = serving.command(lines) if _is_version_2(request) else (FETCH_COMMAND, [])
        if command == FETCH_COMMAND:
            agent = request.headers.get("User-Agent", "")
            serving.note_fetch(repo, caller, address=address_of(request), agent=agent)
        if not _is_version_2(request):
            answer = fetching.answer_v0(repo, lines)
        else:
            answer = iter(()) if command is None else serving.answer(repo, command, arguments)
    except DomainError as error:
        answer = iter([pktlines.error(error.message)])
    return _stream(answer, f"{FETCH}-result")


@face
def receive_pack(request: HttpRequest, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """Take in what a client has made."""
    if request.method != "POST":
        return _text(405, _("This address does not answer to this method."))
    caller, repo = _opened(request, kind, namespace, name)
    serving.require_pusher(caller, repo)
    body = GitBody.of(request, Limits.packed_bytes + 1024 * 1024)
    try:
        answer = receiving.answer(repo, caller.user, body)
    except DomainError as error:
        answer = iter([pktlines.error(error.message)])
    return _stream(answer, f"{PUSH}-result")


def _opened(request: HttpRequest, kind: str, namespace: str, name: str) -> tuple[Caller, Repo]:
    caller = caller_from_credentials(request.headers.get("Authorization", ""))
    count_request(request, "api", caller.user)
    return caller, mirroring.visible_repo(caller.user, kind=kind, namespace=namespace, name=name)


def _is_version_2(request: HttpRequest) -> bool:
    return serving.is_version_2(request.headers.get("Git-Protocol", ""))


def _advertised(service: str, references: Iterator[bytes]) -> HttpResponseBase:
    return _stream(chain([advertising.announced(service)], references), f"{service}-advertisement")


def _stream(blocks: Iterator[bytes], kind: str) -> HttpResponseBase:
    """Answer with what comes, block by block; the first is made now, while a failure can still be told."""
    response = StreamingHttpResponse(begun(blocks), content_type=f"application/x-{kind}")
    response["X-Accel-Buffering"] = "no"
    return response


def _sign_in(message: str) -> HttpResponse:
    response = _text(401, message)
    response["WWW-Authenticate"] = 'Basic realm="git", charset="UTF-8"'
    return response


def _text(status: int, message: str) -> HttpResponse:
    """Return a refusal; git prints plain text after “remote:”."""
    response = HttpResponse(f"{message}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response
