"""Whom and what a text names: people, organizations, repositories, evaluations, jobs, topics.

What is named is looked up once, when the text is written, with the eyes of its author; whoever reads it later is
shown what that reader may see, see showing.py. Words in code name nothing, and quoted ones call nobody.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Lower

from forum.models import Topic
from models_hub.models import Repo
from portal import subjects
from portal.models import Asker, Membership, Namespace, User

# So many different words of a text are looked up.
MAX_WORDS = 60
MAX_MEMBERS = 50  # of an organization that is called as one
_MENTION = re.compile(r"(?<![\w/@.\-])@(\w[\w.-]{0,95})", re.ASCII)
_PLACE = re.compile(r"(?<![\w/.:@\-])(?:(https?://[\w.:\-]{1,100}))?(/[\w][\w./\-]{1,200})(#post-\d{1,9})?", re.ASCII)
_NUMBER = re.compile(r"(?<![\w&/#])#([1-9]\d{0,8})(?![\w-])", re.ASCII)
_QUOTED = re.compile(r"\s*>\s*@(\w[\w.-]{0,95})\b.{0,300}#post-\d", re.ASCII)
_CODE = re.compile(r"`[^`]*`")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_KEYS = (
    (re.compile(r"/evaluations/(\d{1,18})"), "evaluation"),
    (re.compile(r"/jobs/(\d{1,18})"), "job"),
    (re.compile(r"/benchmarks/(\d{1,18})"), "benchmark"),
    (re.compile(r"/forum/t/(\d{1,18})(?:/[\w-]*)?"), "topic"),
)
_REPO = re.compile(r"/(?:(dataset|space)s/)?([\w][\w.-]*)/([\w][\w.-]*)(?:/discussions/(\d{1,9})|(/.*))?")


@dataclass(frozen=True)
class Named:
    """People who are called and quoted, by id; `links` has for each word of the text its key and its address."""

    mentions: tuple[int, ...] = ()
    quotes: tuple[int, ...] = ()
    links: dict[str, tuple[str, str]] = field(default_factory=dict)


def named_in(text: str, *, by: Asker, repo: Repo | None) -> Named:
    """Return what a text names that is there for its author; a few queries, none for a text that names nothing."""
    called, quoted, places, numbers = _words(text)
    links = _places(places, by) | (_numbers(numbers, repo) if repo else {})
    people, accounts = _accounts([*called, *quoted], by)
    links |= accounts
    mentions = _ids(called, people)
    quotes = [pk for pk in _ids(quoted, people) if pk not in mentions]
    return Named(tuple(mentions), tuple(quotes), links)


def called_in(text: str) -> list[str]:
    """Return the names that a text calls, whether or not they are anybody's."""
    return _words(text)[0]


