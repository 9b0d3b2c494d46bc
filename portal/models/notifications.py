"""What people are told: one inbox for each, its settings, and the mail that goes out of it."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.models.accounts import User

KEEP_ROWS = 2000
KEEP_FOR = timedelta(days=180)
KEEP_MAIL = timedelta(days=30)


class NotificationQuerySet(models.QuerySet["Notification"]):
    def unread(self) -> "NotificationQuerySet":
        return self.filter(read_at__isnull=True)

    def newest(self) -> "NotificationQuerySet":
        return self.order_by("-id")


class Notification(models.Model):
    """One line of one person's inbox. What happens again before it is read takes its place, and the count grows.

    `keys` name what it is about (portal/subjects.py), the oldest first: what the reader may not see is not shown, and
    a row of which nothing is left is neither shown nor counted.
    """

    class Mail(models.IntegerChoices):
        NONE = 0
        DUE = 1  # waits some minutes, for its reader may come by
        DIGEST = 2
        IN_LETTER = 3

    user = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=20)
    keys = models.JSONField(default=list)
    place = models.CharField(max_length=60, blank=True, default="")  # where it happened, as a key: what may be muted
    group = models.CharField(max_length=120, blank=True, default="")  # what is told in one row while it is unread
    actors = models.JSONField(default=list)  # ids of people, the latest last
    times = models.PositiveIntegerField(default=1)
    data = models.JSONField(default=dict)
    event = models.BigIntegerField(null=True)  # the last Event that it tells of
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)
    mail = models.PositiveSmallIntegerField(choices=Mail.choices, default=Mail.NONE)
    mail_due_at = models.DateTimeField(null=True)
    push_due_at = models.DateTimeField(null=True)  # when devices are called, unless it is read by then
    letter = models.ForeignKey("portal.Letter", models.SET_NULL, null=True, related_name="rows")

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "group"), name="notification_grouped", condition=Q(read_at__isnull=True) & ~Q(group="")
            ),
        )
        indexes = (
            models.Index(fields=("user", "-id"), name="notification_inbox"),
            models.Index(fields=("user", "-id"), name="notification_unread", condition=Q(read_at__isnull=True)),
            models.Index(fields=("place",), name="notification_place", condition=Q(read_at__isnull=True)),
            models.Index(fields=("mail_due_at",), name="notification_mail_due", condition=Q(mail=1)),
            models.Index(fields=("user",), name="notification_digest", condition=Q(mail=2)),
            models.Index(fields=("push_due_at",), name="notification_push_due", condition=Q(push_due_at__isnull=False)),
            models.Index(fields=("created_at",), name="notification_age"),
        )

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"


class Inbox(models.Model):
    """How somebody wants to hear of things, and whether mail reaches that person. Made when it is first needed."""

    class Digest(models.TextChoices):
        DAILY = "daily", _("every day")
        WEEKLY = "weekly", _("every week")
        NEVER = "never", _("never")

    user = models.OneToOneField(User, models.CASCADE, related_name="inbox", primary_key=True)
    channels = models.JSONField(default=dict)  # by kind, where somebody chose another than the usual one
    pushes = models.JSONField(null=True)  # kinds that devices are called for; None for the usual ones
    pushed_at = models.DateTimeField(null=True)  # the last time that they were
    digest = models.CharField(max_length=6, choices=Digest.choices, default=Digest.WEEKLY)
    digest_due_at = models.DateTimeField(null=True)
    time_zone = models.CharField(max_length=40, blank=True, default="", db_default="")  # of whose mornings; "" is UTC
    mailed_at = models.DateTimeField(null=True)  # the last immediate mail
    # The address that a mail server refused for good, and in which words; nothing is sent there any more.
    refused_address = models.EmailField(blank=True, default="")
    refused_why = models.CharField(max_length=300, blank=True, default="")
    broadcast = models.BigIntegerField(default=0)  # the last Broadcast that was looked at

    class Meta:
        indexes = (
            models.Index(fields=("digest_due_at",), name="inbox_digest", condition=Q(digest_due_at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"inbox of {self.user_id}"


class Muting(models.Model):
    """A person wants to hear nothing of what happens in a place, named by its key."""

    user = models.ForeignKey(User, models.CASCADE, related_name="mutings")
    place = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "place"), name="mute_once"),)
        indexes = (models.Index(fields=("place", "user"), name="muting_place"),)

    def __str__(self) -> str:
        return f"{self.user_id} mutes {self.place}"


class FanOut(models.Model):
    """How far the watchers of something have been told of an event, when they are many. Moves with what it counts."""

    event = models.BigIntegerField(unique=True)
    told = models.JSONField(default=list)  # people who hear of the event in another way
    cursor = models.BigIntegerField(default=0)  # the id of the last watcher who was told
    done_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"event {self.event} to {self.cursor}"


class Broadcast(models.Model):
    """What so many watch that it is one row for all: each inbox takes it in when its owner looks."""

    event = models.BigIntegerField(unique=True)
    watched = models.CharField(max_length=60)  # the key of what they watch
    kind = models.CharField(max_length=20)
    about = models.CharField(max_length=60)
    place = models.CharField(max_length=60, blank=True)
    group = models.CharField(max_length=120, blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    data = models.JSONField(default=dict)
    told = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=("created_at",), name="broadcast_age"),)

    def __str__(self) -> str:
        return f"{self.kind} to watchers of {self.watched}"


class Letter(models.Model):
    """One mail to one person. A letter that may have left is never sent again, so that nobody gets it twice."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        UNSURE = "unsure", _("perhaps sent")
        DROPPED = "dropped", _("not needed any more")
        FAILED = "failed", _("failed")
        REFUSED = "refused", _("refused by the mail server")

    OVER: ClassVar = (State.SENT, State.UNSURE, State.DROPPED, State.FAILED, State.REFUSED)

    user = models.ForeignKey(User, models.CASCADE, related_name="letters")
    is_digest = models.BooleanField(default=False)
    address = models.EmailField(blank=True)
    subject = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    why = models.CharField(max_length=300, blank=True)  # what the mail server said
    created_at = models.DateTimeField(default=timezone.now)
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("not_before",), name="letter_waiting", condition=Q(state="waiting")),
            models.Index(fields=("begun_at",), name="letter_sending", condition=Q(state="sending")),
            models.Index(fields=("user", "-id"), name="letter_of_user"),
            models.Index(fields=("created_at",), name="letter_age"),
        )

    def __str__(self) -> str:
        return f"letter {self.pk} to {self.user_id}"
