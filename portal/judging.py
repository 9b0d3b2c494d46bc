"""Who may judge a case, and what they may do with it."""

from django.utils.translation import gettext as _

from portal import moderated
from portal.errors import InvalidInput, NotAllowed
from portal.mod_actions import ACTIONS, Action
from portal.models import Asker, Case, Membership, User
from portal.models.moderation import CaseQuerySet


def open_to(user: User) -> CaseQuerySet:
    """Return the cases that the person may judge, but for recusal: all for staff, of their places for stewards."""
    if user.is_staff:
        return Case.objects.all()
    return Case.objects.filter(place__in=moderated.places_of(user)).exclude(place="")


def may_moderate(user: Asker) -> bool:
    """Whether the person keeps order anywhere."""
    return isinstance(user, User) and user.is_active and (user.is_staff or bool(moderated.places_of(user)))


def is_recused(user: User, *, author_id: int | None, organization_id: int | None = None) -> bool:
    """Whether it is the person's own, or of an organization of the person."""
    if author_id == user.pk:
        return True
    return organization_id is not None and Membership.objects.filter(
        organization_id=organization_id, user_id=user.pk
    ).exists()  # fmt: skip


def require_may_judge(user: User, case: Case) -> None:
    """Raise NotAllowed unless the person may decide this case."""
    if not (user.is_staff or (case.place and case.place in moderated.places_of(user))):
        raise NotAllowed(_("Only moderators may do that."))
    target = moderated.load(case.about)
    organization = target.organization_id if target else None
    own = is_recused(user, author_id=case.author_id, organization_id=organization)
    claimed = case.is_claim and case.reports.filter(reporter=user, verdict="").exists()
    if own or claimed or case.about == f"user:{user.pk}":
        raise NotAllowed(_("This is your own, or your organization’s: somebody else must decide."))


def may_judge(user: User, case: Case) -> bool:
    try:
        require_may_judge(user, case)
    except NotAllowed:
        return False
    return True


def choices(case: Case, user: User) -> list[Action]:
    """Return what the person may do with a case."""
    offered = (*moderated.actions_of(case.about), *(("silence", "suspend") if case.author_id else ()))
    if case.kind == Case.Kind.HELD:
        offered = ("approve", "refuse", "silence")
    else:
        offered = tuple(name for name in offered if name not in {"approve", "refuse"})
        offered = ("dismiss", "ignore", *offered)
    known = (ACTIONS[name] for name in dict.fromkeys(offered))
    return [one for one in known if one.may(user)]


def allowed(action: str, case: Case, by: User) -> Action:
    """Return one of the choices; raises InvalidInput."""
    found = next((one for one in choices(case, by) if one.name == action), None)
    if found is None:
        raise InvalidInput(_("Choose one of the actions."))
    return found