def _words(text: str) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return the names called, the names quoted, the addresses and the numbers of a text, each once."""
    called: dict[str, None] = {}
    quoted: dict[str, None] = {}
    places: dict[str, None] = {}
    numbers: dict[str, None] = {}
    for line in _lines(text):
        if found := _QUOTED.match(line):
            quoted[found[1].rstrip(".-").lower()] = None
        elif not line.lstrip().startswith(">"):
            called |= {one[1].rstrip(".-").lower(): None for one in _MENTION.finditer(line)}
        places |= {one[0].rstrip("./-"): None for one in _PLACE.finditer(line)}
        numbers |= {one[1]: None for one in _NUMBER.finditer(line)}
    return tuple(list(each)[:MAX_WORDS] for each in (called, quoted, places, numbers))  # type: ignore[return-value]


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text without its code."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence):
                fence = ""
        elif found:
            fence = found[1]
        else:
            yield _CODE.sub(" ", line)


def _ids(names: Iterable[str], people: dict[str, list[int]]) -> list[int]:
    return list(dict.fromkeys(pk for name in names for pk in people.get(name, ())))


def _accounts(names: list[str], by: Asker) -> tuple[dict[str, list[int]], dict[str, tuple[str, str]]]:
    """Return who is meant by each name, and the words that lead to accounts.

    An organization is called by its members alone: others only link to it.
    """
    people: dict[str, list[int]] = {}
    links: dict[str, tuple[str, str]] = {}
    found = Namespace.objects.filter(lower__in=names).exclude(user__is_active=False) if names else ()
    for namespace in found:
        links[f"@{namespace.lower}"] = ("", f"/{namespace.name}")
        if namespace.user_id:
            people[namespace.lower] = [namespace.user_id]
        elif namespace.organization_id:
            people[namespace.lower] = _fellows(namespace.organization_id, by)
    return people, links


def _fellows(organization: int, by: Asker) -> list[int]:
    members = Membership.objects.filter(organization=organization, user__is_active=True)
    if not isinstance(by, User) or not members.filter(user=by).exists():
        return []
    return list(members.exclude(user=by).order_by("pk").values_list("user_id", flat=True)[:MAX_MEMBERS])


def _places(places: list[str], by: Asker) -> dict[str, tuple[str, str]]:
    """Return the addresses that lead to something, with its key."""
    hosts = _hosts() if any(not place.startswith("/") for place in places) else set()
    paths: dict[str, str] = {}
    for place in places:
        if place.startswith("/"):
            paths[place] = place
        elif (parts := urlsplit(place)).netloc.lower() in hosts:
            paths[place] = parts.path + (f"#{parts.fragment}" if parts.fragment else "")
    keys = {path: key for path in paths.values() if (key := _key(path))}
    seen = subjects.describe(keys.values(), by) if keys else {}
    links = {place: (keys[path], path) for place, path in paths.items() if keys.get(path) in seen}
    rest = {place: path for place, path in paths.items() if path not in keys}
    return links | _repositories(rest, by)


def _key(path: str) -> str:
    path = path.partition("#")[0]
    return next((f"{kind}:{found[1]}" for pattern, kind in _KEYS if (found := pattern.fullmatch(path))), "")


def _repositories(paths: dict[str, str], by: Asker) -> dict[str, tuple[str, str]]:
    """Return the addresses of repositories, of their revisions, and of their discussions."""
    wanted = {place: found for place, path in paths.items() if (found := _REPO.fullmatch(path.partition("#")[0]))}
    names = {place: _repo_name(found) for place, found in wanted.items()}
    if not names:
        return {}
    either = Q()
    for kind, namespace, name in names.values():
        either |= Q(kind=kind, namespace__lower=namespace, lower=name)
    repos = Repo.objects.visible_to(by).filter(either).select_related("namespace")
    by_name = {(repo.kind, repo.namespace.lower, repo.lower): repo for repo in repos}
    there = {place: by_name[name] for place, name in names.items() if name in by_name}
    talks = _talks({(there[place].pk, int(found[4])) for place, found in wanted.items() if found[4] and place in there})
    links = {}
    for place, repo in there.items():
        number = wanted[place][4]
        key = talks.get((repo.pk, int(number)), "") if number else f"repo:{repo.pk}"
        if key:
            links[place] = (key, paths[place])
    return links


def _repo_name(found: re.Match[str]) -> tuple[str, str, str]:
    return found[1] or "model", found[2].lower(), found[3].lower()


def _talks(wanted: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Return the keys of topics by repository and number."""
    either = Q()
    for repo, number in wanted:
        either |= Q(repo=repo, number=number)
    found = Topic.objects.filter(either, deleted_at=None).values_list("repo", "number", "pk") if wanted else ()
    return {(repo, number): f"topic:{pk}" for repo, number, pk in found if repo and number}


def _numbers(numbers: list[str], repo: Repo) -> dict[str, tuple[str, str]]:
    talks = _talks({(repo.pk, int(number)) for number in numbers})
    return {f"#{number}": (key, f"{repo.path}/discussions/{number}") for (_pk, number), key in talks.items()}


def _hosts() -> set[str]:
    """Return the names under which people know this portal."""
    named = {host.lower() for host in settings.ALLOWED_HOSTS if "*" not in host}
    return named | {urlsplit(settings.PORTAL_URL).netloc.lower()}


def accounts_like(start: str, *, limit: int = 8) -> list[Namespace]:
    """Return people and organizations whose names begin so, for completion."""
    start = start.lower()
    if not re.fullmatch(r"\w[\w.-]{0,95}", start, re.ASCII):
        return []
    last = start[:-1] + chr(ord(start[-1]) + 1)
    found = Namespace.objects.filter(lower__gte=start, lower__lt=last).exclude(user__is_active=False)
    return list(found.select_related("user", "organization").order_by(Lower("name"))[:limit])
