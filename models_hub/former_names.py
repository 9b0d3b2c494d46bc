"""All names under which repositories of one kind are found: the present ones, and those they or their owners had."""

from collections.abc import Collection, Iterable, Mapping

from django.db.models import Q

from models_hub.models import Repo, RepoAlias, RepoQuerySet
from portal.models import FormerName

MAX_NAMES = 30  # of one repository


def found_by(names: Iterable[str], *, among: RepoQuerySet) -> dict[str, Repo]:
    """Return the repositories that have, or had, these names, by the name in small letters."""
    wanted = {name.lower() for name in names if name.count("/") == 1}
    found = _present(wanted, among)
    missing = wanted - found.keys()
    if missing:
        found |= _aliases(missing, among)
        found |= _under_former_owners(missing - found.keys(), among)
    return found


def names_of(repos: Iterable[Repo]) -> dict[str, Repo]:
    """Return repositories of one kind by every name that leads to them, as it was written.

    A former name that another repository has taken since leads to that one, and is left out.
    """
    shown = list(repos)
    aliases: dict[int, list[RepoAlias]] = {}
    for alias in RepoAlias.objects.filter(repo__in=shown).select_related("namespace").order_by("-id"):
        aliases.setdefault(alias.repo_id, []).append(alias)
    owners = {repo.namespace_id for repo in shown} | {one.namespace_id for rows in aliases.values() for one in rows}
    former: dict[int, list[str]] = {}
    for row in FormerName.objects.filter(namespace__in=owners).order_by("-id"):
        former.setdefault(row.namespace_id, []).append(row.name or row.lower)
    found: dict[str, Repo] = {}
    for repo in shown:
        places = [(repo.namespace, repo.name)]
        places += [(alias.namespace, alias.name or alias.lower) for alias in aliases.get(repo.pk, [])]
        names = [f"{owner}/{name}" for space, name in places for owner in (space.name, *former.get(space.pk, []))]
        found |= dict.fromkeys(names[:MAX_NAMES], repo)
    return _without_taken(found)


def _present(names: Collection[str], among: RepoQuerySet) -> dict[str, Repo]:
    if not names:
        return {}
    return {repo.full_name.lower(): repo for repo in among.filter(_named(names)).select_related("namespace")}


def _aliases(names: Collection[str], among: RepoQuerySet) -> dict[str, Repo]:
    rows = RepoAlias.objects.filter(_named(names), repo__in=among)
    return {
        f"{row.namespace.lower}/{row.lower}": row.repo for row in rows.select_related("namespace", "repo__namespace")
    }


def _under_former_owners(names: Collection[str], among: RepoQuerySet) -> dict[str, Repo]:
    owners = {name.partition("/")[0] for name in names}
    rows = FormerName.objects.filter(lower__in=owners) if owners else FormerName.objects.none()
    present: Mapping[str, str] = dict(rows.values_list("lower", "namespace__lower"))
    now: dict[str, str] = {}
    for name in names:
        owner, _slash, last = name.partition("/")
        if owner in present:
            now[name] = f"{present[owner]}/{last}"
    if not now:
        return {}
    found = _aliases(now.values(), among) | _present(now.values(), among)
    return {name: found[other] for name, other in now.items() if other in found}


def _without_taken(found: dict[str, Repo]) -> dict[str, Repo]:
    former = {name.lower() for name, repo in found.items() if name.lower() != repo.full_name.lower()}
    if not former:
        return found
    kind = next(iter(found.values())).kind
    taken = _present(former, Repo.objects.filter(kind=kind))
    return {name: repo for name, repo in found.items() if taken.get(name.lower(), repo).pk == repo.pk}


def _named(names: Collection[str]) -> Q:
    condition = Q(pk__in=())
    for name in names:
        owner, _slash, last = name.partition("/")
        condition |= Q(namespace__lower=owner, lower=last)
    return condition
