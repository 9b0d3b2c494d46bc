"""What scores prove of people: models that were loaded or beat their base, benchmarks in use, runs that agree.

Only what anybody may see counts, and no score that moderation took off the boards.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.db.models import F

from leaderboard import normalising
from leaderboard.models import Benchmark, Contamination, Evaluation, EvaluationQuerySet, Reproduction
from leaderboard.models.reviewed import Standing
from leaderboard.task_kinds import lower_is_better
from models_hub import badge_rules as hub
from models_hub import former_names
from models_hub.models import Label, Repo
from portal import evidence
from portal.evidence import Fact

SAFE = frozenset({"safetensors", "gguf"})
USED, USERS = 10, 5  # finished evaluations of a benchmark, and by how many others
GUARD_POINTS = 2.0
TOUCHED = frozenset({Contamination.MEASURED, Contamination.DECLARED, Contamination.INHERITED})


def register() -> None:
    for kind, source in {
        "evaluation.reproduced": reproduced,
        "reproduction.agreed": agreed,
        "benchmark.approved": approved,
        "safe-format": loaded,
        "beats-base": better,
        "quantizer": quantized,
        "evaluator": evaluators,
        "reproducer": agreed,
        "benchmark-builder": used,
    }.items():
        evidence.provide(kind, source)


def ranked() -> EvaluationQuerySet:
    """Return finished evaluations that anybody may see and that count on boards."""
    return Evaluation.objects.public().finished().filter(removal__isnull=True, model__deleted_at__isnull=True)


def reproduced(people: Collection[int]) -> Iterator[Fact]:
    """Yield evaluations that others ran once more with the same answers, each with the first who did."""
    runs = Reproduction.objects.finished().filter(
        evaluation__in=ranked().filter(requested_by__in=people),
        prediction_digest=F("evaluation__prediction_digest"),
        requested_by__isnull=False,
    )
    found = [
        Fact(run.evaluation.requested_by_id, f"evaluation:{run.evaluation_id}", run.finished_at, run.requested_by_id)
        for run in runs.select_related("evaluation").order_by("id")
        if run.evaluation.requested_by_id is not None and run.finished_at is not None
    ]
    yield from _once(evidence.apart(found))


def evaluators(people: Collection[int]) -> Iterator[Fact]:
    """Yield the same for the badge, which also needs the configuration and the answers to be kept."""
    facts = {int(fact.key.removeprefix("evaluation:")): fact for fact in reproduced(people)}
    kept = Evaluation.objects.filter(pk__in=facts, predictions__isnull=False).exclude(provenance={})
    yield from (facts[pk] for pk in kept.values_list("pk", flat=True))


def agreed(people: Collection[int]) -> Iterator[Fact]:
    """Yield evaluations of others that these people ran once more, with a score within the interval."""
    runs = Reproduction.objects.finished().filter(
        requested_by__in=people, evaluation__in=ranked(), evaluation__requested_by__isnull=False
    )
    found, owners = [], {}
    for run in runs.select_related("evaluation__model__namespace").order_by("id"):
        one, by = run.evaluation, run.requested_by_id
        if by is not None and run.finished_at is not None and _is_within(run, one):
            fact = Fact(by, f"evaluation:{one.pk}", run.finished_at, one.requested_by_id)
            found.append(fact)
            owners[fact.key] = hub.owner_of(one.model)
    bad = evidence.close({(fact.user, owner) for fact in found if (owner := owners[fact.key]) is not None})
    yield from _once(fact for fact in evidence.apart(found) if (fact.user, owners[fact.key]) not in bad)


def approved(people: Collection[int]) -> Iterator[Fact]:
    """Yield benchmarks that somebody else approved."""
    rows = Benchmark.objects.filter(
        registered_by__in=people, standing=Standing.APPROVED, decided_by__isnull=False, dataset__private=False
    ).exclude(decided_by=F("registered_by"))
    for row in rows:
        if row.registered_by_id is not None and row.decided_at is not None:
            yield Fact(row.registered_by_id, f"benchmark:{row.pk}", row.decided_at, row.decided_by_id)


def used(people: Collection[int]) -> Iterator[Fact]:
    """Yield approved benchmarks that enough others used."""
    benchmarks = Benchmark.objects.filter(
        registered_by__in=people, standing=Standing.APPROVED, dataset__private=False
    ).in_bulk()
    uses: dict[int, list[Fact]] = defaultdict(list)
    for one in (
        ranked()
        .filter(benchmark__in=benchmarks, requested_by__isnull=False)
        .only("benchmark_id", "requested_by_id", "finished_at")
    ):
        author = benchmarks[one.benchmark_id].registered_by_id
        if author is not None and one.finished_at is not None and evidence.has_settled(one.finished_at):
            uses[one.benchmark_id].append(Fact(author, f"evaluation:{one.pk}", one.finished_at, one.requested_by_id))
    for pk, facts in uses.items():
        counted = evidence.honest(facts)
        if len(counted) >= USED and len({fact.giver for fact in counted}) >= USERS:
            yield Fact(counted[0].user, f"benchmark:{pk}", benchmarks[pk].created_at)


def loaded(people: Collection[int]) -> Iterator[Fact]:
    """Yield models in safe formats that a worker has loaded as they are now."""
    models = [repo for repo in hub.public_of(people, Repo.Kind.MODEL) if repo.formats and set(repo.formats) <= SAFE]
    own = {repo.pk: repo for repo in hub.with_own_weights(models)}
    for pk, one in _first_of_present(own.values()).items():
        assert one.finished_at is not None
        yield hub.fact_of(own[pk], one.finished_at)


def better(people: Collection[int]) -> Iterator[Fact]:
    """Yield fine-tuned models that beat their base and are nowhere much worse."""
    for child, base in _with_bases(people, ("finetune", "adapter", "merge")):
        for one, other in child.shared(base):
            others = [pair for pair in child.shared(base) if pair[0].pk != one.pk]
            if others and _is_clean(one) and _is_better(one, other) and all(_is_guarded(*pair) for pair in others):
                assert one.finished_at is not None
                yield hub.fact_of(child.repo, one.finished_at)
                break


def quantized(people: Collection[int]) -> Iterator[Fact]:
    """Yield quantized models that are smaller and were measured beside their base."""
    for child, base in _with_bases(people, ("quantized",)):
        measured = [one for one, _other in child.shared(base) if one.report.get("examples_per_second")]
        if child.repo.size < base.repo.size and measured and measured[0].finished_at is not None:
            yield hub.fact_of(child.repo, measured[0].finished_at)


@dataclass(frozen=True)
class _Measured:
    """A model with the latest evaluation of its present weights on each benchmark."""

    repo: Repo
    scores: dict[int, Evaluation]

    def shared(self, other: "_Measured") -> list[tuple[Evaluation, Evaluation]]:
        return [(self.scores[pk], other.scores[pk]) for pk in sorted(self.scores.keys() & other.scores.keys())]


def _with_bases(people: Collection[int], relations: Collection[str]) -> Iterator[tuple[_Measured, _Measured]]:
    """Yield these people's models that had their weights first, each with a base of other weights; both measured."""
    models = {repo.pk: repo for repo in hub.with_own_weights(list(hub.public_of(people, Repo.Kind.MODEL)))}
    edges = []
    for label in Label.objects.filter(repo__in=models, text__startswith="base_model:"):
        _word, relation, name = [*label.text.split(":", 2), ""][:3]
        if relation in relations and name:
            edges.append((label.repo_id, name.lower()))
    public = hub.standing(Repo.objects.filter(kind=Repo.Kind.MODEL))
    bases = former_names.found_by([name for _pk, name in edges], among=public) if edges else {}
    everything = {**models, **{repo.pk: repo for repo in bases.values()}}
    scores = _present_scores(everything.values()) if bases else {}
    done = set()
    for pk, name in edges:
        base = bases.get(name)
        if base is not None and base.pk != pk and pk not in done and scores.get(pk) and scores.get(base.pk):
            done.add(pk)
            yield _Measured(models[pk], scores[pk]), _Measured(base, scores[base.pk])


