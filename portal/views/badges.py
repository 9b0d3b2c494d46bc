"""The badges: all of them, one with who has it and how far one is, what waits to be confirmed, and a picture."""

from itertools import groupby

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from portal import badges, claiming, subjects, trust
from portal.authentication import require_user
from portal.badge_catalogue import FAIR, RULES, Group, Rule
from portal.badge_forms import ClaimForm, DecisionForm, MentorForm, ReasonForm
from portal.badge_pictures import picture
from portal.errors import DomainError
from portal.models import BadgeClaim, BadgeEvidence, BadgeGrant, Mentorship, Namespace, Tier, Track, TrustLevel, User

PAGE = 30
EVIDENCE = 50
PICTURE_SECONDS = 600


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All badges by what they are for, with the reader's progress."""
    user = request.user
    progress = badges.progress_of(user) if isinstance(user, User) else {}
    groups = [
        (group.value, [(rule, progress.get(rule.slug)) for rule in rules])
        for group, rules in groupby(sorted(RULES.values(), key=_order), key=lambda rule: rule.group)
    ]
    held = sum(1 for one in progress.values() if one.tier)
    context = {
        "part": "badges",
        "groups": groups,
        "held": held,
        "number": len(RULES),
        "may_confirm": _may_confirm(request),
        "fair": FAIR.items(),
    }
    return render(request, "portal/badges/index.html", context)


@require_safe
def badge(request: HttpRequest, slug: str) -> HttpResponse:
    """One badge: its exact rule, the reader's progress with the evidence, and who has it, latest first."""
    return _badge(request, _rule(slug))


@require_POST
def claim(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask to have a contribution confirmed."""
    rule, user = _rule(slug), require_user(request)
    form = ClaimForm(request.POST, reader=user)
    if form.is_valid():
        try:
            claiming.claim(rule, by=user, key=form.cleaned_data["address"], note=form.cleaned_data["note"])
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect("badge", slug=slug)
    return _badge(request, rule, form=form, status=400)


@require_safe
def claims(request: HttpRequest) -> HttpResponse:
    """What waits to be confirmed: for those who may, and each person's own."""
    user = require_user(request)
    rows = BadgeClaim.objects.select_related("user", "decided_by").order_by("-id")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.waiting().exclude(user=user)[: PAGE + 1])
    about = subjects.describe({row.key for row in found}, user)
    shown = [(row, RULES[row.badge], about[row.key]) for row in found[:PAGE] if row.key in about and _is_for(row, user)]
    mine = [(row, RULES[row.badge], subjects.find(row.key, user)) for row in rows.filter(user=user)[:PAGE]]
    older = found[PAGE - 1].pk if len(found) > PAGE else None
    return render(
        request, "portal/badges/claims.html", {"part": "badges", "shown": shown, "mine": mine, "older": older}
    )


@require_POST
def decision(request: HttpRequest, claim_id: int) -> HttpResponse:
    """Confirm a contribution, or do not."""
    user, form = require_user(request), DecisionForm(request.POST)
    row = get_object_or_404(BadgeClaim, pk=claim_id)
    if row.user_id != user.pk and subjects.find(row.key, user) is None:
        raise Http404
    if form.is_valid():
        accept = form.cleaned_data["accept"] == "yes"
        claiming.decide(row, by=user, accept=accept, reason=form.cleaned_data["reason"])
    return redirect("badge_claims")


@require_POST
def taking_back(request: HttpRequest, claim_id: int) -> HttpResponse:
    """Take a confirmation back."""
    user, form = require_user(request), ReasonForm(request.POST)
    row = get_object_or_404(BadgeClaim, pk=claim_id)
    if form.is_valid():
        claiming.take_back(row, by=user, reason=form.cleaned_data["reason"])
    return redirect("badge_claims")


@require_POST
def offer(request: HttpRequest) -> HttpResponse:
    """Offer a newcomer to look after them."""
    user, form = require_user(request), MentorForm(request.POST)
    if form.is_valid():
        try:
            claiming.offer_mentoring(form.cleaned_data["person"], by=user)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect("badge", slug="mentor")
    return _badge(request, RULES["mentor"], mentor_form=form, status=400)


