"""Models that were not all measured on the same tasks, set beside each other by what they have in common."""

import numpy as np
import numpy.typing as npt

from worker.engine.statistics.resampling import Array


def linked(scores: Array) -> list[int]:
    """Return a number for each model (models, tasks): equal where a chain of shared tasks leads from one to the other.

    Missing scores are NaN. A model without any score is alone.
    """
    present = ~np.isnan(scores)
    groups = list(range(len(scores)))
    for task in present.T:
        members = np.flatnonzero(task)
        if len(members):
            joined = {groups[member] for member in members}
            first = min(joined)
            groups = [first if group in joined else group for group in groups]
    return groups


def adjusted(scores: Array) -> Array:
    """Return each model's mean over all tasks, as far as scores (models, tasks) with gaps (NaN) tell.

    The least squares of score = model + task, where the tasks' parts add up to nothing: a model that lacks a hard task
    gains nothing by that. Without gaps it is the plain mean. All models must be linked.
    """
    present = ~np.isnan(scores)
    filled = np.where(present, scores, 0.0)
    counts = present.sum(axis=1)
    # What is left of each task once every model's own mean is taken out: (tasks, tasks) equations for the tasks' parts.
    shares = present / counts[:, None]
    means = filled.sum(axis=1) / counts
    left = np.diag(present.sum(axis=0).astype(np.float64)) - present.T.astype(np.float64) @ shares
    right = filled.sum(axis=0) - present.T.astype(np.float64) @ means
    tasks: npt.NDArray[np.float64] = np.linalg.lstsq(left, right, rcond=None)[0]
    tasks -= tasks.mean()
    return np.asarray((filled - np.where(present, tasks, 0.0)).sum(axis=1) / counts)
