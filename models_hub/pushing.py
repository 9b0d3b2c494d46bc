"""A push: commits made elsewhere come in, and references move to them, all or none."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import browsing, inspecting, landing, permissions, proposing, protecting, quotas, referencing
from models_hub.arrivals import missing
from models_hub.checking import shown
from models_hub.describing import Description
from models_hub.git import formats, objects, packs
from models_hub.git.graph import History
from models_hub.git.packs import COMMIT, TAG, IncomingPack, Limits
from models_hub.inspecting import NewCommit
from models_hub.models import DEFAULT_BRANCH, ZERO_OID, Commit, GitObject, PullRequest, Ref, Repo
from models_hub.models.pull_requests import PULLS, pull_number
from models_hub.models.refs import HEADS, TAGS
from models_hub.protecting import RefChange
from models_hub.publishing import require_writer
from portal.errors import Conflict, DomainError, InvalidInput, NotAllowed, StaleParent, TooLarge
from portal.models import Asker, User

MAIN = HEADS + DEFAULT_BRANCH
MAX_COMMANDS = 500


class RefCommand(NamedTuple):
    """What is to become of one reference; ZERO_OID as `old` creates it, as `new` deletes it."""

    name: str
    old: str
    new: str

    @property
    def creates(self) -> bool:
        return self.old == ZERO_OID

    @property
    def deletes(self) -> bool:
        return self.new == ZERO_OID


class RefRefused(NotAllowed):
    """A reference that may not become what the push wants; `data["ref"]` names it."""

    code = "ref_refused"


class NotFastForward(Conflict):
    """The push would drop commits that are on the reference; `data["ref"]` names it."""

    code = "non_fast_forward"


def push(
    *,
    repo: Repo,
    by: Asker,
    commands: Sequence[RefCommand],
    pack: Iterable[bytes] | None = None,
    limits: Limits | None = None,
) -> None:
    """Do what the commands say, with what the pack brings, or change nothing that anybody could see.

    Everything is checked that a commit through any other door is checked for. Where somebody else moved a reference
    first, StaleParent. `data["ref"]` of a failure names the reference at fault, where it is the fault of one.
    """
    user = require_pusher(repo, by=by, commands=commands)
    with packs.receive(repo, pack, limits) if pack is not None else nullcontext() as incoming:
        if incoming is not None:
            proposing.charge(repo, user, incoming.packed_bytes)
        tips = [_tip(repo, incoming, one) for one in commands if not one.deletes]
        new = inspecting.inspect(repo, incoming, [tip.commit for tip in tips])
        _require_forward(repo, user, tips, new)
        if incoming is not None:
            incoming.store(repo, incoming.marked())
    description = _description(repo, tips, new)
    with transaction.atomic():
        quotas.hold(repo)  # before the references, see quotas.py
        landing.note_commits(repo, [(one.record, _author(user, one), one.weights_digest) for one in new])
        for command in commands:
            if command.deletes:
                _delete(repo, command, by=user)
        known = {one.record.oid for one in new}
        for tip in tips:
            _move(repo, tip, by=user, brings=tip.commit in known, description=description)


def require_someone(repo: Repo, *, by: Asker) -> User:
    """Return the user who may push something: a writer, or the author of a pull request that is not decided."""
    user = proposing.require_proposer(by, repo)
    live = (PullRequest.Status.DRAFT, PullRequest.Status.OPEN)
    if not PullRequest.objects.filter(repo=repo, author=user, status__in=live).exists():
        require_writer(user, repo)
    return user


def require_pusher(repo: Repo, *, by: Asker, commands: Sequence[RefCommand]) -> User:
    """Return the user when all commands are ones that the user may give, whatever comes with them."""
    if len(commands) > MAX_COMMANDS:
        raise TooLarge(_("Push at most %(max)d branches and tags at a time.") % {"max": MAX_COMMANDS})
    names = [command.name for command in commands]
    if len(set(names)) < len(names):
        raise InvalidInput(_("A push may name each branch and tag once."))
    if not names or any(pull_number(name) is None for name in names):
        require_writer(by, repo)
    for command in commands:
        try:
            _check_command(repo, by, command)
        except DomainError as error:
            error.data.setdefault("ref", command.name)
            raise
    made = sum(command.creates for command in commands)
    if made and Ref.objects.filter(repo=repo).count() + made > referencing.MAX_REFS:
        raise TooLarge(_("A repository may have at most %(max)d branches and tags.") % {"max": referencing.MAX_REFS})
    assert isinstance(by, User)
    return by


@dataclass(frozen=True)
class _Tip:
    """Where one reference is to point: the commit, and the annotated tag on the way to it."""

    command: RefCommand
    commit: str
    tag: formats.TagRecord | None = None


def _check_command(repo: Repo, by: Asker, command: RefCommand) -> None:
    number = pull_number(command.name)
    if number is not None:
        proposing.require_pusher(by, repo, number)
        if command.deletes:
            raise RefRefused(_("Close the pull request on its page instead of deleting its reference."))
    elif command.name.startswith(PULLS):
        raise RefRefused(_("Open a pull request on the portal first; then push to refs/pr/<its number>."))
    elif command.name.startswith((HEADS, TAGS)):
        referencing.checked_name(command.name.removeprefix(HEADS).removeprefix(TAGS))
    else:
        raise RefRefused(
            _("“%(name)s” cannot be pushed: only branches (refs/heads/…), tags (refs/tags/…) and refs/pr/<number>.")
            % {"name": shown(command.name)}
        )
    if command.name == MAIN and command.deletes:
        raise RefRefused(_("The branch “%(name)s” is the one that everybody sees: it cannot be deleted.") % _main())
    if isinstance(by, User):  # early, for what the name alone tells; `landing.py` asks again
        old, new = None if command.creates else "", None if command.deletes else ""
        protecting.require(RefChange(repo, command.name, old, new), by=by)


def _tip(repo: Repo, pack: IncomingPack | None, command: RefCommand) -> _Tip:
    """Return which commit a command leads to, through an annotated tag if there is one."""
    oid = command.new
    found = pack.get(oid) if pack is not None else None
    kind = found.type if found else GitObject.objects.filter(repo=repo, oid=oid).values_list("type", flat=True).first()
    if kind == COMMIT:
        return _Tip(command, oid)
    if kind == TAG and command.name.startswith(TAGS):
        if found is not None and pack is not None:
            pack.mark(oid)
            body = pack.body(oid)
        else:
            body = objects.body(GitObject.objects.get(repo=repo, oid=oid))
        tag = formats.read_tag(oid, body)
        if tag.target_type == "commit":
            return _Tip(command, tag.target, tag)
    if kind is None:
        raise missing(oid, ref=command.name)
    raise RefRefused(
        _("A branch or tag must lead to a commit, and a tag not to another tag."), data={"ref": command.name}
    )


def _require_forward(repo: Repo, user: User, tips: Sequence[_Tip], new: Sequence[NewCommit]) -> None:
    """Refuse what would drop commits, except for those who may: see docs/ARCHITECTURE.md."""
    moved = [tip for tip in tips if not tip.command.creates]
    if not moved:
        return
    history = History(repo)
    for one in new:
        history.parents[one.record.oid] = one.record.parents
    for tip in moved:
        name, old = tip.command.name, tip.command.old
        if name.startswith(TAGS):
            if not permissions.can_manage(user, repo):
                raise RefRefused(
                    _("The tag “%(name)s” exists: only an admin of the owner may move it.") % _short(name),
                    data={"ref": name},
                )
        elif not history.is_ancestor(old, tip.commit):
            _require_force(repo, user, name, old)


def _require_force(repo: Repo, user: User, name: str, old: str) -> None:
    if pull_number(name) is not None:  # a proposal is its author's to rewrite
        return
    if not Ref.objects.filter(repo=repo, name=name, oid=old).exists():
        raise _stale(name)
    if not permissions.can_manage(user, repo):
        raise NotFastForward(
            _(
                "non-fast-forward: the branch “%(name)s” has commits that your push lacks. Run “git pull” and push "
                "again; only an admin of the owner may drop commits."
            )
            % _short(name),
            data={"ref": name},
        )
    if name == MAIN and not settings.ALLOW_FORCE_PUSH and not _is_untouched(repo, old):
        raise NotFastForward(
            _(
                "non-fast-forward: the branch “%(name)s” is protected, commits of it cannot be dropped. Run “git pull” "
                "and push again."
            )
            % _short(name),
            data={"ref": name},
        )


def _is_untouched(repo: Repo, oid: str) -> bool:
    """Say whether a branch holds but the commit that the repository was created with: there is nothing to lose."""
    commit = Commit.objects.filter(repo=repo, oid=oid).first()
    return (
        commit is not None
        and not commit.parents
        and set(browsing.items_below(repo, commit)) <= {".gitattributes"}
        and not Ref.objects.filter(repo=repo).exclude(name=MAIN).exists()
    )


def _description(repo: Repo, tips: Sequence[_Tip], new: Sequence[NewCommit]) -> Description | None:
    """Describe the new head of the default branch, whose objects are stored by now."""
    tip = next((tip for tip in tips if tip.command.name == MAIN), None)
    return inspecting.describe(repo, tip.commit, new) if tip else None


def _author(user: User, one: NewCommit) -> User | None:
    """Return the pusher where the commit says that the pusher wrote it; of others it proves nothing."""
    email = one.record.author_email.lower()
    return user if email and email in {user.email.lower(), f"{user.username}@users.noreply".lower()} else None


def _delete(repo: Repo, command: RefCommand, *, by: User) -> None:
    found = Ref.objects.filter(repo=repo, name=command.name).first()
    if found is None or command.old not in (found.tag_oid or found.oid, ZERO_OID):
        raise _stale(command.name)
    landing.end_ref(found, by=by)


def _move(repo: Repo, tip: _Tip, *, by: User, brings: bool, description: Description | None) -> None:
    name = tip.command.name
    try:
        if name.startswith(TAGS):
            _move_tag(repo, tip, by=by)
        elif tip.command.creates and not brings:
            landing.begin_ref(repo, name, tip.commit, by=by)
        elif tip.command.old != tip.commit:
            wanted = Commit.objects.filter(repo=repo, oid__in=[tip.command.old, tip.commit])
            rows = {row.oid: row for row in wanted}
            old = rows.get(tip.command.old)
            if old is None and not tip.command.creates:
                raise _stale(name)
            shown_in_lists = description if name == MAIN else None
            landing.move_branch(repo, name, old=old, new=rows[tip.commit], by=by, description=shown_in_lists)
    except StaleParent as error:
        raise _stale(name) from error
    except DomainError as error:
        error.data.setdefault("ref", name)
        raise


def _move_tag(repo: Repo, tip: _Tip, *, by: User) -> None:
    name, old = tip.command.name, tip.command.old
    now = Ref.objects.filter(repo=repo, name=name).first()
    if (ZERO_OID if now is None else now.tag_oid or now.oid) != old:
        raise _stale(name)
    message = tip.tag.message.partition("-----BEGIN ")[0].strip()[: referencing.MAX_MESSAGE] if tip.tag else ""
    tag_oid = tip.tag.oid if tip.tag else ""
    if now is None:
        landing.begin_ref(repo, name, tip.commit, by=by, message=message, tag_oid=tag_oid)
    else:
        landing.replace_tag(now, tip.commit, by=by, message=message, tag_oid=tag_oid)


def _stale(name: str) -> StaleParent:
    return StaleParent(
        _("non-fast-forward: “%(name)s” moved since you fetched it. Run “git pull” and push again.") % _short(name),
        data={"ref": name},
    )


def _short(name: str) -> dict[str, str]:
    return {"name": shown(name.removeprefix(HEADS).removeprefix(TAGS))}


def _main() -> dict[str, str]:
    return {"name": DEFAULT_BRANCH}
