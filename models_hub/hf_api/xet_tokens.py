"""How clients are led to Xet: tokens for its API, and the headers that say a file can be had there."""

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from models_hub import browsing, permissions, proposing, publishing
from models_hub.browsing import Entry
from models_hub.hf_api.calls import Call
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.models.pull_requests import pull_number
from models_hub.xet import tokens
from models_hub.xet.tokens import NO_REVISION, Scope

# Below this, the two or three questions that a client asks first cost more than plain HTTP takes.
MIN_DOWNLOAD_BYTES = 16 * 1024 * 1024


def xet_read_token(call: Call, kind: str, namespace: str, name: str, revision: str) -> HttpResponseBase:
    repo = call.repo(kind, namespace, name)
    permissions.require_download(call.user, repo)
    browsing.resolve_revision(repo, revision)
    return _issued(call, repo, Scope.READ, revision)


def xet_write_token(call: Call, kind: str, namespace: str, name: str, revision: str) -> HttpResponseBase:
    """With create_pr, whoever may read may send what a pull request proposes; its revision does not exist yet."""
    repo = call.repo(kind, namespace, name)
    if call.flag("create_pr"):
        permissions.require_download(proposing.require_proposer(call.writer(), repo), repo)
        return _issued(call, repo, Scope.PROPOSE, NO_REVISION)
    if pull_number(revision) is not None:
        permissions.require_download(publishing.require_pusher(call.writer(), repo, revision), repo)
        return _issued(call, repo, Scope.PROPOSE, revision)
    publishing.require_writer(call.writer(), repo)
    browsing.resolve_revision(repo, revision or DEFAULT_BRANCH)
    return _issued(call, repo, Scope.WRITE, revision or DEFAULT_BRANCH)


def xet_hash(entry: Entry) -> str:
    """Return the hash by which the file is to be fetched through Xet, empty where that would not help."""
    blob = entry.blob
    return blob.xet_hash if blob and blob.in_pieces and blob.size >= MIN_DOWNLOAD_BYTES else ""


def lead_to_xet(response: HttpResponseBase, call: Call, repo: Repo, commit: Commit, entry: Entry) -> None:
    """Add the headers by which clients go over to Xet; they do without, where they do not know it."""
    found = xet_hash(entry)
    if found:
        route = f"{call.origin}/api/{repo.kind}s/{repo.full_name}/xet-read-token/{commit.oid}"
        response["X-Xet-Hash"] = found
        response["X-Xet-Refresh-Route"] = route
        response["Link"] = f'<{route}>; rel="xet-auth"'


def _issued(call: Call, repo: Repo, scope: Scope, revision: str) -> HttpResponse:
    """Answer in JSON, which the Rust half of the client reads, and in headers, which the Python half reads."""
    token, expires = tokens.issue(
        repo=repo,
        user=call.user,
        ttl=settings.SIGNED_URL_SECONDS,
        scope=scope,
        access=call.caller.token,
        revision=revision,
    )
    address = f"{call.origin}/cas"
    response = JsonResponse({"accessToken": token, "exp": expires, "casUrl": address})
    response["X-Xet-Access-Token"] = token
    response["X-Xet-Token-Expiration"] = str(expires)
    response["X-Xet-Cas-Url"] = address
    response["Cache-Control"] = "private, no-store"
    return response
