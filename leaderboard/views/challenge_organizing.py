"""A challenge before its organizer and moderators: draft, rows, review, baselines, objections, and the outcome."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from leaderboard import reviewing
from leaderboard.challenge_forms import BaselineForm, ChallengeForm, ExtensionForm, RowsForm, SeriesForm, TextForm
from leaderboard.challenges import drafting, entering, objecting, permissions
from leaderboard.forms import DecisionForm
from leaderboard.models import Challenge, ChallengeData, Entry, Objection, Series, Team
from leaderboard.views.challenge_entries import attempt, complain, find_repo
from leaderboard.views.challenges import load, page
from models_hub import browsing
from models_hub.models import Repo
from portal.authentication import require_user
from portal.errors import DomainError, InvalidInput, status_of
from portal.models import Job, User

LISTED = 100


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form of a new challenge; POST makes a draft of it."""
    user = require_user(request)
    return _edited(request, user, None)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of a draft; POST changes it."""
    row, user = load(request, slug), require_user(request)
    drafting.require_organizer(row, user)
    if row.is_approved:
        return redirect("challenge_manage", slug=row.slug)
    return _edited(request, user, row)


def _edited(request: HttpRequest, user: User, row: Challenge | None) -> HttpResponse:
    own = Series.objects.filter(organizer=user).order_by("-id")[:LISTED]
    form = ChallengeForm(request.POST or None, series=own, of=row)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                values = form.values
                saved = drafting.change(row, by=user, **values) if row else drafting.create(by=user, **values)
            except DomainError as error:
                status = status_of(error)
                complain(form, error)
            else:
                return redirect("challenge_manage", slug=saved.slug)
    context = {"form": form, "challenge": row, "series_form": SeriesForm()}
    return render(request, "leaderboard/challenges/edit.html", context, status=status)


@require_POST
def series(request: HttpRequest) -> HttpResponse:
    """Begin a series."""
    user = require_user(request)
    form = SeriesForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A series needs a title and an address."))
    else:
        attempt(
            request, lambda: drafting.create_series(by=user, **form.cleaned_data), _("The series is there to choose.")
        )
    return redirect("challenge_new")


@never_cache
@require_http_methods(["GET", "HEAD"])
def manage(request: HttpRequest, slug: str) -> HttpResponse:
    """What is to be done before it opens, while it runs, and in the end; for its organizer and moderators."""
    row = load(request, slug)
    if not permissions.can_oversee(require_user(request), row):
        raise Http404
    return _manage_page(request, row)


def _manage_page(request: HttpRequest, row: Challenge, *, status: int = 200, **forms: Any) -> HttpResponse:
    data = ChallengeData.objects.select_related("job", "dataset__namespace").filter(challenge=row).first()
    baselines = Entry.objects.filter(challenge=row, team__is_baseline=True).select_related("team", "job")
    context = {
        "data": data,
        "rows_form": RowsForm(),
        "baseline_form": BaselineForm(challenge=row),
        "extension_form": ExtensionForm(initial={"closes_at": row.closes_at}),
        "baselines": baselines.order_by("id"),
        "teams": row.teams.filter(is_baseline=False).order_by("name")[:LISTED],
        "is_leaking": data is not None and data.dataset is not None and not data.dataset.private,
        "failed": _failed(row),
        "open_objections": row.objections.filter(answered_at=None).count(),
    }
    return page(request, row, "manage", status=status, **{**context, **forms})


def _failed(row: Challenge) -> list[Entry]:
    """Return what could not be judged, the newest first."""
    found = row.entries.filter(judged_at__isnull=True, job__state=Job.State.FAILED)
    return list(found.select_related("team", "job").order_by("-id")[:LISTED])


@require_POST
def judging(request: HttpRequest, slug: str, entry_id: int) -> HttpResponse:
    """Have a failed entry judged once more."""
    row, user = load(request, slug), require_user(request)
    entry = get_object_or_404(Entry.objects.select_related("challenge"), pk=entry_id, challenge=row)
    attempt(request, lambda: entering.judge_again(entry, by=user), _("The entry waits to be judged again."))
    return redirect("challenge_manage" if permissions.can_oversee(user, row) else "challenge", slug=row.slug)


@require_POST
def rows(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring the rows: a file, or one of a private data set."""
    row, user = load(request, slug), require_user(request)
    drafting.require_organizer(row, user)
    form = RowsForm(request.POST, request.FILES)
    if not form.is_valid():
        return _manage_page(request, row, status=400, rows_form=form)
    try:
        _take_rows(row, user, form.cleaned_data)
    except DomainError as error:
        complain(form, error)
        return _manage_page(request, row, status=status_of(error), rows_form=form)
    messages.success(request, _("The rows are being read and split."))
    return redirect("challenge_manage", slug=row.slug)


def _take_rows(row: Challenge, user: User, cleaned: dict[str, Any]) -> None:
    percent = cleaned["public_percent"]
    if cleaned["file"]:
        file = cleaned["file"]
        drafting.take_upload(row, by=user, name=file.name, chunks=file.chunks(), public_percent=percent)
        return
    owner, _slash, name = cleaned["dataset"].strip().partition("/")
    dataset = browsing.visible_repo(user, kind=Repo.Kind.DATASET, namespace=owner, name=name)
    drafting.take_file_of(row, dataset, by=user, path=cleaned["path"], public_percent=percent)


