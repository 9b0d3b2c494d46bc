"""What every family reports of its model: what it is, what it weighs and how long one answer takes."""

import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any, TypeVar

import numpy as np
import torch

from worker.engine.answering.sharing import once
from worker.engine.load import LoadedModel
from worker.engine.load_vision import LoadedVision
from worker.engine.provenance import cpu_name

# As MLPerf does: some queries that do not count, then at least a hundred, or ten seconds for a slow model.
LATENCY_WARM_UP = 10
LATENCY_SAMPLES = 100
LATENCY_SECONDS = 10.0

Q = TypeVar("Q")


def described(model: LoadedModel | LoadedVision) -> dict[str, Any]:
    """Return what the report says of a loaded model."""
    on_gpu = model.device.type == "cuda"
    return {
        "device": model.device.type,
        "device_name": torch.cuda.get_device_name(model.device) if on_gpu else cpu_name(),
        "model_type": model.config.config.model_type,
        "architecture": model.config.model_class.__name__,
        "parameters": model.parameters,
        "weights_bytes": model.weights_bytes,
        "unused_tensors": len(model.unused_tensors),
        "load_seconds": round(model.load_seconds, 4),
        "peak_device_bytes": torch.cuda.max_memory_allocated() if on_gpu else None,
    }


def speed(seconds: float, examples: int) -> dict[str, Any]:
    """Return what the report says of the time that all answers took."""
    return {"predict_seconds": round(seconds, 4), "examples_per_second": round(examples / seconds, 2)}


def latency(questions: Sequence[Q], answer: Callable[[Q], object]) -> dict[str, Any]:
    """Time questions one by one, tokenising included: what a user of the model waits for. Once for an evaluation.

    The sample is fixed by the data, evenly spread over the file, and cut short for a slow model; a short file is asked
    again from its beginning.
    """
    return once("latency", lambda: _latency(questions, answer))


def _latency(questions: Sequence[Q], answer: Callable[[Q], object]) -> dict[str, Any]:
    spread = np.linspace(0, len(questions) - 1, min(len(questions), LATENCY_SAMPLES))
    sample = [questions[round(position)] for position in spread.tolist()]
    warm_up = _times(sample, answer, LATENCY_WARM_UP)
    times = _times(sample, answer, LATENCY_SAMPLES)
    p50, p90, p99 = (round(float(np.percentile(times, share)), 3) for share in (50, 90, 99))
    return {
        "batch": 1,
        "warm_up": len(warm_up),
        "samples": len(times),
        "p50_ms": p50,
        "p90_ms": p90,
        "p99_ms": p99,
    }


def _times(sample: Sequence[Q], answer: Callable[[Q], object], count: int) -> list[float]:
    """Return the milliseconds of up to `count` answers, at least one, within the time that there is."""
    times: list[float] = []
    started = time.perf_counter()
    for question in islice(cycle(sample), count):
        before = time.perf_counter()
        answer(question)
        times.append(1000 * (time.perf_counter() - before))
        if time.perf_counter() - started > LATENCY_SECONDS:
            break
    return times
