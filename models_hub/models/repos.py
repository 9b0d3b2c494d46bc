"""Repositories: a model or a data set with a name, an owner and what its card says."""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from portal.models import Asker, Namespace, User

ZERO_OID = "0" * 40
DEFAULT_BRANCH = "main"
MAX_WORDS = 8  # of one search


class RepoQuerySet(models.QuerySet["Repo"]):
    def visible_to(self, user: Asker) -> "RepoQuerySet":
        """Public repositories, and private ones of the user and of the user's organizations."""
        if not user.is_authenticated:
            return self.filter(private=False)
        if user.is_superuser:
            return self
        return self.filter(
            Q(private=False)
            | Q(namespace__user_id=user.pk)
            | Q(
                namespace__organization_id__in=user.memberships.values("organization_id"),
            )
        )

    def named(self, kind: str, namespace: str, name: str) -> "RepoQuerySet":
        return self.filter(kind=kind, namespace__lower=namespace.lower(), lower=name.lower())

    def latest(self) -> "RepoQuerySet":  # type: ignore[override]
        return self.select_related("namespace").order_by("-updated_at", "-id")

    def owned_by(self, namespace: str) -> "RepoQuerySet":
        return self.filter(namespace__lower=namespace.lower())

    def labelled(self, *labels: str) -> "RepoQuerySet":
        """Those that bear every one of these labels, such as `license:mit` or `en`."""
        found = self
        for label in labels:
            found = found.filter(labels__text=label)
        return found

    def matching(self, text: str) -> "RepoQuerySet":
        """Those whose `namespace/name` holds every word of `text`, whatever the case."""
        found = self.annotate(full_lower=Concat(F("namespace__lower"), Value("/"), F("lower")))
        for word in text.lower().split()[:MAX_WORDS]:
            found = found.filter(full_lower__contains=word)
        return found


class Repo(models.Model):
    """A repository. Card fields are read from README.md of the default branch at each commit to it."""

    class Kind(models.TextChoices):
        MODEL = "model", _("model")
        DATASET = "dataset", _("data set")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="repos")
    name = models.CharField(max_length=96)
    lower = models.CharField(max_length=96)
    private = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now_add=True)
    head = models.CharField(max_length=40, default=ZERO_OID)

    # Declared in the card.
    task = models.CharField(max_length=80, blank=True)
    library = models.CharField(max_length=80, blank=True)
    license = models.CharField(max_length=80, blank=True)
    languages = models.JSONField(default=list)
    tags = models.JSONField(default=list)
    card = models.JSONField(default=dict)
    # Read from config.json: architectures and model_type.
    config = models.JSONField(default=dict)
    # Counted by us.
    parameters = models.BigIntegerField(null=True)
    dtypes = models.JSONField(default=dict)
    size = models.BigIntegerField(default=0)
    downloads = models.BigIntegerField(default=0)
    likes = models.BigIntegerField(default=0)

    objects = RepoQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "namespace", "lower"), name="repo_name_once"),)
        indexes = (
            models.Index(fields=("kind", "-updated_at", "-id"), name="repo_latest"),
            models.Index(fields=("kind", "task", "-updated_at", "-id"), name="repo_task_latest"),
        )

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.namespace.name}/{self.name}"

    @property
    def path(self) -> str:
        """The address of the repository's page, without host: `/alice/bert` or `/datasets/alice/cars`."""
        return f"/datasets/{self.full_name}" if self.kind == self.Kind.DATASET else f"/{self.full_name}"

    @property
    def is_model(self) -> bool:
        return self.kind == self.Kind.MODEL
