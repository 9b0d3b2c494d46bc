"""What follows from what happened. To add a reaction: write a function of one event and name it below.

The relay may deliver an event again after a crash, so a reaction must do no harm when it runs twice. It runs in the
transaction that marks the event as delivered: what takes long belongs into a job that it enqueues.
"""

from collections.abc import Callable, Sequence

from portal.models import Event
from worker.consumers import (
    best_scores,
    boards,
    contamination,
    deleted_repos,
    moderation,
    new_versions,
    notifications,
    renamed_accounts,
    results_files,
    search_words,
    standing,
    studies,
    webhooks,
)
from worker.webhook_payloads import TOLD

Consumer = Callable[[Event], None]

CONSUMERS: dict[str, Sequence[Consumer]] = {
    **dict.fromkeys(TOLD, (webhooks.announce,)),
    "repo.committed": (best_scores.tell, contamination.note, new_versions.measure, webhooks.announce),
    "repo.visibility_changed": (best_scores.tell, contamination.note, webhooks.announce),
    "repo.deleted": (deleted_repos.cancel_jobs, best_scores.tell, contamination.note, webhooks.announce),
    "repo.restored": (best_scores.tell, contamination.note),
    "evaluation.completed": (results_files.write, contamination.compare),
    "account.renamed": (renamed_accounts.index,),
    "organization.renamed": (renamed_accounts.index,),
}
CONSUMERS["repo.restricted"] = (best_scores.tell,)
for _kind in ("repo.committed", "repo.visibility_changed", "repo.restored", "repo.restricted"):
    CONSUMERS[_kind] = (*CONSUMERS[_kind], boards.seen_otherwise)
for _kind in ("evaluation.completed", "evaluation.reproduced"):
    CONSUMERS[_kind] = (*CONSUMERS.get(_kind, ()), boards.scored)
for _kind in ("suite.approved", "suite.end_set"):
    CONSUMERS[_kind] = (boards.decided,)
for _kind in (*moderation.HELD, *moderation.COMMENT_HELD):
    CONSUMERS[_kind] = (moderation.hold,)
for _kind in moderation.WRITTEN:
    CONSUMERS[_kind] = (*CONSUMERS.get(_kind, ()), moderation.look)
for _kind in notifications.HEARD:
    CONSUMERS[_kind] = (*CONSUMERS.get(_kind, ()), notifications.tell)
for _kind in standing.HEARD:
    CONSUMERS[_kind] = (*CONSUMERS.get(_kind, ()), standing.note)
for _kind in ("job.succeeded", "job.failed", "job.cancelled"):
    CONSUMERS[_kind] = (*CONSUMERS.get(_kind, ()), studies.trial_over)
for _kind in ("job.failed", "job.cancelled"):
    CONSUMERS[_kind] = (*CONSUMERS[_kind], studies.search_failed)
for _kind in search_words.HEARD:
    CONSUMERS[_kind] = (*CONSUMERS.get(_kind, ()), search_words.index)
for _kind in search_words.MOVED:
    CONSUMERS[_kind] = (*CONSUMERS.get(_kind, ()), search_words.mark)
