"""Articles of the community: listed once a reviewer let them in, each in a language, perhaps a translation of another.

That a translation is good is said by somebody of level 3 who reads its language, is not its author and not close to
that person; the badge for translations counts these.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models.functions import Left
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from forum import permissions
from forum.models import LISTED, Article, Category, Post, Topic, TopicQuerySet, TopicTag
from portal import evidence, locating, trust
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Asker, Event, TrustLevel, User

PAGE = 12
READ, EXCERPT = 3000, 220  # characters of the beginning that a list reads, and shows
CHINESE_SHARE = 0.15  # of the letters: a Chinese text has many English words, an English one hardly any characters
_HAN = re.compile(r"[\u3400-\u9fff]")
_CODE = re.compile(r"```.*?```|`[^`\n]*`|https?://\S+", re.DOTALL)
_NOBODY = AnonymousUser()


@dataclass(frozen=True)
class Line:
    """An article as a list shows it."""

    topic: Topic
    language: str
    excerpt: str
    tags: Sequence[str]
    is_translation: bool
    is_accepted: bool


@dataclass(frozen=True)
class Beside:
    """What a reader sees beside an article: the text it translates, its translations, and what may be done."""

    article: Article | None
    original: Topic | None
    translations: Sequence[Article]


def rooms(reader: Asker) -> list[Category]:
    """Return the categories of articles that a reader may enter."""
    return list(Category.objects.visible_to(reader).filter(reviews_articles=True))


def room_to_write(reader: Asker) -> Category | None:
    """Return where an article is begun, None where staff made no such category."""
    return next((room for room in rooms(reader) if room.archived_at is None), None)


def listed(reader: Asker, *, language: str = "", waiting: bool = False) -> TopicQuerySet:
    """Return the articles that were let in; of one language, or those translations that nobody found good yet."""
    found = Topic.objects.filter(LISTED, kind=Topic.Kind.ARTICLE, category__in=rooms(reader), last_number__gt=0)
    if waiting:
        found = found.filter(article__translation_of__isnull=False, article__accepted_at=None)
    return found.filter(article__language=language) if language else found


def page(
    reader: Asker, *, language: str = "", waiting: bool = False, before: int | None = None, size: int = PAGE
) -> tuple[list[Line], int]:
    """Return articles, the newest first, and the number at which older ones begin, 0 for none."""
    found = listed(reader, language=language, waiting=waiting)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.select_related("author", "article").order_by("-pk")[: size + 1])
    shown = rows[:size]
    openings = Post.objects.filter(topic__in=shown, number=1, hidden_at=None, held_at=None)
    begun = dict(openings.values_list("topic", Left("html", READ)))
    tags: dict[int, list[str]] = defaultdict(list)
    for topic, name in TopicTag.objects.filter(topic__in=shown).order_by("pk").values_list("topic", "tag__name"):
        tags[topic].append(name)
    lines = [_line(topic, begun.get(topic.pk, ""), tags[topic.pk]) for topic in shown]
    return lines, shown[-1].pk if len(rows) > size else 0


def note(topic: Topic, text: str) -> None:
    """Keep in which language an article is, in the transaction that makes it one."""
    if topic.kind == Topic.Kind.ARTICLE:
        Article.objects.get_or_create(topic=topic, defaults={"language": language_of(f"{topic.title}\n{text}")})


def note_moved(topic: Topic) -> None:
    """Do the same for a topic that became an article when it was moved."""
    if topic.kind == Topic.Kind.ARTICLE:
        note(topic, _opening_text(topic))


def language_of(text: str) -> str:
    """Return whether a text is Chinese or English, by its characters outside of code."""
    letters = [sign for sign in _CODE.sub("", text) if sign.isalpha()]
    han = sum(bool(_HAN.match(sign)) for sign in letters)
    chinese = bool(letters) and han >= CHINESE_SHARE * len(letters)
    return Article.Language.CHINESE if chinese else Article.Language.ENGLISH


def find(pk: int, reader: Asker) -> Article:
    """Return the article of a topic that the reader sees; raises NotFound."""
    seen = Topic.objects.in_forum(reader).filter(pk=pk, kind=Topic.Kind.ARTICLE)
    topic = seen.select_related("category", "author").first()
    if topic is None:
        raise NotFound(_("There is no such article."))
    known = Article.objects.filter(topic=topic).select_related("accepted_by").first()
    if known is None:  # from before languages were kept
        known = Article(topic=topic, language=language_of(f"{topic.title}\n{_opening_text(topic)}"))
    known.topic = topic
    return known


def beside(topic: Topic, reader: Asker) -> Beside:
    """Return what stands beside an article, in two or three queries."""
    article = Article.objects.filter(topic=topic).select_related("accepted_by").first()
    original = None
    if article is not None and article.translation_of_id is not None:
        original = listed(reader).filter(pk=article.translation_of_id).select_related("author").first()
    others = Article.objects.filter(translation_of=topic, topic__in=listed(reader))
    return Beside(article, original, list(others.select_related("topic__author").order_by("topic")))


def describe(article: Article, *, by: Asker, language: str, original: str) -> Article:
    """Say in which language an article is and what it translates: the address of an article, or nothing.

    What somebody found good was another text then: that is forgotten when either changes.
    """
    user = permissions.require_member(by)
    if not may_describe(article, user):
        raise NotAllowed(_("Only its author and those who keep order here may change this."))
    if language not in Article.Language.values:
        raise InvalidInput(_("Choose the language of the article."), data={"key": "language"})
    source = _original(original, article, user)
    if source is not None and _language_in(source) == language:
        raise InvalidInput(
            _("A translation is in another language than the article it translates."), data={"key": "original"}
        )
    with transaction.atomic():
        row, _created = Article.objects.select_for_update().get_or_create(
            topic=article.topic, defaults={"language": language}
        )
        if (row.language, row.translation_of_id) != (language, source.pk if source else None):
            row.accepted_by, row.accepted_at = None, None
        row.language, row.translation_of = language, source
        row.save()
    return row


def accept(article: Article, *, by: Asker) -> None:
    """Say that a translation is good."""
    user = permissions.require_member(by)
    refusal = refusal_to_accept(article, user)
    if refusal:
        raise NotAllowed(refusal)
    with transaction.atomic():
        waiting = Article.objects.filter(topic=article.topic, accepted_at=None, translation_of=article.translation_of)
        if not waiting.update(accepted_by=user, accepted_at=timezone.now()):
            raise Conflict(_("Somebody else has decided on it meanwhile."))
        _record("translation.accepted", article, user)


def take_back(article: Article, *, by: Asker) -> None:
    """Take back what was said of a translation: whoever said it may, and staff."""
    user = permissions.require_member(by)
    if not may_take_back(article, user):
        raise NotAllowed(_("Only who said so and staff may take it back."))
    with transaction.atomic():
        Article.objects.filter(topic=article.topic).update(accepted_by=None, accepted_at=None)
        _record("translation.refused", article, user)


def may_describe(article: Article, user: Asker) -> bool:
    topic = article.topic
    if not isinstance(user, User) or topic.category is None:
        return False
    return topic.author_id == user.pk or permissions.can_keep_order(user, topic.category)


def may_take_back(article: Article, user: Asker) -> bool:
    return isinstance(user, User) and article.is_accepted and (user.is_staff or article.accepted_by_id == user.pk)


def refusal_to_accept(article: Article, user: Asker) -> str:
    """Return why somebody may not say that a translation is good, "" for who may."""
    if article.translation_of_id is None or article.is_accepted:
        return _("There is no translation here that waits for a reader of both languages.")
    if not listed(_NOBODY).filter(pk=article.topic_id).exists():
        return _("The article itself waits for a reviewer first.")
    if not isinstance(user, User):
        return _("Sign in first.")
    author = article.topic.author_id
    if author == user.pk or (author is not None and evidence.close({(author, user.pk)})):
        return _("This is for somebody who is not its author and not close to that person.")
    if trust.level(user) < TrustLevel.REGULAR:
        return _("People of trust level 3 who read both languages decide on translations.")
    return ""


def _original(address: str, article: Article, reader: User) -> Topic | None:
    """Return the article that an address names; raises InvalidInput for anything but another article."""
    if not address.strip():
        return None
    subject = locating.find(address, reader)
    others = listed(reader).exclude(pk=article.topic_id)
    source = others.filter(pk=subject.pk).first() if subject is not None and subject.kind == "topic" else None
    if source is None:
        raise InvalidInput(_("Give the address of another article that was let in."), data={"key": "original"})
    return source


def _language_in(topic: Topic) -> str:
    known = Article.objects.filter(topic=topic).values_list("language", flat=True).first()
    return known or language_of(topic.title)


def _opening_text(topic: Topic) -> str:
    return topic.posts.order_by("number").values_list("text", flat=True).first() or ""


def _record(what: str, article: Article, user: User) -> None:
    facts = {"author": article.topic.author_id, "original": article.translation_of_id, "language": article.language}
    Event.record(what, subject=f"topic:{article.topic_id}", by=user, topic=article.topic_id, **facts)


def _line(topic: Topic, begun: str, tags: Sequence[str]) -> Line:
    article: Article | None = getattr(topic, "article", None)
    return Line(
        topic=topic,
        language=article.language if article else "",
        excerpt=Truncator(" ".join(unescape(strip_tags(begun)).split())).chars(EXCERPT),
        tags=tags,
        is_translation=bool(article and article.translation_of_id),
        is_accepted=bool(article and article.is_accepted),
    )
