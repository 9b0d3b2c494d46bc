"""Categories: the rooms of the forum, each with its readers, its rules and those who keep order in it."""

from django.db import models
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from portal.models import Asker, User


class CategoryQuerySet(models.QuerySet["Category"]):
    def visible_to(self, reader: Asker) -> "CategoryQuerySet":
        """Categories that the reader may enter."""
        if reader.is_staff:
            return self
        open_to = [Category.Readers.EVERYONE]
        if reader.is_authenticated:
            open_to.append(Category.Readers.MEMBERS)
        return self.filter(readers__in=open_to)


class Category(models.Model):
    """A room of the forum. Its texts are in both languages; a missing one is replaced by the other."""

    class Readers(models.TextChoices):
        EVERYONE = "everyone", _("everyone")
        MEMBERS = "members", _("people who are signed in")
        STAFF = "staff", _("staff")

    slug = models.SlugField(max_length=40, unique=True)
    title_en = models.CharField(max_length=60, blank=True)
    title_zh = models.CharField(max_length=60, blank=True)
    about_en = models.CharField(max_length=300, blank=True)
    about_zh = models.CharField(max_length=300, blank=True)
    # What the box of a new topic holds at first.
    template_en = models.TextField(max_length=4000, blank=True)
    template_zh = models.TextField(max_length=4000, blank=True)
    icon = models.CharField(max_length=40, default="chat")
    color = models.CharField(max_length=10, default="blue")  # a colour name of the CSS kit
    position = models.PositiveSmallIntegerField(default=0)
    readers = models.CharField(max_length=8, choices=Readers.choices, default=Readers.EVERYONE)
    # The trust level from which people may begin topics here, and answer.
    trust_to_open = models.PositiveSmallIntegerField(default=0)
    trust_to_reply = models.PositiveSmallIntegerField(default=0)
    staff_open = models.BooleanField(default=False)  # only staff begin topics: announcements
    asks_questions = models.BooleanField(default=False)  # topics are questions unless said otherwise
    reviews_articles = models.BooleanField(default=False)  # topics are articles, which wait for a reviewer
    slow_seconds = models.PositiveIntegerField(default=0)
    # Topics that are listed, and their posts: each opening post and the comments; see forum/counting.py.
    topic_count = models.PositiveIntegerField(default=0)
    post_count = models.PositiveIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.slug

    @property
    def path(self) -> str:
        return f"/forum/c/{self.slug}"

    @property
    def title(self) -> str:
        return self._text("title") or self.slug

    @property
    def about(self) -> str:
        return self._text("about")

    @property
    def template(self) -> str:
        return self._text("template")

    def _text(self, name: str) -> str:
        english, chinese = str(getattr(self, f"{name}_en")), str(getattr(self, f"{name}_zh"))
        reads_chinese = (translation.get_language() or "").startswith("zh")
        return (chinese or english) if reads_chinese else (english or chinese)


class StewardQuerySet(models.QuerySet["Steward"]):
    def serving(self) -> "StewardQuerySet":
        return self.filter(until__gt=timezone.now())


class Steward(models.Model):
    """Somebody who keeps order in a category, appointed by staff for a term."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="stewards")
    user = models.ForeignKey(User, models.CASCADE, related_name="stewardships")
    appointed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    until = models.DateTimeField()

    objects = StewardQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("category", "user"), name="steward_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} in {self.category_id}"
