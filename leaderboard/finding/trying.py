"""Own examples from the first line to the last: taken in, tried on a few models by workers, and forgotten."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from leaderboard import adapters, allowance, fitting, model_files, submitting
from leaderboard.definition_settings import SETTINGS
from leaderboard.definition_values import Values
from leaderboard.engine_facts import engine_version
from leaderboard.finding import reading
from leaderboard.finding.example_tasks import TASKS
from leaderboard.finding.reading import ExamplesRefused, Read
from leaderboard.models import Contender, ExampleSet
from leaderboard.task_kinds import KINDS
from models_hub import browsing
from models_hub.adapting import reports
from models_hub.models import DEFAULT_BRANCH, Repo
from portal.errors import Conflict, DomainError, NotAllowed, QuotaExceeded, SignInRequired
from portal.models import Asker, Job, User
from portal.reach import reach_of

KIND = "try_examples"
MAX_MODELS = 5
MAX_SETS = 20
MAX_ANSWER = 200
# Readers of languages without spaces count characters.
BY_CHARACTERS = {"bleu_tokenization": "zh", "rouge_tokenization": "zh", "rules": "cmrc"}


def begin(
    *,
    by: Asker,
    title: str,
    task: str,
    text: str,
    models: Sequence[Repo],
    columns: Mapping[str, str] | None = None,
    label_map: Mapping[str, str] | None = None,
    question: str = "",
) -> ExampleSet:
    """Take examples in and ask workers to try the models on them; refused as a whole where one thing is wrong."""
    user = require_person(by)
    if not 1 <= len(models) <= MAX_MODELS or len({model.pk for model in models}) != len(models):
        raise ExamplesRefused(_("Choose 1 to %(max)d models, each once.") % {"max": MAX_MODELS})
    found = reading.read(text, task, columns or {})
    _check_map(label_map or {}, found)
    commits = _fitting(models, task, user)
    rows = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found.rows)
    with transaction.atomic():
        _require_room(user)
        examples = ExampleSet.objects.create(
            owner=user,
            title=title.strip() or _("My examples"),
            task=task,
            definition=definition_of(task, found, label_map or {}, rows),
            rows=rows,
            count=len(found.rows),
            digest=hashlib.sha256(f"{task}\n{rows}".encode()).hexdigest(),
            question=question[:1000],
        )
        for model in models:
            _start(Contender(examples=examples, model=model, **commits[model.pk]), user)
    return examples


def require_person(by: Asker) -> User:
    """Return who asks; raises SignInRequired, and NotAllowed for tokens that reach repositories alone."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in first."))
    if reach_of(by) is not None:
        raise NotAllowed(_("This token reaches repositories alone, no examples."))
    return by


def again(contender: Contender, *, by: User) -> None:
    """Try a model once more that failed or was cancelled."""
    if not contender.is_over or contender.finished_at is not None:
        raise Conflict(_("It is not over, or it has a score already."))
    commit = _fitting([contender.model], contender.examples.task, by)[contender.model_id]
    with transaction.atomic():
        for name, value in commit.items():
            setattr(contender, name, value)
        _start(contender, by)


def cancel(examples: ExampleSet, *, by: User | None) -> int:
    """Stop what waits or runs; returns how many were stopped."""
    jobs = Job.objects.unfinished().filter(contender__examples=examples)
    stopped = 0
    for job in jobs:
        try:
            job.cancel(by=by)
            stopped += 1
        except Conflict:  # it ended a moment ago
            continue
    return stopped


def forget(examples: ExampleSet, *, by: User | None = None) -> None:
    """Delete examples with all that models said to them; what still runs is stopped, and can store nothing."""
    cancel(examples, by=by)
    examples.delete()


def forget_over() -> int:
    """Delete the examples whose days are over; returns how many."""
    over = list(ExampleSet.objects.over().defer("rows"))
    for examples in over:
        forget(examples)
    return len(over)


