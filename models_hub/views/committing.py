"""Where a change made in the browser goes: to the branch itself, or to a pull request for it."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from models_hub import permissions, proposing, protecting, publishing
from models_hub.changes import Change
from models_hub.forms import PROPOSAL, CommitForm, Targets
from models_hub.models import PullRequest, Ref, Repo
from models_hub.models.pull_requests import pull_number
from models_hub.models.refs import HEADS
from portal.models import Asker


def may_change(user: Asker, repo: Repo, revision: str) -> bool:
    """Say whether files of the revision may be changed in the browser, be it by a pull request."""
    number = pull_number(revision)
    if number is None:
        return permissions.can_propose(user, repo) and Ref.objects.filter(repo=repo, name=HEADS + revision).exists()
    pull = PullRequest.objects.filter(repo=repo, number=number).first()
    is_pusher = pull is not None and (permissions.can_write(user, repo) or pull.author_id == user.pk)
    return pull is not None and pull.is_live and is_pusher and permissions.can_propose(user, repo)


def targets(user: Asker, repo: Repo, revision: str) -> Targets:
    """Return the places that the form offers, none where there is only one; raises where the reader may nothing."""
    proposer = proposing.require_proposer(user, repo)
    permissions.require_download(proposer, repo)
    if pull_number(revision) is not None:
        publishing.require_pusher(proposer, repo, revision)
        return []
    proposal = (PROPOSAL, _("Open a pull request for %(branch)s") % {"branch": revision})
    if not permissions.can_write(proposer, repo) or not protecting.may_commit(proposer, repo, revision):
        return [proposal]
    return [("branch", _("Commit directly to %(branch)s") % {"branch": revision}), proposal]


def commit(
    repo: Repo, *, by: Asker, revision: str, form: CommitForm, changes: Iterable[Change], parent: str | None = None
) -> str:
    """Do what the form asks for; return the address of the pull request that got the change, "" for a branch."""
    title, description = form.cleaned_data["title"], form.cleaned_data["description"]
    if form.proposes:
        pull, _made = publishing.propose(
            repo=repo, by=by, changes=changes, title=title, description=description, base=revision, parent=parent
        )
        return f"{repo.path}/discussions/{pull.number}"
    publishing.commit(
        repo=repo, by=by, changes=changes, title=title, description=description, branch=revision, parent=parent
    )
    number = pull_number(revision)
    return "" if number is None else f"{repo.path}/discussions/{number}"
