"""A private result without the names of what only its owner sees: a new card, and no version that ever named them."""

import json
from collections.abc import Iterator

from django.db import transaction
from django.utils.translation import gettext as _

from models_hub import browsing, publishing, reaching, squashing, tidying
from models_hub.adapting import card_writing
from models_hub.changes import PutFile
from models_hub.models import Commit, Ref, Repo, Run
from models_hub.tidying import Leftovers
from portal.errors import Conflict

ADAPTER_CONFIG = "adapter_config.json"
LIMIT = 1 << 20


def show_without_names(run: Run) -> None:
    """Show a result to everybody in one commit whose files name nothing hidden, and remove the version that did.

    Raises Conflict, changing nothing, where that would not be all: for a result that was changed since, that others
    build on, or that is of no use without its base.
    """
    repo = run.result
    assert repo is not None
    with transaction.atomic():
        account = tidying.lock(repo)
        before = _untouched(repo, run)
        # What a card may not name is asked of everybody's view of the result.
        publishing.set_private(repo, by=run.owner, private=False)
        title = _("Result of run %(number)d") % {"number": run.pk}
        publishing.commit(repo=repo, by=run.owner, changes=list(_changes(repo, run, before)), title=title)
        made = squashing.super_squash(repo, by=run.owner, message=title)
        run.result_commit = made.oid
        run.save(update_fields=("result_commit",))
        tidying.let_go(account, repo, Leftovers(tidying.find(repo, reaching.walk(repo)).objects, []))
        if Commit.objects.filter(repo=repo, oid=before.oid).exists():
            raise Conflict(_("Others build on this version already: take the names out by hand."))


def _untouched(repo: Repo, run: Run) -> Commit:
    """Return the commit of the result, the only one that the repository has come to."""
    refs = list(Ref.objects.filter(repo=repo).values_list("oid", flat=True))
    if refs != [run.result_commit]:
        raise Conflict(_("The result was changed since it was made: take the names out by hand."))
    return browsing.resolve_revision(repo, run.result_commit)


def _changes(repo: Repo, run: Run, commit: Commit) -> Iterator[PutFile]:
    yield PutFile("README.md", card_writing.card(run).encode())
    for name, content in card_writing.records(run).items():
        yield PutFile(f"{card_writing.FOLDER}/{name}", content)
    if run.base_id not in card_writing.hidden(run):
        return
    for entry in browsing.list_folder(repo, commit, recursive=True):
        if entry.path == ADAPTER_CONFIG:
            raise Conflict(_("The result is an adapter, which is of no use without the name of its base."))
        if entry.path.endswith(f"/{ADAPTER_CONFIG}"):
            config = json.loads(browsing.read(repo, entry, LIMIT))
            config |= {"base_model_name_or_path": None, "revision": None}
            yield PutFile(entry.path, (json.dumps(config, ensure_ascii=False, indent=2) + "\n").encode())
