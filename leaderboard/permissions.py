"""Who may register benchmarks, ask for evaluations and arrange boards. Seeing is decided by `visible_to` alone."""

from models_hub.models import Repo
from models_hub.permissions import can_download, can_write
from portal.models import Asker


def can_register(user: Asker, dataset: Repo) -> bool:
    """Writers of a data set may make a benchmark of it."""
    return can_write(user, dataset)


def can_evaluate(user: Asker, model: Repo) -> bool:
    """Anybody with an account may have a public model evaluated; a private one is its writers' business.

    A gated one is the business of those who may download it.
    """
    may_ask = user.is_authenticated and (not model.private or can_write(user, model))
    return may_ask and can_download(user, model)


def can_arrange_suites(user: Asker) -> bool:
    """Boards are arranged by staff."""
    return user.is_authenticated and user.is_staff
