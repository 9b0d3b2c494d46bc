"""Well-known sets: which there are, what they are, and the step that makes a benchmark of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from leaderboard import catalogue_reading, cataloguing
from leaderboard.catalogue.entries import Entry, entries
from leaderboard.catalogue.files import Upload
from leaderboard.forms import CatalogueForm
from leaderboard.models import Benchmark
from models_hub.forms import writable_namespaces
from portal.authentication import require_user
from portal.errors import DomainError, status_of
from portal.models import User


@never_cache
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """All sets, narrowed by words, task and language."""
    chosen = {key: request.GET.get(key, "")[:100] for key in ("q", "task", "language")}
    found = cataloguing.find(words=chosen["q"], task=chosen["task"], language=chosen["language"])
    tasks = dict.fromkeys(entry.task for entry in entries().values())
    context = {
        "rows": sorted(map(_row, found), key=lambda row: not row["is_usable"]),
        "chosen": chosen,
        "tasks": [(task, cataloguing.task_title(task)) for task in tasks],
        "languages": sorted({language for entry in entries().values() for language in entry.languages}),
    }
    return render(request, "leaderboard/catalogue/list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def entry(request: HttpRequest, name: str) -> HttpResponse:
    """GET: one set. POST: make a data set with a benchmark of it."""
    found = entries().get(name)
    if found is None:
        raise Http404
    user = require_user(request) if request.method == "POST" else request.user
    form = _form(request, found, user) if isinstance(user, User) and cataloguing.task_of(found) else None
    status = 400 if request.method == "POST" else 200
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            benchmark = _make(request, found, user, form)
        except DomainError as error:
            form.add_error(None, error.message)
            status = status_of(error)
        else:
            return redirect(benchmark)
    context = {
        "row": _row(found),
        "form": form,
        "files": catalogue_reading.expected_files(found),
        "example_files": catalogue_reading.example_files(found),
        "hubs": list(dict.fromkeys(source.hub for source in found.sources if source.hub)),
        "labels": found.labels[:60],
        "more_labels": max(0, len(found.labels) - 60),
    }
    return render(request, "leaderboard/catalogue/entry.html", context, status=status)


def _row(found: Entry) -> dict[str, Any]:
    return {
        "entry": found,
        "title": cataloguing.title_of(found),
        "text": cataloguing.text_of(found),
        "task": cataloguing.task_title(found.task),
        "is_usable": cataloguing.task_of(found) is not None,
        "is_limited": cataloguing.should_be_private(found),
    }


def _form(request: HttpRequest, found: Entry, user: User) -> CatalogueForm:
    initial = {
        "namespace": user.username,
        "name": found.name,
        "private": "private" if cataloguing.should_be_private(found) else "public",
    }
    posted = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    return CatalogueForm(*posted, namespaces=writable_namespaces(user), initial=initial)


def _make(request: HttpRequest, found: Entry, user: Any, form: CatalogueForm) -> Benchmark:
    where = {key: form.cleaned_data[key] for key in ("namespace", "name", "private")}
    if form.cleaned_data["dataset"]:
        made = cataloguing.make_from_dataset(found, form.cleaned_data["dataset"], by=user, **where)
    else:
        with _on_disk(form.cleaned_data["files"]) as uploads:
            made = cataloguing.make(found, uploads, by=user, **where)
    benchmark, read = made
    words = ngettext(
        "It is a benchmark of %(count)d row now: models can be evaluated on it.",
        "It is a benchmark of %(count)d rows now: models can be evaluated on it.",
        read.rows,
    )
    messages.success(request, words % {"count": read.rows})
    return benchmark


@contextmanager
def _on_disk(files: "list[UploadedFile[Any]]") -> Iterator[list[Upload]]:
    """Give the files under names of ours: what a browser calls them is no path on this machine."""
    with TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        uploads = []
        for number, file in enumerate(files):
            path = Path(folder) / str(number)
            with path.open("wb") as copy:
                copy.writelines(file.chunks())
            uploads.append(Upload(str(file.name), path))
        yield uploads
