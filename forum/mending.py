"""A post that was hidden after reports is shown again when its author changes it: once, and not in the first minutes.

What moderators removed, and what somebody hid who writes to the repository, no edit brings back.
"""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from forum.models import Post
from portal import deciding
from portal.errors import Conflict
from portal.models import Asker, Decision, User

AFTER = timedelta(minutes=10)  # time to read why, and to cool down


def may_mend(post: Post, user: Asker) -> bool:
    """Whether the user is its author and may change it, now or soon. Asks the row alone."""
    was_reported = post.is_hidden and bool(post.hidden_why) and post.held_at is None
    spent = post.data.get("removed") or post.data.get("mended")
    return was_reported and not spent and post.is_comment and user.pk is not None and post.author_id == user.pk


def mends_from(post: Post) -> datetime | None:
    """Return from when on its author may change a hidden post."""
    return post.hidden_at + AFTER if post.hidden_at else None


def require(post: Post, user: User) -> None:
    """Raise Conflict unless the author may now show the post again by changing it."""
    if not may_mend(post, user):
        raise Conflict(_("A hidden comment cannot be edited."))
    begins = mends_from(post)
    if begins and begins > timezone.now():
        raise Conflict(_("It was hidden a moment ago. You may change it ten minutes after that."))


def show_again(post: Post, *, by: User) -> None:
    """Undo what hid a post, in the transaction that changed its text; readers no longer find what it said before."""
    post.versions.update(withheld=True)
    post.data = {**post.data, "mended": timezone.now().isoformat(timespec="seconds")}
    post.save(update_fields=("data",))
    hiding = Decision.objects.filter(about=f"post:{post.pk}", action="hide", undone_at=None)
    for decision in hiding.order_by("-pk"):
        deciding.undo(decision, by=by, internal="Its author has changed it.")
    post.refresh_from_db()
    if post.is_hidden:
        raise Conflict(_("A hidden comment cannot be edited."))
