"""/api/v1/bundles/{kind}s/{namespace}/{name}: a repository as one file, out and in. See docs/BUNDLES.md."""

from collections.abc import Iterator

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from models_hub import contents, mirroring, permissions, unbundling
from models_hub.responses import bundle_response
from portal.authentication import BadToken, Caller, caller_from_header
from portal.errors import DomainError, SignInRequired, status_of


@csrf_exempt  # the right is in the Authorization header, which no foreign page can send
@require_http_methods(["GET", "HEAD", "PUT"])
def bundle(request: HttpRequest, kind: str, namespace: str, name: str) -> HttpResponseBase:
    """GET: the bundle of a repository. PUT: a new repository of this name, made of the bundle in the body."""
    try:
        caller = caller_from_header(request.headers.get("Authorization", "")) or Caller(AnonymousUser())
        if request.method == "PUT":
            return _received(request, caller, kind, namespace, name)
        repo = mirroring.visible_repo(caller.user, kind=kind, namespace=namespace, name=name)
        permissions.require_download(caller.user, repo)
        return bundle_response(repo)
    except BadToken:
        return _failure(401, _("This access token is unknown or was revoked."), "bad_token")
    except DomainError as error:
        return _failure(status_of(error), error.message, error.code)


def _received(request: HttpRequest, caller: Caller, kind: str, namespace: str, name: str) -> HttpResponseBase:
    if not caller.user.is_authenticated:
        raise SignInRequired(_("Sign in first."))
    caller.require_write()
    private = request.GET.get("private", "").lower() in {"1", "true"}
    repo = unbundling.receive(
        _body(request), by=caller.user, kind=kind, namespace=namespace, name=name, private=private
    )
    return JsonResponse({"id": repo.full_name, "kind": repo.kind, "sha": repo.head, "page": repo.path}, status=201)


def _body(request: HttpRequest) -> Iterator[bytes]:
    """Yield the body; where the sender has gone it ends early, which is refused."""
    try:
        while block := request.read(contents.RECEIVE_SIZE):
            yield block
    except UnreadablePostError:
        return


def _failure(status: int, message: str, code: str) -> JsonResponse:
    return JsonResponse({"error": message, "code": code}, status=status)
