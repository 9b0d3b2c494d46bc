"""Which models and versions a reader put beside each other, and which of their evaluations stand for them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from leaderboard.models import Evaluation
from models_hub import browsing, permissions
from models_hub.browsing import RepoMoved, RepoNotFound, RevisionNotFound
from models_hub.models import Commit, Repo
from portal.errors import InvalidInput, NotFound
from portal.models import Asker

MOST = 5
MAX_NAME = 300
_COMMA = re.compile("[,，、]")  # between names that were typed into one field
MAX_EVALUATIONS = 2000  # that are looked through, the newest first


@dataclass(frozen=True)
class Chosen:
    """A model as it is now, or one of its versions."""

    model: Repo
    revision: str = ""
    commit: Commit | None = None  # what the revision names

    @property
    def name(self) -> str:
        return f"{self.model.full_name}@{self.revision}" if self.revision else self.model.full_name

    @property
    def path(self) -> str:
        return f"{self.model.path}/tree/{self.revision}" if self.revision else self.model.path

    @property
    def is_current(self) -> bool:
        return self.commit is None


def choose(names: Iterable[str], user: Asker) -> list[Chosen]:
    """Return what `owner/name` and `owner/name@revision` mean, each once.

    Raises NotFound, the same for what is missing and what is hidden, and InvalidInput for more than MOST of them.
    """
    split = [part.strip()[:MAX_NAME] for name in names for part in _COMMA.split(name[: MOST * MAX_NAME])]
    wanted = list(dict.fromkeys(part for part in split if part))
    if len(wanted) > MOST:
        raise InvalidInput(_("At most %(n)d models can be compared at once.") % {"n": MOST})
    found = [_chosen(name, user) for name in wanted]
    return list({one.name: one for one in found}.values())


def address_of(chosen: Iterable[Chosen], **more: str) -> str:
    """Return the address under which others see the same."""
    pairs = [("model", one.name) for one in chosen] + [(key, value) for key, value in more.items() if value]
    return f"/compare?{urlencode(pairs, safe='/@')}"


def evaluations_of(chosen: Sequence[Chosen], user: Asker) -> list[dict[int, Evaluation]]:
    """Return for each its evaluations by benchmark, in two queries: those that a board would take.

    For a model that is the latest of its current weights, else the latest; for a version the latest of its commit,
    else of its weights. What was taken off the boards is left out.
    """
    seen = Evaluation.objects.visible_to(user).finished().filter(removal__isnull=True)
    rows = (
        seen.filter(model__in={one.model.pk for one in chosen})
        .with_head_weights()
        .only("model_id", "benchmark_id", "commit_oid", "weights_digest")
        .order_by("-id")[:MAX_EVALUATIONS]
    )
    best: list[dict[int, tuple[int, int]]] = [{} for _one in chosen]  # benchmark: (how well it fits, id)
    for row in rows:
        for place, one in enumerate(chosen):
            if fit := _fit(one, row):
                best[place][row.benchmark_id] = max(best[place].get(row.benchmark_id, (0, 0)), (fit, row.pk))
    wanted = {pk for held in best for _fit, pk in held.values()}
    loaded = (
        Evaluation.objects.filter(pk__in=wanted)
        .select_related("model__namespace", "benchmark__dataset__namespace", "items", "predictions")
        .defer("per_class", "confusion", "provenance", "versions")
        .with_head_weights()
        .in_bulk()
    )
    return [{benchmark: loaded[pk] for benchmark, (_fit, pk) in held.items() if pk in loaded} for held in best]


def _fit(one: Chosen, row: Evaluation) -> int:
    """Say how well an evaluation stands for what was chosen; 0 where it does not."""
    if row.model_id != one.model.pk:
        return 0
    if one.commit is None:
        return 1 if row.is_outdated else 2
    if row.commit_oid == one.commit.oid:
        return 2
    return int(bool(row.weights_digest) and row.weights_digest == one.commit.weights_digest)


def _chosen(name: str, user: Asker) -> Chosen:
    full, _at, revision = name.partition("@")
    owner, _slash, short = full.partition("/")
    try:
        model = browsing.visible_repo(user, kind=Repo.Kind.MODEL, namespace=owner, name=short)
    except RepoMoved as moved:
        model = moved.repo
    except RepoNotFound as error:
        raise _missing(name) from error
    if permissions.is_tombstone(model) and not permissions.may_open_tombstone(user, model):
        raise _missing(name)
    if not revision:
        return Chosen(model)
    try:
        return Chosen(model, revision, browsing.resolve_revision(model, revision))
    except RevisionNotFound as error:
        raise NotFound(error.message, code=error.code) from error


def _missing(name: str) -> NotFound:
    return NotFound(_("There is no model “%(name)s”.") % {"name": name[:100]}, code="repo_not_found")
