"""What is known of a model's training and the rows of a benchmark: what cards declare, and what was measured.

Nothing here accuses. A data set that a card names may have been used by its training part alone, and a row that is
found again may be a common sentence. Where no card says anything, the answer is “unknown”.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from leaderboard.catalogue.entries import entries
from leaderboard.models import Benchmark, BoardState, Contamination, Evaluation, EvaluationQuerySet, Overlap
from models_hub import cards, former_names, lineage
from models_hub.models import Repo
from portal.models import Asker

MAX_ANCESTORS = 12
MAX_DEPTH = 6
MAX_DATASETS = 50
MAX_EVALUATIONS = 500
ORDER = [Contamination.MEASURED, Contamination.DECLARED, Contamination.INHERITED, Contamination.NOT_FOUND]


@dataclass(frozen=True)
class Finding:
    """One thing that is known; `parent` is the model whose card says so, None for the model itself."""

    level: Contamination
    name: str  # of the data set, as the card writes it
    dataset: Repo | None
    parent: str | None = None
    overlap: Overlap | None = None


@dataclass(frozen=True)
class Report:
    """All that a reader may know of a model and a benchmark, the strongest first."""

    level: Contamination
    findings: list[Finding]
    declared: list[str]  # every data set that the model or a parent names


def report_on(model: Repo, benchmark: Benchmark, user: Asker) -> Report:
    """Return what the cards and comparisons say that the user may see."""
    said = [(parent, name) for parent, card in _cards(model, user) for name in _named(card)][:MAX_DATASETS]
    own = names_of(benchmark)
    visible = Repo.objects.visible_to(user).filter(kind=Repo.Kind.DATASET)
    here = former_names.found_by([name for _parent, name in said], among=visible) if said else {}
    overlaps = _overlaps(benchmark, here.values(), user) if here else {}
    found = []
    for parent, name in said:
        dataset = here.get(name.lower())
        overlap = overlaps.get(dataset.pk) if dataset else None
        is_it = name.lower() in own or (dataset is not None and dataset.pk == benchmark.dataset_id)
        if overlap is not None and overlap.shared:
            found.append(Finding(Contamination.MEASURED, name, dataset, parent, overlap))
        if is_it:
            level = Contamination.INHERITED if parent else Contamination.DECLARED
            found.append(Finding(level, name, dataset, parent))
        if overlap is not None and not overlap.shared:
            found.append(Finding(Contamination.NOT_FOUND, name, dataset, parent, overlap))
    found.sort(key=lambda finding: ORDER.index(finding.level))
    nothing = Contamination.NOT_FOUND if said else Contamination.UNKNOWN
    level = found[0].level if found else nothing
    return Report(level, found, list(dict.fromkeys(name for _parent, name in said)))


def names_of(benchmark: Benchmark) -> set[str]:
    """Return every name of the benchmark's data set in small letters, those it is published under elsewhere too."""
    names = set(former_names.names_of([benchmark.dataset]))
    names |= {name.rpartition("|")[2] for name in cards.texts(benchmark.dataset.card.get("source_datasets") or [])}
    for entry in entries().values():
        if entry.title == benchmark.name:
            hubs = {source.hub for source in entry.sources if source.hub}
            # Cards of before name well-known sets without their owner.
            names |= hubs | {hub.rpartition("/")[2] for hub in hubs}
    return {name.lower() for name in names} - {"original", "extended", ""}


def note(evaluations: Iterable[Evaluation]) -> None:
    """Keep with evaluations what anybody may know of them: boards and lists read it."""
    known: dict[tuple[int, int], Contamination] = {}
    for evaluation in evaluations:
        pair = (evaluation.model_id, evaluation.benchmark_id)
        if pair not in known:
            known[pair] = report_on(evaluation.model, evaluation.benchmark, AnonymousUser()).level
        if evaluation.contamination != known[pair]:
            Evaluation.objects.filter(pk=evaluation.pk).update(contamination=known[pair])
            BoardState.objects.mark(models=[evaluation.model_id], entries__benchmark=evaluation.benchmark_id)


def note_repo(repo_id: int) -> None:
    """Keep it anew where a card may have changed, or what anybody may see."""
    repo = Repo.objects.select_related("namespace").filter(pk=repo_id).first()
    if repo is None:  # with it went what was compared, and whose parent it was
        gone = (Contamination.MEASURED, Contamination.INHERITED)
        note(_rows().filter(contamination__in=gone).order_by("-id")[:MAX_EVALUATIONS])
    elif repo.is_model:
        note_model(repo)
    else:
        for benchmark in Benchmark.objects.filter(overlaps__dataset=repo).select_related("dataset").distinct():
            note_benchmark(benchmark)


def note_model(repo: Repo) -> None:
    """Keep it anew for a model and those that were made from it."""
    made_from_it = Repo.objects.filter(labels__text__in=_as_parent(repo)).values("pk")
    note(_rows().filter(Q(model=repo) | Q(model__in=made_from_it)).order_by("-id")[:MAX_EVALUATIONS])


def note_benchmark(benchmark: Benchmark) -> None:
    """Keep it anew for all models that were measured on a benchmark."""
    note(_rows().filter(benchmark=benchmark).order_by("-id")[:MAX_EVALUATIONS])


def datasets_named(model: Repo, user: Asker) -> list[Repo]:
    """Return the data sets of this hub that a model's own card names and the user may see."""
    visible = Repo.objects.visible_to(user).filter(kind=Repo.Kind.DATASET)
    return list({repo.pk: repo for repo in former_names.found_by(_named(model.card), among=visible).values()}.values())


def _rows() -> EvaluationQuerySet:
    return Evaluation.objects.finished().select_related("model__namespace", "benchmark__dataset__namespace")


def _cards(model: Repo, user: Asker) -> Iterator[tuple[str | None, dict[str, object]]]:
    """Yield the model's card and those of the models that it was made from, as far as the user may see them."""
    yield None, model.card
    seen, level = {model.pk}, [model]
    for _step in range(MAX_DEPTH):
        above = [one for repo in level if _has_base(repo) for one in lineage.parents(repo, user)]
        level = []
        for relative in above:
            if relative.repo is not None and relative.repo.pk not in seen and len(seen) <= MAX_ANCESTORS:
                seen.add(relative.repo.pk)
                level.append(relative.repo)
                yield relative.name, relative.repo.card
        if not level:
            return


def _has_base(repo: Repo) -> bool:
    return bool(repo.card.get("base_model") or repo.config.get("peft"))


def _named(card: dict[str, object]) -> list[str]:
    return cards.texts(card.get("datasets") or [], MAX_DATASETS)


def _as_parent(repo: Repo) -> list[str]:
    return [f"base_model:{name}" for name in former_names.names_of([repo])]


def _overlaps(benchmark: Benchmark, datasets: Iterable[Repo], user: Asker) -> dict[int, Overlap]:
    """Return the newest comparison with each data set."""
    rows = Overlap.objects.visible_to(user).finished().filter(benchmark=benchmark)
    ids = [dataset.pk for dataset in datasets]
    return {row.dataset_id: row for row in rows.filter(dataset__in=ids).order_by("id")}
