"""Moderation: what was reported, what was decided about it, whom that concerns, and what they say to it."""

from datetime import datetime, timedelta
from typing import TypeVar

from django.db import models
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from portal.models.accounts import User

APPEAL_DAYS = 183

Row = TypeVar("Row", bound=models.Model)


class Reason(models.TextChoices):
    """Why somebody reports something, and why staff acts."""

    SPAM = "spam", _("spam or advertising")
    OFF_TOPIC = "off-topic", _("off topic")
    HARASSMENT = "harassment", _("harassment or hate")
    MALWARE = "malware", _("malware")
    UNSAFE_FILE = "unsafe-file", _("unsafe file")
    SECRET = "secret", _("a secret was leaked")
    LICENCE = "licence", _("licence conflict")
    COPYRIGHT = "copyright", _("copyright")
    PRIVACY = "privacy", _("personal data")
    SAFETY = "safety", _("danger to people")
    DOES_NOT_LOAD = "does-not-load", _("does not load or run")
    FALSE_SCORE = "false-score", _("false score")
    OTHER = "other", _("something else")


# Reports of these are seen by moderators alone, and are looked at first.
GRAVE = frozenset({Reason.MALWARE, Reason.SAFETY, Reason.PRIVACY, Reason.SECRET})


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> "CaseQuerySet":
        return self.filter(status=Case.Status.OPEN)

    def first_ones(self) -> "CaseQuerySet":
        """What endangers people or machines first, then the heaviest; `grave` says which are of the former."""
        grave = ExpressionWrapper(Q(reasons__has_any_keys=sorted(GRAVE)), output_field=models.BooleanField())
        return self.annotate(grave=grave).order_by("-grave", "-score", "-id")


