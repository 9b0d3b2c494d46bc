"""The page of a person or an organization. What other apps know of them comes by fragments."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from portal import badges, reputation, subjects
from portal.models import Asker, Follow, Membership, Namespace, Reputation, ReputationLine, User
from portal.permissions import can_administer
from portal.privacy import Part, shows

SHOWN = 30  # members, or organizations, that the side of the page names
FOLLOWERS = 12
PAGE = 60
LINES = 30  # of the ledger of reputation
MEDALS = 10  # badges that the side of the page shows
OVERVIEW = "overview"
# What stands on each tab, by the name in the address. Fragments are of other apps, named by their addresses alone.
TABS = {
    OVERVIEW: _("Overview"),
    "models": _("Models"),
    "datasets": _("Data sets"),
    "collections": _("Collections"),
    "evaluations": _("Evaluations"),
    "answers": _("Answers"),
    "activity": _("Activity"),
    "badges": _("Badges"),
    "likes": _("Likes"),
    "followers": _("Followers"),
    "following": _("Following"),
}
OF_PEOPLE = {"following", "badges", "evaluations", "answers"}

# Which choice of the person hides a tab; that of activity has the year too.
PRIVATE: dict[str, Part] = {"following": "follows", "likes": "likes", "activity": "activity"}


@require_safe
def profile(request: HttpRequest, name: str) -> HttpResponse:
    """Who this is; the repositories come from the hub by a fragment."""
    namespace = _load(name)
    if namespace.name != name:
        return redirect("profile", name=namespace.name)
    if namespace.is_mirror:
        return render(request, "portal/mirrored_profile.html", {"namespace": namespace})
    tabs = _tabs(request, namespace)
    tab = request.GET.get("tab", OVERVIEW)
    if tab not in tabs:
        raise Http404
    subject = namespace.organization or namespace.user
    related = {"organization": namespace.organization} if namespace.organization else {"user": namespace.user}
    memberships = Membership.objects.visible_to(request.user).filter(**related)
    domains = namespace.organization.domains.filter(verified_at__isnull=False) if namespace.organization else []
    followers = Follow.objects.of_active().filter(namespace=namespace)
    seen = followers.shown_to(request.user)
    context = {
        "namespace": namespace,
        "subject": subject,
        "tabs": tabs,
        "tab": tab,
        "memberships": memberships.select_related("user", "organization").order_by("created_at")[:SHOWN],
        "domains": domains,
        "may_administer": can_administer(request.user, namespace),
        "followers": seen.select_related("follower").order_by("-id")[:FOLLOWERS],
        "follower_count": followers.count(),
        "shows_year": namespace.user is not None and shows(namespace.user, "year", to=request.user),
        "follows": Follow.is_on(namespace, by=request.user),
    }
    earned = _badges(request, namespace.user) if tab == "badges" and namespace.user else {}
    if namespace.user and not earned:
        earned = {"medals": badges.held_by(namespace.user)[:MEDALS]}
    return render(request, "portal/profile.html", {**context, **earned, **_people(request, namespace, tab)})


def _tabs(request: HttpRequest, namespace: Namespace) -> dict[str, str | Promise]:
    """Return the tabs of this page, without those that the person shows to nobody else."""
    person = namespace.user
    if person is None:
        return {key: label for key, label in TABS.items() if key not in OF_PEOPLE}
    hidden = {tab for tab, part in PRIVATE.items() if not shows(person, part, to=request.user)}
    if shows(person, "year", to=request.user):
        hidden.discard("activity")
    return {key: label for key, label in TABS.items() if key not in hidden}


def _load(name: str) -> Namespace:
    """Return the account of this name, or of one that had it before."""
    spaces = Namespace.objects.select_related("user", "organization").exclude(user__is_active=False)
    found = spaces.known_as(name).first()
    if found is None:
        raise Http404
    return found


def _badges(request: HttpRequest, person: User) -> dict[str, object]:
    """Return the badges of a person, the tiers of each track, and the ledger, a page of it, the newest line first."""
    lines = ReputationLine.objects.filter(user=person).select_related("giver").order_by("-id")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        lines = lines.filter(pk__lt=int(before))
    page = [_discreet(line, request.user) for line in lines[: LINES + 1]]
    about = subjects.describe({line.key for line in page}, request.user)
    points = dict(Reputation.objects.filter(user=person).values_list("track", "points"))
    return {
        "held": badges.held_by(person),
        "ranks": [(track.label, rank, points.get(track, 0)) for track, rank in badges.ranks_of(person).items()],
        "lines": [(line, reputation.KINDS[line.kind].title, about.get(line.key)) for line in page[:LINES]],
        "older": page[LINES - 1].pk if len(page) > LINES else None,
        "awards": person.awards.select_related("season").order_by("-season__starts_at"),
    }


def _discreet(line: ReputationLine, reader: Asker) -> ReputationLine:
    """Return a line without who liked, where that person shows likes to nobody; whose line it is was told of it."""
    if line.kind == "repo.liked" and line.giver and reader.pk != line.user_id:
        line.giver = line.giver if shows(line.giver, "likes", to=reader) else None
    return line


def _people(request: HttpRequest, namespace: Namespace, tab: str) -> dict[str, object]:
    """Return the rows of the tabs that list people, a page of them, newest first."""
    if tab not in {"followers", "following"}:
        return {}
    rows = Follow.objects.of_active().shown_to(request.user).exclude(namespace__user__is_active=False)
    rows = rows.filter(namespace=namespace) if tab == "followers" else rows.filter(follower=namespace.user)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows.select_related("follower", "namespace").order_by("-id")[: PAGE + 1])
    names = [row.follower.username if tab == "followers" else row.namespace.name for row in page[:PAGE]]
    return {"people": names, "older": page[PAGE - 1].pk if len(page) > PAGE else None}
