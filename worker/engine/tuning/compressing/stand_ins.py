"""Models that onnxruntime runs, or torch in 8 bits, in the place of those that evaluations load."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import onnxruntime
import torch
from transformers import DynamicCache, PretrainedConfig, PreTrainedModel

from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as
from worker.engine.folder import ModelFolder
from worker.engine.load import LoadedModel, load_model
from worker.engine.model_config import read_config
from worker.engine.tokenizing import load_tokenizer

QUIET = 3  # errors alone
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def session_of(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Return a file ready to run on this many threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    with failing_as("export_failed", f"onnxruntime cannot load {path.name}."):
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class OnnxModel:
    """Answers as a model of transformers would, tensors in and tensors out."""

    def __init__(self, session: onnxruntime.InferenceSession, config: PretrainedConfig) -> None:
        self.config = config
        self.device = torch.device("cpu")
        self._session = session
        self._inputs = {item.name: item for item in session.get_inputs()}
        self._outputs = [item.name for item in session.get_outputs()]

    def __call__(self, cache: DynamicCache | None = None, **inputs: Any) -> Any:
        """Return the outputs under their names; what was read goes into the cache."""
        ids = inputs["input_ids"]
        given = {name: inputs[name].numpy() for name in self._inputs if name in inputs}
        if "position_ids" in self._inputs and "position_ids" not in given:
            given["position_ids"] = np.broadcast_to(np.arange(ids.shape[1]), tuple(ids.shape)).copy()
        read = cache.get_seq_length() if cache is not None else 0
        given |= self._past(cache if read else None, len(ids))
        found = {
            name: torch.from_numpy(value)
            for name, value in zip(self._outputs, self._session.run(None, given), strict=True)
        }
        if cache is not None:
            for layer in range(len(self._inputs_of_cache()) // 2):
                keys, values = (found[f"present.{layer}.{part}"][:, :, read:] for part in ("key", "value"))
                cache.update(keys, values, layer)
        return SimpleNamespace(**{name: value for name, value in found.items() if "." not in name})

    def _past(self, cache: DynamicCache | None, rows: int) -> dict[str, Any]:
        past = {}
        for name, item in self._inputs_of_cache().items():
            if cache is None:
                _rows, heads, _past, width = item.shape
                past[name] = np.zeros((rows, heads, 0, width), dtype=TYPES[item.type])
                continue
            _start, layer, part = name.split(".")
            held: Any = cache.layers[int(layer)]
            past[name] = (held.keys if part == "key" else held.values).numpy()
        return past

    def _inputs_of_cache(self) -> dict[str, Any]:
        return {name: item for name, item in self._inputs.items() if name.startswith("past_key_values.")}


def load_onnx(model_dir: str, onnx: str, *, heads: tuple[str, ...], threads: int) -> LoadedModel:
    """Load an ONNX file of a model folder with the folder's tokenizer, without the weights beside it."""
    started = time.perf_counter()
    folder = ModelFolder(model_dir)
    path = (folder.root / onnx).resolve()
    if not path.is_relative_to(folder.root) or not path.is_file():
        raise EngineError("bad_spec", f"the folder has no file {onnx[:80]!r}")
    config = read_config(folder, heads)
    tokenizer = load_tokenizer(folder, config.config.model_type)
    model = OnnxModel(session_of(path, threads), config.config)
    return LoadedModel(
        model=cast("PreTrainedModel", model),
        device=model.device,
        parameters=0,
        weights_bytes=path.stat().st_size,
        unused_tensors=[],
        tokenizer=tokenizer,
        config=config,
        load_seconds=time.perf_counter() - started,
    )


def load_int8(model_dir: str, *, heads: tuple[str, ...]) -> LoadedModel:
    """Load a model whose matrices torch brings to 8 bits; the file stays as it is."""
    loaded = load_model(model_dir, heads=heads, device="cpu")
    with failing_as("inference_failed", "torch cannot bring the matrices of the model to 8 bits."):
        quantize: Any = torch.ao.quantization.quantize_dynamic
        changed: Any = quantize(loaded.model, {torch.nn.Linear}, dtype=torch.qint8)
    return LoadedModel(**{**vars(loaded), "model": changed})