class Case(models.Model):
    """All that is said against one thing. There is one row for a thing and a kind: it is opened again, not doubled.

    `version` grows with every change, so that of two moderators who decide at once the second hears of the first.
    """

    class Kind(models.TextChoices):
        REPORT = "report", _("report")
        HELD = "held", _("waits for a look")
        LICENCE = "licence", _("licence claim")
        COPYRIGHT = "copyright", _("copyright claim")
        PRIVACY = "privacy", _("privacy claim")
        SAFETY = "safety", _("safety claim")

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("a case", "open")
        CLOSED = "closed", _("decided")

    about = models.CharField(max_length=60)  # a key of portal/subjects.py
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.REPORT)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    # What tells stewards that it is theirs: "category:3"; empty where only staff decides.
    place = models.CharField(max_length=60, blank=True, default="")
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="cases_about")
    # As it was when it was last reported: lists of cases load nothing else.
    title = models.CharField(max_length=300, blank=True, default="")
    excerpt = models.CharField(max_length=300, blank=True, default="")
    score = models.FloatField(default=0)
    reports_count = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict)  # how many reports of each reason
    text_hash = models.CharField(max_length=64, blank=True, default="", db_index=True)
    claimed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    claimed_at = models.DateTimeField(null=True)
    hidden_by_machine = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("about", "kind"), name="case_once"),)
        indexes = (
            models.Index(fields=("-score", "-id"), name="case_queue", condition=Q(status="open")),
            models.Index(fields=("status", "-closed_at"), name="case_closed"),
            models.Index(fields=("author", "-id"), name="case_author"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"

    @property
    def path(self) -> str:
        return f"/moderation/cases/{self.pk}"

    @property
    def about_kind(self) -> str:
        return self.about.partition(":")[0]

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    @property
    def reasons_shown(self) -> list[tuple[str, int]]:
        """Why it was reported and how often, the most frequent first."""
        counted = sorted(self.reasons.items(), key=lambda one: -one[1])
        return [(str(Reason(name).label), n) for name, n in counted if name in Reason.values]

    @property
    def is_claim(self) -> bool:
        return self.kind not in {self.Kind.REPORT, self.Kind.HELD}

    @property
    def is_grave(self) -> bool:
        return not GRAVE.isdisjoint(self.reasons)

    @property
    def is_late(self) -> bool:
        return self.is_open and self.due_at is not None and self.due_at < timezone.now()


class CaseHost(models.Model):
    """A host that the reported text links to: cases with the same host are shown together."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="hosts")
    host = models.CharField(max_length=200)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("case", "host"), name="case_host_once"),)
        indexes = (models.Index(fields=("host", "case"), name="case_of_host"),)

    def __str__(self) -> str:
        return self.host


class Report(models.Model):
    """What one person, or a rule of the portal (`reporter` is None), says against the thing of a case."""

    class Verdict(models.TextChoices):
        AGREED = "agreed", _("agreed")
        DISAGREED = "disagreed", _("not agreed")
        IGNORED = "ignored", _("closed without a verdict")

    case = models.ForeignKey(Case, models.CASCADE, related_name="reports")
    reporter = models.ForeignKey(User, models.SET_NULL, null=True, related_name="reports_made")
    is_machine = models.BooleanField(default=False)
    reason = models.CharField(max_length=13, choices=Reason.choices)
    text = models.TextField(blank=True, max_length=4000)
    language = models.CharField(max_length=10, blank=True)
    data = models.JSONField(default=dict)  # the fields of a claim, or which rule it was
    weight = models.FloatField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    verdict = models.CharField(max_length=9, choices=Verdict.choices, blank=True, default="")
    judged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case", "reporter"), name="report_once", condition=Q(verdict="", reporter__isnull=False)
            ),
        )
        indexes = (models.Index(fields=("reporter", "-id"), name="report_of_person"),)

    def __str__(self) -> str:
        return f"{self.reason} in {self.case_id}"


class Decision(models.Model):
    """Something that staff or a rule of the portal did. What can be undone is undone by `undone_at`.

    One that takes two people waits, with `confirmed_at` empty, for the second.
    """

    case = models.ForeignKey(Case, models.SET_NULL, null=True, related_name="decisions")
    about = models.CharField(max_length=60, db_index=True)
    action = models.CharField(max_length=20)
    level = models.PositiveSmallIntegerField(null=True)  # of the ladder for repositories
    reason = models.CharField(max_length=13, choices=Reason.choices)
    text = models.TextField(blank=True, max_length=4000)  # what the person concerned reads
    internal = models.TextField(blank=True, max_length=4000)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="decisions_made")
    by_machine = models.BooleanField(default=False)
    # Whom it concerns: the author of the post, the person silenced, the owner of the repository.
    person = models.ForeignKey(User, models.SET_NULL, null=True, related_name="decisions_about")
    until = models.DateTimeField(null=True)
    before = models.JSONField(default=dict)  # what undoing needs
    created_at = models.DateTimeField(default=timezone.now)
    needs_second = models.BooleanField(default=False)
    confirmed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = (
            models.Index(fields=("person", "-id"), name="decision_about_person"),
            models.Index(fields=("created_at",), name="decision_age"),
        )

    def __str__(self) -> str:
        return f"{self.action} on {self.about}"

    @property
    def is_waiting(self) -> bool:
        return self.needs_second and self.confirmed_at is None and self.undone_at is None

    @property
    def in_force(self) -> bool:
        over = self.until is not None and self.until <= timezone.now()
        return self.undone_at is None and not self.is_waiting and not over


class Notice(models.Model):
    """What somebody is told of a decision, with the way to appeal. Shown in the reader's language."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="notices")
    person = models.ForeignKey(User, models.CASCADE, related_name="notices")
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("decision", "person"), name="notice_once"),)
        indexes = (models.Index(fields=("person", "-id"), name="notice_of_person"),)

    def __str__(self) -> str:
        return f"{self.decision_id} to {self.person_id}"

    @property
    def path(self) -> str:
        return f"/appeals/{self.pk}"

    @property
    def appeal_until(self) -> datetime:
        return self.created_at + timedelta(days=APPEAL_DAYS)

    @property
    def may_appeal(self) -> bool:
        return timezone.now() < self.appeal_until and not hasattr(self, "appeal")


class Appeal(models.Model):
    """What the person concerned says to a notice; somebody decides who had no part in the decision."""

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("an appeal", "open")
        UPHELD = "upheld", _("upheld: the decision stays")
        CHANGED = "changed", _("changed: a milder decision")
        OVERTURNED = "overturned", _("overturned: the decision is undone")

    notice = models.OneToOneField(Notice, models.CASCADE, related_name="appeal")
    text = models.TextField(max_length=4000)
    is_counter_notice = models.BooleanField(default=False)
    data = models.JSONField(default=dict)
    language = models.CharField(max_length=10, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    answer = models.TextField(blank=True, max_length=4000)
    created_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("status", "id"), name="appeal_queue"),)

    def __str__(self) -> str:
        return f"appeal {self.status} of notice {self.notice_id}"

    @property
    def path(self) -> str:
        return f"/moderation/appeals/{self.pk}"


