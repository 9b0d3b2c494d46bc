"""Accounts whose days of grace are over are removed with all that is theirs alone; what they wrote stays, unnamed."""

from collections.abc import Callable

from models_hub import publishing
from models_hub.models import Collection, Repo
from portal import closing

AT_ONCE = 20


def purge_due(check: Callable[[], None] = lambda: None) -> int:
    """Remove the accounts that are due; returns how many. May be stopped between any two rows and goes on later."""
    count = 0
    for user in closing.due()[:AT_ONCE]:
        for repo in Repo.objects.filter(namespace__user=user).select_related("namespace"):
            check()
            if repo.deleted_at is None:
                publishing.delete_repo(repo, by=user)
            else:
                publishing.erase_repo(repo)
        Collection.objects.filter(namespace__user=user).delete()
        check()
        # Somebody may have signed in meanwhile; what was removed by then is gone, but the account stays.
        if closing.due().filter(pk=user.pk).exists():
            closing.purge(user)
            count += 1
    return count
