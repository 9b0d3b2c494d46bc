"""Repositories: a model, a data set or a Space with a name, an owner and what its card says."""

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from portal.models import Asker, Namespace, User
from portal.reach import Reach, is_limited, reach_of

ZERO_OID = "0" * 40
DEFAULT_BRANCH = "main"
MAX_WORDS = 8  # of one search
UNRANKED = 1  # from this level of models_hub/models/restrictions.py on, lists leave it out


def _known_or(name: str, otherwise: int) -> Func:
    """A column with a number for what is not known, which is part of the text: SQLite compares it with its indexes."""
    kind = models.FloatField() if name == "best_score" else models.BigIntegerField()
    return Func(F(name), template=f"COALESCE(%(expressions)s, {otherwise})", output_field=kind)


# By what lists sort where some repositories have no number: those come last.
BEST_SCORE = _known_or("best_score", -1)
MOST_PARAMETERS = _known_or("parameters", -1)
FEWEST_PARAMETERS = _known_or("parameters", 2**62)


def _given_to(user: User) -> Q:
    reach = reach_of(user) or Reach()
    return Q(namespace_id__in=list(reach.namespaces)) | Q(pk__in=list(reach.repos))


class RepoQuerySet(models.QuerySet["Repo"]):
    def visible_to(self, user: Asker) -> "RepoQuerySet":
        """Public repositories, and private ones of the user and of the user's organizations.

        Of the private ones, a limited token shows only those that it was given.
        """
        if not user.is_authenticated:
            return self.filter(private=False)
        if is_limited(user):
            return self.filter(Q(private=False) | _given_to(user))._visible_to_owner(user)
        return self._visible_to_owner(user)

    def given_to(self, user: User) -> "RepoQuerySet":
        """Those that the limited token was given which speaks for the user; of anybody else it must not be asked."""
        return self.filter(_given_to(user))

    def listed(self) -> "RepoQuerySet":
        """Those that lists, search and boards may name: without what moderation has taken off them."""
        return self.exclude(restriction__level__gte=UNRANKED)

    def _visible_to_owner(self, user: User) -> "RepoQuerySet":
        there = self.filter(deleted_at__isnull=True)
        if user.is_superuser:
            return there
        return there.filter(
            Q(private=False)
            | Q(namespace__user_id=user.pk)
            | Q(
                namespace__organization_id__in=user.memberships.values("organization_id"),
            )
        )

    def named(self, kind: str, namespace: str, name: str) -> "RepoQuerySet":
        return self.owned_by(namespace).filter(kind=kind, lower=name.lower()) if "\x00" not in name else self.none()

    def formerly_named(self, kind: str, namespace: str, name: str) -> "RepoQuerySet":
        """The repository that had this name before, or whose owner had, unless another one has it now."""
        owner, name = namespace.lower(), name.lower()
        of_owner = Q(aliases__namespace__lower=owner) | Q(aliases__namespace__former_names__lower=owner)
        moved = Q(aliases__kind=kind, aliases__lower=name) & of_owner
        renamed = Q(kind=kind, lower=name, namespace__former_names__lower=owner)
        return self.filter(moved | renamed).distinct()

    def latest(self) -> "RepoQuerySet":  # type: ignore[override]
        return self.select_related("namespace").order_by("-updated_at", "-id")

    def owned_by(self, namespace: str) -> "RepoQuerySet":
        # No database need be asked for a name that none could hold.
        return self.none() if "\x00" in namespace else self.filter(namespace__lower=namespace.lower())

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
        SPACE = "space", _("Space")

    class Gate(models.TextChoices):
        """Who may download: everybody, whoever asks, or whom the owner accepts."""

        OPEN = "", _("open")
        AUTO = "auto", _("automatic")
        MANUAL = "manual", _("by hand")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="repos")
    name = models.CharField(max_length=96)
    lower = models.CharField(max_length=96)
    private = models.BooleanField(default=False)
    gated = models.CharField(max_length=6, choices=Gate.choices, default=Gate.OPEN, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now_add=True)
    head = models.CharField(max_length=40, default=ZERO_OID)
    # Set while its owner may still want it back; it is private and has no name then, see trash.py.
    deleted_at = models.DateTimeField(null=True)

    # Declared in the card.
    task = models.CharField(max_length=80, blank=True)
    library = models.CharField(max_length=80, blank=True)
    license = models.CharField(max_length=80, blank=True)
    # What the licence allows, see licences.py; "unknown" where none is declared.
    license_class = models.CharField(max_length=16, default="unknown")
    languages = models.JSONField(default=list)
    tags = models.JSONField(default=list)
    card = models.JSONField(default=dict)
    # Read from the text of the card: its first paragraph, and the first BibTeX entry.
    description = models.TextField(blank=True, default="")
    citation = models.TextField(blank=True, default="")
    has_card = models.BooleanField(default=False)  # a README.md that says more than its metadata
    # Read from config.json: architectures and model_type.
    config = models.JSONField(default=dict)
    # Counted by us.
    parameters = models.BigIntegerField(null=True)
    dtypes = models.JSONField(default=dict)
    size = models.BigIntegerField(default=0)
    # Read from config.json, else from a GGUF header: see counting.py. `counted` has what no list filters by.
    architecture = models.CharField(max_length=80, blank=True, default="")
    model_type = models.CharField(max_length=80, blank=True, default="")
    context_length = models.BigIntegerField(null=True)
    vocabulary = models.BigIntegerField(null=True)
    formats = models.JSONField(default=list)
    precisions = models.JSONField(default=list)
    # What the smallest complete set of weights takes in memory; None for adapters, which need another model too.
    memory_bytes = models.BigIntegerField(null=True)
    counted = models.JSONField(default=dict)
    # The version of the rules by which all this was read; `describe_repos` reads older ones anew.
    described_with = models.PositiveSmallIntegerField(default=0)
    # `downloads` are those of the last 30 days.
    downloads = models.BigIntegerField(default=0)
    downloads_all_time = models.BigIntegerField(default=0)
    likes = models.BigIntegerField(default=0)
    # The best normalised score of a public benchmark that its present weights reached, 0 to 100: see the leaderboard.
    best_score = models.FloatField(null=True)
    # Attention that halves every week, as its logarithm at a fixed day: see trending.py.
    trend = models.FloatField(default=0)

    objects = RepoQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "namespace", "lower"), name="repo_name_once"),)
        indexes = (
            models.Index(fields=("kind", "-updated_at", "-id"), name="repo_latest"),
            models.Index(fields=("kind", "task", "-updated_at", "-id"), name="repo_task_latest"),
            models.Index(fields=("kind", "-trend", "-id"), name="repo_trending"),
            models.Index(fields=("kind", "-downloads", "-id"), name="repo_downloads"),
            models.Index(fields=("kind", "-likes", "-id"), name="repo_likes"),
            models.Index(fields=("kind", "-created_at", "-id"), name="repo_newest"),
            models.Index(F("kind"), BEST_SCORE.desc(), F("id").desc(), name="repo_best_score"),
            models.Index(F("kind"), MOST_PARAMETERS.desc(), F("id").desc(), name="repo_largest"),
            models.Index(F("kind"), FEWEST_PARAMETERS, F("id"), name="repo_smallest"),
            models.Index(fields=("kind", "lower", "id"), name="repo_by_name"),
        )

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.namespace.name}/{self.name}"

    @property
    def path(self) -> str:
        """The address of the repository's page, without host: `/alice/bert`, `/datasets/alice/cars`."""
        return f"/{self.full_name}" if self.is_model else f"/{self.kind}s/{self.full_name}"

    @property
    def is_model(self) -> bool:
        return self.kind == self.Kind.MODEL

    @property
    def is_space(self) -> bool:
        return self.kind == self.Kind.SPACE
