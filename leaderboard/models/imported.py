"""Results that other boards publish of models here. Nobody computed them here, and nothing ranks them."""

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.functional import cached_property

from leaderboard.models.suites import Suite
from models_hub.models import Repo
from portal.models import Asker, Decision, User

MAX_TEXT = 120
MAX_ADDRESS = 500


class ImportedResultQuerySet(models.QuerySet["ImportedResult"]):
    def visible_to(self, user: Asker) -> "ImportedResultQuerySet":
        """Results of models that the user may see, without what moderation hid."""
        return self.filter(model__in=Repo.objects.visible_to(user), is_hidden=False)

    def public(self) -> "ImportedResultQuerySet":
        """Results of models that anybody may see, whoever asks."""
        return self.filter(model__in=Repo.objects.visible_to(AnonymousUser()).listed(), is_hidden=False)


class ImportedResult(models.Model):
    """One number of another board, with the address where it stands."""

    model = models.ForeignKey(Repo, models.CASCADE, related_name="imported_results")
    board = models.CharField(max_length=MAX_TEXT)
    url = models.CharField(max_length=MAX_ADDRESS)
    task = models.CharField(max_length=MAX_TEXT)  # what was measured there: a data set, or the name of a column
    metric = models.CharField(max_length=MAX_TEXT)
    value = models.FloatField()
    date = models.DateField(null=True)  # of the result, as it is stated there
    # The board of this portal beside which it may be shown, if one was chosen.
    suite = models.ForeignKey(Suite, models.SET_NULL, null=True, related_name="imported_results")
    entered_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    is_hidden = models.BooleanField(default=False)
    hidden_by = models.ForeignKey(Decision, models.SET_NULL, null=True, related_name="+")

    objects = ImportedResultQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("model", "url", "task", "metric"), name="imported_result_once"),)
        indexes = (
            models.Index(fields=("model", "-id"), name="imported_of_model"),
            models.Index(fields=("suite", "-id"), name="imported_beside_board"),
        )

    def __str__(self) -> str:
        return f"{self.board}: {self.task}"

    def get_absolute_url(self) -> str:
        return f"{self.model.path}/evaluations#imported-{self.pk}"

    @cached_property
    def number(self) -> str:
        """The value without digits that say nothing."""
        return f"{self.value:.6g}"
