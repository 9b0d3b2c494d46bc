"""Posts and topics before moderators: what they see of one, and what they can do to it."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone, translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from forum import counting, discussing, levels, naming, posting
from forum.models import Post, Steward, Topic
from portal import moderated
from portal.errors import NotFound
from portal.models import Decision, Event, Reason, User
from portal.moderated import Neighbour, Surroundings, Target

BESIDE = 2  # posts that are shown before and after one
LONGEST = 280  # characters that are shown of each
MOST_READ = 20 * LONGEST  # of its text, of which blanks are most at worst


def register() -> None:
    moderated.register("post", Posts())
    moderated.register("topic", Topics())
    moderated.register_places(_places_of)


def _places_of(user: User) -> set[str]:
    """Return the categories in which the person keeps order, as keys."""
    serving = Steward.objects.serving().filter(user=user)
    return {f"category:{pk}" for pk in serving.values_list("category_id", flat=True)}


class Posts:
    """Comments of discussions and topics."""

    actions = ("nudge", "warn", "edit_note", "hide", "remove", "approve", "refuse")

    def load(self, pk: int) -> Target | None:
        found = Post.objects.filter(pk=pk).select_related("topic__repo__namespace", "topic__category", "author")
        post = found.first()
        return _target("post", pk, post.topic, post) if post else None

    def apply(self, pk: int, action: str, decision: Decision) -> dict[str, Any]:
        post = _locked(pk)
        if action == "edit_note":
            before = post.data.get("mod_note", "")
            _keep(post, data={**post.data, "mod_note": decision.text})
            return {"mod_note": before}
        if action == "approve":
            _let_in(post)
            return {}
        return _hide(post, decision, for_good=action == "remove")

    def undo(self, pk: int, action: str, decision: Decision) -> None:
        post = _locked(pk)
        if action == "edit_note":
            data = {name: value for name, value in post.data.items() if name != "mod_note"}
            before = decision.before.get("mod_note")
            _keep(post, data={**data, "mod_note": before} if before else data)
            return
        _show(post, decision)


class Topics:
    """Conversations as a whole."""

    actions = ("nudge", "warn", "hide", "remove", "approve", "refuse")

    def load(self, pk: int) -> Target | None:
        topic = Topic.objects.filter(pk=pk).select_related("repo__namespace", "category", "author").first()
        if topic is None:
            return None
        return _target("topic", pk, topic, topic.posts.filter(kind=Post.Kind.COMMENT).order_by("number").first())

    def apply(self, pk: int, action: str, decision: Decision) -> dict[str, Any]:
        topic = _locked_topic(pk)
        if action == "approve":
            _let_topic_in(topic)
            if topic.kind == Topic.Kind.ARTICLE:
                Event.record("article.approved", subject=f"topic:{pk}", by=decision.by, author=topic.author_id)
            return {}
        if counting.is_listed(topic):
            counting.list_topic(topic, times=-1)
        before = {"hidden_at": topic.hidden_at.isoformat() if topic.hidden_at else None}
        topic.hidden_at = timezone.now()
        topic.save(update_fields=("hidden_at",))
        discussing.record("hidden", topic, by=decision.by)
        return before

    def undo(self, pk: int, action: str, decision: Decision) -> None:
        topic = _locked_topic(pk)
        if topic.hidden_at is None or decision.before.get("hidden_at"):
            return
        topic.hidden_at = None
        topic.save(update_fields=("hidden_at",))
        if counting.is_listed(topic):
            counting.list_topic(topic)
        levels.lower_floors(pk)
        discussing.record("shown", topic, by=decision.undone_by)


def _target(kind: str, pk: int, topic: Topic, post: Post | None) -> Target:
    hidden, held = (post.hidden_at, post.held_at) if kind == "post" and post else (topic.hidden_at, topic.held_at)
    author = post.author_id if kind == "post" and post else topic.author_id
    where = topic.repo.full_name if topic.repo else topic.category.title if topic.category else ""
    return Target(
        key=f"{kind}:{pk}",
        title=topic.title,
        path=post.path if kind == "post" and post else topic.path,
        label=_("post") if kind == "post" else _("topic"),
        text=post.text if post else "",
        html=post.html if post and post.renderer else "",
        author_id=author,
        organization_id=None,
        place=f"category:{topic.category_id}" if topic.category_id else "",
        whole=f"topic:{topic.pk}" if kind == "post" and post and post.number == 1 else "",
        is_private=bool(topic.repo and topic.repo.private),
        state=_state(hidden, held),
        facts={_("Where"): where, _("Number"): f"#{post.number}" if post else "–"},
        around=partial(_around, topic, post),
    )


def _state(hidden_at: datetime | None, held_at: datetime | None) -> str:
    return "hidden" if hidden_at else "held" if held_at else ""


def _around(topic: Topic, post: Post | None) -> Surroundings | None:
    """Return what was said beside a post, and what it answers, in three queries.

    All is of the same topic, which whoever keeps order there may read whole: a post that was moved may still answer
    one of a room that is closed to this moderator.
    """
    if post is None:
        return None
    said = Post.objects.filter(topic=topic, kind=Post.Kind.COMMENT).select_related("author").defer("html")
    before = list(said.filter(number__lt=post.number).order_by("-number")[:BESIDE])
    after = list(said.filter(number__gt=post.number).order_by("number")[:BESIDE])
    answered = list(said.filter(pk=post.reply_to_id)) if post.reply_to_id else []
    rows = {row.number: row for row in (*answered, *before, *after)}
    shown = [_neighbour(topic, rows[number], answered) for number in sorted(rows)]
    return Surroundings(
        title=topic.title,
        path=topic.path,
        before=tuple(one for one in shown if one.number < post.number),
        after=tuple(one for one in shown if one.number > post.number),
    )


def _neighbour(topic: Topic, row: Post, answered: Sequence[Post]) -> Neighbour:
    row.topic = topic
    return Neighbour(
        number=row.number,
        path=row.path,
        author=row.author.username if row.author else "",
        at=row.created_at,
        text=Truncator(" ".join(row.text[:MOST_READ].split())).chars(LONGEST),
        state=_state(row.hidden_at, row.held_at),
        is_answered=row in answered,
    )


def _locked(pk: int) -> Post:
    """Return a post with its topic's row locked, as whoever changes counters does."""
    post = Post.objects.filter(pk=pk).first()
    if post is None:
        raise NotFound(_("This is not there any more."))
    topic = _locked_topic(post.topic_id)
    post = Post.objects.select_for_update().get(pk=pk)
    post.topic = topic
    return post


