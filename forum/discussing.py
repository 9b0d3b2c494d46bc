"""What people do in the discussions of a repository. Of a pull request, the change itself is decided in the hub."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from forum import attaching, permissions, posting
from forum.models import Post, PostVersion, Topic
from models_hub import proposing
from models_hub.models import Numbering, Repo
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Asker, Event, User

Status = Topic.Status


def find(repo: Repo, number: int) -> Topic:
    """Return the topic of this number; raises NotFound."""
    topic = Topic.objects.of(repo).select_related("author").filter(number=number).first()
    if topic is None:
        raise NotFound(_("This repository has no discussion %(number)d.") % {"number": number})
    topic.repo = repo
    return topic


def find_comment(topic: Topic, pk: str) -> Post:
    """Return a comment of the topic by the id that clients know it by; raises NotFound."""
    known = pk.isascii() and pk.isdigit() and len(pk) < 19
    found = topic.posts.filter(pk=int(pk), kind=Post.Kind.COMMENT) if known else Post.objects.none()
    post = found.select_related("author").first()
    if post is None:
        raise NotFound(_("This discussion has no such comment."))
    post.topic = topic
    return post


def open_discussion(*, repo: Repo, by: Asker, title: str, text: str) -> Topic:
    """Begin a discussion about a repository, which anybody who sees it may do."""
    user, title = proposing.require_proposer(by, repo), proposing.checked_title(title)
    opening = posting.written(repo, posting.checked_text(text) if text.strip() else "")
    with transaction.atomic():
        topic = Topic.objects.create(repo=repo, number=Numbering.take(repo), title=title, author=user)
        posting.append(topic, by=user, text=opening)
        record("opened", topic, by=user, title=title)
    return topic


def comment(topic: Topic, *, by: Asker, text: str) -> Post:
    """Say something in a discussion."""
    user = _participant(topic, by)
    look = posting.written(topic.repo, posting.checked_text(text))
    with transaction.atomic():
        return add_comment(topic, by=user, text=look)


def add_comment(topic: Topic, *, by: User, text: posting.Written) -> Post:
    """Add a rendered comment, in the caller's transaction."""
    post = posting.append(topic, by=by, text=text)
    record("commented", topic, by=by, comment=post.pk)
    return post


def edit(post: Post, *, by: Asker, text: str) -> None:
    """Replace a comment's text, which only its author may; what it said before is kept."""
    user = _participant(post.topic, by)
    if post.author_id != user.pk:
        raise NotAllowed(_("Only its author may edit a comment."))
    look = posting.written(post.topic.repo, posting.checked_text(text))
    with transaction.atomic():
        now = Post.objects.select_for_update().get(pk=post.pk)
        if now.is_hidden:
            raise Conflict(_("A hidden comment cannot be edited."))
        if look.text == now.text:
            return
        PostVersion.objects.create(
            post=now, text=now.text, author=now.edited_by or now.author, written_at=now.edited_at or now.created_at
        )
        post.text, post.html, post.renderer = look.text, look.html, look.renderer
        post.edited_at, post.edited_by = timezone.now(), user
        post.save(update_fields=("text", "html", "renderer", "edited_at", "edited_by"))
        attaching.note_shown(post)
        record("edited", post.topic, by=user, comment=post.pk)


def hide(post: Post, *, by: Asker) -> None:
    """Take a comment out of sight for good: its author may, writers of the repository and the portal's staff."""
    user = _participant(post.topic, by)
    if post.author_id != user.pk and not permissions.can_moderate(user, post.topic):
        raise NotAllowed(_("Only its author and writers of the repository may hide a comment."))
    with transaction.atomic():
        if Post.objects.filter(pk=post.pk, hidden_at=None).update(hidden_at=timezone.now(), hidden_by=user):
            attaching.withdraw_from(post)
            record("hidden", post.topic, by=user, comment=post.pk)
    post.refresh_from_db(fields=("hidden_at", "hidden_by"))


def rename(topic: Topic, *, by: Asker, title: str) -> Post:
    """Give the topic another title; returns the note of it."""
    user, title = _decider(topic, by), proposing.checked_title(title)
    with transaction.atomic():
        before = Topic.objects.select_for_update().get(pk=topic.pk).title
        if before == title:
            raise Conflict(_("The discussion has this title already."))
        topic.title = title
        topic.save(update_fields=("title",))
        record("renamed", topic, by=user, title=title)
        return posting.append(topic, by=user, kind=Post.Kind.TITLE, data={"from": before, "to": title})


def change_status(topic: Topic, *, by: Asker, status: str, comment: str = "") -> Post:
    """Close a topic or open it, saying why if need be; returns the note of it.

    A pull request goes through the hub, which reports back.
    """
    user = _decider(topic, by)
    if comment.strip():
        comment = posting.checked_text(comment)
    if topic.is_pull_request:
        proposing.change_status(proposing.find(_repo(topic), _number(topic)), by=user, status=status, comment=comment)
        topic.refresh_from_db(fields=("status", "last_number", "comments"))
        return topic.posts.select_related("author").filter(kind=Post.Kind.STATUS).latest("number")
    if status not in (Status.OPEN, Status.CLOSED):
        raise InvalidInput(_("The status must be “open” or “closed”."))
    look = posting.written(topic.repo, comment)
    with transaction.atomic():
        if Topic.objects.select_for_update().get(pk=topic.pk).status == status:
            raise Conflict(_("This discussion has that status already."))
        return note_status(topic, status, by=user, text=look)


def note_status(topic: Topic, status: str, *, by: User, text: posting.Written) -> Post:
    """Write a new status, with what was said about it, in the caller's transaction; returns the note."""
    topic.status = status
    topic.save(update_fields=("status",))
    note = posting.append(topic, by=by, kind=Post.Kind.STATUS, data={"status": status})
    if text.text:
        add_comment(topic, by=by, text=text)
    record("merged" if status == Status.MERGED else "status_changed", topic, by=by, status=status)
    return note


def record(what: str, topic: Topic, *, by: User | None, **facts: Any) -> None:
    """Record `discussion.<what>`, naming repository and number for those who react to it."""
    repo = _repo(topic)
    Event.record(
        f"discussion.{what}",
        subject=f"repo:{repo.pk}",
        by=by,
        repo=repo.full_name,
        repo_kind=repo.kind,
        number=topic.number,
        is_pull_request=topic.is_pull_request,
        **facts,
    )


def _participant(topic: Topic, by: Asker) -> User:
    return proposing.require_proposer(by, _repo(topic))


def _decider(topic: Topic, by: Asker) -> User:
    """Return the user who may rename, close and open: the author, writers of the repository and staff."""
    user = _participant(topic, by)
    if topic.author_id != user.pk and not permissions.can_moderate(user, topic):
        raise NotAllowed(_("Only its author and writers of the repository may change this."))
    return user


def _repo(topic: Topic) -> Repo:
    assert topic.repo is not None
    return topic.repo


def _number(topic: Topic) -> int:
    assert topic.number is not None
    return topic.number
