"""What happens to a repository is put on its way to those whose webhooks watch it."""

from functools import partial

from models_hub import webhooks
from models_hub.models import Repo
from portal.models import Event
from worker.webhook_payloads import TOLD, may_see, repo_id


def announce(event: Event) -> None:
    """Put the event on its way, by the names that the repository has and, if it has just moved, had."""
    scope, action = TOLD[event.kind]
    for kind, name in _names(event):
        webhooks.announce(event, scope=scope, action=action, kind=kind, name=name, may_see=partial(may_see, event))


def _names(event: Event) -> list[tuple[str, str]]:
    facts = event.payload
    if event.kind == "repo.deleted":
        return [(str(facts["repo_kind"]), str(facts["name"]))]
    repo = Repo.objects.select_related("namespace").filter(pk=repo_id(event)).first()
    if repo is None:  # deleted since, which is an event of its own
        return []
    before = [(repo.kind, str(facts["before"]))] if event.kind == "repo.moved" else []
    return [(repo.kind, repo.full_name), *before]
