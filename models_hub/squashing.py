"""A branch without its past: one commit with the files of its head."""

from django.db import transaction

from models_hub import browsing, describing, landing, quotas
from models_hub.git import objects
from models_hub.models import DEFAULT_BRANCH, Commit, Ref, Repo
from models_hub.models.refs import HEADS, full_name
from models_hub.publishing import checked_message, require_writer
from portal.models import Asker, Event


def super_squash(repo: Repo, *, by: Asker, branch: str = DEFAULT_BRANCH, message: str) -> Commit:
    """Replace the history of a branch by one commit with its files. Old commits are no longer part of the branch."""
    user = require_writer(by, repo)
    title, description = checked_message(message, "")
    name = full_name(branch)
    with transaction.atomic():
        quotas.hold(repo)  # before the branch, see quotas.py
        ref = Ref.objects.select_for_update().filter(repo=repo, name=name).first()
        head = browsing.resolve_revision(repo, name if ref is None else ref.oid)
        made = objects.make_commit(head.tree_oid, [], title=title, description=description, author=user.username)
        objects.write(repo, [made])
        row = landing.note_commit(repo, made, author=user, weights_digest=head.weights_digest)
        shown = describing.describe_head(repo) if name == HEADS + DEFAULT_BRANCH else None
        landing.move_branch(repo, name, old=head, new=row, by=user, description=shown)
        Event.record("repo.squashed", subject=f"repo:{repo.pk}", by=user, ref=name, before=head.oid, commit=row.oid)
    return row
