"""Taking part in a challenge: the rules accepted, entries, the choice of those that count, and the team."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from leaderboard.challenge_forms import EntryForm, InvitationForm, TeamForm
from leaderboard.challenges import entering, standings, teams
from leaderboard.models import Challenge, Entry, Judgement, Team, TeamInvitation
from leaderboard.views.challenges import load, page
from models_hub import browsing
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.authentication import require_user
from portal.errors import DomainError, NotFound, status_of
from portal.models import User

PAGE = 50
# Where what an eval.yaml names stands in the form of a challenge.
FIELDS = {"fields": "columns", "primary": "metric", "text": ""}


@require_POST
def joining(request: HttpRequest, slug: str) -> HttpResponse:
    """Accept the rules and take part."""
    row, user = load(request, slug), require_user(request)
    attempt(request, lambda: teams.join(row, by=user, accepts_rules="accept" in request.POST), _("You take part now."))
    return redirect("challenge_entries" if teams.member_of(row, user) else "challenge_rules", slug=row.slug)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def entries(request: HttpRequest, slug: str) -> HttpResponse:
    """The entries of one's team, and the form for another one; POST sends it."""
    row, user = load(request, slug), require_user(request)
    form = EntryForm(request.POST or None, request.FILES or None, challenge=row)
    status = 200
    wrong: Any = ()
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                _send(row, user, form)
            except DomainError as error:
                status = status_of(error)
                wrong = error.data.get("lines", ())
                complain(form, error)
            else:
                messages.success(request, _("Your entry waits to be judged."))
                return redirect("challenge_entries", slug=row.slug)
    return _entries_page(request, row, form, status=status, wrong=wrong)


def _entries_page(
    request: HttpRequest, row: Challenge, form: EntryForm, *, status: int = 200, wrong: Any = ()
) -> HttpResponse:
    member = teams.member_of(row, request.user)
    found: list[Entry] = []
    older = None
    if member is not None:
        before = request.GET.get("before", "")
        rows = standings.entries_of(member.team)
        if before.isdecimal() and len(before) < 19:
            rows = rows.filter(pk__lt=int(before))
        found = list(rows[: PAGE + 1])
        older = found[PAGE - 1].pk if len(found) > PAGE else None
    context = {
        "form": form,
        "entries": found[:PAGE],
        "older": older,
        "wrong": wrong,
        "scores": _final_scores(row, found),
    }
    return page(request, row, "entries", status=status, **context)


def _final_scores(row: Challenge, found: list[Entry]) -> dict[int, dict[str, Any]]:
    """Return what each entry scored on the private rows, once that is revealed to everybody."""
    if not row.is_revealed:
        return {}
    judged = Judgement.objects.filter(entry__in=[entry.pk for entry in found if entry.judged_at])
    return {one.entry_id: one.private for one in judged.only("entry_id", "private")}


def _send(row: Challenge, user: User, form: EntryForm) -> Entry:
    cleaned = form.cleaned_data
    code = find_repo(user, cleaned["code"], *Repo.Kind.values) if cleaned["code"] else None
    if cleaned.get("file"):
        file = cleaned["file"]
        return entering.enter_file(row, by=user, name=file.name, chunks=file.chunks(), note=cleaned["note"], code=code)
    model = find_repo(user, cleaned["model"])
    revision = cleaned["revision"] or DEFAULT_BRANCH
    return entering.enter_model(row, model, by=user, revision=revision, note=cleaned["note"], code=code)


def find_repo(user: User, name: str, *kinds: str) -> Repo:
    """Return the repository “owner/name” of the first kind that has one, models where none is named."""
    owner, _slash, short = name.strip().partition("/")
    for kind in kinds:
        with suppress(NotFound):
            return browsing.visible_repo(user, kind=kind, namespace=owner, name=short)
    return browsing.visible_repo(user, kind=Repo.Kind.MODEL, namespace=owner, name=short)


