"""What is known of an article beside its topic: its language, and whose translation it is."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from forum.models.topics import Topic
from portal.models import User


class Article(models.Model):
    """A row of its own beside the topic, since few topics are articles."""

    class Language(models.TextChoices):
        ENGLISH = "en", _("English")
        CHINESE = "zh", _("Chinese")

    topic = models.OneToOneField(Topic, models.CASCADE, primary_key=True, related_name="article")
    language = models.CharField(max_length=2, choices=Language.choices)
    translation_of = models.ForeignKey(Topic, models.SET_NULL, null=True, blank=True, related_name="translations")
    # Who reads both languages and found the translation good.
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=("language", "-topic"), name="article_of_language"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(translation_of__isnull=True) | ~Q(translation_of=models.F("topic")),
                name="article_no_translation_of_itself",
            ),
        )

    def __str__(self) -> str:
        return f"{self.topic_id} in {self.language}"

    @property
    def is_accepted(self) -> bool:
        return self.accepted_at is not None
