"""Webhooks: an address that is told what happens to the repositories its owner watches."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from models_hub.models.repos import Repo, RepoQuerySet
from portal.models import Event, Namespace, Organization, User
from portal.reach import Reach, names_repos, reach_of

DOMAINS = ("repo", "discussion")
TARGETS = ("user", "org", "model", "dataset", "space", "bucket")
KEEP_DELIVERIES = timedelta(days=30)


def _given_to(user: User) -> Q:
    """Return what targets must meet to be owners or repositories that a limited token was given."""
    reach, given = reach_of(user) or Reach(), Q(pk__in=[])
    for space in Namespace.objects.filter(pk__in=list(reach.namespaces)).values_list("lower", flat=True):
        given |= Q(type__in=("user", "org"), lower=space) | Q(lower__startswith=f"{space}/")
    repos = Repo.objects.filter(pk__in=list(reach.repos)).values_list("kind", "namespace__lower", "lower")
    for kind, space, name in repos:
        given |= Q(type=kind, lower=f"{space}/{name}")
    return given


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def watching(self, *, owner: str, kind: str, name: str) -> "WebhookQuerySet":
        """Those that watch the repository `name`, which is `owner/name`, or its owner."""
        watched = Q(type__in=("user", "org"), lower=owner.lower()) | Q(type=kind, lower=name.lower())
        return self.filter(pk__in=WebhookTarget.objects.filter(watched).values("webhook_id"))

    def within(self, user: User) -> "WebhookQuerySet":
        """Those that a token which was given certain repositories may look after: they watch nothing else."""
        if not names_repos(user):
            return self
        return self.exclude(pk__in=WebhookTarget.objects.exclude(_given_to(user)).values("webhook_id"))

    def in_use(self) -> "WebhookQuerySet":
        """Those that are switched on and whose owner is there: a person who is active, or an organization."""
        return self.filter(Q(organization__isnull=False) | Q(owner__is_active=True), disabled=False)


class Webhook(models.Model):
    """One address and what it is told about. It is a person's, or an organization's, whose admins look after it."""

    owner = models.ForeignKey(User, models.CASCADE, null=True, related_name="webhooks")
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="webhooks")
    url = models.URLField(_("address"), max_length=1000)
    domains = models.JSONField(default=list)
    sealed_secret = models.TextField(blank=True, editable=False)
    disabled = models.BooleanField(default=False)
    disabled_reason = models.CharField(max_length=300, blank=True)  # stored in English, translated where shown
    site = models.CharField(max_length=200, blank=True)  # the portal's address, as its owner knows it
    failures = models.PositiveIntegerField(default=0)  # in a row
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(owner__isnull=True) ^ Q(organization__isnull=True), name="webhook_of_one_owner"
            ),
        )

    def __str__(self) -> str:
        return self.url

    def seen_repos(self) -> RepoQuerySet:
        """What it may be told of: what its owner sees; of an organization what is public, and all of its own."""
        if self.owner is not None:
            return Repo.objects.visible_to(self.owner)
        own = Q(private=False) | Q(namespace__organization=self.organization_id)
        return Repo.objects.filter(own, deleted_at__isnull=True)

    @property
    def public_id(self) -> str:
        return f"{self.pk:024x}"


class WebhookTarget(models.Model):
    """One person, organization or repository that a webhook watches; it need not exist (yet)."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="targets")
    type = models.CharField(max_length=8, choices=[(name, name) for name in TARGETS])
    name = models.CharField(max_length=200)
    lower = models.CharField(max_length=200)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("webhook", "type", "lower"), name="webhook_target_once"),)
        indexes = (models.Index(fields=("lower", "type"), name="webhook_target_name"),)

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def expired(self) -> "WebhookDeliveryQuerySet":
        """Those that nobody will look at any more."""
        return self.filter(created_at__lt=timezone.now() - KEEP_DELIVERIES)


class WebhookDelivery(models.Model):
    """One event on its way to one webhook, and how that went."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")
        DROPPED = "dropped", _("not sent")

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, models.CASCADE, related_name="+")
    scope = models.CharField(max_length=40)
    action = models.CharField(max_length=10)
    is_repeat = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)
    reason = models.CharField(max_length=300, blank=True)  # stored in English, translated where shown
    body = models.TextField(blank=True)  # what was sent
    answer = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=("webhook", "-id"), name="webhook_delivery_latest"),
            models.Index(fields=("created_at",), name="webhook_delivery_age"),
        )

    def __str__(self) -> str:
        return f"{self.scope} {self.action} to {self.webhook_id}: {self.state}"
