"""Text files written, changed and removed in the browser."""

from collections.abc import Callable
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from models_hub import browsing, completeness
from models_hub.addressing import split_place
from models_hub.browsing import Entry, EntryNotFound
from models_hub.changes import Change, Delete, PutFile
from models_hub.forms import CommitForm, RemovalForm, TextFileForm
from models_hub.models import Commit, Repo
from models_hub.views import committing
from models_hub.views.pages import repo_page, respond
from portal.errors import Conflict, DomainError, InvalidInput, status_of

CARD = "README.md"
MAX_EDITED_BYTES = 1_000_000


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Write a new text file."""
    revision, folder = split_place(repo, place)
    targets = committing.targets(request.user, repo, revision)
    head = browsing.resolve_revision(repo, revision)
    path = request.GET.get("path") or (f"{folder}/" if folder else "")
    text = completeness.card_template(repo) if path == CARD else ""
    initial = {"path": path, "content": text, "title": _("Add %(name)s") % {"name": path} if path == CARD else ""}
    form = TextFileForm(request.POST or None, initial=initial, targets=targets)

    def changes() -> list[Change]:
        name = form.cleaned_data["path"]
        if _find(repo, head, name):
            raise Conflict(_("“%(path)s” exists already; open it to edit it.") % {"path": name})
        return [PutFile(name, _content(form, before=b""))]

    return _edited(request, repo, revision, head, form, changes, mode="new")


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Change a text file, or its name."""
    revision, path = split_place(repo, place)
    targets = committing.targets(request.user, repo, revision)
    head = browsing.resolve_revision(repo, revision)
    entry = browsing.find(repo, head, path)
    before = _editable(repo, entry)
    title = _("Update %(name)s") % {"name": entry.name}
    initial = {"path": path, "content": before.decode(), "seen": entry.oid, "title": title}
    form = TextFileForm(request.POST or None, initial=initial, targets=targets)

    def changes() -> list[Change]:
        _require_unchanged(form, entry)
        name = form.cleaned_data["path"]
        put = PutFile(name, _content(form, before=before))
        if name == path:
            return [put]
        if _find(repo, head, name):
            raise Conflict(_("“%(path)s” exists already; choose another name.") % {"path": name})
        return [Delete(path), put]

    return _edited(request, repo, revision, head, form, changes, mode="edit", path=path)


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def removal(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Remove a file."""
    revision, path = split_place(repo, place)
    targets = committing.targets(request.user, repo, revision)
    head = browsing.resolve_revision(repo, revision)
    entry = browsing.find(repo, head, path)
    initial = {"title": _("Delete %(name)s") % {"name": entry.name}, "seen": entry.oid}
    form = RemovalForm(request.POST or None, initial=initial, targets=targets)

    def changes() -> list[Change]:
        _require_unchanged(form, entry)
        return [Delete(path)]

    return _edited(request, repo, revision, head, form, changes, mode="removal", path=path)


def _edited(
    request: HttpRequest,
    repo: Repo,
    revision: str,
    head: Commit,
    form: CommitForm,
    changes: Callable[[], list[Change]],
    *,
    mode: str,
    path: str = "",
) -> HttpResponse:
    """Show the form, or publish what it asks for. On any refusal everything that was typed stays."""
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                proposal = committing.commit(
                    repo, by=request.user, revision=revision, form=form, changes=changes(), parent=head.oid
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                name = form.cleaned_data.get("path", "")
                if proposal:
                    return redirect(proposal)
                page = f"blob/{quote(revision)}/{quote(name)}" if name else f"tree/{quote(revision)}"
                return redirect(f"{repo.path}/{page}")
    return respond(
        request,
        repo,
        f"models_hub/files/{mode}.html",
        tab="files",
        status=status,
        form=form,
        revision=revision,
        path=path,
        is_card=path == CARD or form["path"].value() == CARD if mode != "removal" else False,
    )


def _find(repo: Repo, head: Commit, path: str) -> Entry | None:
    try:
        return browsing.find(repo, head, path)
    except EntryNotFound:
        return None


def _require_unchanged(form: CommitForm, entry: Entry) -> None:
    """Refuse to overwrite a change that the writer has not seen; sending the form once more says “I have”."""
    if form.cleaned_data["seen"] == entry.oid:
        return
    form.data = {name: form.data[name] for name in form.data} | {"seen": entry.oid}
    raise Conflict(
        _(
            "This file was changed since you opened it. Nothing is saved yet and what you typed is below: look at the "
            "current version, then save again to replace it."
        )
    )


def _editable(repo: Repo, entry: Entry) -> bytes:
    """Return the text of a file that may be edited in a browser."""
    if entry.is_folder or entry.blob or entry.size > MAX_EDITED_BYTES:
        raise InvalidInput(_("Only small text files can be edited in the browser; upload a new version instead."))
    data = browsing.read(repo, entry, entry.size)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(_("This file is not UTF-8 text; upload a new version instead.")) from error
    return data


def _content(form: TextFileForm, *, before: bytes) -> bytes:
    """Return what was typed. Browsers send CRLF line ends, which a file gets only if it had them before."""
    text = str(form.cleaned_data["content"]).replace("\r\n", "\n")
    return (text.replace("\n", "\r\n") if b"\r\n" in before else text).encode()
