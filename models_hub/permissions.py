"""Who may do what with a repository. Seeing is decided by `Repo.objects.visible_to` alone."""

from models_hub.models import Repo
from portal.models import Asker
from portal.permissions import can_administer, can_write_in


def can_write(user: Asker, repo: Repo) -> bool:
    """Writers of the owning namespace may commit, branch and tag."""
    return can_write_in(user, repo.namespace)


def can_manage(user: Asker, repo: Repo) -> bool:
    """Admins of the owning namespace may change visibility, rename and delete."""
    return can_administer(user, repo.namespace)
