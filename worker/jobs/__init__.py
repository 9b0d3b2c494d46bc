"""The kinds of jobs. To add one: write `run(attempt)` in a module here and name it below.

`run` does its work, asks `attempt.check()` between steps, shows progress with `attempt.report`, and ends by storing
what it found together with `attempt.job.finish(result)` in one transaction. It may raise JobFailed (no use trying
again), TryAgain (the worker's fault), an EngineError or any DomainError; worker/running.py turns each into a state.
"""

from collections.abc import Callable

from django.utils.translation import gettext_noop

from worker.attempts import Attempt
from worker.jobs import (
    compare_tensors,
    convert,
    deliver_webhook,
    end_account,
    evaluate,
    explain,
    export_account,
    finetune,
    import_repo,
    judge_entry,
    mark_posts,
    measure_overlap,
    pick_rows,
    prepare_challenge,
    publish_run,
    read_table,
    reveal_challenge,
    search,
    tell_watchers,
    try_examples,
    write_labels,
)

# The name of a kind is stored with its jobs and translated where it is shown.
KINDS: dict[str, Callable[[Attempt], None]] = {
    gettext_noop("evaluate"): evaluate.run,
    gettext_noop("compare_tensors"): compare_tensors.run,
    gettext_noop("import"): import_repo.run,
    gettext_noop("deliver_webhook"): deliver_webhook.run,
    gettext_noop("read_table"): read_table.run,
    gettext_noop("measure_overlap"): measure_overlap.run,
    gettext_noop("export_account"): export_account.run,
    gettext_noop("tell_watchers"): tell_watchers.run,
    gettext_noop("mark_posts"): mark_posts.run,
    gettext_noop("end_account"): end_account.run,
    gettext_noop("finetune"): finetune.run,
    gettext_noop("explain"): explain.run,
    gettext_noop("export"): convert.run,
    gettext_noop("compress"): convert.run,
    gettext_noop("publish_run"): publish_run.run,
    gettext_noop("search"): search.run,
    gettext_noop("prepare_challenge"): prepare_challenge.run,
    gettext_noop("judge_entry"): judge_entry.run,
    gettext_noop("reveal_challenge"): reveal_challenge.run,
    gettext_noop("try_examples"): try_examples.run,
    gettext_noop("pick_rows"): pick_rows.run,
    gettext_noop("write_labels"): write_labels.run,
}
