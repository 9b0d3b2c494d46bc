"""Queues of rows to label: those of a data set, a new one, and how one stands."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_hub import browsing, permissions
from models_hub.adapting import annotating, queues, sources, texts
from models_hub.annotation_forms import QueueForm, split
from models_hub.models import DEFAULT_BRANCH, AnnotationQueue, Repo
from models_hub.views.pages import repo_page, respond
from portal.authentication import require_user
from portal.errors import DomainError, NotFound, status_of
from portal.models import User

SHOWN = 30


@repo_page
@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest, repo: Repo) -> HttpResponse:
    """The reader’s queues of a data set, and the form that asks for another."""
    user = require_user(request)
    permissions.require_download(user, repo)
    source = _source(repo)
    paths = [path for path in source.paths if path.lower().endswith(queues.ENDINGS)] if source else []
    known = {name: request.GET[name] for name in ("task", "base", "path") if request.GET.get(name)}
    if repo.task in queues.HEADS:
        known = {"task": repo.task, **known}
    columns = source.columns if source else []
    form = QueueForm(request.POST or None, paths=paths, columns=columns, initial=known)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                queue = queues.ask(form.wish(repo.full_name), by=user)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                return redirect(queue)
    rows = AnnotationQueue.objects.visible_to(user).filter(data=repo).shown().counted()
    context = {
        "queues": list(rows[:SHOWN]),
        "form": form,
        "paths": paths,
        "columns": columns,
        "problem": source.sample.problem if source else "",
        "can_ask": bool(paths),
    }
    return respond(request, repo, "models_hub/annotations/list.html", tab="data", status=status, **context)


def _source(repo: Repo) -> sources.Source | None:
    try:
        return sources.look(repo, browsing.resolve_revision(repo, DEFAULT_BRANCH))
    except NotFound:  # nothing was published yet
        return None


def queue_of(request: HttpRequest, repo: Repo, queue_id: int) -> tuple[AnnotationQueue, User]:
    """Return the queue of an address, and who asks."""
    user = require_user(request)
    queue = queues.find(queue_id, user)
    if queue.data_id != repo.pk:
        raise NotFound(_("There is no queue %(number)d, or you may not see it.") % {"number": queue_id})
    return queue, user


@repo_page
@require_safe
def overview(request: HttpRequest, repo: Repo, queue_id: int) -> HttpResponse:
    """How a queue stands: its rows, its people, where they disagree, and what was written."""
    queue, user = queue_of(request, repo, queue_id)
    right, guessed = annotating.agrees_with_guess(queue)
    context: dict[str, Any] = {
        "queue": queue,
        "is_own": queue.owner_id == user.pk,
        "task_label": texts.task_label(queue.task),
        "progress": annotating.progress(queue, user),
        "people": annotating.by_person(queue),
        "helpers": list(queue.people.order_by("username")),
        "agreement": annotating.agreement(queue),
        "disputes": annotating.disputes(queue),
        "ready": queues.ready(queue),
        "guessed": guessed,
        "right": right,
        "base_seen": queue.base_id is not None and Repo.objects.visible_to(user).filter(pk=queue.base_id).exists(),
        "writing": queue.writing,
    }
    return respond(request, repo, "models_hub/annotations/overview.html", tab="data", **context)


@repo_page
@require_POST
def decision(request: HttpRequest, repo: Repo, queue_id: int) -> HttpResponse:
    """Say what is right where people said different things."""
    queue, position = _own(request, repo, queue_id), request.POST.get("row", "")
    number = int(position) if position.isdecimal() and len(position) < 10 else -1

    def decide() -> None:
        values = {str(given.pk): given.value for row in annotating.disputes(queue) for given in row.given.all()}
        chosen = values.get(request.POST.get("answer", ""), {})
        annotating.decide(queue, number, chosen.get("value"))

    return _done(request, queue, decide, _("Settled."))


@repo_page
@require_POST
def people(request: HttpRequest, repo: Repo, queue_id: int) -> HttpResponse:
    """Name those who help with a queue."""
    queue, names = _own(request, repo, queue_id), split(request.POST.get("people", ""))
    return _done(request, queue, lambda: queues.share(queue, names), _("These people can label rows of the queue now."))


@repo_page
@require_POST
def publication(request: HttpRequest, repo: Repo, queue_id: int) -> HttpResponse:
    """Have what is settled written into the data set."""
    queue, as_pull = _own(request, repo, queue_id), request.POST.get("as") == "pull"
    count = queues.ready(queue)
    said = ngettext(
        "%(count)d answer is being written into the data set.",
        "%(count)d answers are being written into the data set.",
        count,
    ) % {"count": count}
    return _done(request, queue, lambda: queues.write(queue, by=queue.owner, as_pull=as_pull), said)


@repo_page
@require_POST
def removal(request: HttpRequest, repo: Repo, queue_id: int) -> HttpResponse:
    """Remove a queue with its answers; what was written into the data set stays there."""
    _own(request, repo, queue_id).delete()
    messages.success(request, _("The queue was removed."))
    return redirect(f"{repo.path}/annotate")


def _own(request: HttpRequest, repo: Repo, queue_id: int) -> AnnotationQueue:
    queue, user = queue_of(request, repo, queue_id)
    return queues.own(queue.pk, user)


def _done(request: HttpRequest, queue: AnnotationQueue, verb: Callable[[], Any], said: str) -> HttpResponse:
    try:
        verb()
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect(f"{queue.get_absolute_url()}/overview")
