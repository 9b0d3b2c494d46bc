"""The page where a person labels rows, one after the other: by keys, by touch, or without scripts at all."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from models_hub.adapting import annotating, texts
from models_hub.models import Annotation, AnnotationQueue, AnnotationRow, Repo
from models_hub.views.annotation_queues import queue_of
from models_hub.views.pages import repo_page, respond
from portal import waiting
from portal.errors import DomainError, InvalidInput
from portal.models import User

STOP_POLLING = 286  # htmx's word for “nothing more will come”
KEYS = 9  # labels that a digit chooses


@repo_page
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "HEAD", "POST"])
def annotate(request: HttpRequest, repo: Repo, queue_id: int) -> HttpResponse:
    """GET: the row that is the reader’s, or an earlier one. POST: what the reader says of a row."""
    queue, user = queue_of(request, repo, queue_id)
    if request.method == "POST":
        return _answered(request, queue, user)
    if queue.filled_at is None:
        return _waiting(request, repo, queue, user)
    if request.headers.get("HX-Request") == "true":  # of the page that waited for rows
        return HttpResponse(status=STOP_POLLING, headers={"HX-Refresh": "true"})
    earlier = _earlier(request, queue, user)
    row = earlier.row if earlier else annotating.take(queue, by=user)
    last = _neighbour(queue, user, earlier, before=True)
    context = {
        "queue": queue,
        "row": row,
        "earlier": earlier,
        "previous": last,
        "next": _neighbour(queue, user, earlier, before=False) if earlier else None,
        "is_own": queue.owner_id == user.pk,
        "task_label": texts.task_label(queue.task),
        "progress": annotating.progress(queue, user),
        **(_shown(queue, row, earlier) if row else {}),
    }
    return respond(request, repo, "models_hub/annotations/annotate.html", tab="data", **context)


def _waiting(request: HttpRequest, repo: Repo, queue: AnnotationQueue, user: User) -> HttpResponse:
    """Say how far the worker is that chooses the rows; htmx asks again until it is done."""
    is_own = queue.owner_id == user.pk
    context: dict[str, Any] = {
        "queue": queue,
        "job": queue.job,
        "is_own": is_own,
        "explanation": waiting.explanation(queue.job) if queue.job is not None and is_own else "",
    }
    is_part = request.headers.get("HX-Request") == "true"
    template = "models_hub/annotations/waiting.html" + ("#state" if is_part else "")
    answer = respond(request, repo, template, tab="data", **context)
    if is_part and queue.is_over:
        answer.status_code = STOP_POLLING
        answer["HX-Refresh"] = "true"
    return answer


def _answered(request: HttpRequest, queue: AnnotationQueue, user: User) -> HttpResponse:
    position = request.POST.get("row", "")
    try:
        number = int(position) if position.isdecimal() and len(position) < 10 else -1
        value = None if "skip" in request.POST else _said(queue, request.POST)
        annotating.answer(queue, number, value, by=user)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(queue)


def _said(queue: AnnotationQueue, sent: QueryDict) -> Any:
    """Return the answer that a form holds; its labels are sent by their numbers."""
    try:
        numbers = [int(value) for value in sent.getlist("label") if len(value) < 10]
        chosen = [queue.labels[number] for number in numbers if number >= 0]
    except (ValueError, IndexError):
        raise InvalidInput(_("Choose a label of this queue.")) from None
    if queue.has_tags or queue.has_several:
        return chosen
    return chosen[0] if chosen else ""


def _earlier(request: HttpRequest, queue: AnnotationQueue, user: User) -> Annotation | None:
    position = request.GET.get("row", "")
    if not position.isdecimal() or len(position) > 9:
        return None
    mine = Annotation.objects.filter(queue=queue, by=user, row__position=int(position))
    return mine.select_related("row").first()


def _neighbour(queue: AnnotationQueue, user: User, one: Annotation | None, *, before: bool) -> Annotation | None:
    """Return the reader’s answer before this one, or after it; without one the last of all."""
    mine = Annotation.objects.filter(queue=queue, by=user).select_related("row")
    if one is not None:
        mine = mine.filter(pk__lt=one.pk) if before else mine.filter(pk__gt=one.pk)
    return mine.order_by("-pk" if before else "pk").first()


def _shown(queue: AnnotationQueue, row: AnnotationRow, earlier: Annotation | None) -> dict[str, Any]:
    """Return the labels with their keys and what is chosen, and the guess where the reader may see it."""
    is_guess_shown = bool(row.guess) and (earlier is not None or row.saw_guess)
    guess: dict[str, Any] = row.guess if is_guess_shown else {}
    given = earlier.value.get("value") if earlier else None
    scores = guess.get("scores") or {}
    labels = [
        {
            "number": number,
            "name": label,
            "key": number + 1 if number < KEYS else None,
            "is_chosen": label == given or (isinstance(given, list) and label in given),
            "is_guessed": label == guess.get("value")
            or (label in guess.get("value", ()) if queue.has_several else False),
            "score": scores.get(label),
        }
        for number, label in enumerate(queue.labels)
    ]
    return {"labels": labels, "guess": guess, "words": _words(queue, row, given or guess.get("value"))}


def _words(queue: AnnotationQueue, row: AnnotationRow, tags: Any) -> list[dict[str, Any]]:
    """Return the words with the tag that each begins with: the own one, the guess once it is seen, else O."""
    if not queue.has_tags:
        return []
    words = row.question["tokens"]
    known = tags if isinstance(tags, list) and len(tags) == len(words) else ["O"] * len(words)
    return [{"word": word, "tag": tag} for word, tag in zip(words, known, strict=True)]


@repo_page
@require_POST
def undo(request: HttpRequest, repo: Repo, queue_id: int) -> HttpResponse:
    """Take the last answer back."""
    queue, user = queue_of(request, repo, queue_id)
    try:
        annotating.undo(queue, by=user)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(queue)


@repo_page
@require_POST
def guess(request: HttpRequest, repo: Repo, queue_id: int) -> HttpResponse:
    """Show what the model thinks before an answer; it is noted with the answer."""
    queue, user = queue_of(request, repo, queue_id)
    position = request.POST.get("row", "")
    try:
        annotating.reveal(queue, int(position) if position.isdecimal() and len(position) < 10 else -1, by=user)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(queue)
