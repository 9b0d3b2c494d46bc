"""Trust: how far the portal relies on a person, the days that it is computed from, and each change of it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import pgettext_lazy

from portal.models.accounts import User


class TrustLevel(models.IntegerChoices):
    """The five levels. The last is never reached by counting: staff appoint people for a term."""

    NEW = 0, pgettext_lazy("trust level", "New")
    BASIC = 1, pgettext_lazy("trust level", "Basic")
    MEMBER = 2, pgettext_lazy("trust level", "Member")
    REGULAR = 3, pgettext_lazy("trust level", "Regular")
    STEWARD = 4, pgettext_lazy("trust level", "Steward")


class UserDay(models.Model):
    """What a person read and did on one day, in sums: single readings are not kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="days")
    day = models.DateField()
    topics = models.PositiveIntegerField(default=0)
    posts = models.PositiveIntegerField(default=0)
    seconds = models.PositiveIntegerField(default=0)
    acts = models.PositiveIntegerField(default=0)  # what the person wrote, published or measured

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "day"), name="user_day_once"),)
        indexes = (models.Index(fields=("day",), name="user_day_of_all"),)

    def __str__(self) -> str:
        return f"{self.user_id} on {self.day}"


class Trust(models.Model):
    """The level that a person's rows gave when they were last looked at. Without a row, it is the lowest."""

    user = models.OneToOneField(User, models.CASCADE, related_name="trust", primary_key=True)
    level = models.PositiveSmallIntegerField(choices=TrustLevel.choices, default=TrustLevel.NEW)
    checked_at = models.DateTimeField(default=timezone.now)
    rules_read_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.user_id} at level {self.level}"


class TrustChange(models.Model):
    """A person rose or fell. Only ever added to."""

    user = models.ForeignKey(User, models.CASCADE, related_name="trust_changes")
    before = models.PositiveSmallIntegerField(choices=TrustLevel.choices)
    after = models.PositiveSmallIntegerField(choices=TrustLevel.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=("user", "-created_at"), name="trust_change_of_user"),)

    def __str__(self) -> str:
        return f"{self.user_id} from {self.before} to {self.after}"


class TermQuerySet(models.QuerySet["Term"]):
    def serving(self) -> "TermQuerySet":
        now = timezone.now()
        return self.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=now), since__lte=now, until__gt=now)


class Term(models.Model):
    """Staff appointed a person as steward for some months; it may end before its time."""

    user = models.ForeignKey(User, models.CASCADE, related_name="terms")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    appointed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=300)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = TermQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("user", "until"), name="term_of_user"),)

    def __str__(self) -> str:
        return f"{self.user_id} until {self.until:%Y-%m-%d}"
