"""Whom the hub puts forward for the awards of a season: the best new model, the best recipe, the best data set."""

from collections.abc import Iterator

from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from models_hub import badge_rules, former_names
from models_hub.models import Label, Repo, RepoQuerySet
from portal import seasons
from portal.models import Award, BadgeEvidence, Season
from portal.seasons import CANDIDATES, Candidate

SMALL = 7_000_000_000


def register() -> None:
    seasons.nominate(Award.Kind.MODEL, models)
    seasons.nominate(Award.Kind.RECIPE, recipes)
    seasons.nominate(Award.Kind.DATASET, datasets)


def models(season: Season) -> Iterator[Candidate]:
    """Yield the models of the season with the best score."""
    found = _new(season, Repo.Kind.MODEL).filter(best_score__isnull=False, parameters__lte=SMALL)
    for repo in found.order_by("-best_score", "id")[:CANDIDATES]:
        yield from _candidate(repo, repo.best_score or 0.0, _("best score of a benchmark, 0 to 100"))


def recipes(season: Season) -> Iterator[Candidate]:
    """Yield the fine-tuned models of the season that say how they were made, those with the best score first."""
    keys = BadgeEvidence.objects.standing().filter(badge="honest-finetuner").values_list("key", flat=True)
    told = [int(key.removeprefix("repo:")) for key in keys]
    found = _new(season, Repo.Kind.MODEL).filter(pk__in=told)
    for repo in found.order_by(F("best_score").desc(nulls_last=True), "-likes", "id")[:CANDIDATES]:
        yield from _candidate(repo, repo.best_score or 0.0, _("best score of a benchmark, 0 to 100"))


def datasets(season: Season) -> Iterator[Candidate]:
    """Yield the data sets of the season that most models of others name."""
    repos = list(_new(season, Repo.Kind.DATASET).order_by("-downloads", "-id")[:200])
    names = former_names.names_of(repos) if repos else {}
    texts = {f"dataset:{name}": repo for name, repo in names.items()}
    public = badge_rules.standing(Repo.objects.filter(kind=Repo.Kind.MODEL))
    users: dict[Repo, set[int]] = {}
    rows = Label.objects.filter(text__in=texts, repo__in=public).select_related("repo__namespace")
    for label in rows:
        dataset, owner = texts[label.text], badge_rules.owner_of(label.repo)
        if owner is not None and owner != badge_rules.owner_of(dataset):
            users.setdefault(dataset, set()).add(owner)
    for dataset, owners in users.items():
        yield from _candidate(dataset, float(len(owners)), _("authors whose models name it"))


def _new(season: Season, kind: str) -> RepoQuerySet:
    """Return public repositories that began in the season."""
    began = Q(created_at__gte=season.starts_at, created_at__lt=season.ends_at)
    return badge_rules.standing(Repo.objects.filter(began, kind=kind)).select_related("namespace")


def _candidate(repo: Repo, value: float, text: str | Promise) -> Iterator[Candidate]:
    owner = badge_rules.owner_of(repo)
    if owner is not None:
        yield Candidate(owner, f"repo:{repo.pk}", value, text)
