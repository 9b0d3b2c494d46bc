"""Who may do what in a conversation. Who may see it is decided by the repository or the category that it is in."""

from django.utils.translation import gettext as _

from forum import mending
from forum.models import Category, Post, Steward, Topic
from models_hub import permissions, proposing
from portal import trust
from portal.errors import NotAllowed, SignInRequired
from portal.models import Asker, TrustLevel, User
from portal.reach import may_use


def can_keep_order(user: Asker, category: Category) -> bool:
    """The portal's staff, and those whom it appointed for the category."""
    if not isinstance(user, User):
        return False
    return user.is_staff or Steward.objects.serving().filter(category=category, user=user).exists()


def can_moderate(user: User, topic: Topic) -> bool:
    """Keep order: about a repository, as the hub says; in a category, its stewards and the portal's staff."""
    if topic.repo is not None:
        return permissions.can_moderate(user, topic.repo)
    return user.is_staff if topic.category is None else can_keep_order(user, topic.category)


def can_arrange(user: User, topic: Topic) -> bool:
    """Give a topic of a category another name, other tags or another place: who keeps order, and people of level 3.

    What staff announce is staff's alone.
    """
    if can_moderate(user, topic):
        return True
    is_common = topic.category is not None and not topic.category.staff_open
    return is_common and trust.level(user) >= TrustLevel.REGULAR


def can_change(user: Asker, post: Post) -> bool:
    """Whether the user may edit the words of a post: they are its author's alone."""
    if post.is_hidden:
        return mending.may_mend(post, user)
    return user.is_authenticated and post.author_id == user.pk and post.is_comment


def require_member(by: Asker) -> User:
    """Return the person who may take part in the forum."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    if not may_use(by, "discussions"):
        raise NotAllowed(_("This access token may not take part in discussions and pull requests."))
    return by


def require_participant(by: Asker, topic: Topic) -> User:
    """Return the person who may take part in a conversation that he sees."""
    return require_member(by) if topic.repo is None else proposing.require_proposer(by, topic.repo)


def require_decider(by: Asker, topic: Topic) -> User:
    """Return the person who may rename, close and open: the author and those who keep order there."""
    user = require_participant(by, topic)
    if topic.author_id != user.pk and not can_moderate(user, topic):
        if topic.repo is not None:
            raise NotAllowed(_("Only its author and writers of the repository may change this."))
        raise NotAllowed(_("Only its author and those who keep order here may change this."))
    return user


def require_namer(by: Asker, topic: Topic) -> User:
    """Return the person who may rename and retag: the author, and who may arrange topics."""
    user = require_participant(by, topic)
    return user if topic.repo is None and can_arrange(user, topic) else require_decider(by, topic)


def require_mover(by: Asker, topic: Topic) -> User:
    """Return the person who may bring a topic into another category."""
    user = require_participant(by, topic)
    if not can_arrange(user, topic):
        raise NotAllowed(_("Only those who keep order here and people of trust level 3 may do this."))
    return user


def require_moderator(by: Asker, topic: Topic) -> User:
    """Return the person who keeps order in this conversation."""
    user = require_participant(by, topic)
    if not can_moderate(user, topic):
        raise NotAllowed(_("Only those who keep order here may do this."))
    return user
