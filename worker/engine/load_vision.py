"""A folder with a model of images to a model that is ready to answer."""

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.engine.answering.sharing import once
from worker.engine.contracts import Device, Dtype
from worker.engine.folder import ModelFolder
from worker.engine.image_processing import ImageProcessor, read_processor
from worker.engine.load import Built, build, choose_device, is_adapter
from worker.engine.vision_config import VisionConfig, read_vision_config


@dataclass(frozen=True, kw_only=True)
class LoadedVision(Built):
    """A model of images with what makes images ready for it."""

    processor: ImageProcessor
    config: VisionConfig
    load_seconds: float


def load_vision(
    model_dir: str,
    *,
    heads: Sequence[str],
    problem_types: Sequence[str] = (),
    dtype: Dtype = "float32",
    device: Device = "auto",
) -> LoadedVision:
    """Load a model with one of these heads from a folder that may be hostile, once for all turns of an evaluation."""
    key = ("vision", model_dir, tuple(heads), tuple(problem_types), dtype, device)
    return once(key, lambda: _load(model_dir, heads, problem_types, dtype, device))


def _load(
    model_dir: str, heads: Sequence[str], problem_types: Sequence[str], dtype: Dtype, device: Device
) -> LoadedVision:
    started = time.perf_counter()
    place = choose_device(device)
    folder = ModelFolder(model_dir)
    if is_adapter(folder):
        adapted: Any = importlib.import_module("worker.engine.tuning.methods.adapted")
        loaded: LoadedVision = adapted.load_adapted_vision(folder, heads, dtype=dtype, device=place)
        return loaded
    config = read_vision_config(folder, heads, problem_types)
    processor = read_processor(folder, config.processor, config.channels)
    built = build(folder, config, dtype=dtype, device=place)
    return LoadedVision(**vars(built), processor=processor, config=config, load_seconds=time.perf_counter() - started)
