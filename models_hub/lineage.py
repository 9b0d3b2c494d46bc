"""Which models were made from which: parents and children by what was done to them, some levels up and down.

The labels `base_model:<relation>:<name>` are the edges. What the reader may not see is as if it were elsewhere.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Count

from models_hub import describing, former_names
from models_hub.counting import Counts
from models_hub.describing import RELATIONS
from models_hub.models import Label, Repo, RepoQuerySet
from portal.models import Asker

MAX_UP = 6
MAX_DOWN = 4
MAX_AT_ONCE = 60  # of one level


@dataclass
class Relative:
    """A model in the tree, and what was done to make it; `repo` is None for one that is not here to be seen."""

    name: str
    relation: str
    repo: Repo | None = None
    others: "list[Relative]" = field(default_factory=list)
    seen_before: bool = False


@dataclass
class Family:
    """Parents and children of one model, each with their own in turn; `is_cut` when a level had too many."""

    parents: list[Relative]
    children: list[Relative]
    is_cut: bool = False


def parents(repo: Repo, user: Asker) -> list[Relative]:
    """Return the models that this one was made from, found by their present or a former name."""
    bases = describing.base_models(repo.card, repo.config)
    relation = describing.relation(repo.card, Counts(formats=repo.formats, counted=repo.counted), bases)
    here = former_names.found_by(bases, among=_visible(user))
    return [_relative(name, relation, here) for name in bases]


def count_children(repo: Repo, user: Asker) -> dict[str, int]:
    """Count by relation the models that the reader may see and that were made from this one."""
    rows = Label.objects.filter(
        text__in=_labels(former_names.names_of([repo])), repo__in=_visible(user).exclude(pk=repo.pk)
    )
    counts: Counter[str] = Counter()
    for text, number in rows.order_by().values_list("text").annotate(Count("id")):
        counts[text.split(":", 2)[1]] += number
    return {relation: counts[relation] for relation in RELATIONS if counts[relation]}


def family(repo: Repo, user: Asker) -> Family:
    """Return the tree around a model; the queries grow with its levels, which are few, and not with its width."""
    found = Family(parents(repo, user), [])
    seen, level = {repo.pk}, found.parents
    for _step in range(MAX_UP - 1):
        level = _climb(level, seen, user)
        if not level:
            break
    above, seen = seen, {repo.pk}
    whole = Relative(repo.full_name, "", repo)
    level = [whole]
    for _step in range(MAX_DOWN):
        level, is_cut = _descend(level, seen | above, user)
        seen |= {one.repo.pk for one in level if one.repo}
        found.is_cut |= is_cut
        if not level:
            break
    found.children = whole.others
    return found


def _climb(level: list[Relative], seen: set[int], user: Asker) -> list[Relative]:
    """Give each model of a level its parents, and return these; who was met before is not followed again."""
    known = []
    for one in level:
        one.seen_before = one.repo is not None and one.repo.pk in seen
        if one.repo is not None and not one.seen_before:
            seen.add(one.repo.pk)
            known.append(one)
    found = _parents_of([one.repo for one in known if one.repo], user) if known else {}
    for one in known:
        assert one.repo is not None
        one.others = found.get(one.repo.pk, [])
    return [parent for one in known for parent in one.others][:MAX_AT_ONCE]


def _descend(level: list[Relative], seen: set[int], user: Asker) -> tuple[list[Relative], bool]:
    """Give each model of a level its children, and return these, and whether there are more than can be shown."""
    by_repo = {one.repo.pk: one for one in level if one.repo}
    named = former_names.names_of([one.repo for one in level if one.repo])
    by_name = {name: by_repo[repo.pk] for name, repo in named.items()}
    rows = Label.objects.filter(text__in=_labels(by_name), repo__in=_visible(user)).select_related("repo__namespace")
    made = list(rows.order_by("-repo__downloads", "-repo_id")[: MAX_AT_ONCE + 1])
    found, met = [], set(seen)
    for row in made[:MAX_AT_ONCE]:
        _word, relation, name = row.text.split(":", 2)
        child = Relative(row.repo.full_name, relation, row.repo, seen_before=row.repo_id in met)
        by_name[name].others.append(child)
        if not child.seen_before:
            met.add(row.repo_id)
            found.append(child)
    return found, len(made) > MAX_AT_ONCE


def _parents_of(repos: Iterable[Repo], user: Asker) -> dict[int, list[Relative]]:
    """Return the parents of each repository by its id, in three queries whatever their number."""
    rows = Label.objects.filter(repo__in=list(repos), text__startswith="base_model:").order_by("id")
    edges = []
    for repo_id, text in rows.values_list("repo_id", "text"):
        _word, relation, name = [*text.split(":", 2), ""][:3]
        if relation in RELATIONS and name:
            edges.append((repo_id, relation, name))
    here = former_names.found_by([name for _repo, _relation, name in edges[:MAX_AT_ONCE]], among=_visible(user))
    found: dict[int, list[Relative]] = {}
    for repo_id, relation, name in edges[:MAX_AT_ONCE]:
        found.setdefault(repo_id, []).append(_relative(name, relation, here))
    return found


def _relative(name: str, relation: str, here: Mapping[str, Repo]) -> Relative:
    repo = here.get(name.lower())
    return Relative(repo.full_name if repo else name, relation, repo)


def _visible(user: Asker) -> RepoQuerySet:
    return Repo.objects.visible_to(user).filter(kind=Repo.Kind.MODEL)


def _labels(names: Iterable[str]) -> list[str]:
    return [f"base_model:{relation}:{name}" for name in names for relation in RELATIONS]
