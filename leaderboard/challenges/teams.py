"""Who tries a challenge with whom: joining by accepting the rules once, invitations, merging, until a date."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from leaderboard.challenges import permissions
from leaderboard.models import Challenge, Entry, Phase, Team, TeamInvitation, TeamMember
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Asker, Event, User

MAX_NAME = 60
MAX_INVITATIONS = 20  # of one team, that wait for an answer


def join(challenge: Challenge, *, by: Asker, accepts_rules: bool) -> TeamMember:
    """Take part, in a team of one's own: the rules are accepted once, before the first entry."""
    user = permissions.require_person(by)
    permissions.require_outsider(user, challenge)
    if not accepts_rules:
        raise InvalidInput(_("Accept the rules first."), data={"key": "accept"})
    if challenge.phase not in (Phase.UPCOMING, Phase.OPEN) and not _takes_practice(challenge):
        raise Conflict(_("This challenge takes nobody any more."), code="challenge_closed")
    known = member_of(challenge, user)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            team = Team.objects.create(challenge=challenge, captain=user, name=_free_name(challenge, user.username))
            return TeamMember.objects.create(team=team, challenge=challenge, user=user)
    except IntegrityError as error:
        if (known := member_of(challenge, user)) is not None:
            return known
        raise Conflict(_("Somebody took this name just now. Try again.")) from error


def member_of(challenge: Challenge, user: Asker) -> TeamMember | None:
    """Return how somebody takes part, None for whoever does not."""
    rows = TeamMember.objects.filter(challenge=challenge, user_id=user.pk or 0)
    return rows.select_related("team").first()


def require_member(challenge: Challenge, user: User) -> TeamMember:
    """Return how somebody takes part; raises NotAllowed for whoever has not accepted the rules."""
    found = member_of(challenge, user)
    if found is None:
        raise NotAllowed(_("Accept the rules of the challenge first, on its page."), code="rules_not_accepted")
    return found


def rename(team: Team, *, by: Asker, name: str) -> None:
    """Give a team another name."""
    _require_captain(team, permissions.require_person(by))
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidInput(_("A name of at most %(max)d characters.") % {"max": MAX_NAME}, data={"key": "name"})
    if Team.objects.filter(challenge=team.challenge_id, name__iexact=name).exclude(pk=team.pk).exists():
        raise Conflict(_("Another team has this name."), data={"key": "name"})
    try:
        with transaction.atomic():
            team.name = name
            team.save(update_fields=("name",))
    except IntegrityError as error:
        raise Conflict(_("Another team has this name."), data={"key": "name"}) from error


def invite(team: Team, username: str, *, by: Asker) -> TeamInvitation:
    """Ask somebody to join, with the whole team of that person if there is one."""
    user = permissions.require_person(by)
    _require_captain(team, user)
    _require_changeable(team.challenge)
    invited = User.objects.named(username.strip()).filter(is_active=True).first()
    if invited is None:
        raise NotFound(_("There is nobody called “%(name)s”.") % {"name": username[:60]})
    permissions.require_outsider(invited, team.challenge)
    other = member_of(team.challenge, invited)
    if other is not None and other.team_id == team.pk:
        raise Conflict(_("That person is in your team already."))
    _require_room(team, other.team if other else None)
    with transaction.atomic():
        if team.invitations.exclude(user=invited).count() >= MAX_INVITATIONS:
            raise Conflict(_("Too many invitations wait for an answer."))
        invitation, is_new = TeamInvitation.objects.get_or_create(
            team=team, user=invited, defaults={"invited_by": user}
        )
        if is_new:
            Event.record(
                "challenge.invited", subject=f"challenge:{team.challenge_id}", by=user, person=invited.pk,
                team=team.name,
            )  # fmt: skip
    return invitation


