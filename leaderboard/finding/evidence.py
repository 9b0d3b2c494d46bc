"""What is known of models for a task: the newest verified scores of their present weights, one row each."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet

from leaderboard.finding.asked import MB, Asked
from leaderboard.models import Benchmark, Contamination, Evaluation, Standing, Suite
from leaderboard.normalising import floor_among, normalised
from leaderboard.task_kinds import KINDS
from models_hub.models import Repo
from models_hub.models.repos import UNRANKED
from portal.models import Asker

MAX_BENCHMARKS = 60
UNSCORED = 10
# The task that cards name for models which a kind of benchmark can measure.
TAGS: dict[str, tuple[str, ...]] = {
    "text-pair-classification": ("text-classification",),
    "multi-label-classification": ("text-classification",),
    "text-regression": ("text-classification",),
    "sentence-similarity": ("sentence-similarity", "feature-extraction"),
    "text-retrieval": ("sentence-similarity", "feature-extraction"),
    "text-ranking": ("text-ranking", "text-classification"),
    "language-modeling": ("text-generation",),
    "multiple-choice": ("text-generation",),
    "minimal-pairs": ("text-generation",),
}
MODEL_COLUMNS = (
    "kind", "name", "lower", "private", "gated", "namespace__name", "namespace__lower", "parameters", "size",
    "memory_bytes", "license", "license_class", "formats", "precisions", "head", "languages", "task",
)  # fmt: skip


@dataclass(frozen=True)
class Score:
    """One verified score, on its own scale and normalised, with what was measured beside it."""

    evaluation: int
    benchmark: Benchmark
    value: float
    normalised: float
    error: float  # the standard error of `normalised`, from the score's own interval
    per_unit: float  # how much `normalised` moves with one unit of the metric
    contamination: str
    items: str  # the digest of what is kept of its examples, "" where nothing is

    @property
    def url(self) -> str:
        return f"/evaluations/{self.evaluation}"


Scores = Mapping[int, Score]  # by benchmark
Times = Mapping[int, Sequence[tuple[str, float]]]  # by model: machines and milliseconds


@dataclass(frozen=True)
class Evidence:
    """The benchmarks that count, and of each model its scores on them."""

    benchmarks: Sequence[Benchmark]
    models: Mapping[int, Repo]
    scores: Mapping[int, Scores]


def benchmarks_of(asked: Asked, user: Asker) -> list[Benchmark]:
    """Return the approved benchmarks of a task that the user may see, in the languages asked for."""
    rows = Benchmark.objects.visible_to(user).filter(task=asked.task, standing=Standing.APPROVED)
    rows = rows.exclude(dataset__restriction__level__gte=UNRANKED)
    kind, _colon, key = asked.on.partition(":")
    if kind == "board":
        rows = rows.filter(suites__in=Suite.objects.current().filter(slug=key))
    elif kind == "benchmark":
        rows = rows.filter(pk=int(key)) if key.isdecimal() and len(key) < 19 else rows.none()
    else:
        rows = rows.current()
    found = list(rows.select_related("dataset__namespace").order_by("-id")[:MAX_BENCHMARKS])
    if not asked.languages:
        return found
    return [one for one in found if set(map(str, one.dataset.languages)) & set(asked.languages)]


def gather(asked: Asked, user: Asker) -> Evidence:
    """Collect all scores that count, in three queries however many models there are."""
    benchmarks = {one.pk: one for one in benchmarks_of(asked, user)}
    scores: dict[int, dict[int, Score]] = defaultdict(dict)
    if benchmarks:
        for row in _rows(benchmarks, user):
            scores[row[1]][row[2]] = _score(row, benchmarks[row[2]])
    models = Repo.objects.filter(pk__in=list(scores)).select_related("namespace").only(*MODEL_COLUMNS)
    return Evidence(list(benchmarks.values()), {model.pk: model for model in models}, scores)


def times_of(models: Iterable[int], benchmarks: Iterable[Benchmark], user: Asker) -> Times:
    """Return what one answer took in the middle, as it was measured beside the scores; one query.

    Reports are long, so that they are read only of models whose speed somebody asks for. What a machine measured that
    was busy with something else tells nothing of the model.
    """
    rows = _scored(benchmarks, user).filter(model__in=list(models)).order_by("id")
    found: dict[int, list[tuple[str, float]]] = defaultdict(list)
    wanted = ("model_id", "report__device_name", "report__latency__p50_ms", "report__busy")
    for model, machine, latency, is_busy in rows.values_list(*wanted):
        if isinstance(machine, str) and isinstance(latency, int | float) and not is_busy:
            found[model].append((machine, float(latency)))
    return found


def machines_of(times: Times) -> list[str]:
    """Return the machines that speed was measured on, those of most scores first."""
    names = Counter(machine for row in times.values() for machine, _time in row)
    return [name for name, _count in names.most_common()]


def unscored(asked: Asked, user: Asker, evidence: Evidence) -> list[Repo]:
    """Return the newest models made for the task, within the limits that cards and files tell, that have no score."""
    rows = Repo.objects.visible_to(user).listed().filter(kind=Repo.Kind.MODEL)
    rows = rows.filter(task__in=TAGS.get(asked.task, (asked.task,)), parameters__isnull=False)
    heads = (Q(architecture__endswith=head) for head in KINDS[asked.task].heads)
    rows = rows.filter(next(heads) if len(KINDS[asked.task].heads) == 1 else _any(heads))
    if asked.memory_mb is not None:
        rows = rows.filter(memory_bytes__lte=asked.memory_mb * MB)
    if asked.disk_mb is not None:
        rows = rows.filter(size__lte=asked.disk_mb * MB)
    if asked.licences:
        rows = rows.filter(license_class__in=asked.licences)
    for language in asked.languages[:1]:
        rows = rows.labelled(language)
    rows = rows.exclude(pk__in=_scored(evidence.benchmarks, user).values("model_id"))
    return list(rows.latest()[:UNSCORED])


def _any(conditions: Iterable[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found


def _scored(benchmarks: Iterable[Benchmark], user: Asker) -> "QuerySet[Evaluation]":
    """Scores of present weights that nobody took off, without those whose test rows were found in the training."""
    seen = Evaluation.objects.visible_to(user).finished().filter(benchmark__in=[one.pk for one in benchmarks])
    clean = seen.filter(removal__isnull=True).exclude(model__restriction__level__gte=UNRANKED)
    clean = clean.exclude(contamination=Contamination.MEASURED)
    return clean.with_head_weights().filter(weights_digest=F("head_weights"))


def _rows(benchmarks: Mapping[int, Benchmark], user: Asker) -> Iterable[tuple[Any, ...]]:
    """Of two scores of the same model and benchmark the later one comes last: the newest counts, never the best."""
    return (
        _scored(benchmarks.values(), user)
        .order_by("id")
        .values_list(
            "id", "model_id", "benchmark_id", "value", "low", "high", "floors", "contamination", "items__sha256",
        )
    )  # fmt: skip


def _score(row: tuple[Any, ...], benchmark: Benchmark) -> Score:
    pk, _model, _benchmark, value, low, high, floors, contamination, items = row
    metric = benchmark.primary_metric
    floor = floor_among(floors, metric)
    per_unit = normalised(1.0, floor, metric) - normalised(0.0, floor, metric)
    spread = abs(high - low) / 2 / 1.96 if low is not None and high is not None else 0.0
    return Score(
        evaluation=pk,
        benchmark=benchmark,
        value=value,
        normalised=normalised(value, floor, metric),
        error=abs(per_unit) * spread,
        per_unit=per_unit,
        contamination=contamination,
        items=items or "",
    )
