"""Files from the reader's machine become a commit."""

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from models_hub import browsing, contents, proposing, publishing, staging, uploading
from models_hub.addressing import split_place
from models_hub.changes import Change, PutFile, PutLarge
from models_hub.forms import UploadForm
from models_hub.gitattributes import Effort
from models_hub.models import Repo
from models_hub.views import committing
from models_hub.views.pages import repo_page, respond
from portal.errors import DomainError, InvalidInput, status_of
from portal.models import User

SAMPLE = 512


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Choose files, say what they are, and publish them as one commit."""
    revision, folder = split_place(repo, place)
    targets = committing.targets(request.user, repo, revision)
    browsing.resolve_revision(repo, revision)
    form = UploadForm(initial={"folder": folder, "title": _("Upload files")}, targets=targets)
    status = 200
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES, targets=targets)
        status = 400
        if form.is_valid():
            try:
                proposal = _publish(request, repo, revision, form)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                return redirect(proposal or f"{repo.path}/tree/{quote(revision)}/{quote(_folder(form))}".rstrip("/"))
    return respond(
        request,
        repo,
        "models_hub/files/upload.html",
        tab="files",
        status=status,
        form=form,
        revision=revision,
        max_bytes=settings.MAX_COMMIT_BODY_BYTES,
        unfinished=[
            {"upload": row, "received": uploading.received_bytes(row)}
            for row in uploading.unfinished(repo, by=request.user)
        ],
    )


@repo_page
@require_POST
def cancellation(request: HttpRequest, repo: Repo, key: str) -> HttpResponse:
    """Forget one's own unfinished upload."""
    upload = uploading.find(key, by=request.user)
    uploading.cancel(upload)
    return redirect(f"{upload.repo.path}/upload/{quote(upload.revision)}")


def _publish(request: HttpRequest, repo: Repo, revision: str, form: UploadForm) -> str:
    """Commit the files; return the address of the pull request that got them, if it was one."""
    files: list[UploadedFile[Any]] = form.cleaned_data["files"]
    names = [str(name) for name in request.POST.getlist("paths")]
    # Without a script nobody tells the folders: a browser sends the last part of a name alone.
    paths = names if len(names) == len(files) else [str(file.name) for file in files]
    folder = _folder(form)
    places = [f"{folder}/{path}" if folder else path for path in paths]
    if len(set(places)) != len(places):
        raise InvalidInput(_("Two of the files have the same name; upload them to different folders."))
    attributes = publishing.head_file(repo, ".gitattributes", browsing.resolve_revision(repo, revision))
    effort = Effort()
    sender, pairs = proposing.require_proposer(request.user, repo), zip(places, files, strict=True)
    changes = (_change(repo, sender, path, file, attributes, effort) for path, file in pairs)
    return committing.commit(repo, by=sender, revision=revision, form=form, changes=changes)


def _folder(form: UploadForm) -> str:
    return str(form.cleaned_data["folder"]).strip().strip("/")


def _change(
    repo: Repo, sender: User, path: str, file: "UploadedFile[Any]", attributes: bytes, effort: Effort
) -> Change:
    """Large content goes to the blob store in pieces, as it would by the other ways in."""
    sample = file.read(SAMPLE)
    file.seek(0)
    if not staging.is_large(path, file.size or 0, sample, attributes=attributes, effort=effort):
        return PutFile(path, file.read())
    proposing.charge(repo, sender, file.size or 0)
    blob = contents.receive(repo, file.chunks(), size=file.size)
    return PutLarge(path, blob.sha256, blob.size)
