"""What the page of a topic needs for those who answer, vote and keep order."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from forum import polling
from forum.compose_forms import ReplyForm
from forum.models import Topic
from forum.topic_pages import Place
from forum.views.composing import BEGAN
from portal import subjects, trust
from portal.models import User


def answering(request: HttpRequest, place: Place) -> dict[str, Any]:
    """Return what the fragments of templates/forum/compose read; no query where nobody is signed in and no poll is."""
    topic, user = place.topic, request.user
    own = user.pk is not None and topic.author_id == user.pk
    return {
        "closed": why_closed(place, user) if isinstance(user, User) else "",
        "form": ReplyForm(initial={"began": BEGAN.sign("x")}),
        "draft_key": f"topic:{topic.pk}",
        "poll": polling.standing(topic, user),
        "may_end": own or place.keeps_order,
        "may_order": own or place.keeps_order,
        "about": subjects.find(topic.about, user) if topic.about else None,
    }


def why_closed(place: Place, user: User) -> str:
    """Return why this person cannot answer here now, nothing for who can."""
    topic, room = place.topic, place.topic.category
    is_over = topic.closes_at is not None and topic.closes_at <= timezone.now()
    if topic.status != Topic.Status.OPEN or is_over:
        return _("This topic is closed.")
    if place.keeps_order or room is None:
        return ""
    if room.archived_at is not None:
        return _("This category is closed.")
    if room.trust_to_reply and trust.level(user) < room.trust_to_reply:
        return _("Here people of trust level %(level)d and above may write.") % {"level": room.trust_to_reply}
    return ""