@require_POST
def submission(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the draft to the moderators."""
    row, user = load(request, slug), require_user(request)
    attempt(request, lambda: drafting.submit(row, by=user), _("It waits for the moderators now."))
    return redirect("challenge_manage", slug=row.slug)


@require_POST
def withdrawal(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete what is not approved."""
    row, user = load(request, slug), require_user(request)
    drafting.withdraw(row, by=user)
    messages.success(request, _("The draft is deleted, with its rows."))
    return redirect("challenges")


@require_POST
def decision(request: HttpRequest, slug: str) -> HttpResponse:
    """Approve or refuse a challenge."""
    row, user = load(request, slug), require_user(request)
    reviewing.require_moderator(user)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise InvalidInput(_("Approve it, or refuse it and say why."))
    if form.cleaned_data["answer"] == "refuse":
        reason = form.cleaned_data["reason"]
        attempt(
            request, lambda: reviewing.refuse_challenge(row, by=user, reason=reason), _("The challenge is refused.")
        )
    else:
        attempt(request, lambda: reviewing.approve_challenge(row, by=user), _("It is approved."))
    return redirect("challenge", slug=row.slug)


@require_POST
def extension(request: HttpRequest, slug: str) -> HttpResponse:
    """Let it end later."""
    row, user = load(request, slug), require_user(request)
    form = ExtensionForm(request.POST)
    if form.is_valid():
        closes_at = form.cleaned_data["closes_at"]
        attempt(request, lambda: drafting.extend(row, by=user, closes_at=closes_at), _("It ends later now."))
    return redirect("challenge_manage", slug=row.slug)


@require_POST
def baselines(request: HttpRequest, slug: str) -> HttpResponse:
    """Enter what the organizer compares with."""
    row, user = load(request, slug), require_user(request)
    drafting.require_organizer(row, user)
    form = BaselineForm(request.POST, request.FILES, challenge=row)
    if not form.is_valid():
        return _manage_page(request, row, status=400, baseline_form=form)
    cleaned = form.cleaned_data
    try:
        file, model = cleaned.get("file"), find_repo(user, cleaned["model"]) if cleaned.get("model") else None
        more = {"name": file.name, "chunks": file.chunks()} if file else {}
        entering.add_baseline(row, by=user, title=cleaned["title"], model=model, **more)
    except DomainError as error:
        complain(form, error)
        return _manage_page(request, row, status=status_of(error), baseline_form=form)
    messages.success(request, _("The baseline waits to be judged."))
    return redirect("challenge_manage", slug=row.slug)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def objections(request: HttpRequest, slug: str) -> HttpResponse:
    """Objections and their answers; POST raises one."""
    row = load(request, slug)
    if not row.is_revealed:
        raise Http404
    form, status = TextForm(request.POST or None), 200
    if request.method == "POST":
        user, status = require_user(request), 400
        if form.is_valid():
            about = _about(row, request.POST.get("team", ""))
            try:
                objecting.raise_objection(row, by=user, text=form.cleaned_data["text"], about=about)
            except DomainError as error:
                status = status_of(error)
                form.add_error(None, error.message)
            else:
                messages.success(request, _("Your objection is there for everybody to read."))
                return redirect("challenge_objections", slug=row.slug)
    found = row.objections.select_related("about", "raised_by", "answered_by").order_by("id")[:LISTED]
    context = {
        "form": form,
        "objections": found,
        "teams": row.teams.filter(place__isnull=False).order_by("name")[:LISTED],
    }
    return page(request, row, "objections", status=status, **context)


@require_POST
def answers(request: HttpRequest, slug: str, objection_id: int) -> HttpResponse:
    """Answer an objection."""
    row, user = load(request, slug), require_user(request)
    found = get_object_or_404(Objection.objects.select_related("challenge"), pk=objection_id, challenge=row)
    text = request.POST.get("text", "")
    attempt(request, lambda: objecting.answer(found, by=user, text=text), _("Your answer is there."))
    return redirect("challenge_objections", slug=row.slug)


@require_POST
def disqualification(request: HttpRequest, slug: str, team_id: int) -> HttpResponse:
    """Take a team out, or let it in again, and say why."""
    row, user = load(request, slug), require_user(request)
    team = get_object_or_404(Team.objects.select_related("challenge"), pk=team_id, challenge=row, is_baseline=False)
    reason = request.POST.get("reason", "")
    if team.disqualified_at is None:
        attempt(request, lambda: objecting.disqualify(team, by=user, reason=reason), _("The team is disqualified."))
    else:
        attempt(request, lambda: objecting.reinstate(team, by=user, reason=reason), _("The team takes part again."))
    return redirect("challenge_manage", slug=row.slug)


@require_POST
def confirmation(request: HttpRequest, slug: str) -> HttpResponse:
    """Make the outcome final."""
    row, user = load(request, slug), require_user(request)
    attempt(request, lambda: objecting.confirm(row, by=user), _("The outcome is final, and the medals are given."))
    return redirect("challenge_standings", slug=row.slug)


def _about(row: Challenge, number: str) -> Team | None:
    if not number.isdecimal() or len(number) > 18:
        return None
    return Team.objects.filter(challenge=row, pk=int(number)).first()
