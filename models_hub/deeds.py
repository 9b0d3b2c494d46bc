"""What the hub tells of people and repositories in feeds, counts in their year, and lets people follow."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy, gettext_noop

from models_hub import watching
from models_hub.models import DEFAULT_BRANCH, Commit, Repo, Watch
from models_hub.models.pull_requests import PULLS
from models_hub.models.refs import HEADS, TAGS
from portal import contributions, deeds, following
from portal.contributions import Counted
from portal.deeds import Kind, More
from portal.following import Followed
from portal.models import Asker, Event, Follow, Namespace, User

MAX_REPOS = 500  # of an organization, those whose events are looked at: the ones that changed last
ICONS: dict[str, str] = {"model": "box-seam", "dataset": "database", "space": "window"}
# Which of the counted kinds an event is.
COUNTED = {"repo.committed": "commits", "repo.created": "publications", "repo.released": "publications"}


def register() -> None:
    for name, said, icon in (
        ("repo.created", gettext_noop("created"), "plus-square"),
        ("repo.committed", gettext_noop("changed"), "clock-history"),
        ("repo.released", gettext_noop("released a version of"), "tag"),
        ("repo.ref_created", gettext_noop("made a branch or tag in"), "signpost"),
        ("repo.moved", gettext_noop("renamed"), "arrow-right"),
        ("repo.gate_changed", gettext_noop("changed who may download"), "shield-lock"),
        ("repo.liked", gettext_noop("likes"), "heart"),
    ):
        first = "repo.committed" if name == "repo.created" else ""
        is_personal = name == "repo.liked"
        deeds.register(Kind(name, said, icon, _key, TELL.get(name), is_personal=is_personal, begins_with=first))
    deeds.register_places(_places)
    kinds = {"commits": gettext_lazy("Commits"), "publications": gettext_lazy("Repositories and releases")}
    contributions.provide(kinds, _counted)
    title = gettext_lazy("Models and data sets")
    following.register(following.Kind("repositories", title, _subjects, _page, _count, _end))


def _key(event: Event) -> str:
    """Return the repository; what it began with, or a pull request keeps its change in, is no branch of anybody’s."""
    ref = str(event.payload.get("ref", ""))
    is_branch = event.kind == "repo.ref_created" and (ref == f"{HEADS}{DEFAULT_BRANCH}" or ref.startswith(PULLS))
    return "" if is_branch else event.subject


def _places(namespace: Namespace) -> list[str]:
    owned = Repo.objects.filter(namespace=namespace, deleted_at__isnull=True).order_by("-updated_at")
    return [f"repo:{pk}" for pk in owned.values_list("pk", flat=True)[:MAX_REPOS]]


def _commits(events: Sequence[Event]) -> dict[int, More]:
    """Return the first lines of what the commits say."""
    repos = {event.pk: int(event.subject.removeprefix("repo:")) for event in events}
    oids = {str(event.payload.get("commit", "")) for event in events}
    rows = Commit.objects.filter(repo__in=set(repos.values()), oid__in=oids).values_list("repo_id", "oid", "title")
    titles = {(repo, oid): title for repo, oid, title in rows}
    found = {}
    for event in events:
        oid = str(event.payload.get("commit", ""))
        if (repos[event.pk], oid) in titles:
            found[event.pk] = More(titles[repos[event.pk], oid], f"/commit/{oid}")
    return found


def _releases(events: Sequence[Event]) -> dict[int, More]:
    return {event.pk: More(str(event.payload.get("tag", "")), "/releases") for event in events}


def _refs(events: Sequence[Event]) -> dict[int, More]:
    return {
        event.pk: More(str(event.payload.get("ref", "")).removeprefix(HEADS).removeprefix(TAGS)) for event in events
    }


TELL: Mapping[str, deeds.Tell] = {
    "repo.committed": _commits,
    "repo.released": _releases,
    "repo.ref_created": _refs,
}


def _counted(namespace: Namespace, reader: Asker, since: datetime) -> Counted:
    """Count by events, whose time nobody chooses: that of a commit is what its author says."""
    events = Event.objects.filter(kind__in=COUNTED, created_at__gte=since)
    if namespace.user_id:
        events = events.filter(actor=namespace.user_id, subject__startswith="repo:")
    else:
        events = events.filter(subject__in=_places(namespace))
    rows = list(events.order_by().values("kind", "subject", day=TruncDate("created_at")).annotate(count=Count("pk")))
    touched = {int(row["subject"].removeprefix("repo:")) for row in rows}
    visible = Repo.objects.visible_to(reader).filter(pk__in=touched)
    seen = {f"repo:{pk}" for pk in visible.values_list("pk", flat=True)}
    for row in rows:
        if row["subject"] in seen:
            yield COUNTED[row["kind"]], row["day"], row["count"]


def _subjects(user: User) -> list[str]:
    """Return what is watched, and what belongs to organizations that are followed."""
    watched = Watch.objects.filter(user=user).order_by("-pk").values_list("repo_id", flat=True)[: following.MOST]
    spaces = Follow.objects.filter(follower=user, namespace__organization__isnull=False).values("namespace")
    owned = Repo.objects.filter(namespace__in=spaces, deleted_at__isnull=True).order_by("-updated_at")
    return [f"repo:{pk}" for pk in {*watched, *owned.values_list("pk", flat=True)[: following.MOST]}]


def _page(user: User, before: int | None, most: int) -> list[Followed]:
    rows = Watch.objects.filter(user=user, repo__in=Repo.objects.visible_to(user))
    rows = rows.select_related("repo__namespace").order_by("-pk")
    return [
        Followed(row.pk, row.repo.full_name, row.repo.path, str(row.repo.get_kind_display()), ICONS[row.repo.kind])
        for row in (rows.filter(pk__lt=before)[:most] if before else rows[:most])
    ]


def _count(user: User) -> int:
    return Watch.objects.filter(user=user, repo__in=Repo.objects.visible_to(user)).count()


def _end(user: User, pk: int) -> None:
    row = Watch.objects.filter(user=user, pk=pk).select_related("repo").first()
    if row is not None:
        watching.unwatch(row.repo, by=user)
