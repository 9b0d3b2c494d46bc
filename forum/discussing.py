"""What people do in the discussions of a repository. Of a pull request, the change itself is decided in the hub."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from forum import attaching, mending, permissions, posting
from forum.admission import admit
from forum.models import Post, PostVersion, Topic
from models_hub import proposing
from models_hub.models import Numbering, Repo
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Asker, Event, User

Status = Topic.Status


def find(repo: Repo, number: int, reader: Asker | None = None) -> Topic:
    """Return the topic of this number, if the reader may see it; raises NotFound."""
    topic = Topic.objects.of(repo, reader).select_related("author").filter(number=number).first()
    if topic is None:
        raise NotFound(_("This repository has no discussion %(number)d.") % {"number": number})
    topic.repo = repo
    return topic


def find_comment(topic: Topic, pk: str, reader: Asker) -> Post:
    """Return a comment of the topic by the id that clients know it by; raises NotFound."""
    known = pk.isascii() and pk.isdigit() and len(pk) < 19
    shown = Post.objects.shown_to(reader).filter(topic=topic, kind=Post.Kind.COMMENT)
    found = shown.filter(pk=int(pk)) if known else shown.none()
    post = found.select_related("author").first()
    if post is None:
        raise NotFound(_("This discussion has no such comment."))
    post.topic = topic
    return post


def open_discussion(*, repo: Repo, by: Asker, title: str, text: str) -> Topic:
    """Begin a discussion about a repository, which anybody who sees it may do."""
    user, title = proposing.require_proposer(by, repo), proposing.checked_title(title)
    text = posting.checked_text(text) if text.strip() else ""
    admission = admit(by=user, text=text, title=title, place=repo)
    opening = posting.written(repo, admission.text, by=user)
    held_at = timezone.now() if admission.held else None
    with transaction.atomic():
        number = Numbering.take(repo)
        topic = Topic.objects.create(repo=repo, number=number, title=title, author=user, held_at=held_at)
        post = posting.append(topic, by=user, text=opening)
        what = "held" if held_at else "opened"
        record(what, topic, by=user, title=title, why=admission.why, **posting.facts(post, opening))
    return topic


def comment(topic: Topic, *, by: Asker, text: str, reply_to: Post | None = None) -> Post:
    """Say something in a discussion of a repository."""
    user = permissions.require_participant(by, topic)
    admission = admit(by=user, text=posting.checked_text(text), place=topic)
    look = posting.written(topic.repo, admission.text, by=user)
    with transaction.atomic():
        return add_comment(topic, by=user, text=look, reply_to=reply_to, held=admission.held, why=admission.why)


def add_comment(
    topic: Topic,
    *,
    by: User,
    text: posting.Written,
    reply_to: Post | None = None,
    held: bool = False,
    why: str = "",
) -> Post:
    """Add a rendered comment, in the caller's transaction."""
    post = posting.append(topic, by=by, text=text, reply_to=reply_to, held=held)
    what = "comment_held" if held else "commented"
    record(what, topic, by=by, comment=post.pk, why=why, **posting.facts(post, text))
    return post


class ChangedSince(Conflict):
    """A comment says something else than when its change was begun."""

    code = "changed_since"


def edit(post: Post, *, by: Asker, text: str, revision: str = "") -> None:
    """Replace a comment's text, which only its author may; what it said before is kept.

    Raises ChangedSince unless it still says what `revision` names; an empty one replaces whatever it says.
    """
    user = permissions.require_participant(by, post.topic)
    if post.author_id != user.pk:
        raise NotAllowed(_("Only its author may edit a comment."))
    admission = admit(by=user, text=posting.checked_text(text), place=post.topic, edited=post)
    look = posting.written(post.topic.repo, admission.text, by=user)
    with transaction.atomic():
        now = Post.objects.select_for_update().get(pk=post.pk)
        if is_mended := now.is_hidden:
            mending.require(now, user)
            if admission.held or look.text == now.text:
                raise InvalidInput(_("Change what is wrong with it: as it is, moderators would have to look again."))
        if look.text == now.text:
            return
        if revision and revision != now.revision:
            raise ChangedSince(_("This post was changed in another window since you began. Nothing is saved yet."))
        PostVersion.objects.create(
            post=now, text=now.text, author=now.edited_by or now.author, written_at=now.edited_at or now.created_at
        )
        post.text, post.html, post.renderer = look.text, look.html, look.renderer
        post.edited_at, post.edited_by = timezone.now(), user
        post.save(update_fields=("text", "html", "renderer", "edited_at", "edited_by"))
        attaching.note_shown(post)
        if is_mended:
            mending.show_again(post, by=user)
        record("edited", post.topic, by=user, comment=post.pk, **posting.facts(post, look))


