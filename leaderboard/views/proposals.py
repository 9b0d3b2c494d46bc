"""Proposed boards and benchmarks: what waits, what became of one's own, and what moderators decide."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leaderboard import permissions, reviewing, suites
from leaderboard.forms import DecisionForm, SuiteForm
from leaderboard.models import Benchmark, Suite
from portal.authentication import require_user
from portal.errors import DomainError, InvalidInput, status_of
from portal.models import User

LISTED = 50
MOST_CHOICES = 200


@never_cache
@require_safe
def proposals(request: HttpRequest) -> HttpResponse:
    """One's own proposals; for moderators first what waits, the oldest first."""
    user = require_user(request)
    may_review = permissions.can_review(user)
    own = Suite.objects.filter(proposed_by=user).order_by("-id")[:LISTED]
    context = {
        "may_review": may_review,
        "suites": Suite.objects.waiting().select_related("proposed_by")[:LISTED] if may_review else [],
        "benchmarks": _waiting_benchmarks(user) if may_review else [],
        "own_suites": own,
        "own_benchmarks": Benchmark.objects.visible_to(user).filter(registered_by=user).latest()[:LISTED],
    }
    return render(request, "leaderboard/proposals/list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form, filled from a board of which it is to be another version; POST proposes."""
    user = require_user(request)
    of = Suite.objects.current().prefetch_related("entries").filter(slug=request.GET.get("of", "")[:60]).first()
    choices = _choices(user, of)
    form = SuiteForm(request.POST or None, benchmarks=choices, of=of)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                follows = of is not None and form.values["slug"] == of.slug
                suite = suites.create_suite(by=user, another_version=follows, **form.values)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                return redirect(suite)
    context = {"form": form, "of": of, "may_review": permissions.can_review(user)}
    return render(request, "leaderboard/proposals/new.html", context, status=status)


@never_cache
@require_safe
def proposal(request: HttpRequest, suite_id: int) -> HttpResponse:
    """One proposal, for its author and moderators; an approved one is the board."""
    suite = _found(request, suite_id)
    if suite.is_approved:
        return redirect(suite)
    context = {
        "suite": suite,
        "entries": suite.public_entries,
        "current": Suite.objects.current().filter(slug=suite.slug).first(),
        "may_review": permissions.can_review(request.user),
        "is_own": suite.proposed_by_id == request.user.pk,
    }
    return render(request, "leaderboard/proposals/proposal.html", context)


@require_POST
def decision(request: HttpRequest, suite_id: int) -> HttpResponse:
    """Approve or refuse a board."""
    user = require_user(request)
    suite = _found(request, suite_id)
    reviewing.require_moderator(user)
    try:
        if (reason := _reason(request)) is None:
            suite = reviewing.approve_suite(suite, by=user)
        else:
            suite = reviewing.refuse_suite(suite, by=user, reason=reason)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(suite)


@require_POST
def withdrawal(request: HttpRequest, suite_id: int) -> HttpResponse:
    """Take one's own proposal back."""
    user = require_user(request)
    suites.withdraw(_found(request, suite_id), by=user)
    messages.success(request, _("Your proposal is taken back."))
    return redirect("proposals")


@require_POST
def benchmark_decision(request: HttpRequest, benchmark_id: int) -> HttpResponse:
    """Approve or refuse a benchmark."""
    user = require_user(request)
    benchmark = get_object_or_404(Benchmark.objects.visible_to(user), pk=benchmark_id)
    reviewing.require_moderator(user)
    try:
        if (reason := _reason(request)) is None:
            reviewing.approve_benchmark(benchmark, by=user)
        else:
            reviewing.refuse_benchmark(benchmark, by=user, reason=reason)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect(benchmark)


def _found(request: HttpRequest, suite_id: int) -> Suite:
    rows = Suite.objects.visible_to(request.user).select_related("proposed_by", "decided_by")
    return get_object_or_404(rows.prefetch_related("entries__benchmark__dataset__namespace"), pk=suite_id)


def _reason(request: HttpRequest) -> str | None:
    """Return why something is refused, None where it is approved."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise InvalidInput(_("Approve it, or refuse it and say why."))
    return form.cleaned_data["reason"] if form.cleaned_data["answer"] == "refuse" else None


def _waiting_benchmarks(user: User) -> list[Benchmark]:
    rows = Benchmark.objects.visible_to(user).waiting().filter(dataset__private=False)
    return list(rows.select_related("dataset__namespace", "registered_by")[:LISTED])


def _choices(user: User, of: Suite | None) -> list[Benchmark]:
    """Return the public benchmarks that lists offer, and those of the board that is to be changed."""
    kept = [entry.benchmark_id for entry in of.entries.all()] if of else []
    offered = Benchmark.objects.listed_for(user).filter(dataset__private=False)
    rows = list(offered.current().latest()[:MOST_CHOICES])
    more = offered.filter(pk__in=set(kept) - {row.pk for row in rows}).latest()
    return [*more, *rows]
