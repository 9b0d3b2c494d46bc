"""Pull requests from their opening to the decision: who may propose what, and how much of it.

Whoever sees a repository may propose changes to it. The right reaches no further than the pull request: its commits
are on `refs/pr/<number>`, where readers of the repository find them, and on no branch before a writer merges them.
"""

from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models import F
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from models_hub import approving, permissions, quotas
from models_hub.browsing import RevisionNotFound
from models_hub.changes import Change, PutFile
from models_hub.checking import is_text
from models_hub.conversation import conversation
from models_hub.landing import MAX_TITLE
from models_hub.models import DEFAULT_BRANCH, Numbering, Proposer, PullRequest, Ref, Repo, Review
from models_hub.models.refs import HEADS
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound, QuotaExceeded, SignInRequired
from portal.models import Asker, User

Status = PullRequest.Status

# What the owner's quota bears from somebody who may not write. A merge of theirs gives the bytes back.
MAX_LIVE_PER_PROPOSER = 20
MAX_BYTES_PER_PROPOSER = 5 * 1024**3
LEFT_TO_OWNER = 1024 * 1024
_METER_BYTES = 1024 * 1024


def find(repo: Repo, number: int) -> PullRequest:
    """Return the pull request of this number; raises NotFound."""
    pull = PullRequest.objects.select_related("author").filter(repo=repo, number=number).first()
    if pull is None:
        raise NotFound(_("This repository has no pull request %(number)d.") % {"number": number})
    pull.repo = repo
    return pull


def require_proposer(by: Asker, repo: Repo) -> User:
    """Return the user who may propose changes to a repository that he sees."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    if repo.namespace.is_mirror:
        raise NotAllowed(_("This repository is a copy that follows another hub: take part at its original."))
    if not permissions.can_propose(by, repo):
        raise NotAllowed(_("This access token may not take part in discussions and pull requests."))
    return by


def require_pusher(by: Asker, repo: Repo, number: int) -> User:
    """Return the user who may add commits to a pull request: its author or a writer, while it is not decided."""
    user, pull = require_proposer(by, repo), _found(repo, number)
    if pull.author_id != user.pk and not permissions.can_write(user, repo):
        raise NotAllowed(_("Only its author and writers of the repository may add commits to a pull request."))
    require_live(pull)
    return user


def require_live(pull: PullRequest) -> None:
    """Raise Conflict when the pull request is merged or closed."""
    if pull.status == Status.MERGED:
        raise Conflict(_("Pull request %(number)d is merged already.") % {"number": pull.number})
    if not pull.is_live:
        raise Conflict(_("Pull request %(number)d is closed: reopen it first.") % {"number": pull.number})


def open_pull_request(
    *, repo: Repo, by: Asker, title: str, description: str = "", base: str = DEFAULT_BRANCH, draft: bool = False
) -> PullRequest:
    """Open a pull request whose reference begins at the head of `base`; raises RevisionNotFound without that branch."""
    user, title = require_proposer(by, repo), checked_title(title)
    with transaction.atomic():
        number = Numbering.take(repo)
        head = Ref.objects.filter(repo=repo, name=HEADS + base).first() if is_text(base) else None
        if head is None:
            raise RevisionNotFound(_("This repository has no branch “%(name)s”.") % {"name": base[:100]})
        _require_slot(user, repo)
        status = Status.DRAFT if draft else Status.OPEN
        pull = PullRequest.objects.create(repo=repo, number=number, author=user, base=base, status=status)
        conversation().opened(pull, by=user, title=title, description=description)
        Ref.move(repo, pull.ref, expected=None, new=head.oid)
    return pull


def change_status(pull: PullRequest, *, by: Asker, status: str, comment: str = "") -> None:
    """Close a pull request, or open it: a draft for merging, a closed one again."""
    user = require_decider(by, pull)
    if status not in (Status.OPEN, Status.CLOSED):
        raise InvalidInput(_("The status must be “open” or “closed”."))
    with transaction.atomic():
        now = PullRequest.objects.select_for_update().get(pk=pull.pk)
        if now.status == Status.MERGED:
            raise Conflict(_("Pull request %(number)d is merged already.") % {"number": pull.number})
        if now.status == status:
            raise Conflict(_("Pull request %(number)d has this status already.") % {"number": pull.number})
        if not now.is_live and pull.author is not None:
            _require_slot(pull.author, pull.repo)
        pull.status = status
        pull.save(update_fields=("status", "updated_at"))
        conversation().status_changed(pull, by=user, comment=comment)


def review(pull: PullRequest, *, by: Asker, verdict: str, head: str, comment: str = "") -> Review:
    """Say whether a proposal is good, having seen its commit `head`; replaces what the same person said before."""
    user = require_proposer(by, pull.repo)
    if verdict not in Review.Verdict.values:
        raise InvalidInput(_("A review says “approved” or “changes”."))
    if user.pk == pull.author_id:
        raise NotAllowed(_("The author of a pull request does not review it."))
    with transaction.atomic():
        require_live(PullRequest.objects.select_for_update().get(pk=pull.pk))
        if head != approving.head_of(pull):
            raise Conflict(_("The pull request has new commits since you looked at it. Look at them first."))
        values = {"verdict": verdict, "oid": head}
        row, _created = Review.objects.update_or_create(pull=pull, reviewer=user, defaults=values)
        conversation().reviewed(pull, by=user, verdict=verdict, comment=comment)
    return row


def require_decider(by: Asker, pull: PullRequest) -> User:
    """Return the user who may close and open a pull request: its author, a writer or the portal's staff."""
    user = require_proposer(by, pull.repo)
    if pull.author_id != user.pk and not permissions.can_moderate(user, pull.repo):
        raise NotAllowed(_("Only its author and writers of the repository may change this."))
    return user


