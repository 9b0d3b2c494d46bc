"""After the reveal: objections and their answers, disqualification, confirmation, and the medals that follow."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from leaderboard import permissions as board_permissions
from leaderboard.challenges import permissions, revealing
from leaderboard.models import Challenge, FinalPlace, Objection, Phase, Team, TeamMember
from portal import mod_log, seasons
from portal.errors import Conflict, InvalidInput, NotAllowed
from portal.models import Asker, Event, Placing, Season, User

MAX_OPEN = 5  # objections of one person that wait for an answer
FEWEST_TEAMS, FEW_TEAMS, MOST_MEDALS = 3, 10, 10


def medals_for(teams: int) -> int:
    """Return how many places of so many teams are medals: none below three, one below ten, then three to ten."""
    if teams < FEWEST_TEAMS:
        return 0
    if teams < FEW_TEAMS:
        return 1
    return max(3, min(MOST_MEDALS, teams // 10))


def raise_objection(challenge: Challenge, *, by: Asker, text: str, about: Team | None = None) -> Objection:
    """Doubt the outcome, while objections may be raised."""
    user = permissions.require_person(by)
    now = timezone.now()
    if (
        challenge.phase_at(now) is not Phase.REVEALED
        or not challenge.objections_until
        or now >= challenge.objections_until
    ):
        raise Conflict(
            _("Objections may be raised between the reveal and the end of their time."), code="no_objections"
        )
    text = _text(text)
    if Objection.objects.filter(challenge=challenge, raised_by=user, answered_at=None).count() >= MAX_OPEN:
        raise Conflict(_("Wait for an answer to what you raised before."))
    with transaction.atomic():
        row = Objection.objects.create(challenge=challenge, about=about, raised_by=user, text=text)
        Event.record("challenge.objected", subject=f"challenge:{challenge.pk}", by=user, objection=row.pk)
    return row


def answer(objection: Objection, *, by: Asker, text: str) -> Objection:
    """Answer an objection, once, where everybody may read it."""
    user = _require_overseer(objection.challenge, by)
    text = _text(text)
    with transaction.atomic():
        row = Objection.objects.select_for_update().get(pk=objection.pk)
        if row.answered_at is not None:
            raise Conflict(_("It is answered already."))
        row.answer, row.answered_by, row.answered_at = text, user, timezone.now()
        row.save(update_fields=("answer", "answered_by", "answered_at"))
        Event.record("challenge.answered", subject=f"challenge:{row.challenge_id}", by=user, person=row.raised_by_id)
    return row


def disqualify(team: Team, *, by: Asker, reason: str) -> None:
    """Take a team out of the standings and say why; the log of moderation keeps it, and the rest is ranked anew."""
    user = _require_overseer(team.challenge, by)
    reason = _text(reason)
    with transaction.atomic():
        row = Team.objects.select_for_update().select_related("challenge").get(pk=team.pk)
        if row.disqualified_at is not None:
            raise Conflict(_("That team is disqualified already."))
        if row.challenge.confirmed_at is not None:
            raise Conflict(_("The outcome is confirmed. Strike the place in its season instead."))
        row.disqualified_at, row.disqualified_by, row.reason = timezone.now(), user, reason
        row.save(update_fields=("disqualified_at", "disqualified_by", "reason"))
        _note("challenge.disqualify", row, user, reason)
        revealing.rank_anew(row.challenge)


def reinstate(team: Team, *, by: Asker, reason: str) -> None:
    """Take a disqualification back, saying why."""
    user = _require_overseer(team.challenge, by)
    reason = _text(reason)
    with transaction.atomic():
        row = Team.objects.select_for_update().select_related("challenge").get(pk=team.pk)
        if row.disqualified_at is None or row.challenge.confirmed_at is not None:
            raise Conflict(_("There is nothing to take back."))
        row.disqualified_at, row.disqualified_by, row.reason = None, None, ""
        row.save(update_fields=("disqualified_at", "disqualified_by", "reason"))
        _note("challenge.reinstate", row, user, reason)
        revealing.rank_anew(row.challenge)


def confirm(challenge: Challenge, *, by: Asker) -> Challenge:
    """Make the outcome final, when nobody may object any more and every objection is answered; then come the medals."""
    user = permissions.require_person(by)
    if not board_permissions.can_review(user):
        raise NotAllowed(_("Only staff confirm an outcome."))
    if TeamMember.objects.filter(challenge=challenge, user=user).exists() or challenge.organizer_id == user.pk:
        raise NotAllowed(_("Somebody who neither organizes nor takes part must confirm it."))
    with transaction.atomic():
        row = Challenge.objects.select_for_update(of=("self",)).select_related("reveal_job").get(pk=challenge.pk)
        if row.phase is not Phase.REVEALED or row.objections_until is None:
            raise Conflict(_("There is no outcome to confirm."))
        if timezone.now() < row.objections_until:
            raise Conflict(_("Objections may still be raised."), code="objections_open")
        if Objection.objects.filter(challenge=row, answered_at=None).exists():
            raise Conflict(_("Answer every objection first."), code="objections_open")
        if row.reveal_job is not None and not row.reveal_job.is_finished:
            raise Conflict(_("The teams are being ranked anew. Wait until that is done."))
        row.confirmed_at, row.confirmed_by = timezone.now(), user
        row.save(update_fields=("confirmed_at", "confirmed_by"))
        people = _give_medals(row, user)
        mod_log.append("challenge.confirm", by=user, target=f"challenge:{row.pk}", after={"medals": len(people)})
        everybody = list(TeamMember.objects.filter(challenge=row).values_list("user_id", flat=True))
        Event.record("challenge.confirmed", subject=f"challenge:{row.pk}", by=user, people=everybody[:100])
    return row


def _give_medals(challenge: Challenge, user: User) -> list[int]:
    """Write places into the season in which the challenge ended; returns whom."""
    places = list(
        FinalPlace.objects.filter(challenge=challenge, rank__isnull=False).select_related(
            "team", "entry__model", "entry__code"
        )
    )
    medals = medals_for(len(places))
    name, start, end = seasons.bounds_of(challenge.closes_at - timedelta(microseconds=1))
    season = Season.objects.get_or_create(slug=name, defaults={"starts_at": start, "ends_at": end})[0]
    given: list[int] = []
    for place in places:
        if place.rank is None or place.rank > medals:
            continue
        code = _code_of(place)
        for member in place.team.members.all():
            placing, is_new = Placing.objects.get_or_create(
                season=season, kind=Placing.Kind.CHALLENGE, board=challenge.title[:100], user_id=member.user_id,
                defaults={
                    "rank": place.rank, "key": f"challenge:{challenge.pk}", "code": code, "confirmed_by": user,
                    "objections_until": challenge.objections_until or timezone.now(),
                },
            )  # fmt: skip
            if is_new:
                given.append(member.user_id)
                Event.record(
                    "season.placed", subject=f"user:{member.user_id}", by=user, user=member.user_id, placing=placing.pk
                )
    return given


def _code_of(place: FinalPlace) -> str:
    """Return the key of the public repository with what made the entry, "" where nobody may look: no badge then."""
    for repo in (place.entry.code, place.entry.model):
        if repo is not None and not repo.private:
            return f"repo:{repo.pk}"
    return ""


def _note(action: str, team: Team, user: User, reason: str) -> None:
    members = list(team.members.values_list("user_id", flat=True))
    mod_log.append(
        action, by=user, target=f"challenge:{team.challenge_id}", text=reason,
        person=team.captain_id, after={"team": team.pk, "name": team.name, "people": members},
    )  # fmt: skip
    kind = "challenge.disqualified" if team.disqualified_at else "challenge.reinstated"
    Event.record(kind, subject=f"challenge:{team.challenge_id}", by=user, team=team.pk, people=members)


def _require_overseer(challenge: Challenge, by: Asker) -> User:
    user = permissions.require_person(by)
    if not permissions.can_oversee(user, challenge):
        raise NotAllowed(_("Only its organizer and moderators may do this."))
    return user


def _text(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= Objection.MAX_TEXT:
        raise InvalidInput(
            _("Say why, in at most %(max)d characters.") % {"max": Objection.MAX_TEXT}, data={"key": "text"}
        )
    return text
