"""Protected branches and tags: what the rules of a repository forbid. `landing.py` asks at each change."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from models_hub import ancestry, approving, permissions
from models_hub.models import Commit, PullRequest, Ref, RefRule, Repo
from models_hub.models.ref_rules import MAX_APPROVALS
from models_hub.models.refs import HEADS, TAGS
from portal.errors import Conflict, InvalidInput, NotAllowed, NotFound
from portal.models import Asker, Event, User

MAX_RULES = 50
MAX_PEOPLE = 50
SHOWN = 20

Bypass, Movers = RefRule.Bypass, RefRule.Movers


class ProtectedRef(NotAllowed):
    """A rule of the repository forbids this; `data["ref"]` names the reference."""

    code = "protected_branch"


@dataclass(frozen=True)
class RefChange:
    """What is to become of a reference: `old` is None when it begins, `new` when it ends.

    `pull` is the pull request that brings the change; its head must be held by whoever asks. `new` may be a commit
    that is not made yet, "", of which then only is known whether it would be a merge.
    """

    repo: Repo
    name: str
    old: str | None
    new: str | None
    pull: PullRequest | None = None
    is_merge: bool = False


class Matched(NamedTuple):
    """A rule and the names that it holds for: the first of them, and how many there are."""

    rule: RefRule
    names: list[str]
    total: int


def require(change: RefChange, *, by: User | None) -> None:
    """Raise ProtectedRef when a rule forbids the change. Nobody at all is the portal, which follows another hub."""
    if by is None:
        return
    for refusal in refusals(change, by=by):
        raise ProtectedRef(_("protected branch: %(reason)s") % {"reason": refusal}, data={"ref": change.name})


def refusals(change: RefChange, *, by: Asker) -> Iterator[str]:
    """Yield all that the rules have against the change, as sentences."""
    for rule in rules_for(change.repo, change.name):
        if not may_bypass(by, rule):
            yield from _of_tag(rule, change) if rule.is_for_tags else _of_branch(rule, change, by)


def rules_for(repo: Repo, name: str) -> list[RefRule]:
    """Return the rules that hold for the full name of a reference."""
    if not name.startswith((HEADS, TAGS)):
        return []
    return [rule for rule in repo.ref_rules.all() if rule.matches(name)]


def may_commit(user: Asker, repo: Repo, branch: str) -> bool:
    """Say whether somebody who may write to the repository may commit to this branch without a pull request."""
    change = RefChange(repo, HEADS + branch, old="", new="")
    return not any(True for _reason in refusals(change, by=user))


def may_bypass(user: Asker, rule: RefRule) -> bool:
    return rule.bypass != Bypass.NOBODY and _is_among(user, rule, str(rule.bypass))


def find(repo: Repo, rule_id: int) -> RefRule:
    """Return a rule of the repository; raises NotFound."""
    found = repo.ref_rules.filter(pk=rule_id).first()
    if found is None:
        raise NotFound(_("This repository has no such rule."))
    found.repo = repo
    return found


def matching(repo: Repo, rules: Iterable[RefRule]) -> list[Matched]:
    """Return for each rule the first of the names that it holds for now, and how many there are."""
    names = list(Ref.objects.filter(repo=repo).order_by("name").values_list("name", flat=True))
    found = [(rule, [name.removeprefix(rule.folder) for name in names if rule.matches(name)]) for rule in rules]
    return [Matched(rule, matched[:SHOWN], len(matched)) for rule, matched in found]


def save_rule(rule: RefRule, *, by: Asker, people: Sequence[User] | None = None) -> RefRule:
    """Keep a new or changed rule; Conflict when there is one for the pattern already."""
    user = _require_manager(by, rule.repo)
    _check(rule)
    if people is not None and len(people) > MAX_PEOPLE:
        raise InvalidInput(_("List at most %(max)d people.") % {"max": MAX_PEOPLE})
    is_new = rule.pk is None
    try:
        with transaction.atomic():
            Repo.objects.select_for_update().get(pk=rule.repo_id)
            if is_new and rule.repo.ref_rules.count() >= MAX_RULES:
                raise InvalidInput(_("A repository may have at most %(max)d rules.") % {"max": MAX_RULES})
            rule.save()
            if people is not None:
                rule.people.set(people)
            _record("created" if is_new else "changed", rule, user)
    except IntegrityError as error:
        if is_new:
            rule.pk = None
        raise Conflict(_("There is a rule for this pattern already.")) from error
    return rule


def remove_rule(rule: RefRule, *, by: Asker) -> None:
    user = _require_manager(by, rule.repo)
    with transaction.atomic():
        _record("removed", rule, user)
        rule.delete()


def _check(rule: RefRule) -> None:
    pattern = rule.pattern
    is_name = pattern.isprintable() and " " not in pattern and not set(pattern) & set("[]?~^:\\")
    if not pattern or not is_name or ".." in pattern or "//" in f"/{pattern}/":
        raise InvalidInput(_("A pattern is a name such as “main”, or has stars: “release/*”."))
    if not 0 <= rule.approvals <= MAX_APPROVALS:
        raise InvalidInput(_("Ask for at most %(max)d approvals.") % {"max": MAX_APPROVALS})
    if rule.approvals and not rule.requires_pull_request:
        raise InvalidInput(_("Approvals are given to pull requests: ask for pull requests too."))
    if rule.is_for_tags and (rule.requires_pull_request or rule.is_linear):
        raise InvalidInput(_("Tags have no pull requests and no history of their own."))


def _of_tag(rule: RefRule, change: RefChange) -> Iterator[str]:
    name = {"name": change.name.removeprefix(TAGS)}
    if change.old is not None and change.new is None and rule.forbids_deletion:
        yield _("the tag “%(name)s” may not be deleted.") % name
    if change.old is not None and change.new is not None and rule.forbids_force:
        yield _("the tag “%(name)s” may not be moved.") % name


def _of_branch(rule: RefRule, change: RefChange, by: Asker) -> Iterator[str]:
    name = {"name": change.name.removeprefix(HEADS)}
    if not _is_among(by, rule, str(rule.movers)):
        yield _("you are not among those who may change “%(name)s”.") % name
    if change.old is None or change.new is None:
        if change.new is None and rule.forbids_deletion:
            yield _("“%(name)s” may not be deleted.") % name
        elif rule.requires_pull_request and not permissions.can_manage(by, change.repo):
            yield _("only an admin of the owner may begin or delete “%(name)s”.") % name
        return
    if rule.requires_pull_request and change.pull is None:
        yield _("changes to “%(name)s” come by pull request.") % name
    if change.pull is not None and rule.approvals:
        yield from _lacking(rule, change.pull)
    if rule.forbids_force and _drops(change):
        yield _("commits of “%(name)s” may not be dropped.") % name
    if rule.is_linear and _merges(change):
        yield _("the history of “%(name)s” is one line: squash, or bring the commits without merges.") % name


def _lacking(rule: RefRule, pull: PullRequest) -> Iterator[str]:
    standing = approving.standing(pull)
    for name in standing.objectors:
        yield _("%(name)s asks for changes.") % {"name": name}
    if len(standing.approvers) < rule.approvals:
        yield ngettext(
            "%(wanted)d approval is needed, %(given)d is given.",
            "%(wanted)d approvals are needed, %(given)d given.",
            rule.approvals,
        ) % {"wanted": rule.approvals, "given": len(standing.approvers)}


def _drops(change: RefChange) -> bool:
    """Say whether commits are lost; what is yet to be made will stand on what is there."""
    if not change.old or not change.new:
        return False
    row = Commit.objects.filter(repo=change.repo, oid=change.new).first()
    if row is not None and change.old in row.parents:
        return False
    return ancestry.merge_base(change.repo, change.old, change.new) != change.old


def _merges(change: RefChange) -> bool:
    if change.is_merge or not change.new:
        return change.is_merge
    return any(len(row.parents) > 1 for row in ancestry.added(change.repo, change.old, change.new))


def _is_among(user: Asker, rule: RefRule, who: str) -> bool:
    if who == Movers.WRITERS:
        return True
    if who == Movers.ADMINS:
        return permissions.can_manage(user, rule.repo)
    return rule.people.filter(pk=user.pk).exists()


def _require_manager(by: Asker, repo: Repo) -> User:
    if not isinstance(by, User) or repo.namespace.is_mirror or not permissions.can_manage(by, repo):
        raise NotAllowed(_("Only an admin of the owner may change the rules of its branches."))
    return by


def _record(what: str, rule: RefRule, by: User) -> None:
    Event.record(
        f"repo.rule_{what}", subject=f"repo:{rule.repo_id}", by=by, target=str(rule.target), pattern=rule.pattern
    )
