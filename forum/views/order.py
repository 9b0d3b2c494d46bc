"""What keeps a topic in order: one page with all of it, and an address for each act."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from forum import keeping_order, opening, permissions, polling, rearranging
from forum.compose_forms import (
    EndForm,
    MergeTopicsForm,
    MoveForm,
    NameForm,
    PinForm,
    ReasonForm,
    SlowForm,
    SplitForm,
    TagsForm,
    later,
    words,
)
from forum.models import Poll, Topic
from portal.authentication import require_user
from portal.errors import DomainError, NotFound, status_of
from portal.models import User

Act = Callable[[Topic, User, Mapping[str, Any]], str]
OF_AUTHOR = ("names", "tags", "closure", "reopening", "removal")
OF_REGULARS = ("names", "tags", "move")


@never_cache
@require_safe
def order(request: HttpRequest, pk: str) -> HttpResponse:
    """All that can be done with a topic, each with the form that does it."""
    return _page(request, opening.find(int(pk), request.user))


@require_POST
def act(request: HttpRequest, pk: str, what: str) -> HttpResponse:
    """Do one thing with a topic; what was refused comes back with its form."""
    user, topic = require_user(request), opening.find(int(pk), request.user)
    make, do = ACTS[what]
    form = make(topic, user, request.POST)
    if form.is_valid():
        try:
            return redirect(do(topic, user, form.cleaned_data))
        except DomainError as error:
            form.add_error(None, error.message)
            return _page(request, topic, status=status_of(error), **{what: form})
    return _page(request, topic, status=400, **{what: form})


@require_POST
def vote(request: HttpRequest, pk: str) -> HttpResponse:
    """Choose in the poll of a topic, or take the vote back."""
    topic = opening.find(int(pk), request.user)
    chosen = [int(value) for value in request.POST.getlist("option") if value.isdecimal() and len(value) < 19]
    poll = _poll(topic)
    try:
        polling.vote(poll, by=request.user, options=[] if "withdraw" in request.POST else chosen)
    except DomainError as error:
        if status_of(error) not in (400, 409):
            raise
        messages.error(request, error.message)
    return redirect(f"{topic.path}#poll")


@require_POST
def poll_closure(request: HttpRequest, pk: str) -> HttpResponse:
    """End the poll of a topic."""
    topic = opening.find(int(pk), request.user)
    polling.close(_poll(topic), by=request.user)
    return redirect(f"{topic.path}#poll")


def _poll(topic: Topic) -> Poll:
    poll = Poll.objects.filter(topic=topic).first()
    if poll is None:
        raise NotFound(_("This topic has no poll."))
    poll.topic = topic
    return poll


def _page(request: HttpRequest, topic: Topic, *, status: int = 200, **sent: forms.Form) -> HttpResponse:
    user = permissions.require_namer(request.user, topic)
    moderates = permissions.can_moderate(user, topic)
    offered = {*(OF_AUTHOR if topic.author_id == user.pk else ())}
    offered |= {*(OF_REGULARS if permissions.can_arrange(user, topic) else ())}
    made = {
        what: sent.get(what) or make(topic, user, None)
        for what, (make, _verb) in ACTS.items()
        if moderates or what in offered
    }
    context = {"topic": topic, "forms": made, "moderates": moderates, "failed": next(iter(sent), "")}
    return render(request, "forum/compose/order.html", context, status=status)


def _close(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    keeping_order.close(topic, by=user, reason=given["reason"])
    return topic.path


def _reopen(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    keeping_order.reopen(topic, by=user, reason=given["reason"])
    return topic.path


def _pin(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    until = later(given["until"])
    assert until is not None
    keeping_order.pin(topic, by=user, until=until, everywhere=given["everywhere"], reason=given["reason"])
    return topic.path


def _unpin(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    keeping_order.unpin(topic, by=user, reason=given["reason"])
    return topic.path


def _slow(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    keeping_order.slow(topic, by=user, seconds=int(given["seconds"]), reason=given["reason"])
    return topic.path


def _end(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    keeping_order.close_at(topic, by=user, moment=later(given["when"]), reason=given["reason"])
    return topic.path


def _rename(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    keeping_order.rename(topic, by=user, title=given["title"], reason=given["reason"])
    return topic.path


def _tag(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    keeping_order.retag(topic, by=user, tags=words(given["tags"]), reason=given["reason"])
    if given["kind"]:
        keeping_order.change_kind(topic, by=user, kind=given["kind"], reason=given["reason"])
    return topic.path


def _move(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    rearranging.move(topic, by=user, to=given["category"], reason=given["reason"])
    return topic.path


def _split(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    new = rearranging.split(
        topic,
        by=user,
        numbers=given["numbers"],
        title=given["title"],
        to=given["category"],
        reason=given["reason"],
    )
    return new.path


def _merge(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    into = opening.find(given["into"], user)
    rearranging.merge(topic, by=user, into=into, reason=given["reason"])
    return into.path


def _delete(topic: Topic, user: User, given: Mapping[str, Any]) -> str:
    keeping_order.delete(topic, by=user, reason=given["reason"])
    return topic.category.path if topic.category else "/forum"


def _plain(kind: type[forms.Form]) -> Callable[[Topic, User, Any], forms.Form]:
    return lambda _topic, _user, data: kind(data)


def _tags_form(topic: Topic, _user: User, data: Any) -> forms.Form:
    tags = ", ".join(topic.tag_links.order_by("tag__name").values_list("tag__name", flat=True))
    return TagsForm(data, initial={"tags": tags, "kind": topic.kind})


def _room_form(kind: type[MoveForm]) -> Callable[[Topic, User, Any], forms.Form]:
    def make(topic: Topic, user: User, data: Any) -> forms.Form:
        return kind(data, reader=user, initial={"category": topic.category.slug if topic.category else None})

    return make


ACTS: dict[str, tuple[Callable[[Topic, User, Any], forms.Form], Act]] = {
    "names": (lambda topic, _user, data: NameForm(data, initial={"title": topic.title}), _rename),
    "tags": (_tags_form, _tag),
    "closure": (_plain(ReasonForm), _close),
    "reopening": (_plain(ReasonForm), _reopen),
    "pin": (_plain(PinForm), _pin),
    "unpinning": (_plain(ReasonForm), _unpin),
    "slow": (lambda topic, _user, data: SlowForm(data, initial={"seconds": str(topic.slow_seconds)}), _slow),
    "end": (_plain(EndForm), _end),
    "move": (_room_form(MoveForm), _move),
    "split": (_room_form(SplitForm), _split),
    "merge": (_plain(MergeTopicsForm), _merge),
    "removal": (_plain(ReasonForm), _delete),
}