class RestraintQuerySet(models.QuerySet["Restraint"]):
    def in_force(self) -> "RestraintQuerySet":
        return self.filter(lifted_at__isnull=True).filter(Q(until__isnull=True) | Q(until__gt=timezone.now()))


class Restraint(models.Model):
    """A person may not write for a while (silence), or not sign in (suspension). Models stay as they are."""

    class Kind(models.TextChoices):
        SILENCE = "silence", _("may read, not write")
        SUSPENSION = "suspension", _("may not sign in")

    person = models.ForeignKey(User, models.CASCADE, related_name="restraints")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    until = models.DateTimeField(null=True)
    decision = models.ForeignKey(Decision, models.SET_NULL, null=True, related_name="restraints")
    created_at = models.DateTimeField(default=timezone.now)
    lifted_at = models.DateTimeField(null=True)

    objects = RestraintQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=("person", "kind"), name="restraint_of", condition=Q(lifted_at__isnull=True)),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.person_id}"


def of_working(rows: models.QuerySet[Row]) -> models.QuerySet[Row]:
    """Return those rows whose `user` may act now: neither suspended nor on the way to being deleted."""
    held_off = Restraint.objects.in_force().filter(person=OuterRef("user"), kind=Restraint.Kind.SUSPENSION)
    return rows.filter(~Exists(held_off), user__is_active=True, user__deletion_due_at__isnull=True)


class ReporterScore(models.Model):
    """How many of somebody's judged reports were agreed with: what the weight of the next one is made of."""

    person = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="reporter_score")
    agreed = models.PositiveIntegerField(default=0)
    disagreed = models.PositiveIntegerField(default=0)
    ignored = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.agreed} of {self.agreed + self.disagreed}"


class WatchedWord(models.Model):
    """A word that does something when somebody writes it; `folded` is what texts are searched for."""

    class Action(models.TextChoices):
        BLOCK = "block", _("refuse the text")
        CENSOR = "censor", _("replace it by ■")
        HOLD = "hold", _("hold the text for a look")
        FLAG = "flag", _("report the text")
        REPLACE = "replace", _("replace it by another word")
        LINK = "link", _("link it")
        TAG = "tag", _("tag the topic")
        SILENCE = "silence", _("hold the text and silence its author")

    word = models.CharField(max_length=100)
    folded = models.CharField(max_length=200)
    action = models.CharField(max_length=7, choices=Action.choices)
    value = models.CharField(max_length=300, blank=True, default="")  # the other word, the address or the tag
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("folded", "action"), name="watched_word_once"),)

    def __str__(self) -> str:
        return self.word


class ModerationRules(models.Model):
    """What staff sets for the whole portal; one row."""

    attack_until = models.DateTimeField(null=True)
    closed_mail_hosts = models.TextField(blank=True, default="")  # disposable ones, one a line
    words_version = models.PositiveIntegerField(default=0)  # another one whenever watched words change

    def __str__(self) -> str:
        return "rules"

    @property
    def under_attack(self) -> bool:
        return self.attack_until is not None and self.attack_until > timezone.now()

    @classmethod
    def current(cls) -> "ModerationRules":
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class SeenText(models.Model):
    """That somebody wrote a text of this digest: the same again within minutes is refused, anywhere."""

    text_hash = models.CharField(max_length=64)
    author = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (
            models.Index(fields=("text_hash", "at"), name="seen_text"),
            models.Index(fields=("author", "at"), name="seen_text_of"),
            models.Index(fields=("at",), name="seen_text_age"),
        )

    def __str__(self) -> str:
        return f"{self.text_hash} at {self.at}"


class SeenHost(models.Model):
    """That somebody linked to a host on a day, and how often."""

    host = models.CharField(max_length=200)
    author = models.ForeignKey(User, models.CASCADE, related_name="+")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("host", "author", "day"), name="seen_host_once"),)
        indexes = (models.Index(fields=("host", "day"), name="seen_host"),)

    def __str__(self) -> str:
        return f"{self.host} by {self.author_id}"
