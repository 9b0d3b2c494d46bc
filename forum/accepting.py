"""Questions and the answer that solved each."""

from django.db import transaction
from django.utils.translation import gettext as _

from forum import discussing, permissions, posting
from forum.models import Post, Topic
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Asker, User


def accept(post: Post, *, by: Asker) -> None:
    """Say that a post solved the question of its topic; another one that was accepted before is not any more."""
    user = _chooser(by, post.topic)
    if post.number == 1 or not post.is_comment:
        raise InvalidInput(_("Only answers can be accepted."))
    with transaction.atomic():
        topic = Topic.objects.select_for_update().get(pk=post.topic_id)
        now = Post.objects.get(pk=post.pk)
        if topic.kind != Topic.Kind.QUESTION:
            raise Conflict(_("Only questions have answers."))
        if now.is_hidden or now.held_at is not None or now.topic_id != topic.pk:
            raise Conflict(_("This post is not shown."))
        if topic.accepted_id == post.pk:
            return
        _take_back(topic, by=user)
        Topic.objects.filter(pk=topic.pk).update(accepted=post)
        _record("accepted", post.topic, post, user)
    post.topic.accepted_id = post.pk


def unaccept(topic: Topic, *, by: Asker) -> None:
    """Say that the question is open again."""
    user = _chooser(by, topic)
    with transaction.atomic():
        _take_back(Topic.objects.select_for_update().get(pk=topic.pk), by=user)
        Topic.objects.filter(pk=topic.pk).update(accepted=None)
    topic.accepted_id = None


def may_choose(user: Asker, topic: Topic) -> bool:
    """Whether the person decides which answer solved the question."""
    if not isinstance(user, User) or topic.kind != Topic.Kind.QUESTION:
        return False
    return topic.author_id == user.pk or permissions.can_moderate(user, topic)


def _chooser(by: Asker, topic: Topic) -> User:
    user = permissions.require_participant(by, topic)
    if topic.author_id != user.pk and not permissions.can_moderate(user, topic):
        raise NotAllowed(_("Only who asked, and those who keep order here, may accept an answer."))
    return user


def _take_back(topic: Topic, *, by: User) -> None:
    before = Post.objects.filter(pk=topic.accepted_id).first() if topic.accepted_id else None
    if before is not None:
        _record("unaccepted", topic, before, by)


def _record(what: str, topic: Topic, post: Post, by: User) -> None:
    facts = posting.facts(post)
    discussing.record(what, topic, by=by, asker=topic.author_id, answerer=post.author_id, **facts)
