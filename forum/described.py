"""What the forum says of its things where only a key is known."""

from collections.abc import Collection, Iterator

from django.utils.translation import gettext as _

from forum.models import Post, Topic
from portal import subjects
from portal.models import Asker
from portal.subjects import Subject


def register() -> None:
    subjects.register("topic", _topics)
    subjects.register("post", _posts)


def _topics(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    for topic in Topic.objects.visible_to(reader).filter(pk__in=pks).select_related("repo__namespace"):
        label = _("pull request") if topic.is_pull_request else _("topic")
        detail = topic.repo.full_name if topic.repo else ""
        yield Subject("topic", topic.pk, topic.title, topic.path, label, detail, topic.author_id)


def _posts(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    seen = Post.objects.filter(pk__in=pks, hidden_at=None, topic__in=Topic.objects.visible_to(reader))
    for post in seen.select_related("topic__repo__namespace"):
        yield Subject("post", post.pk, post.topic.title, post.path, _("post"), f"#{post.number}", post.author_id)
