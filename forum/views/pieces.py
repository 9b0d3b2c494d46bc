"""Pieces of pages that are rendered once for all who see the same: lines of lists, and posts.

Rendering is most of what a page costs. Each piece is a function of facts that are compared by value, so that nothing
kept here can be out of date: other facts are another piece.
"""

from functools import lru_cache

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from forum.boards import Row
from forum.models import Post
from forum.topic_pages import Shown


def line(row: Row) -> SafeString:
    """Return the line of a topic in a list."""
    return _line(row, get_language() or "")


@lru_cache(maxsize=4096)
def _line(row: Row, _language: str) -> SafeString:
    return mark_safe(get_template("forum/topics/_row.html").render({"row": row}).strip())  # noqa: S308 - our template's


def said(post: Shown) -> SafeString:
    """Return a post of a topic."""
    return _said(post, get_language() or "")


@lru_cache(maxsize=1024)
def _said(post: Shown, _language: str) -> SafeString:
    name = "forum/topics/_post.html" if post.kind == Post.Kind.COMMENT else "forum/topics/_note.html"
    return mark_safe(get_template(name).render({"post": post, "data": dict(post.facts)}).strip())  # noqa: S308 - ours
