"""Who may do what in a conversation. Who may see it is decided by the repository it is about."""

from forum.models import Topic
from models_hub import permissions
from portal.models import User


def can_moderate(user: User, topic: Topic) -> bool:
    """Keep order: about a repository, as the hub says; elsewhere, the portal's staff."""
    return user.is_staff if topic.repo is None else permissions.can_moderate(user, topic.repo)
