"""Names that repositories had before."""

from django.db import models

from models_hub.models.repos import Repo
from portal.models import Namespace


class RepoAlias(models.Model):
    """A former name, which leads to the repository wherever it is now, until a new repository takes the name."""

    kind = models.CharField(max_length=8, choices=Repo.Kind.choices)
    namespace = models.ForeignKey(Namespace, models.CASCADE, related_name="repo_aliases")
    lower = models.CharField(max_length=96)
    name = models.CharField(max_length=96, default="")  # as it was written; older rows have none
    repo = models.ForeignKey(Repo, models.CASCADE, related_name="aliases")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "namespace", "lower"), name="repo_alias_once"),)

    def __str__(self) -> str:
        return f"{self.namespace_id}/{self.lower}"
