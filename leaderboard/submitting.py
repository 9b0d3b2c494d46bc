"""From a request to an evaluation with its job: refused early and readably where it could only fail."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from leaderboard import adapters, allowance, fitting, model_files, permissions
from leaderboard.adapters import Base
from leaderboard.engine_facts import engine_version
from leaderboard.models import Benchmark, Evaluation
from models_hub import browsing
from models_hub.models import DEFAULT_BRANCH, Commit, Repo
from models_hub.permissions import require_download
from portal.errors import Conflict, NotAllowed, SignInRequired
from portal.models import Asker, Job, User

DTYPE = "float32"


def submit(model: Repo, benchmark: Benchmark, *, by: Asker, revision: str = DEFAULT_BRANCH) -> tuple[Evaluation, bool]:
    """Ask for a score; returns the evaluation and whether a job was made for it.

    The same model, benchmark, engine and settings are evaluated once: asking again returns what is there, unless it
    failed, and then another job tries again. Whoever asks must see both repositories already.
    """
    user = require_right(by, model)
    return _ask(model, benchmark, revision, user)


def submit_wish(model: Repo, benchmark: Benchmark) -> tuple[Evaluation, bool]:
    """Ask for a score of the newest version that people voted for: nobody owns the job, and nobody is charged."""
    return _ask(model, benchmark, DEFAULT_BRANCH, None)


def require_unrefused(benchmark: Benchmark) -> None:
    """Raise Conflict when moderators refused the benchmark."""
    if benchmark.is_refused:
        raise Conflict(
            _("Moderators refused this benchmark: %(reason)s") % {"reason": benchmark.reason}, code="benchmark_refused"
        )


def foresee(model: Repo, benchmark: Benchmark, *, by: Asker, revision: str = DEFAULT_BRANCH) -> Evaluation | None:
    """Return the evaluation that asking would lead to, None where it would start one; refuses as asking does."""
    identity, _commit, _base = _identify(model, benchmark, revision, require_right(by, model))
    known = Evaluation.objects.select_related("job").filter(**identity).first()
    return known if known is not None and _is_answer(known) else None


def _ask(model: Repo, benchmark: Benchmark, revision: str, user: User | None) -> tuple[Evaluation, bool]:
    identity, commit, base = _identify(model, benchmark, revision, user)
    try:
        with transaction.atomic():
            return _find_or_start(identity, commit, base, user)
    except IntegrityError:  # somebody asked for the same at the same moment
        return Evaluation.objects.get(**identity), False


def _identify(
    model: Repo, benchmark: Benchmark, revision: str, user: User | None
) -> tuple[dict[str, Any], Commit, Base | None]:
    """Return what makes the evaluation the same as another one; refuses what could only fail."""
    require_unrefused(benchmark)
    commit = browsing.resolve_revision(model, revision)
    entries = model_files.entries_of(model, commit)
    base = adapters.base_of(model, entries, user or AnonymousUser())
    fitting.check_evaluable(model, commit, entries, benchmark.task, base)
    identity: dict[str, Any] = {
        "model": model,
        "files_digest": model_files.digest_of(entries, base.entries if base else ()),
        "benchmark": benchmark,
        "engine_version": engine_version(),
        "dtype": DTYPE,
        "seed": benchmark.seed,
    }
    return identity, commit, base


def _is_answer(known: Evaluation) -> bool:
    """True for what has a score, or will have one."""
    return known.is_finished or (known.job is not None and not known.job.is_finished)


def require_right(by: Asker, model: Repo) -> User:
    """Return who asks when that person may have the model evaluated; raises SignInRequired or NotAllowed."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to ask for an evaluation."))
    require_download(by, model)
    if not permissions.can_evaluate(by, model):
        raise NotAllowed(_("Only those who may write to a private model can have it evaluated."))
    return by


def _find_or_start(
    identity: dict[str, Any], commit: Commit, base: Base | None, user: User | None
) -> tuple[Evaluation, bool]:
    known = Evaluation.objects.select_for_update().filter(**identity).first()
    if known is not None and _is_answer(known):
        return known, False
    if user is not None:
        allowance.require(user)
    evaluation = known or Evaluation(**identity)
    evaluation.commit_oid, evaluation.weights_digest = commit.oid, commit.weights_digest
    evaluation.base, evaluation.base_commit = (base.repo, base.commit.oid) if base else (None, "")
    evaluation.requested_by = user
    evaluation.save()
    evaluation.job = Job.enqueue(
        "evaluate",
        spec={
            "evaluation": evaluation.pk,
            "reads": evaluation.reads,
            "url": evaluation.get_absolute_url(),
        },
        owner=user,
        title=f"{evaluation.model.full_name} · {evaluation.benchmark}",
    )
    evaluation.save(update_fields=("job",))
    return evaluation, True