def complain(form: Any, error: DomainError) -> None:
    """Put what a verb refused beside its field."""
    key = FIELDS.get(named := str(error.data.get("key", "")), named)
    form.add_error(key if key in form.fields else None, error.message)


@require_POST
def cancellation(request: HttpRequest, slug: str, entry_id: int) -> HttpResponse:
    """Take an entry back that is not judged."""
    row, user = load(request, slug), require_user(request)
    entry = _entry(row, user, entry_id)
    attempt(request, lambda: entering.cancel(entry, by=user), _("The entry is taken back."))
    return redirect("challenge_entries", slug=row.slug)


@require_POST
def finals(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose the entries that count in the end."""
    row, user = load(request, slug), require_user(request)
    team = _team(row, user)
    chosen = {int(value) for value in request.POST.getlist("final") if value.isdecimal() and len(value) < 19}
    attempt(request, lambda: entering.choose_finals(team, chosen, by=user), _("Your choice is kept."))
    return redirect("challenge_entries", slug=row.slug)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest, slug: str) -> HttpResponse:
    """Who is in one's team and who is asked; POST gives it another name."""
    row, user = load(request, slug), require_user(request)
    own = _team(row, user)
    form = TeamForm(request.POST or None, initial={"name": own.name})
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                teams.rename(own, by=user, name=form.cleaned_data["name"])
            except DomainError as error:
                status = status_of(error)
                complain(form, error)
            else:
                return redirect("challenge_team", slug=row.slug)
    context = {
        "form": form,
        "invitation_form": InvitationForm(),
        "people": own.members.select_related("user").order_by("id"),
        "asked": own.invitations.select_related("user").order_by("id"),
        "is_captain": own.captain_id == user.pk,
    }
    return page(request, row, "team", status=status, **context)


@require_POST
def invitations(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask somebody to join the team."""
    row, user = load(request, slug), require_user(request)
    own = _team(row, user)
    form = InvitationForm(request.POST)
    if form.is_valid():
        name = form.cleaned_data["person"]
        attempt(request, lambda: teams.invite(own, name, by=user), _("They are asked, and find it in their inbox."))
    return redirect("challenge_team", slug=row.slug)


@require_POST
def acceptance(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Join a team that asked."""
    row, user = load(request, slug), require_user(request)
    found = _invitation(row, invitation_id)
    accepts = "accept" in request.POST
    attempt(request, lambda: teams.accept(found, by=user, accepts_rules=accepts), _("You are in the team now."))
    return redirect("challenge_team" if teams.member_of(row, user) else "challenge", slug=row.slug)


@require_POST
def refusal(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    """Say no to a team, or take an invitation back."""
    row, user = load(request, slug), require_user(request)
    attempt(request, lambda: teams.refuse(_invitation(row, invitation_id), by=user), _("The invitation is gone."))
    return redirect("challenge", slug=row.slug)


@require_POST
def leaving(request: HttpRequest, slug: str) -> HttpResponse:
    """Leave the team."""
    row, user = load(request, slug), require_user(request)
    attempt(request, lambda: teams.leave(row, by=user), _("You left the team."))
    return redirect("challenge", slug=row.slug)


def _team(row: Challenge, user: User) -> Team:
    member = teams.member_of(row, user)
    if member is None:
        raise Http404
    member.team.challenge = row
    return member.team


def _entry(row: Challenge, user: User, entry_id: int) -> Entry:
    return get_object_or_404(Entry.objects.select_related("job"), pk=entry_id, team=_team(row, user))


def _invitation(row: Challenge, invitation_id: int) -> TeamInvitation:
    rows = TeamInvitation.objects.select_related("team__challenge", "user")
    return get_object_or_404(rows, pk=invitation_id, team__challenge=row)


def attempt(request: HttpRequest, act: Callable[[], object], done: str) -> None:
    """Do it, and say on the next page what became of it."""
    try:
        act()
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, done)
