"""What every family reports of its model: what it is, what it weighs and how long one answer takes."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from worker.engine.load import LoadedModel
from worker.engine.provenance import cpu_name

LATENCY_WARM_UP = 5
LATENCY_SAMPLES = 50
LATENCY_SECONDS = 10.0

Q = TypeVar("Q")


def described(model: LoadedModel) -> dict[str, Any]:
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
    """Time questions one by one, tokenising included: what a user of the model waits for.

    The sample is fixed by the data, evenly spread over the file, and cut short for a slow model.
    """
    spread = np.linspace(0, len(questions) - 1, min(len(questions), LATENCY_SAMPLES))
    sample = [questions[round(position)] for position in spread.tolist()]
    started = time.perf_counter()
    for index in range(LATENCY_WARM_UP):
        answer(sample[index % len(sample)])
        if time.perf_counter() - started > LATENCY_SECONDS:
            break
    times: list[float] = []
    started = time.perf_counter()
    for question in sample:
        before = time.perf_counter()
        answer(question)
        times.append(1000 * (time.perf_counter() - before))
        if time.perf_counter() - started > LATENCY_SECONDS:
            break
    p50, p90, p99 = (round(float(np.percentile(times, share)), 3) for share in (50, 90, 99))
    return {"batch": 1, "samples": len(times), "p50_ms": p50, "p90_ms": p90, "p99_ms": p99}