def _locked_topic(pk: int) -> Topic:
    if not Topic.objects.select_for_update().filter(pk=pk).exists():
        raise NotFound(_("This is not there any more."))
    return Topic.objects.select_related("repo__namespace", "category").get(pk=pk)


def _keep(post: Post, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(post, name, value)
    post.save(update_fields=tuple(changes))


def _hide(post: Post, decision: Decision, *, for_good: bool) -> dict[str, Any]:
    accepted = Topic.objects.filter(pk=post.topic_id, accepted=post).update(accepted=None)
    before = {
        "hidden_at": post.hidden_at.isoformat() if post.hidden_at else None,
        "accepted": bool(accepted),
        "removed": bool(post.data.get("removed")),
    }
    data = {**post.data, "removed": True} if for_good else post.data
    with translation.override("en"):  # stored in English, translated where it is shown
        why = str(Reason(decision.reason).label)
    _keep(post, hidden_at=post.hidden_at or timezone.now(), hidden_by=decision.by, hidden_why=why, data=data)
    discussing.record("hidden", post.topic, by=decision.by, comment=post.pk, **posting.facts(post))
    return before


def _show(post: Post, decision: Decision) -> None:
    if decision.before.get("hidden_at"):  # it was hidden by somebody else before
        return
    data = {name: value for name, value in post.data.items() if name != "removed"}
    _keep(post, hidden_at=None, hidden_by=None, hidden_why="", data=data)
    if decision.before.get("accepted"):
        Topic.objects.filter(pk=post.topic_id, accepted=None).update(accepted=post)
    discussing.record("shown", post.topic, by=decision.undone_by, comment=post.pk, **posting.facts(post))


def _let_in(post: Post) -> None:
    if post.held_at is None:
        return
    _keep(post, held_at=None)
    counting.count_post(post.topic, post)
    levels.come_back_to(post)
    levels.lower_floors(post.topic_id)
    discussing.record("commented", post.topic, by=post.author, comment=post.pk, **_facts(post))


def _let_topic_in(topic: Topic) -> None:
    if topic.held_at is None:
        return
    topic.held_at = None
    topic.save(update_fields=("held_at",))
    if counting.is_listed(topic):
        counting.list_topic(topic)
    levels.lower_floors(topic.pk)
    post = topic.posts.order_by("number").first()
    if post is not None:
        discussing.record("opened", topic, by=topic.author, title=topic.title, **_facts(post))


def _facts(post: Post) -> dict[str, Any]:
    """Return what the event says of a post that was held: whom it names hears of it now."""
    named = naming.named_in(post.text, by=post.author or AnonymousUser(), repo=post.topic.repo)
    return posting.facts(post, posting.Written(post.text, post.html, post.renderer, named.mentions, named.quotes))
