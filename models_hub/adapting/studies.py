"""Searches for good options: what may be searched, which trials are due, which are to be ended early.

A study has no memory beside its rows: what a trial found is in its run. Whoever may be lost in between, the next look
at the rows does what is due.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from models_hub.adapting import allowance, asking, registry, targets, wishes
from models_hub.adapting.wishes import METHOD, METHOD_OPTIONS, Wish
from models_hub.models import Run, RunPoint, Study
from portal.errors import Conflict, InvalidInput, NotAllowed, SignInRequired
from portal.models import Asker, Event, Job, User

JOB = "search"
MAX_TRIALS = 200
MAX_PARALLEL = 8
MAX_OPTIONS = 12
SAMPLERS = ("tpe", "random")
PRUNERS = ("median", "none")
# As optuna's MedianPruner has them by default: so many trials are finished, and so many looks taken, before any ends.
STARTING_TRIALS = 5
STARTING_LOOKS = 1
LOWEST_RATE, RATE_SPAN = 1e-5, 100
OPTION = "option"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a study goes about it."""

    trials: int = 20
    parallel: int = 2
    sampler: str = "tpe"
    pruner: str = "median"
    seed: int = 0


def read_plan(values: Mapping[str, Any]) -> Plan:
    """Return a checked plan; raises InvalidInput."""
    known = {name: values.get(name, getattr(Plan(), name)) for name in Plan.__dataclass_fields__}
    if unknown := sorted(set(values) - set(known)):
        raise InvalidInput(_("There is no such field: %(names)s.") % {"names": ", ".join(unknown)[:200]})
    for name, least, most in (("trials", 2, MAX_TRIALS), ("parallel", 1, MAX_PARALLEL), ("seed", 0, wishes.MAX_SEED)):
        if type(known[name]) is not int or not least <= known[name] <= most:
            raise InvalidInput(
                _("%(name)s: must be a whole number from %(least)d to %(most)d")
                % {"name": name, "least": least, "most": most}
            )
    for name, choices in (("sampler", SAMPLERS), ("pruner", PRUNERS)):
        if known[name] not in choices:
            raise InvalidInput(
                _("%(name)s: must be one of: %(choices)s") % {"name": name, "choices": ", ".join(choices)}
            )
    return Plan(**known)


def usual_space(wish: Wish) -> dict[str, dict[str, Any]]:
    """Return what is worth searching for such a wish, where nobody says otherwise."""
    rate = float(wish.recipe.get("lr", registry.options()["lr"].default))
    low = max(rate / 10, LOWEST_RATE)
    space: dict[str, dict[str, Any]] = {
        "lr": {"type": "float", "low": low, "high": min(low * RATE_SPAN, 1.0), "log": True},
        "batch_size": {"type": "choice", "choices": [8, 16, 32]},
        "weight_decay": {"type": "float", "low": 0.0, "high": 0.1},
        "warmup": {"type": "float", "low": 0.0, "high": 0.3},
    }
    if "rank" in registry.find_method(wish.recipe.get(METHOD, "full")).options:
        space["rank"] = {"type": "int", "low": 2, "high": 32, "log": True}
    return space


def read_space(values: Mapping[str, Any], wish: Wish) -> dict[str, dict[str, Any]]:
    """Return a checked space; each end of it must be a value that the option may have."""
    if not isinstance(values, dict) or not 1 <= len(values) <= MAX_OPTIONS:
        raise InvalidInput(_("Search over 1 to %(max)d options.") % {"max": MAX_OPTIONS})
    method = registry.find_method(wish.recipe.get(METHOD, "full"))
    options = {**method.options, **registry.options()}
    return {name: _read_span(options, name, span) for name, span in values.items()}


