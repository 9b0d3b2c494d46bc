"""What runs look like in the REST API, and what is sent to ask for one."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from models_hub.adapting import aids, asking, converting, seeing
from models_hub.models import DEFAULT_BRANCH, Repo, Run
from portal.api.inputs import StrictInput
from portal.api.shapes import JobShape
from portal.models import Asker


class RunInput(StrictInput):
    """A run that is asked for; what the values mean, `GET /api/v1/runs/options` says."""

    task = serializers.CharField(max_length=60)
    base = serializers.CharField(max_length=200, default="", allow_blank=True, help_text="owner/name of a model")
    base_revision = serializers.CharField(max_length=200, default=DEFAULT_BRANCH)
    architecture = serializers.DictField(default=dict, help_text="Sizes of a new model, where there is no base.")
    dataset = serializers.CharField(max_length=200, source="data", help_text="owner/name of a data set")
    data_revision = serializers.CharField(max_length=200, default=DEFAULT_BRANCH)
    files = serializers.DictField(child=serializers.CharField(max_length=200), help_text="train, and dev and test")
    fields = serializers.DictField(child=serializers.CharField(max_length=200), default=dict)  # type: ignore[assignment]
    labels = serializers.ListField(child=serializers.CharField(max_length=256), default=list, max_length=1000)
    recipe = serializers.DictField(default=dict)
    teacher = serializers.DictField(
        default=dict,
        help_text="A model whose answers are learned too: model and revision, or run; temperature, alpha, keep_layers.",
    )
    helpers = serializers.DictField(
        child=serializers.DictField(),
        default=dict,
        help_text="Models that write training rows otherwise: words for augment_fill, there and back for augment_back.",
    )
    unlabelled = serializers.DictField(
        child=serializers.CharField(max_length=200),
        default=dict,
        help_text="Rows that the model labels itself in pseudo_rounds: dataset, revision and file.",
    )
    dev_share = serializers.FloatField(default=0.1)
    test_share = serializers.FloatField(default=0.1)
    seed = serializers.IntegerField(default=0)
    target = serializers.CharField(max_length=200, help_text="owner/name of the model that is to be")
    title = serializers.CharField(max_length=200, default="", allow_blank=True)
    only_check = serializers.BooleanField(default=False, help_text="Check the data and train nothing.")


class PublicationInput(StrictInput):
    """How a result is shown to everybody."""

    names = serializers.BooleanField(
        default=True,
        help_text="false writes the card anew without the names of what others cannot see, and removes the version "
        "that has them.",
    )


class ConversionInput(StrictInput):
    """An export (`format`) or a compression (`method`) that is asked for."""

    base = serializers.CharField(max_length=200, help_text="owner/name of a model")
    base_revision = serializers.CharField(max_length=200, default=DEFAULT_BRANCH)
    target = serializers.CharField(max_length=200, help_text="owner/name of the model that is to be")
    format = serializers.CharField(default="", allow_blank=True, help_text="onnx, gguf or safetensors")
    method = serializers.CharField(default="", allow_blank=True, help_text="quantize, layers, heads or vocabulary")
    precisions = serializers.ListField(child=serializers.CharField(max_length=20), default=list, max_length=10)
    keep_layers = serializers.IntegerField(default=None, allow_null=True)
    keep_heads = serializers.IntegerField(default=None, allow_null=True)
    least_count = serializers.IntegerField(default=1)
    task = serializers.CharField(max_length=60, default="", allow_blank=True)
    dataset = serializers.CharField(max_length=200, source="data", default="", allow_blank=True)
    data_revision = serializers.CharField(max_length=200, default=DEFAULT_BRANCH)
    files = serializers.DictField(child=serializers.CharField(max_length=200), default=dict)
    fields = serializers.DictField(child=serializers.CharField(max_length=200), default=dict)  # type: ignore[assignment]
    labels = serializers.ListField(child=serializers.CharField(max_length=256), default=list, max_length=1000)
    seed = serializers.IntegerField(default=0)
    title = serializers.CharField(max_length=200, default="", allow_blank=True)


def shape_context(runs: Sequence[Run], reader: Asker) -> dict[str, Any]:
    """Return what the shapes of runs must know of their reader."""
    return {"seen": seeing.seen(runs, reader), "own": seeing.own(runs, reader)}


class RunShape(serializers.ModelSerializer[Run]):
    """A run in short. Names of repositories that the reader may not see are null."""

    owner = serializers.SlugRelatedField[Any]("username", read_only=True)
    state = serializers.CharField()
    url = serializers.CharField(source="get_absolute_url")
    job = serializers.SerializerMethodField()
    base = serializers.SerializerMethodField(help_text="The model that it begins from.")
    dataset = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField(help_text="The model that it made.")
    score = serializers.DictField(source="main_score", help_text="The main metric on the test part.")
    study = serializers.IntegerField(source="study_id", allow_null=True)

    class Meta:
        model = Run
        fields: tuple[str, ...] = (
            "id", "kind", "title", "url", "owner", "state", "task", "base", "base_commit", "dataset", "data_commit",
            "files", "target", "result", "result_commit", "result_pull", "value", "score", "study", "number",
            "is_pruned", "job", "created_at", "finished_at",
        )  # fmt: skip

    def get_job(self, run: Run) -> dict[str, Any] | None:
        """Jobs are their owner's affair."""
        return JobShape(run.job).data if run.job is not None and run.pk in self.context["own"] else None

    def get_base(self, run: Run) -> str | None:
        return self._name(run.base)

    def get_dataset(self, run: Run) -> str | None:
        return self._name(run.data)

    def get_result(self, run: Run) -> str | None:
        return self._name(run.result)

    def _name(self, repo: Repo | None) -> str | None:
        return repo.full_name if repo is not None and repo.pk in self.context["seen"] else None


class WholeRunShape(RunShape):
    """A run with all that is needed to ask for it again, and all that was found."""

    aids = serializers.SerializerMethodField(help_text="What else it reads, by role: a teacher and the like.")
    wish = serializers.SerializerMethodField(help_text="What to send to get the same again; for its owner.")

    class Meta(RunShape.Meta):
        fields = (
            *RunShape.Meta.fields, "fields", "settings", "recipe", "architecture", "options", "seed", "data_report",
            "summary", "scores", "aids", "wish",
        )  # fmt: skip

    def get_aids(self, run: Run) -> dict[str, str | None]:
        return {role: self._name(aid.repo) for role, aid in aids.of(run).items()}

    def get_wish(self, run: Run) -> dict[str, Any] | None:
        if run.pk not in self.context["own"]:
            return None
        is_training = run.kind == Run.Kind.FINETUNE
        wish = asking.wish_of(run).as_json() if is_training else converting.as_json(converting.wish_of(run))
        return {("dataset" if name == "data" else name): value for name, value in wish.items()}


class PointsShape(serializers.Serializer[Any]):
    """Records of the log of a run, and whether more can come."""

    points = serializers.ListField(child=serializers.DictField())
    is_over = serializers.BooleanField()
