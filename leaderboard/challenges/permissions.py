"""Who may do what in a challenge. Seeing is decided by `Challenge.objects.visible_to` alone."""

from django.utils.translation import gettext as _

from leaderboard import permissions
from leaderboard.models import Challenge, Entry, Phase, TeamMember
from models_hub.models import Repo
from portal.errors import NotAllowed, SignInRequired
from portal.models import Asker, User
from portal.reach import may_use, reach_of


def can_organize(user: Asker, challenge: Challenge) -> bool:
    """Its organizer, by hand: no app and no limited token."""
    return isinstance(user, User) and reach_of(user) is None and challenge.organizer_id == user.pk


def can_oversee(user: Asker, challenge: Challenge) -> bool:
    """Its organizer and staff answer objections and disqualify."""
    return can_organize(user, challenge) or permissions.can_review(user)


def can_read_questions(user: Asker, challenge: Challenge) -> bool:
    """Whoever accepted the rules may read the questions once it is open, where files of predictions are taken."""
    if not challenge.takes_predictions:
        return False
    if challenge.phase in (Phase.DRAFT, Phase.PROPOSED, Phase.REFUSED, Phase.UPCOMING):
        return can_organize(user, challenge)
    return TeamMember.objects.filter(challenge=challenge, user_id=user.pk or 0).exists() or can_oversee(user, challenge)


def can_see_entry(user: Asker, entry: Entry) -> bool:
    """An entry is its team's."""
    return TeamMember.objects.filter(team=entry.team_id, user_id=user.pk or 0).exists()


def require_person(by: Asker) -> User:
    """Return who acts when a person does, and no app or limited token."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    if reach_of(by) is not None:
        raise NotAllowed(_("This token reaches repositories alone, no challenges."))
    return by


def require_sender(by: Asker) -> User:
    """Return who sends an entry: also by a token that may start jobs."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    if not may_use(by, "jobs"):
        raise NotAllowed(_("This token may start no jobs, and an entry starts one."))
    return by


def require_outsider(user: User, challenge: Challenge) -> None:
    """Raise NotAllowed for whoever may know the answers: the organizer, and who sees the data set they come from."""
    if challenge.organizer_id == user.pk:
        raise NotAllowed(_("You organize this challenge and know the answers. Baselines are your way to take part."))
    dataset = challenge.data.dataset_id if hasattr(challenge, "data") else None
    if dataset is not None and Repo.objects.visible_to(user).filter(pk=dataset).exists():
        raise NotAllowed(_("You can see the data set that the answers come from, so you cannot take part."))
