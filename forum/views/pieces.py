"""Pieces of pages that are rendered once for all who see the same: lines of lists, and posts.

Rendering is most of what a page costs. Each piece is a function of facts that are compared by value, so that nothing
kept here can be out of date: other facts are another piece.
"""

import re
from functools import lru_cache
from typing import Any

from django.template.loader import get_template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from forum.boards import Row
from forum.models import Post
from forum.topic_pages import Shown

_SLOT = re.compile("\ue000([a-z]+)\ue001")


def line(row: Row) -> SafeString:
    """Return the line of a topic in a list."""
    return _line(row, get_language() or "")


@lru_cache(maxsize=4096)
def _line(row: Row, _language: str) -> SafeString:
    return mark_safe(get_template("forum/topics/_row.html").render({"row": row}).strip())  # noqa: S308 - our template's


def said(post: Shown) -> SafeString:
    """Return a post of a topic: the frame that it shares with others, and in it what only this post says."""
    language = get_language() or ""
    if post.kind != Post.Kind.COMMENT:
        return _note(post, language)
    own = {
        "pk": str(post.pk),
        "number": str(post.number),
        "html": post.html,
        "text": escape(post.text),
        "at": post.at,
        "minute": post.minute,
        "age": escape(post.age),
        "name": escape(post.card.name) if post.card else "",
        "shown": escape(post.card.shown) if post.card else "",
        "answered": str(post.answers[0]) if post.answers else "",
        "answerer": escape(post.answers[1]) if post.answers else "",
    }
    frame = _frame(_alike(post), language)
    return mark_safe("".join(own.get(part, "") if place % 2 else part for place, part in enumerate(frame)))  # noqa: S308 - escaped, or cleaned


def _alike(post: Shown) -> Shown:
    """Return a post with a slot for each thing that two posts of one look may say otherwise."""
    card, answers = post.card, post.answers
    slots: dict[str, Any] = {name: _slot(name) for name in ("pk", "number", "at", "minute", "age")}
    slots["html"] = _slot("html") if post.html else ""
    slots["text"] = _slot("text") if post.text else ""
    if card is not None:
        shown = "name" if card.shown == card.name else "shown"
        slots["card"] = card._replace(name=_slot("name"), shown=_slot(shown))
    if answers is not None:
        slots["answers"] = (_slot("answered"), _slot("answerer") if answers[1] else "")
    return post._replace(**slots)


def _slot(name: str) -> str:
    """Return a mark that no filter of a template changes."""
    return f"\ue000{name}\ue001"


@lru_cache(maxsize=1024)
def _frame(post: Shown, _language: str) -> list[str]:
    """Return the look of a post in pieces: every other one is the name of what comes into a slot."""
    look = get_template("forum/topics/_post.html").render({"post": post, "data": dict(post.facts)})
    return _SLOT.split(look.strip())


@lru_cache(maxsize=512)
def _note(post: Shown, _language: str) -> SafeString:
    facts = {"post": post, "data": dict(post.facts)}
    return mark_safe(get_template("forum/topics/_note.html").render(facts).strip())  # noqa: S308 - our template's