def _read_span(options: Mapping[str, registry.Option], name: str, span: Any) -> dict[str, Any]:
    if name not in options:
        raise InvalidInput(
            _("There is no option “%(name)s” to search.") % {"name": str(name)[:60]}, data={OPTION: name}
        )
    option = options[name]
    if not isinstance(span, dict) or span.get("type") not in ("float", "int", "choice"):
        raise InvalidInput(_("%(name)s: must be a span of numbers or a choice.") % {"name": name}, data={OPTION: name})
    if span["type"] == "choice":
        choices = span.get("choices")
        if not isinstance(choices, list) or not 2 <= len(choices) <= 20:
            raise InvalidInput(_("%(name)s: name 2 to 20 values to choose from.") % {"name": name}, data={OPTION: name})
        return {"type": "choice", "choices": [option.read(value) for value in choices]}
    if option.type not in ("float", "int"):
        raise InvalidInput(
            _("%(name)s: has no numbers; name values to choose from.") % {"name": name}, data={OPTION: name}
        )
    low, high = option.read(span.get("low")), option.read(span.get("high"))
    log = bool(span.get("log", False))
    if low is None or high is None or not low < high or (log and low <= 0):
        raise InvalidInput(
            _("%(name)s: the lower end must be below the upper one, and above 0 on a logarithmic scale.")
            % {"name": name},
            data={OPTION: name},
        )
    return {"type": option.type, "low": low, "high": high, "log": log}


def ask(wish: Wish, space: Mapping[str, Any], plan: Mapping[str, Any], *, by: Asker) -> Study:
    """Begin a study; its first trials are asked for by a job. Raises as `asking.ask` does."""
    if not isinstance(by, User):
        raise SignInRequired(_("Sign in to train a model."))
    checked_plan = read_plan(plan)
    checked_space = read_space(space, wish)
    if wish.only_check:
        raise InvalidInput(_("A search trains models; it cannot only check the data."))
    targets.check(wish.target, by=by)
    found = asking.check(wish, by=by)
    with transaction.atomic():
        allowance.require(by, checked_plan.parallel)
        study = Study.objects.create(
            owner=by,
            title=wish.title or f"{wish.base or wish.task} · {wish.data}"[:200],
            wish=wish.as_json(),
            base=found.base,
            data=found.data,
            space=checked_space,
            plan=vars(checked_plan),
        )
        Event.record("study.asked", subject=f"study:{study.pk}", by=by)
        look(study)
    return study


def look(study: Study) -> None:
    """Have a worker see which trials are due, in the transaction of what makes that needed; doubled looks are one."""
    finished = study.runs.exclude(job__state__in=Job.UNFINISHED).count()
    Job.enqueue(
        JOB,
        spec={"study": study.pk, "url": study.get_absolute_url()},
        owner=study.owner,
        title=study.title,
        queue="light",
        idempotency_key=f"study:{study.pk}:{finished}",
        about=[pk for pk in (study.base_id, study.data_id) if pk is not None],
    )


def due(study: Study) -> int:
    """Return how many trials are to be asked for now."""
    plan = Plan(**study.plan)
    if study.state != Study.State.RUNNING:
        return 0
    running = study.runs.filter(finished_at=None, job__state__in=Job.UNFINISHED).count()
    return max(0, min(plan.trials - study.runs.count(), plan.parallel - running))


def past_trials(study: Study) -> Iterator[dict[str, Any]]:
    """Yield every trial in the form of the engine's search contracts."""
    metric = metric_of(study)
    looks: dict[int, list[list[float]]] = {}
    points = RunPoint.objects.filter(run__study=study, kind="dev").order_by("run", "seq").values_list("run", "data")
    for run_id, data in points:
        if (value := _value(data, metric)) is not None and "step" in data:
            looks.setdefault(run_id, []).append([data["step"], value])
    for run in study.runs.select_related("job").order_by("number"):
        yield {
            "params": run.options.get("params", {}),
            "state": _state(run),
            "value": run.value,
            "steps": looks.get(run.pk, []),
        }


def _state(run: Run) -> str:
    if run.is_pruned:
        return "pruned"
    if run.value is not None:
        return "finished"
    if run.is_finished:
        return "failed"
    return "failed" if run.job is None or run.job.is_finished else "running"


def add_trials(study: Study, proposals: Sequence[Mapping[str, Any]]) -> list[Run]:
    """Ask for trials with these options, in the caller's transaction; as many as are due at most."""
    row = Study.objects.select_for_update().select_related("owner").get(pk=study.pk)
    if not row.owner.is_active:
        raise NotAllowed(_("The account of the owner is closed."))
    made: list[Run] = []
    for params in proposals[: due(row)]:
        number = row.runs.count() + 1
        wish = wishes.read({**row.wish, "recipe": with_params(row.wish["recipe"], params), "title": ""})
        run = asking.ask(
            Wish(**{**wish.as_json(), "title": f"{row.title[:180]} #{number}"}),
            by=row.owner,
            study=row,
            number=number,
        )
        run.options["params"] = dict(params)
        run.save(update_fields=("options",))
        made.append(run)
    return made


