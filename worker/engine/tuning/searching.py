"""The verb `propose`: which options a search should try next, by optuna, from what earlier trials found. No torch.

A study is not kept by optuna: it is put together anew from the trials that the portal has, so that nothing but the
portal's rows need survive. The same history and seed propose the same.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import get_param_importances
from optuna.trial import TrialState, create_trial

from worker.engine.progress import Progress
from worker.engine.tuning.search_contracts import PastTrial, ProposeSpec, Span

LEAST_FOR_IMPORTANCE = 4
STATES = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


def propose(spec: ProposeSpec, progress: Progress) -> dict[str, Any]:
    """Return {"params": [{option: value}], "importances": {option: share}}."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {name: _distribution(span) for name, span in spec.space.items()}
    study = _study(spec, distributions)
    params = [dict(study.ask(distributions).params) for _number in range(spec.count)]
    progress.report(1.0, "done", always=True)
    return {"params": params, "importances": _importances(study, spec)}


def _study(spec: ProposeSpec, distributions: Mapping[str, BaseDistribution]) -> optuna.Study:
    # Each call draws anew, so that the seed must tell one call from the next.
    seed = (spec.seed + 7919 * len(spec.trials)) % 2**32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # Trials that run beside each other should not all try the same: those that run count as bad ones.
        sampler: optuna.samplers.BaseSampler = (
            optuna.samplers.RandomSampler(seed=seed)
            if spec.sampler == "random"
            else optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, n_startup_trials=5)
        )
    study = optuna.create_study(direction="minimize" if spec.lower_is_better else "maximize", sampler=sampler)
    for trial in spec.trials:
        _add(study, trial, distributions)
    return study


def _add(study: optuna.Study, trial: PastTrial, distributions: Mapping[str, BaseDistribution]) -> None:
    known = {name: value for name, value in trial.params.items() if name in distributions}
    if len(known) < len(distributions) or not all(
        distributions[name]._contains(_internal(distributions[name], value)) for name, value in known.items()
    ):
        return  # of a space that was changed since
    if trial.state == "running":
        running = create_trial(state=TrialState.RUNNING, params=known, distributions=dict(distributions))
        study.add_trial(running)
        return
    state = STATES[trial.state]
    if state == TrialState.COMPLETE and trial.value is None:
        state = TrialState.FAIL
    steps = {int(step): float(value) for step, value in trial.steps}
    study.add_trial(
        create_trial(
            state=state,
            value=trial.value if state == TrialState.COMPLETE else None,
            params=known,
            distributions=dict(distributions),
            intermediate_values=steps,
        )
    )


def _distribution(span: Span) -> BaseDistribution:
    """Return a span as optuna has it."""
    if span.type == "choice":
        return CategoricalDistribution(span.choices)
    low, high = span.bounds()
    if span.type == "int":
        return IntDistribution(int(low), int(high), log=span.log)
    return FloatDistribution(low, high, log=span.log)


def _internal(distribution: BaseDistribution, value: Any) -> float:
    try:
        return distribution.to_internal_repr(value)
    except ValueError:
        return float("nan")


def _importances(study: optuna.Study, spec: ProposeSpec) -> dict[str, float]:
    """Return which share of the differences between trials goes by each option (fANOVA of optuna)."""
    finished = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    values = {trial.value for trial in finished}
    if len(finished) < LEAST_FOR_IMPORTANCE or len(values) < 2:
        return {}
    found = get_param_importances(study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=spec.seed))
    return {name: round(float(share), 6) for name, share in found.items()}
