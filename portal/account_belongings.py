"""What of the commons, and of the libraries that hold accounts, belongs to people: see belongings.py."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import belongings
from portal.belongings import ended, moved, signed
from portal.models import (
    Appeal,
    Case,
    Follow,
    Handover,
    Membership,
    Namespace,
    Notice,
    Notification,
    Placing,
    Recheck,
    Report,
    ReputationLine,
    Restraint,
    Trust,
    TrustLevel,
    User,
)

ROLES = list(Membership.Role.values)  # the weakest first


def register() -> None:
    register_account()
    register_community()
    belongings.register_obstacle(_obstacles)


def register_account() -> None:
    belongings.register(
        # Ways to sign in, powers that staff gave, secrets, and devices that are told: none of them is handed on.
        *ended(
            "account.EmailAddress.user",
            "mfa.Authenticator.user",
            "usersessions.UserSession.user",
            "socialaccount.SocialAccount.user",
            "portal.User_groups.user",
            "portal.User_user_permissions.user",
            "portal.AccessToken.user",
            "portal.SshKey.user",
            "portal.TokenGrant.namespace",
            "portal.TrustedPublisher.created_by",
            "portal.TrustedPublisher.namespace",
            "portal.Authorization.user",
            "portal.AuthorizationCode.user",
            "portal.DeviceCode.user",
            "portal.IdempotentAnswer.user",
            "portal.AccountExport.user",
            "portal.Inbox.user",
            "portal.PushDevice.user",
        ),
        *moved("admin.LogEntry.user", "portal.AuditEntry.account", "portal.Letter.user"),
        *signed("portal.AuditEntry.actor", "portal.Event.actor"),
        *moved("portal.Membership.user", title=gettext_lazy("Organizations"), join=_join_membership),
        *moved("portal.Invitation.user", "portal.OAuthApp.owner", "portal.Device.user"),
        *signed("portal.Invitation.invited_by", "portal.Handover.into", "portal.Handover.asked_by"),
        *signed("portal.Job.owner", title=gettext_lazy("Jobs"), also=lambda person: {"share": person or 0}),
        *moved(
            "portal.Follow.follower",
            title=gettext_lazy("Follows"),
            unwanted=lambda row, target: Namespace.objects.filter(pk=row.namespace_id, user=target).exists(),
        ),
        *moved("portal.Follow.namespace", title=gettext_lazy("Followers"), unwanted=_follows_itself),
        *moved("portal.FormerName.namespace", "portal.Avatar.namespace"),
    )


def register_community() -> None:
    belongings.register(
        *moved("portal.Notification.user", title=gettext_lazy("Notifications"), changed=_count_unread),
        *moved("portal.Muting.user"),
        *signed("portal.Broadcast.by"),
        # Moderation: what was decided about either concerns the one who stays.
        *signed("portal.Case.author", "portal.Case.claimed_by", "portal.WatchedWord.created_by"),
        *signed("portal.Decision.by", "portal.Decision.confirmed_by", "portal.Decision.undone_by"),
        *signed("portal.Decision.person", "portal.Appeal.decided_by"),
        *signed("portal.Report.reporter", title=gettext_lazy("Reports"), join=_join_report),
        *moved("portal.Notice.person", join=_join_notice),
        *moved("portal.Restraint.person", "portal.SeenText.author", "portal.SeenHost.author"),
        *moved("portal.ReporterScore.person", join=_adding("agreed", "disagreed", "ignored")),
        # Badges and ledgers: lines and grants move; sums and what counts towards badges are computed anew.
        *ended("portal.BadgeEvidence.user", "portal.Recheck.user", "portal.Reputation.user"),
        *moved("portal.BadgeGrant.user", title=gettext_lazy("Badges")),
        *moved("portal.BadgeClaim.user"),
        *signed("portal.BadgeClaim.decided_by"),
        *moved("portal.Mentorship.mentor", unwanted=lambda row, target: row.mentee_id == target),
        *moved("portal.Mentorship.mentee", unwanted=lambda row, target: row.mentor_id == target),
        *moved("portal.ReputationLine.user"),
        *signed("portal.ReputationLine.giver", changed=_look_at_receivers),
        *moved("portal.SeasonPoints.user", join=_adding("points")),
        *moved("portal.Placing.user", join=_join_placing),
        *signed("portal.Placing.confirmed_by", "portal.Award.given_by"),
        *moved("portal.Award.user", title=gettext_lazy("Awards")),
        *moved("portal.UserDay.user", join=_adding("topics", "posts", "seconds", "acts")),
        *moved("portal.Trust.user", join=_join_trust),
        *moved("portal.TrustChange.user", "portal.Term.user"),
        *signed("portal.Term.appointed_by", "portal.Term.ended_by"),
    )


def _adding(*names: str) -> Any:
    """Return what adds up these columns of two rows."""

    def join(row: Any, twin: Any) -> None:
        for name in names:
            setattr(twin, name, getattr(twin, name) + getattr(row, name))
        twin.save(update_fields=names)

    return join


def _join_membership(row: Membership, twin: Membership) -> None:
    """The stronger role counts."""
    twin.role = max(row.role, twin.role, key=ROLES.index)
    twin.save(update_fields=("role",))


def _follows_itself(row: Follow, target: int) -> bool:
    """Whether the follower of a name is the person to whom the name goes; `target` is a name."""
    return Namespace.objects.filter(pk=target, user=row.follower_id).exists()


def _count_unread(rows: Sequence[Notification]) -> None:
    User.objects.filter(notifications__in=[row.pk for row in rows]).update(unread=None)


def _join_report(row: Report, _twin: Report) -> None:
    """Two open reports of one thing were by one person: the second does not weigh."""
    case = Case.objects.select_for_update().get(pk=row.case_id)
    case.reports_count, case.score = max(case.reports_count - 1, 0), max(case.score - row.weight, 0)
    case.reasons = {**case.reasons, row.reason: max(case.reasons.get(row.reason, 0) - 1, 0)}
    case.reasons = {reason: count for reason, count in case.reasons.items() if count}
    case.version += 1
    case.save(update_fields=("reports_count", "score", "reasons", "version"))


def _join_notice(row: Notice, twin: Notice) -> None:
    """What was appealed stays appealed."""
    if not Appeal.objects.filter(notice=twin).exists():
        Appeal.objects.filter(notice=row).update(notice=twin)


def _look_at_receivers(rows: Sequence[ReputationLine]) -> None:
    """What one person gave twice, under two names, counts once: the ledgers of those who got it are compared anew."""
    wanted = {(row.user_id, f"ledger:{row.kind}") for row in rows}
    now = timezone.now()
    looks = [Recheck(user_id=user, what=what, due_at=now) for user, what in sorted(wanted)]
    Recheck.objects.bulk_create(looks, ignore_conflicts=True)


def _join_placing(row: Placing, twin: Placing) -> None:
    """The better place counts, with the model that came there."""
    if row.rank < twin.rank:
        names = ("rank", "key", "code", "objections_until", "confirmed_by", "struck_at", "reason")
        for name in names:
            setattr(twin, name, getattr(row, name))
        twin.save(update_fields=names)


def _join_trust(row: Trust, twin: Trust) -> None:
    """What either has reached for good stays reached; the rest is computed anew."""
    twin.level = max(twin.level, min(row.level, int(TrustLevel.MEMBER)))
    read = [at for at in (row.rules_read_at, twin.rules_read_at) if at is not None]
    twin.rules_read_at = min(read, default=None)
    twin.save(update_fields=("level", "rules_read_at"))


def _obstacles(source: User, target: User) -> Iterator[str]:
    if source.pk == target.pk:
        yield _("These are one account.")
    if source.is_staff or source.is_superuser:
        yield _("%(name)s is staff. Its rights have to be taken from it first.") % {"name": source.username}
    if Handover.objects.unfinished().filter(into=source, began_at__isnull=False).exists():
        yield _("%(name)s is taking in another account just now.") % {"name": source.username}
    for one in (source, target):
        if one.deletion_due_at is not None:
            yield _("%(name)s is to be deleted.") % {"name": one.username}
        if Restraint.objects.in_force().filter(person=one, kind=Restraint.Kind.SUSPENSION).exists():
            yield _("%(name)s is suspended.") % {"name": one.username}
