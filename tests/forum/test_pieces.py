"""Posts come from frames that they share: each looks as its template alone would show it."""

from itertools import product

import pytest
from django.template.loader import get_template

from forum.topic_pages import Card, Shown
from forum.views.pieces import said

HOSTILE = "<b onclick='x'>\"&\ue000html\ue001"
CARD = Card("alice", "alice", is_staff=False, level=2, badges=3, best=1)
POST = Shown(
    pk=12345, number=7, kind="comment", card=CARD, html="<p>Its <b>text</b>.</p>", text="", facts=(),
    at="2026-11-27T10:00:00+00:00", minute="2026-11-27 10:00", age="3 h", is_edited=False, is_hidden=False,
    hidden_why="", is_held=False, is_accepted=False, is_folded=False, is_mine=False, is_kept=False, answers=None,
    reactions=(), may_edit=False, may_mend=False, may_hide=False, may_accept=False, may_moderate=False, is_guest=True,
)  # fmt: skip
OTHERS = {
    "plain": {},
    "somebody gone": {"card": None},
    "a full name": {"card": CARD._replace(shown="Alice Liddell", is_staff=True)},
    "a hostile name": {"card": CARD._replace(shown=HOSTILE)},
    "an unformatted text": {"html": "", "text": HOSTILE},
    "a hidden one": {"is_hidden": True, "html": "", "hidden_why": "spam"},
    "one for its author": {"is_hidden": True, "is_mine": True, "may_mend": True, "hidden_why": "spam"},
    "an answer": {"answers": (3, "bob"), "is_accepted": True, "may_accept": True, "is_folded": True},
    "an answer to somebody gone": {"answers": (3, ""), "is_held": True},
    "with reactions": {"reactions": (("like", "like", 2, True),), "is_edited": True, "may_edit": True, "is_kept": True},
    "with a note": {"facts": (("mod_note", "<b>Please</b> stay on topic"),)},
}


@pytest.mark.parametrize(("other", "is_guest"), list(product(OTHERS, (True, False))))
def test_a_post_from_a_frame_looks_as_its_template_shows_it(other, is_guest):
    post = POST._replace(is_guest=is_guest, **OTHERS[other])
    whole = get_template("forum/topics/_post.html").render({"post": post, "data": dict(post.facts)}).strip()

    said(post._replace(pk=1, number=1, age="1 min", html="<p>Else.</p>" if post.html else ""))  # makes the frame
    assert said(post) == whole


def test_a_mark_in_a_note_of_a_moderator_breaks_nothing():
    assert "odd  note" in said(POST._replace(facts=(("mod_note", "odd \ue000nothing\ue001 note"),)))