def hide(post: Post, *, by: Asker) -> None:
    """Take a comment out of sight for good: its author may, those who keep order there and the portal's staff."""
    user = permissions.require_participant(by, post.topic)
    if post.author_id != user.pk and not permissions.can_moderate(user, post.topic):
        if post.topic.repo is not None:
            raise NotAllowed(_("Only its author and writers of the repository may hide a comment."))
        raise NotAllowed(_("Only its author and those who keep order here may hide a comment."))
    with transaction.atomic():
        Topic.objects.select_for_update().get(pk=post.topic_id)
        if Post.objects.filter(pk=post.pk, hidden_at=None).update(hidden_at=timezone.now(), hidden_by=user):
            Topic.objects.filter(pk=post.topic_id, accepted=post).update(accepted=None)
            attaching.withdraw_from(post)
            record("hidden", post.topic, by=user, comment=post.pk, **posting.facts(post))
    post.refresh_from_db(fields=("hidden_at", "hidden_by"))


def rename(topic: Topic, *, by: Asker, title: str) -> Post:
    """Give the topic another title; returns the note of it."""
    user, title = permissions.require_namer(by, topic), proposing.checked_title(title)
    with transaction.atomic():
        before = Topic.objects.select_for_update().get(pk=topic.pk).title
        if before == title:
            raise Conflict(_("The discussion has this title already."))
        topic.title = title
        topic.save(update_fields=("title",))
        note = posting.append(topic, by=user, kind=Post.Kind.TITLE, data={"from": before, "to": title})
        record("renamed", topic, by=user, title=title, **posting.facts(note))
    return note


def change_status(topic: Topic, *, by: Asker, status: str, comment: str = "") -> Post:
    """Close a topic or open it, saying why if need be; returns the note of it.

    A pull request goes through the hub, which reports back.
    """
    user = permissions.require_decider(by, topic)
    held, why = False, ""
    if comment.strip():
        admission = admit(by=user, text=posting.checked_text(comment), place=topic)
        comment, held, why = admission.text, admission.held, admission.why
    if topic.is_pull_request:
        said = "" if held else comment  # what the hub reports back is shown at once
        proposing.change_status(proposing.find(_repo(topic), _number(topic)), by=user, status=status, comment=said)
        if held:
            look = posting.written(topic.repo, comment, by=user)
            with transaction.atomic():
                add_comment(topic, by=user, text=look, held=True, why=why)
        topic.refresh_from_db(fields=("status", "last_number", "comments"))
        return topic.posts.select_related("author").filter(kind=Post.Kind.STATUS).latest("number")
    if status not in (Status.OPEN, Status.CLOSED):
        raise InvalidInput(_("The status must be “open” or “closed”."))
    look = posting.written(topic.repo, comment.strip(), by=user)
    with transaction.atomic():
        if Topic.objects.select_for_update().get(pk=topic.pk).status == status:
            raise Conflict(_("This discussion has that status already."))
        return note_status(topic, status, by=user, text=look, held=held, why=why)


def note_status(
    topic: Topic, status: str, *, by: User, text: posting.Written, held: bool = False, why: str = ""
) -> Post:
    """Write a new status, with what was said about it, in the caller's transaction; returns the note."""
    topic.status = status
    topic.save(update_fields=("status",))
    note = posting.append(topic, by=by, kind=Post.Kind.STATUS, data={"status": status})
    if text.text:
        add_comment(topic, by=by, text=text, held=held, why=why)
    what = "merged" if status == Status.MERGED else "status_changed"
    record(what, topic, by=by, status=status, **posting.facts(note))
    return note


def record(what: str, topic: Topic, *, by: User | None, **facts: Any) -> None:
    """Record what happened for those who react to it: `discussion.<what>` with its repository, else `topic.<what>`."""
    facts["topic"] = topic.pk
    if topic.repo is None:
        facts |= {"number": facts.get("post_number"), "category": topic.category_id}
        Event.record(f"topic.{what}", subject=f"topic:{topic.pk}", by=by, **facts)
        return
    Event.record(
        f"discussion.{what}",
        subject=f"repo:{topic.repo.pk}",
        by=by,
        repo=topic.repo.full_name,
        repo_kind=topic.repo.kind,
        number=topic.number,
        is_pull_request=topic.is_pull_request,
        **facts,
    )


def _repo(topic: Topic) -> Repo:
    assert topic.repo is not None
    return topic.repo


def _number(topic: Topic) -> int:
    assert topic.number is not None
    return topic.number