def record(
    contender: Contender,
    *,
    job: Job,
    scores: Mapping[str, Any],
    items: Mapping[str, Any],
    answers: Sequence[Mapping[str, Any]],
    report: Mapping[str, Any],
) -> None:
    """Store what was found and end the job, both or neither; LeaseLost where the job is no longer the caller's."""
    examples = contender.examples
    primary = reports.bounded(dict(scores.get("primary", {})))
    numbers = {name: primary.get(name) for name in ("value", "low", "high")}
    if not all(reports.is_number(number) for number in numbers.values()):
        raise DomainError(_("The scorer gave no proper number; the score is not stored."))
    kept = items.get("metrics", {}).get(examples.primary, [])
    said = {answer.get("id"): answer for answer in answers}
    with transaction.atomic():
        job.finish({"page": examples.get_absolute_url()})
        Contender.objects.filter(pk=contender.pk).update(
            finished_at=Now(),
            metrics=reports.bounded(dict(scores.get("metrics", {}))),
            floors=reports.bounded(dict(scores.get("floors", {}))),
            items=[number for number in kept if reports.is_number(number)],
            answers=[_said(said.get(one, {})) for one in items.get("ids", [])[: examples.count]],
            report=reports.bounded(dict(report)),
            **numbers,
        )


def _said(answer: Mapping[str, Any]) -> str:
    """Return what a model said to one example, as text."""
    for name in ("label", "labels", "tags", "text", "value", "score"):
        if name in answer:
            found = answer[name]
            text = " ".join(map(str, found)) if isinstance(found, list) else str(found)
            cut: str = reports.bounded({"": text[:MAX_ANSWER]})[""]
            return cut
    return ""


def _start(contender: Contender, user: User) -> None:
    allowance.require(user)
    contender.save()
    contender.job = Job.enqueue(
        KIND,
        spec={
            "contender": contender.pk,
            "reads": [contender.model_id, *([contender.base_id] if contender.base_id else [])],
            "url": contender.examples.get_absolute_url(),
        },
        owner=user,
        title=_("%(model)s on own examples") % {"model": contender.model.full_name},
    )
    contender.save(update_fields=("job",))


def _fitting(models: Sequence[Repo], task: str, user: User) -> dict[int, dict[str, Any]]:
    """Return what of each model is tried; refuses all where one does not fit, and says which and why."""
    found: dict[int, dict[str, Any]] = {}
    refused = []
    for model in models:
        try:
            submitting.require_right(user, model)
            commit = browsing.resolve_revision(model, DEFAULT_BRANCH)
            entries = model_files.entries_of(model, commit)
            base = adapters.base_of(model, entries, user)
            fitting.check_evaluable(model, commit, entries, task, base)
        except DomainError as error:
            refused.append(f"{model.full_name}: {error.message}")
        else:
            found[model.pk] = {
                "commit_oid": commit.oid,
                "base": base.repo if base else None,
                "base_commit": base.commit.oid if base else "",
                "files_digest": model_files.digest_of(entries, base.entries if base else ()),
                "engine_version": engine_version(),
            }
    if refused:
        raise ExamplesRefused(*refused)
    return found


def _check_map(label_map: Mapping[str, str], found: Read) -> None:
    if unknown := sorted(set(label_map.values()) - set(found.labels)):
        raise ExamplesRefused(
            _("“%(label)s” is none of the labels of the examples: %(known)s.")
            % {"label": unknown[0], "known": ", ".join(found.labels[:20])}
        )


def definition_of(task: str, found: Read, label_map: Mapping[str, str], rows: str) -> dict[str, Any]:
    known = Values({})
    values = {name: read(known) for name, read in SETTINGS.items() if name in KINDS[task].settings}
    if _is_chinese(rows):
        values |= {name: value for name, value in BY_CHARACTERS.items() if name in values}
    return {
        "fields": {column.role: column.role for column in TASKS[task].columns},
        "columns": dict(found.columns),
        "settings": values,
        "labels": list(found.labels),
        "label_map": dict(label_map),
        "primary": TASKS[task].primary,
    }


def _is_chinese(text: str) -> bool:
    return sum("\u4e00" <= char <= "\u9fff" for char in text) > len(text) / 5


def _require_room(user: User) -> None:
    if ExampleSet.objects.visible_to(user).count() >= MAX_SETS:
        raise QuotaExceeded(_("You have %(max)d sets of examples. Delete one first.") % {"max": MAX_SETS})
