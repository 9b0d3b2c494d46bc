"""What a run reads beside its model and its data: which repositories a wish names, and what its row keeps of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from models_hub import permissions
from models_hub.models import DEFAULT_BRANCH, Commit, Repo, Run, RunAid
from portal.errors import InvalidInput

MAX_NAME = 200
Role = RunAid.Role
MODEL, DATASET, REVISION, FILE = "model", "dataset", "revision", "file"
# What of a wish tells which repository is meant.
NAMES = frozenset({MODEL, DATASET, REVISION, FILE})


@dataclass(frozen=True, kw_only=True)
class Named:
    """One repository that a wish names for something."""

    role: str
    kind: str
    name: str
    revision: str
    path: str = ""


@dataclass(frozen=True, kw_only=True)
class Aid:
    """The same, found, at a commit."""

    role: str
    repo: Repo
    commit: Commit
    path: str = ""


def read_named(values: Any, role: str) -> dict[str, Any]:
    """Return {"model", "revision"} with every name in the form of one; raises InvalidInput."""
    if not isinstance(values, Mapping) or not set(values) <= {MODEL, REVISION}:
        raise InvalidInput(
            _("“%(name)s” must be an object of “model” and “revision”.") % {"name": role}, data={"field": role}
        )
    return {MODEL: read_name(values.get(MODEL), role), REVISION: read_revision(values, role)}


def read_name(value: Any, role: str) -> str:
    """Return the name of a repository; raises InvalidInput."""
    owner, _slash, rest = value.partition("/") if isinstance(value, str) and len(value) <= MAX_NAME else ("", "", "")
    if not owner or not rest or "/" in rest:
        raise InvalidInput(
            _("“%(name)s” must be the name of a repository, owner/name.") % {"name": role}, data={"field": role}
        )
    return str(value)


def read_revision(values: Mapping[str, Any], role: str) -> str:
    """Return the revision that is named, else the default branch; raises InvalidInput."""
    value = values.get(REVISION) or DEFAULT_BRANCH
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise InvalidInput(
            _("“%(name)s” must be a text of at most %(max)d characters.") % {"name": REVISION, "max": MAX_NAME},
            data={"field": role},
        )
    return value


def named_in(
    teacher: Mapping[str, Any], helpers: Mapping[str, Mapping[str, Any]], unlabelled: Mapping[str, str]
) -> Iterable[Named]:
    """Yield what a wish names."""
    models: dict[str, Mapping[str, Any]] = {Role.TEACHER: teacher} if teacher else {}
    for role, one in {**models, **helpers}.items():
        revision = one.get(REVISION, DEFAULT_BRANCH)
        yield Named(role=str(role), kind=Repo.Kind.MODEL, name=one[MODEL], revision=revision)
    if unlabelled:
        yield Named(
            role=Role.UNLABELLED,
            kind=Repo.Kind.DATASET,
            name=unlabelled[DATASET],
            revision=unlabelled[REVISION],
            path=unlabelled[FILE],
        )


def keep(run: Run, found: Iterable[Aid]) -> None:
    """Write down what a run reads, in the transaction that makes it."""
    RunAid.objects.bulk_create(
        RunAid(run=run, role=one.role, repo=one.repo, commit=one.commit.oid, path=one.path) for one in found
    )


def of(run: Run) -> dict[str, RunAid]:
    """Return what a run reads, by role."""
    return {aid.role: aid for aid in run.aids.select_related("repo__namespace")}


def are_readable(run: Run) -> bool:
    """Whether the owner of a run may still read all that it is made of; what was deleted is not asked about."""
    made_of = [run.base, run.data, *(aid.repo for aid in of(run).values())]
    wanted = {repo.pk for repo in made_of if repo is not None}
    seen = list(Repo.objects.visible_to(run.owner).filter(pk__in=wanted).select_related("namespace"))
    return len(seen) == len(wanted) and all(permissions.can_download(run.owner, repo) for repo in seen)


def as_named(aid: RunAid) -> dict[str, str]:
    """Return a model, or a file of a data set, as a wish names it."""
    name = aid.repo.full_name if aid.repo else ""
    if aid.role == Role.UNLABELLED:
        return {DATASET: name, REVISION: aid.commit, FILE: aid.path}
    return {MODEL: name, REVISION: aid.commit}


def read_by(run: Run) -> list[int]:
    """Return the ids of all repositories that a run reads."""
    return sorted({pk for pk in (run.base_id, run.data_id) if pk} | ids_of([run]))


def ids_of(runs: Iterable[Run]) -> set[int]:
    """Return the ids of all repositories that these runs read so; one query."""
    rows = RunAid.objects.filter(run__in=[run.pk for run in runs], repo__isnull=False)
    return {pk for pk in rows.values_list("repo_id", flat=True) if pk is not None}
