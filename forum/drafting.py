"""Unfinished texts, kept by the portal until they are sent or thrown away.

A draft's key says what it would become: "new", or "new:evaluation:7" for a topic about something, "repo:4" for a
discussion of a repository, "topic:7" for an answer, "post:9" for an edit. Several windows may write the same one: each
saving bears a number, and one that comes late changes nothing.
"""

import re
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from forum import permissions
from forum.models import Draft
from forum.models.topics import MAX_TITLE
from forum.posting import MAX_TEXT
from models_hub.checking import is_text
from portal.errors import Conflict, InvalidInput
from portal.models import Asker, User

MAX_DRAFTS = 200
KEY = re.compile(r"new(:[a-z]+:\d{1,18})?|(repo|topic|post):\d{1,18}")
FIELDS = {"category": 40, "kind": 10, "tags": 300, "about": 60, "question": 200, "options": 4000, "revision": 16}


def save(
    key: str, *, by: Asker, text: str, title: str = "", data: dict[str, Any] | None = None, sequence: int | None = None
) -> Draft | None:
    """Keep an unfinished text; an empty one is forgotten, and None returned. Raises Conflict for one that is older."""
    user = permissions.require_member(by)
    kept = _checked(key, text, title, data or {})
    if not text.strip() and not title.strip():
        discard(key, by=user)
        return None
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        before = Draft.objects.filter(user=user, key=key).first()
        if before is None and Draft.objects.filter(user=user).count() >= MAX_DRAFTS:
            raise Conflict(_("You have %(max)d drafts. Finish or discard some first.") % {"max": MAX_DRAFTS})
        latest = before.sequence if before else 0
        if sequence is not None and sequence <= latest:
            raise Conflict(_("This draft was changed in another window."), data={"sequence": latest})
        values = kept | {"sequence": latest + 1 if sequence is None else sequence}
        return Draft.objects.update_or_create(user=user, key=key, defaults=values)[0]


def find(key: str, *, by: Asker) -> Draft | None:
    """Return what was kept of an unfinished text."""
    return Draft.objects.filter(user=by, key=key).first() if isinstance(by, User) else None


def discard(key: str, *, by: Asker) -> None:
    """Forget an unfinished text, since it was sent or is not wanted."""
    Draft.objects.filter(user=permissions.require_member(by), key=key).delete()


def _checked(key: str, text: str, title: str, data: dict[str, Any]) -> dict[str, Any]:
    if not KEY.fullmatch(key):
        raise InvalidInput(_("There is no draft of this kind."))
    if len(text) > MAX_TEXT or len(title) > MAX_TITLE or not is_text(text) or not is_text(title):
        raise InvalidInput(_("A comment may have at most %(max)d characters, and only text.") % {"max": MAX_TEXT})
    facts = {name: str(data[name])[:limit] for name, limit in FIELDS.items() if data.get(name)}
    return {"text": text, "title": title, "data": {name: fact for name, fact in facts.items() if is_text(fact)}}
