"""Watching repositories: what happened in them, the latest first, told from the events that were recorded anyway."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from models_hub.models import Commit, Repo, Watch
from models_hub.models.pull_requests import PULLS
from models_hub.models.refs import HEADS, TAGS
from portal import notifying
from portal.errors import InvalidInput, NotAllowed, SignInRequired
from portal.models import Asker, Event, User
from portal.reach import may_use

MAX_WATCHED = 500
PAGE = 30
# What is told, in the reader's words, and its icon.
KINDS: dict[str, tuple[str | Promise, str]] = {
    "repo.committed": (gettext_lazy("new commit"), "clock-history"),
    "repo.released": (gettext_lazy("new release"), "tag"),
    "repo.ref_created": (gettext_lazy("new branch or tag"), "signpost"),
    "repo.moved": (gettext_lazy("new name"), "arrow-right"),
    "repo.gate_changed": (gettext_lazy("access changed"), "shield-lock"),
    "discussion.opened": (gettext_lazy("new discussion"), "chat"),
    "discussion.merged": (gettext_lazy("change merged"), "sign-merge-left"),
}


@dataclass(frozen=True)
class News:
    """One thing that happened. `address` leads to it, `detail` says which one."""

    event: Event
    repo: Repo
    label: str
    icon: str
    detail: str
    address: str


@dataclass(frozen=True)
class Page:
    """News, and the id of the event before which the next page begins."""

    news: Sequence[News]
    next_before: int | None


def watch(repo: Repo, *, by: Asker) -> None:
    """Watch a repository; a second time changes nothing."""
    user = _require_person(by)
    if Watch.objects.filter(user=user).count() >= MAX_WATCHED:
        raise InvalidInput(_("You watch %(max)d repositories already: leave one first.") % {"max": MAX_WATCHED})
    Watch.objects.get_or_create(user=user, repo=repo)
    notifying.unmute(f"repo:{repo.pk}", by=user)


def unwatch(repo: Repo, *, by: Asker) -> None:
    """Watch it no longer."""
    Watch.objects.filter(user=_require_person(by), repo=repo).delete()


def is_watched(repo: Repo, *, by: Asker) -> bool:
    return by.is_authenticated and Watch.objects.filter(user_id=by.pk, repo=repo).exists()


def watched(user: User) -> list[Repo]:
    """Return what a person watches and may still see, by name."""
    visible = Repo.objects.visible_to(user).filter(watches__user=user).select_related("namespace")
    return list(visible.order_by("namespace__lower", "lower"))


def news(user: User, *, before: int | None = None) -> Page:
    """Return a page of what happened in what a person watches, without what the person did."""
    repos = {f"repo:{repo.pk}": repo for repo in watched(user)}
    rows = Event.objects.filter(subject__in=list(repos), kind__in=list(KINDS)).exclude(actor=user)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.select_related("actor").order_by("-id")[: PAGE + 1])
    titles = _titles(found)
    return Page(
        news=[_told(event, repos[event.subject], titles) for event in found[:PAGE]],
        next_before=found[PAGE - 1].pk if len(found) > PAGE else None,
    )


def _titles(events: Sequence[Event]) -> dict[str, str]:
    """Return the first lines of the commits that the events name."""
    oids = {str(event.payload["commit"]) for event in events if event.kind == "repo.committed"}
    repos = {int(event.subject.removeprefix("repo:")) for event in events}
    rows = Commit.objects.filter(repo_id__in=repos, oid__in=oids) if oids else Commit.objects.none()
    return dict(rows.values_list("oid", "title"))


def _told(event: Event, repo: Repo, titles: dict[str, str]) -> News:
    label, icon = KINDS[event.kind]
    facts = event.payload
    ref = str(facts.get("ref") or facts.get("branch") or "")
    shown = ref.removeprefix(HEADS).removeprefix(TAGS).removeprefix(PULLS)
    detail, address = shown, repo.path
    if event.kind == "repo.committed":
        address = f"{repo.path}/commit/{facts['commit']}"
        detail = titles.get(facts["commit"], shown)
    elif event.kind == "repo.released":
        detail, address = str(facts.get("tag") or shown), f"{repo.path}/releases"
    elif event.kind.startswith("discussion.") and facts.get("number"):
        detail, address = str(facts.get("title") or f"#{facts['number']}"), f"{repo.path}/discussions/{facts['number']}"
    return News(event=event, repo=repo, label=str(label), icon=icon, detail=detail, address=address)


def _require_person(by: Asker) -> User:
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to watch a repository."))
    if not may_use(by, "discussions"):
        raise NotAllowed(_("This access token may not watch repositories."))
    return by