def accept(invitation: TeamInvitation, *, by: Asker, accepts_rules: bool) -> Team:
    """Join a team; whoever leads another one brings all of it, and it is gone then."""
    user = permissions.require_person(by)
    _require_invited(invitation, user)
    with transaction.atomic():
        teams = {row.pk: row for row in _locked(invitation.team.challenge, invitation, user)}
        team = teams.get(invitation.team_id)
        if team is None or not TeamInvitation.objects.filter(pk=invitation.pk).exists():
            raise NotFound(_("This team is gone, or asks you no longer."))
        _require_changeable(team.challenge)
        permissions.require_outsider(user, team.challenge)
        own = member_of(team.challenge, user)
        if own is None:
            if not accepts_rules:
                raise InvalidInput(_("Accept the rules first."), data={"key": "accept"})
            _require_room(team, None)
            TeamMember.objects.create(team=team, challenge=team.challenge, user=user)
        elif own.team_id != team.pk:
            _require_captain(own.team, user)
            _require_room(team, own.team)
            _merge(own.team, team)
        invitation.delete()
    return team


def refuse(invitation: TeamInvitation, *, by: Asker) -> None:
    """Say no to an invitation, or take it back."""
    user = permissions.require_person(by)
    if invitation.team.captain_id != user.pk:
        _require_invited(invitation, user)
    invitation.delete()


def leave(challenge: Challenge, *, by: Asker) -> None:
    """Leave a team for one of one's own. What it sent stays with it; whoever is alone goes only without entries."""
    user = permissions.require_person(by)
    with transaction.atomic():
        member = require_member(challenge, user)
        _require_changeable(challenge)
        team = Team.objects.select_for_update().get(pk=member.team_id)
        others = team.members.exclude(pk=member.pk).order_by("id")
        if not others and Entry.objects.filter(team=team).exists():
            raise Conflict(_("Your team has sent entries, and you are the last one in it."))
        member.delete()
        if not others:
            team.delete()
        elif team.captain_id == user.pk:
            team.captain = others[0].user
            team.save(update_fields=("captain",))


def _takes_practice(challenge: Challenge) -> bool:
    return challenge.takes_late and challenge.phase in (Phase.REVEALED, Phase.CONFIRMED)


def _free_name(challenge: Challenge, name: str) -> str:
    name, number = name[: MAX_NAME - 4], 1
    free = name
    while Team.objects.filter(challenge=challenge, name__iexact=free).exists():
        number += 1
        free = f"{name} {number}"
    return free


def _locked(challenge: Challenge, invitation: TeamInvitation, user: User) -> list[Team]:
    """Lock both teams, always in the same order: two that invite each other must not wait for each other."""
    own = TeamMember.objects.filter(challenge=challenge, user=user).values_list("team_id", flat=True)
    rows = Team.objects.select_for_update().filter(pk__in={invitation.team_id, *own}).order_by("pk")
    return list(rows.select_related("challenge"))


def _merge(source: Team, target: Team) -> None:
    """Move people and entries; the better of both shown scores stands."""
    if source.disqualified_at or target.disqualified_at:
        raise Conflict(_("A disqualified team cannot merge."))
    day = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Entry.objects.counted().filter(team__in=(source, target), sent_at__gte=day).count()
    if today > target.challenge.daily_limit:
        raise Conflict(_("Together you have sent more entries today than one team may. Merge tomorrow."))
    source.members.update(team=target)
    source.entries.update(team=target, is_final=False)
    target.entries.update(is_final=False)
    if source.shown is not None and _is_better(target.challenge, source.shown, target.shown):
        target.shown, target.shown_at = source.shown, source.shown_at
        target.save(update_fields=("shown", "shown_at"))
    source.delete()


def _is_better(challenge: Challenge, value: float, than: float | None) -> bool:
    if than is None:
        return True
    return value < than if challenge.lower_is_better else value > than


def _require_captain(team: Team, user: User) -> None:
    if team.is_baseline or team.captain_id != user.pk:
        raise NotAllowed(_("Only who leads the team may do this."))


def _require_invited(invitation: TeamInvitation, user: User) -> None:
    if invitation.user_id != user.pk:
        raise NotAllowed(_("This invitation is for somebody else."))


def _require_changeable(challenge: Challenge) -> None:
    if challenge.phase not in (Phase.UPCOMING, Phase.OPEN) or timezone.now() >= challenge.merges_until:
        raise Conflict(_("Teams no longer change in this challenge."), code="teams_settled")


def _require_room(team: Team, other: Team | None) -> None:
    people = team.members.count() + (other.members.count() if other else 1)
    if people > team.challenge.team_size:
        raise Conflict(
            _("A team has at most %(max)d people here; together you would be %(n)d.")
            % {"max": team.challenge.team_size, "n": people}
        )
