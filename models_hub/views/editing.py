"""Files written, changed, moved and removed in the browser."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from models_hub import browsing, comparing, drafted_benchmarks, drafted_cards, line_merging, restoring
from models_hub.addressing import split_place
from models_hub.browsing import Entry
from models_hub.changes import Change, Delete, PutFile
from models_hub.comparing import FileChange
from models_hub.forms import CommitForm, MoveFileForm, RemovalForm, TextFileForm
from models_hub.git import objects
from models_hub.models import Commit, GitObject, Repo
from models_hub.views import committing
from models_hub.views.pages import repo_page, respond
from portal.errors import Conflict, DomainError, InvalidInput, status_of

CARD = "README.md"
MAX_EDITED_BYTES = 1_000_000
MAX_NAMED = 100


class SeenBefore(Conflict):
    """Somebody changed the file since it was opened."""


@dataclass
class Edit:
    """One page that changes files: where, by which form, what it does, and what its preview shows."""

    repo: Repo
    revision: str
    head: Commit
    form: CommitForm
    mode: str
    changes: Callable[[], list[Change]]
    preview: Callable[[], list[FileChange]] = list
    theirs: Callable[[], list[FileChange]] = list
    joined: Callable[[], str | None] = lambda: None
    path: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Write a new text file."""
    revision, folder = split_place(repo, place)
    targets = committing.targets(request.user, repo, revision)
    head = browsing.resolve_revision(repo, revision)
    path = request.GET.get("path") or (f"{folder}/" if folder else "")
    is_named = bool(path) and not path.endswith("/")
    title = _("Add %(name)s") % {"name": path} if is_named else ""
    initial = {"path": path, "content": _draft(repo, head, path), "title": title}
    form = TextFileForm(_sent(request), initial=initial, targets=targets)

    def changes() -> list[Change]:
        name = form.cleaned_data["path"]
        if restoring.is_there(repo, head, name):
            raise Conflict(_("“%(path)s” exists already; open it to edit it.") % {"path": name})
        return [PutFile(name, _content(form, before=b""))]

    def preview() -> list[FileChange]:
        return [comparing.of_text(form.cleaned_data["path"], "", _content(form, before=b"").decode())]

    return _edited(request, Edit(repo, revision, head, form, "new", changes, preview))


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
    form = TextFileForm(_sent(request), initial=initial, targets=targets)

    def changes() -> list[Change]:
        _require_unchanged(form, entry)
        name = form.cleaned_data["path"]
        put = PutFile(name, _content(form, before=before))
        if name == path:
            return [put]
        if restoring.is_there(repo, head, name):
            raise Conflict(_("“%(path)s” exists already; choose another name.") % {"path": name})
        return [Delete(path), put]

    def preview() -> list[FileChange]:
        name = form.cleaned_data["path"]
        label = name if name == path else f"{path} → {name}"
        return [comparing.of_text(label, before.decode(), _content(form, before=before).decode())]

    def theirs() -> list[FileChange]:
        seen = _seen_text(repo, str(form.cleaned_data["seen"]))
        return [] if seen is None else [comparing.of_text(path, seen.decode(), before.decode())]

    def joined() -> str | None:
        seen = _seen_text(repo, str(form.cleaned_data["seen"]))
        made = None if seen is None else line_merging.merge(seen, before, _content(form, before=seen))
        return None if made is None else made.decode("utf-8", "replace")

    return _edited(request, Edit(repo, revision, head, form, "edit", changes, preview, theirs, joined, path))


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Rename a file or a folder, or put it elsewhere; its content, large or small, is not sent again."""
    revision, path = split_place(repo, place)
    targets = committing.targets(request.user, repo, revision)
    head = browsing.resolve_revision(repo, revision)
    entry = browsing.find(repo, head, path)
    initial = {"path": path, "title": _("Rename %(name)s") % {"name": entry.name}, "seen": entry.oid}
    form = MoveFileForm(_sent(request), initial=initial, targets=targets)

    def changes() -> list[Change]:
        _require_unchanged(form, entry)
        return restoring.moved(repo, head, path, form.cleaned_data["path"])

    def preview() -> list[FileChange]:
        new = form.cleaned_data["path"]
        names = _names(repo, head, entry)
        return [FileChange(f"{name} → {new}{name[len(path) :]}", None, None) for name in names[:MAX_NAMED]]

    extra = {"entry": entry, "names": _names(repo, head, entry)}
    return _edited(request, Edit(repo, revision, head, form, "move", changes, preview, path=path, extra=extra))


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def removal(request: HttpRequest, repo: Repo, place: str) -> HttpResponse:
    """Remove a file, or a folder with all that is in it."""
    revision, path = split_place(repo, place)
    targets = committing.targets(request.user, repo, revision)
    head = browsing.resolve_revision(repo, revision)
    entry = browsing.find(repo, head, path)
    initial = {"title": _("Delete %(name)s") % {"name": entry.name}, "seen": entry.oid}
    form = RemovalForm(_sent(request), initial=initial, targets=targets)

    def changes() -> list[Change]:
        _require_unchanged(form, entry)
        return [Delete(path)]

    extra = {"entry": entry, "names": _names(repo, head, entry)}
    return _edited(request, Edit(repo, revision, head, form, "removal", changes, path=path, extra=extra))


def _draft(repo: Repo, head: Commit, path: str) -> str:
    """Return what a file of this name begins as, "" where nothing is known of it."""
    if path == CARD:
        return drafted_cards.whole(repo)
    if path == drafted_benchmarks.NAME and repo.kind == Repo.Kind.DATASET:
        return drafted_benchmarks.definition(repo, browsing.items_below(repo, head, "", recursive=True))
    return ""


def _sent(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _edited(request: HttpRequest, edit: Edit) -> HttpResponse:
    """Show the form, or what it would do, or do it. On any refusal everything that was typed stays."""
    form, status, preview, theirs = edit.form, 200, None, []
    is_fragment = "preview" in request.POST and request.headers.get("HX-Request") == "true"
    if "preview" in request.POST:
        form.for_preview()
    if request.method == "POST" and form.is_valid():
        try:
            changes = edit.changes()
            if "preview" in request.POST:
                preview = edit.preview()
            else:
                return redirect(_published(request, edit, changes))
        except SeenBefore as error:
            text = None if is_fragment else edit.joined()  # a fragment replaces nothing that was typed
            form.add_error(None, error.message if text is None else _joined_message())
            status, theirs = status_of(error), edit.theirs()
            form.see(str(error.data["now"]), text)
            preview = edit.preview()
        except DomainError as error:
            form.add_error(None, error.message)
            status = status_of(error)
    elif request.method == "POST":
        status = 400
    response = respond(
        request,
        edit.repo,
        f"models_hub/files/{edit.mode}.html",
        tab="files",
        status=200 if is_fragment else status,  # the fragment says itself what is wrong
        form=form,
        revision=edit.revision,
        path=edit.path,
        preview=preview,
        theirs=theirs,
        is_fragment=is_fragment,
        is_card=CARD in (edit.path, form["path"].value()) if isinstance(form, TextFileForm) else False,
        max_named=MAX_NAMED,
        **edit.extra,
    )
    response["Vary"] = "HX-Request"
    return response


def _published(request: HttpRequest, edit: Edit, changes: list[Change]) -> str:
    """Commit, and return the address of what was made."""
    repo, revision = edit.repo, edit.revision
    proposal = committing.commit(
        repo, by=request.user, revision=revision, form=edit.form, changes=changes, parent=edit.head.oid
    )
    name = edit.form.cleaned_data.get("path", "")
    place = f"{quote(revision)}/{quote(name)}" if name else quote(revision)
    is_file = name and not (edit.mode == "move" and edit.extra["entry"].is_folder)
    return proposal or f"{repo.path}/{'blob' if is_file else 'tree'}/{place}"


def _names(repo: Repo, head: Commit, entry: Entry) -> list[str]:
    """Return the files that an entry stands for."""
    if not entry.is_folder:
        return [entry.path]
    below = browsing.items_below(repo, head, entry.path, recursive=True)
    return [name for name, item in below.items() if not item.is_folder]


def _require_unchanged(form: CommitForm, entry: Entry) -> None:
    """Refuse to overwrite a change that the writer has not seen; sending the form once more says “I have”."""
    if form.cleaned_data["seen"] != entry.oid:
        raise SeenBefore(
            _(
                "This file was changed since you opened it. Nothing is saved yet and what you typed is below: look at "
                "the current version, then save again to replace it."
            ),
            data={"now": entry.oid},
        )


def _joined_message() -> str:
    return _(
        "This file was changed since you opened it, in other lines than yours. Nothing is saved yet: below stands the "
        "text with both changes. Look at it, then save."
    )


def _seen_text(repo: Repo, oid: str) -> bytes | None:
    """Return the UTF-8 text that the writer opened, None where it is not here or is none."""
    row = objects.read(repo, [oid]).get(oid) if browsing.OID.fullmatch(oid) else None
    if row is None or row.type != GitObject.Type.BLOB or row.size > MAX_EDITED_BYTES:
        return None
    content = objects.body(row)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return content


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


def _content(form: CommitForm, *, before: bytes) -> bytes:
    """Return what was typed. Browsers send CRLF line ends, which a file gets only if it had them before."""
    text = str(form.cleaned_data["content"]).replace("\r\n", "\n")
    return (text.replace("\n", "\r\n") if b"\r\n" in before else text).encode()
