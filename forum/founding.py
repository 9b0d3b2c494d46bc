"""The categories of a new portal, and what staff do with categories later."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from forum.models import Category, Steward
from portal import moderating, trusting
from portal.errors import NotAllowed, NotFound
from portal.models import Asker, Namespace, Term, User

FIRST = (
    {
        "slug": "announcements", "title_en": "Announcements", "title_zh": "公告", "icon": "megaphone", "color": "red",
        "about_en": "What is new on this portal.", "about_zh": "本站的新消息。", "staff_open": True,
    },
    {
        "slug": "questions", "title_en": "Questions", "title_zh": "问答", "icon": "question-circle", "color": "orange",
        "about_en": "Ask about small models; the answer that helped is marked.",
        "about_zh": "提出与小模型有关的问题；有帮助的回答会被标出。", "asks_questions": True,
        "template_en": "**What I want to do**\n\n\n**What I tried**\n\n\n**What happened**\n",
        "template_zh": "**想做什么**\n\n\n**做过哪些尝试**\n\n\n**结果如何**\n",
    },
    {
        "slug": "models", "title_en": "Models and data", "title_zh": "模型与数据", "icon": "box-seam", "color": "blue",
        "about_en": "Choosing, training and using small models, and the data behind them.",
        "about_zh": "小模型的选择、训练与使用，以及背后的数据。",
    },
    {
        "slug": "evaluation", "title_en": "Evaluation", "title_zh": "评测", "icon": "clipboard-data", "color": "purple",
        "about_en": "Benchmarks, scores that surprise, runs that failed.",
        "about_zh": "基准、出人意料的分数、失败的运行。",
    },
    {
        "slug": "articles", "title_en": "Articles", "title_zh": "文章", "icon": "journal-text", "color": "teal",
        "about_en": "What you found out, written for others; a reviewer reads it first, then it stands under Learn.",
        "about_zh": "把你的发现写给别人看；经审阅者读过后，会列在“学习”页面。", "reviews_articles": True,
        "template_en": "**In short.** \n\n## What I wanted to know\n\n\n## What I did\n\n\n## What came out\n\n\n"
        "## Where it ends\n",
        "template_zh": "**概要。**\n\n## 想弄清什么\n\n\n## 做了什么\n\n\n## 得到什么\n\n\n## 有什么局限\n",
    },
    {
        "slug": "showcase", "title_en": "Show your work", "title_zh": "作品", "icon": "stars", "color": "green",
        "about_en": "What you made with small models.", "about_zh": "用小模型做出来的东西。",
    },
    {
        "slug": "site", "title_en": "Portal", "title_zh": "站务", "icon": "signpost-2", "color": "cyan",
        "about_en": "How this portal works, and what should be better.",
        "about_zh": "本站如何运作，哪里还可以更好。",
    },
)  # fmt: skip


def found() -> int:
    """Create the first categories where there are none; returns how many were created."""
    with transaction.atomic():
        if Category.objects.exists():
            return 0
        rows = [Category(position=position, **facts) for position, facts in enumerate(FIRST, 1)]  # type: ignore[arg-type]
        return len(Category.objects.bulk_create(rows))


def require_staff(by: Asker) -> User:
    """Return the member of staff who may change categories."""
    if not isinstance(by, User) or not by.is_staff:
        raise NotAllowed(_("Only staff may change categories."))
    return by


def keep(category: Category, *, by: Asker) -> None:
    """Save a new or changed category."""
    user, is_new = require_staff(by), category.pk is None
    with transaction.atomic():
        category.save()
        what = "category.founded" if is_new else "category.changed"
        moderating.note(what, by=user, target=f"category:{category.pk}", after={"slug": category.slug})


def archive(category: Category, *, by: Asker, archived: bool) -> None:
    """Let nobody but those who keep order write in a category, or let everybody again."""
    user = require_staff(by)
    with transaction.atomic():
        category.archived_at = timezone.now() if archived else None
        category.save(update_fields=("archived_at",))
        what = "category.archived" if archived else "category.opened"
        moderating.note(what, by=user, target=f"category:{category.pk}")


def appoint(category: Category, *, by: Asker, name: str, months: int) -> Steward:
    """Let somebody keep order in a category for a term, as a steward of level 4; a second time begins a new term."""
    staff = require_staff(by)
    namespace = Namespace.objects.named(name.lstrip("@")).select_related("user").first()
    if namespace is None or namespace.user is None or not namespace.user.is_active:
        raise NotFound(_("There is no such person."))
    values = {"appointed_by": staff, "until": timezone.now() + timedelta(days=30 * months)}
    with transaction.atomic():
        row, _created = Steward.objects.update_or_create(category=category, user=namespace.user, defaults=values)
        if not Term.objects.serving().filter(user=namespace.user, until__gte=row.until).exists():
            why = f"Keeps order in /forum/c/{category.slug}"
            trusting.appoint(namespace.user, by=staff, reason=why, until=row.until)
        moderating.note(
            "steward.appointed", by=staff, target=f"category:{category.pk}", person=namespace.user_id,
            after={"until": row.until.isoformat()},
        )  # fmt: skip
    return row


def dismiss(steward: Steward, *, by: Asker) -> None:
    """End what somebody does in a category; who keeps order nowhere then is no steward any more."""
    staff, user = require_staff(by), steward.user
    with transaction.atomic():
        _leave(steward, staff)
        if not Steward.objects.serving().filter(user=user).exists():
            trusting.end_term(user, by=staff)


def dismiss_everywhere(user: User, by: User) -> None:
    """Take the categories of somebody whose term was ended."""
    for steward in Steward.objects.filter(user=user):
        _leave(steward, by)


def _leave(steward: Steward, by: User) -> None:
    moderating.note("steward.dismissed", by=by, target=f"category:{steward.category_id}", person=steward.user_id)
    steward.delete()