def _present_scores(repos: Iterable[Repo]) -> dict[int, dict[int, Evaluation]]:
    digests = hub.weights_of(repos)
    found: dict[int, dict[int, Evaluation]] = defaultdict(dict)
    rows = ranked().filter(model__in=digests).select_related("benchmark").order_by("id")
    for one in rows.defer("per_class", "confusion", "details", "metrics"):
        if one.weights_digest == digests[one.model_id]:
            found[one.model_id][one.benchmark_id] = one
    return found


def _first_of_present(repos: Iterable[Repo]) -> dict[int, Evaluation]:
    digests = hub.weights_of(repos)
    found: dict[int, Evaluation] = {}
    rows = Evaluation.objects.public().finished().filter(model__in=digests).order_by("id")
    for one in rows.only("model_id", "weights_digest", "finished_at"):
        if one.weights_digest == digests[one.model_id]:
            found.setdefault(one.model_id, one)
    return found


def _once(found: Iterable[Fact]) -> Iterator[Fact]:
    seen = set()
    for fact in found:
        if (fact.user, fact.key) not in seen:
            seen.add((fact.user, fact.key))
            yield fact


def _is_within(run: Reproduction, one: Evaluation) -> bool:
    if run.prediction_digest == one.prediction_digest:
        return True
    low, high = one.low, one.high
    return run.value is not None and low is not None and high is not None and low <= run.value <= high


def _is_clean(one: Evaluation) -> bool:
    """Nothing is known of training on these rows, or nobody can have trained on them."""
    return not one.benchmark.test_is_public or one.contamination not in TOUCHED


def _is_better(one: Evaluation, base: Evaluation) -> bool:
    if one.low is None or one.high is None or base.value is None:
        return False
    return one.high < base.value if lower_is_better(one.benchmark.primary_metric) else one.low > base.value


def _is_guarded(one: Evaluation, base: Evaluation) -> bool:
    metric = one.benchmark.primary_metric
    floor = normalising.floor_of(base, metric)
    # A constraint: finished evaluations have one.
    assert one.value is not None
    assert base.value is not None
    now, before = (normalising.normalised(value, floor, metric) for value in (one.value, base.value))
    return now >= before - GUARD_POINTS
