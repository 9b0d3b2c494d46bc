"""Who may do what with a repository. Seeing is decided by `Repo.objects.visible_to` alone."""

from django.utils.translation import gettext as _

from models_hub.models import AccessRequest, Repo, Restriction
from portal.errors import NotAllowed
from portal.models import Asker, User
from portal.permissions import can_administer, can_write_in, role_in
from portal.reach import Level, may_use, reaches

DISABLED = "Access to this resource is disabled."  # to the letter what clients look for


class GatedRepo(NotAllowed):
    """The asker sees the repository but has not been let in to its files. The text is what clients look for."""

    code = "gated_repo"


class DisabledRepo(GatedRepo):
    """Moderation has taken the repository's files away from everybody."""

    code = "disabled_repo"

    def __init__(self) -> None:
        super().__init__(DISABLED)


def restriction_of(repo: Repo) -> Restriction | None:
    """Return what moderation has restricted, one query where it was not loaded with the repository."""
    return getattr(repo, "restriction", None)


def is_tombstone(repo: Repo) -> bool:
    """Whether moderation has disabled the repository: its pages say so, and nobody writes to it."""
    found = restriction_of(repo)
    return found is not None and found.is_tombstone


def may_open_tombstone(user: Asker, repo: Repo) -> bool:
    """Of what is disabled moderators read the files; of what is in quarantine, admins alone."""
    found = restriction_of(repo)
    in_quarantine = found is not None and found.level >= Restriction.Level.QUARANTINE
    return user.is_superuser if in_quarantine else user.is_staff


def can_write(user: Asker, repo: Repo) -> bool:
    """Writers of the owning namespace may commit, branch and tag, unless moderation has disabled it."""
    return not is_tombstone(repo) and can_write_in(user, repo.namespace, repo_id=repo.pk)


def can_propose(user: Asker, repo: Repo) -> bool:
    """Whoever sees a repository may open pull requests and discussions, and send content for them."""
    if is_tombstone(repo):
        return False
    return user.is_authenticated and (can_write(user, repo) or may_use(user, "discussions"))


def can_moderate(user: User, repo: Repo) -> bool:
    """Writers keep order in the discussions of their repository; so does the portal's staff."""
    return user.is_staff or can_write(user, repo)


def can_manage(user: Asker, repo: Repo) -> bool:
    """Admins of the owning namespace may change visibility, rename and delete."""
    return can_administer(user, repo.namespace, repo_id=repo.pk)


def can_download(user: Asker, repo: Repo) -> bool:
    """Everybody may read the files of an open repository; of a gated one, the owner's people and who was accepted.

    Asked by every face that gives bytes of files: card, tree and commits stay readable. It presumes that the
    repository was loaded through `visible_to`. A limited token opens only the gated ones that it was given.
    """
    if is_tombstone(repo):
        return may_open_tombstone(user, repo)
    if not repo.gated:
        return True
    if not user.is_authenticated:
        return False
    if not reaches(user, Level.READ, namespace_id=repo.namespace_id, repo_id=repo.pk):
        return False
    return (
        role_in(user, repo.namespace) is not None
        or AccessRequest.objects.filter(repo_id=repo.pk, user_id=user.pk, status=AccessRequest.Status.ACCEPTED).exists()
    )


def require_download(user: Asker, repo: Repo) -> None:
    """Raise GatedRepo when the user may not read the repository's files, DisabledRepo when nobody may."""
    if is_tombstone(repo) and not may_open_tombstone(user, repo):
        raise DisabledRepo
    if not can_download(user, repo):
        # Clients know the first sentence: it is never translated.
        raise GatedRepo(
            f"Access to {repo.kind} {repo.full_name} is restricted and you are not in the authorized list. "
            + (
                _("Ask for access on its page.")
                if user.is_authenticated
                else _("Sign in and ask for access on its page.")
            )
        )