def with_params(recipe: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe with the options of a trial; those of the method go to the method."""
    own = registry.find_method(recipe.get(METHOD, "full")).options
    method_options = {**recipe.get(METHOD_OPTIONS, {}), **{name: params[name] for name in params if name in own}}
    rest = {name: value for name, value in params.items() if name not in own}
    return {**recipe, **rest, **({METHOD_OPTIONS: method_options} if method_options else {})}


def end_if_done(study: Study) -> bool:
    """End a study whose trials are all over, in the caller's transaction; True when it is over."""
    plan = Plan(**study.plan)
    if study.runs.filter(finished_at=None, job__state__in=Job.UNFINISHED).exists():
        return False
    if study.state == Study.State.RUNNING and study.runs.count() < plan.trials:
        return False
    rows = Study.objects.filter(pk=study.pk, state=Study.State.RUNNING)
    if rows.update(state=Study.State.FINISHED, finished_at=Now()):
        Event.record("study.finished", subject=f"study:{study.pk}", by=study.owner)
    return True


def stop(study: Study, *, by: User) -> None:
    """Ask for no further trials and cancel those that wait or run; what is finished stays."""
    with transaction.atomic():
        changed = Study.objects.filter(pk=study.pk, owner=by, state=Study.State.RUNNING)
        if not changed.update(state=Study.State.STOPPED, finished_at=Now()):
            raise InvalidInput(_("This study is over already."))
        Event.record("study.stopped", subject=f"study:{study.pk}", by=by)
    for job in Job.objects.unfinished().filter(run__study=study):
        with suppress(Conflict):  # it has ended just now
            job.cancel(by=by)


def give_up(study: Study, reason: str) -> None:
    """Stop a study whose next trials could not be chosen; nothing would ever look at it again."""
    rows = Study.objects.filter(pk=study.pk, state=Study.State.RUNNING)
    rows.update(state=Study.State.STOPPED, finished_at=Now(), reason=reason[:500])


def metric_of(study: Study) -> str:
    """Return the metric of the dev part by which trials are compared; "loss" stands for the loss."""
    return registry.find_task(study.wish["task"]).metric


def lower_is_better(study: Study) -> bool:
    return registry.find_task(study.wish["task"]).lower_is_better


def best_of(study: Study) -> Run | None:
    """Return the best finished trial."""
    # A value is there from the end of the training on; a trial that is being published has ended, too.
    finished = study.runs.filter(value__isnull=False, is_pruned=False)
    return finished.order_by("value" if lower_is_better(study) else "-value", "number").first()


def is_hopeless(run: Run) -> bool:
    """Whether a running trial is to be ended early: its best look is worse than the median of the others by then.

    The rule of optuna's MedianPruner, with the best value up to the step in place of the one at the step, since trials
    with other batch sizes look at other steps: compared is by share of the training.
    """
    study = run.study
    if study is None or Plan(**study.plan).pruner != "median":
        return False
    metric, sign = metric_of(study), -1 if lower_is_better(study) else 1
    own = _looks(run, metric)
    if len(own) <= STARTING_LOOKS:
        return False
    share = own[-1][0]
    best = max(sign * value for _share, value in own)
    finished = study.runs.filter(finished_at__isnull=False, is_pruned=False).exclude(pk=run.pk)
    reached = ([sign * value for at, value in _looks(one, metric) if at <= share + 1e-9] for one in finished)
    others = [max(values) for values in reached if values]
    return len(others) >= STARTING_TRIALS and best < median(others)


def _looks(run: Run, metric: str) -> list[tuple[float, float]]:
    """Return (share of the training, value) of each look at the dev part."""
    rows = RunPoint.objects.filter(run=run, kind__in=("dev", "step")).order_by("seq").values_list("kind", "data")
    steps, found = 0, []
    for kind, data in rows:
        steps = data.get("steps", steps) if kind == "step" else steps
        value = _value(data, metric) if kind == "dev" else None
        if value is not None and steps and "step" in data:
            found.append((data["step"] / steps, value))
    return found


def _value(data: Mapping[str, Any], metric: str) -> float | None:
    value = data.get("loss") if metric == "loss" else data.get("metrics", {}).get(metric)
    return float(value) if isinstance(value, int | float) else None