@require_POST
def answer(request: HttpRequest, mentorship_id: int) -> HttpResponse:
    """Agree to have a mentor, or end it."""
    user = require_user(request)
    row = get_object_or_404(Mentorship, pk=mentorship_id, mentee=user)
    claiming.answer_mentor(row, by=user, agree=request.POST.get("agree") == "yes")
    return redirect("badge", slug="mentor")


@require_GET
def svg(request: HttpRequest, name: str) -> HttpResponse:
    """A picture of somebody's badges and tiers, for pages elsewhere. It is the same for everybody who asks."""
    namespace = Namespace.objects.named(name).filter(user__is_active=True).select_related("user").first()
    if namespace is None or namespace.user is None:
        raise Http404
    language = "zh-hans" if request.GET.get("lang", "").startswith("zh") else "en"
    key = f"badges-svg:{namespace.user_id}:{language}"
    drawn: str | None = cache.get(key)
    if drawn is None:
        with translation.override(language):
            drawn = picture(namespace.user)
        cache.set(key, drawn, PICTURE_SECONDS)
    response = HttpResponse(drawn, content_type="image/svg+xml; charset=utf-8")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = f"public, max-age={PICTURE_SECONDS}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _badge(
    request: HttpRequest,
    rule: Rule,
    *,
    form: ClaimForm | None = None,
    mentor_form: MentorForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = request.user
    holders = BadgeGrant.objects.standing().filter(badge=rule.slug, user__is_active=True).select_related("user")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        holders = holders.filter(pk__lt=int(before))
    page = list(holders.order_by("-id")[: PAGE + 1])
    counts = {
        tier: BadgeGrant.objects.standing().filter(badge=rule.slug, tier=tier).values("user").distinct().count()
        for tier, _text in rule.steps
    }
    context = {
        "part": "badges",
        "rule": rule,
        "steps": [(tier, text, counts[tier]) for tier, text in rule.steps],
        "tracks": [Track(track).label for track in rule.tracks],
        "holders": [(row, Tier(row.tier)) for row in page[:PAGE]],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "is_mentor": rule.slug == "mentor",
        "is_first": rule.slug == "first-light",
    }
    if isinstance(user, User):
        context |= _own(user, rule)
        if rule.claimed:
            context["form"] = form or ClaimForm(reader=user)
        if rule.slug == "mentor":
            context |= _mentoring(user, mentor_form)
    return render(request, "portal/badges/badge.html", context, status=status)


def _own(user: User, rule: Rule) -> dict[str, object]:
    """Return the reader's progress and what counts towards it."""
    rows = list(BadgeEvidence.objects.filter(user=user, badge=rule.slug).order_by("-at")[:EVIDENCE])
    about = subjects.describe({row.key for row in rows}, user)
    return {
        "progress": badges.progress_of(user, [rule])[rule.slug],
        "evidence": [(row, about.get(row.key)) for row in rows],
        "revoked": BadgeGrant.objects.filter(user=user, badge=rule.slug, revoked_at__isnull=False).order_by("-id")[:5],
    }


def _mentoring(user: User, form: MentorForm | None) -> dict[str, object]:
    return {
        "mentor_form": form or MentorForm(),
        "may_mentor": trust.level(user) >= TrustLevel.MEMBER,
        "mentees": Mentorship.objects.filter(mentor=user).select_related("mentee").order_by("-id")[:PAGE],
        "mentors": Mentorship.objects.filter(mentee=user, ended_at__isnull=True).select_related("mentor")[:PAGE],
    }


def _is_for(row: BadgeClaim, user: User) -> bool:
    """Whether somebody is shown a claim: what is private only to staff."""
    return (user.is_staff or not row.is_private) and claiming.may_decide(row, user)


def _may_confirm(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and trust.level(request.user) >= TrustLevel.REGULAR


def _rule(slug: str) -> Rule:
    if slug not in RULES:
        raise Http404(_("There is no such badge."))
    return RULES[slug]


def _order(rule: Rule) -> int:
    return list(Group).index(rule.group)
