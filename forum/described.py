"""What the forum says of its things where only a key is known."""

import re
from collections.abc import Collection, Iterator

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from forum.learning import guides
from forum.models import Post, Topic
from models_hub.models import Repo
from portal import locating, subjects
from portal.models import Asker
from portal.subjects import Subject


def register() -> None:
    subjects.register("topic", _topics)
    subjects.register("post", _posts)
    subjects.register("guide", _guides)
    locating.locate_number(r"/forum/t/(\d{1,18})(?:/[\w-]*)?", "topic")
    locating.locate(r"/(?:(dataset|space)s/)?(\w[\w.-]*)/(\w[\w.-]*)/discussions/(\d{1,9})(?:/.*)?", _located)


def _topics(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    for topic in Topic.objects.visible_to(reader).filter(pk__in=pks).select_related("repo__namespace"):
        label = _("pull request") if topic.is_pull_request else _("topic")
        detail = topic.repo.full_name if topic.repo else ""
        yield Subject("topic", topic.pk, topic.title, topic.path, label, detail, topic.author_id)


def _posts(pks: Collection[int], reader: Asker) -> Iterator[Subject]:
    seen = Post.objects.filter(pk__in=pks, hidden_at=None, topic__in=Topic.objects.visible_to(reader)).shown_to(reader)
    for post in seen.select_related("topic__repo__namespace"):
        yield Subject("post", post.pk, post.topic.title, post.path, _("post"), f"#{post.number}", post.author_id)


def _guides(pks: Collection[int], _reader: Asker) -> Iterator[Subject]:
    for guide in guides.listed(guides.language_of(get_language())):
        if guide.number in pks:
            yield Subject("guide", guide.number, guide.title, guide.path, _("guide"))


def _located(found: re.Match[str]) -> str:
    repos = Repo.objects.named(found[1] or Repo.Kind.MODEL, found[2], found[3])
    topic = Topic.objects.filter(repo__in=repos, number=int(found[4])).values_list("pk", flat=True).first()
    return f"topic:{topic}" if topic else ""
