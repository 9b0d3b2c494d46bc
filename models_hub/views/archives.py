"""A version or a folder of it as a zip file."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from models_hub import browsing, downloading, permissions, responses, zipping
from models_hub.addressing import split_place
from models_hub.models import Repo
from models_hub.views.pages import repo_page
from portal.authentication import address_of


@repo_page
@require_safe
def archive(request: HttpRequest, repo: Repo, place: str) -> HttpResponseBase:
    """Send all files as one zip file, which counts as one download. Its length is not known beforehand."""
    permissions.require_download(request.user, repo)
    revision, path = split_place(repo, place)
    commit = browsing.resolve_revision(repo, revision)
    blocks = zipping.blocks(repo, commit, path)
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(content_type="application/zip")
    else:
        agent = request.headers.get("User-Agent", "")
        downloading.note(repo, by=request.user, address=address_of(request), agent=agent)
        response = StreamingHttpResponse(responses.begun(blocks), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{zipping.file_name(repo, revision, path)}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["X-Repo-Commit"] = commit.oid
    return response