def checked_title(title: str) -> str:
    """Return a title of one line; raises InvalidInput."""
    title = " ".join(title.split())
    if not title or len(title) > MAX_TITLE or not is_text(title):
        raise InvalidInput(_("Give a title of at most %(max)d characters.") % {"max": MAX_TITLE})
    return title


def charge(repo: Repo, user: User, size: int) -> None:
    """Count bytes that a person sends for a pull request; raises QuotaExceeded beyond what strangers may.

    Writers send on the owner's account alone and are not counted here.
    """
    if not size or permissions.can_write(user, repo):
        return
    require_room(repo, user, [size])
    with transaction.atomic():
        Proposer.objects.get_or_create(repo=repo, user=user)
        row = Proposer.objects.filter(repo=repo, user=user, sent__lte=MAX_BYTES_PER_PROPOSER - size)
        if not row.update(sent=F("sent") + size):
            raise QuotaExceeded(
                _(
                    "What you send to a repository of others may have at most %(max)s until they merge some of it: "
                    "ask a writer of the repository."
                )
                % {"max": filesizeformat(MAX_BYTES_PER_PROPOSER)}
            )


def require_room(repo: Repo, user: Asker, announced: Iterable[int]) -> None:
    """Refuse early what cannot fit. Strangers learn no numbers of the owner's storage, nor fill it to the last byte."""
    if permissions.can_write(user, repo):
        quotas.require_room(repo, announced)
    elif sum(announced) + LEFT_TO_OWNER > quotas.room_of(repo):
        raise QuotaExceeded(_("The owner of this repository has no room left for what you send."))


def metered(repo: Repo, user: User, changes: Iterable[Change]) -> Iterator[Change]:
    """Pass changes on, counting the bytes that they carry."""
    waiting = 0
    for change in changes:
        waiting += len(change.content) if isinstance(change, PutFile) else 0
        if waiting >= _METER_BYTES:
            charge(repo, user, waiting)
            waiting = 0
        yield change
    if waiting:
        charge(repo, user, waiting)


def _found(repo: Repo, number: int) -> PullRequest:
    pull = PullRequest.objects.filter(repo=repo, number=number).first()
    if pull is None:
        raise RevisionNotFound(_("This repository has no pull request %(number)d.") % {"number": number})
    return pull


def _require_slot(user: User, repo: Repo) -> None:
    """Bound what one stranger may keep waiting in one repository."""
    if permissions.can_write(user, repo):
        return
    live = PullRequest.objects.filter(repo=repo, author=user, status__in=(Status.DRAFT, Status.OPEN)).count()
    if live >= MAX_LIVE_PER_PROPOSER:
        raise QuotaExceeded(
            _("You have %(count)d open pull requests here: close some of them or wait until they are decided.")
            % {"count": live}
        )
