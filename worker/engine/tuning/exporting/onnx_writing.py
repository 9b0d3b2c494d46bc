"""A graph to an ONNX file, and that file to others of less precision."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.transformers.float16 import convert_float_to_float16

from worker.engine.contracts import EngineError
from worker.engine.failures import failing_as, summary
from worker.engine.tuning.exporting.graphs import Graph, Tensors

# The newest that runtimes of several years back read; the exporters write 8 and 10.
IR_VERSION = 9
OPSET = 17
DYNAMO_OPSET = 18
# Beyond two gigabytes the format needs a second file beside the first.
MAX_BYTES = 1_900_000_000
BLOCK = 32


def write(graph: Graph, path: Path, example: Tensors) -> dict[str, Any]:
    """Write a graph in full precision and return how; the older exporter first, whose files run faster."""
    size = sum(tensor.numel() * 4 for tensor in graph.module.state_dict().values())
    if size > MAX_BYTES:
        raise EngineError(
            "unsupported_architecture",
            f"In full precision the model takes {size} bytes; an ONNX file of one piece may have {MAX_BYTES}.",
        )
    try:
        with _quiet():
            _trace(graph, path, example)
        exporter = "torchscript"
    except Exception as error:  # noqa: BLE001  (whatever it is, the other exporter is worth a try)
        traced = summary(error)
        with (
            failing_as("export_failed", f"Neither exporter makes a graph of the model. The first: {traced}."),
            _quiet(),
        ):
            _export(graph, path, example)
        exporter = "dynamo"
    _assert_in_eval_mode(graph)
    return {"exporter": exporter, **_stamp(path)}


def _trace(graph: Graph, path: Path, example: Tensors) -> None:
    torch.onnx.export(
        graph.module,
        example,
        str(path),
        dynamo=False,
        input_names=list(graph.inputs),
        output_names=list(graph.outputs),
        dynamic_axes=graph.axes,
        opset_version=OPSET,
    )


def _export(graph: Graph, path: Path, example: Tensors) -> None:
    inputs = [graph.axes[name] for name in graph.inputs]
    first = 3 if graph.cache else 2
    # The arguments behind the named ones are one of *args.
    shapes = (*inputs[:first], tuple(inputs[first:])) if inputs[first:] else tuple(inputs)
    torch.onnx.export(
        graph.module,
        example,
        str(path),
        dynamo=True,
        input_names=list(graph.inputs),
        output_names=list(graph.outputs),
        dynamic_shapes=shapes,
        opset_version=DYNAMO_OPSET,
        external_data=False,
        verbose=False,
    )


def _assert_in_eval_mode(graph: Graph) -> None:
    # The older exporter puts what a module wraps into the module's own mode: with dropout on, all that is compared
    # later would be compared with noise.
    if any(module.training for module in graph.module.modules()):
        raise EngineError("export_failed", "a part of the model was put into training mode while it was exported")


def _stamp(path: Path) -> dict[str, Any]:
    model = onnx.load(str(path))
    model.ir_version = IR_VERSION
    model.producer_name = "small-models-portal"
    # The exporter leaves names of source files of this machine there.
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.save(model, str(path))
    return {"opset": next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))}


def half(source: Path, path: Path) -> None:
    """Write weights and most operations in half precision; what goes in and comes out stays in single."""
    with _quiet():
        model = convert_float_to_float16(onnx.load(str(source)), keep_io_types=True)
    onnx.save(model, str(path))


def int8(source: Path, path: Path) -> None:
    """Write weights in 8 bits; activations are brought to 8 bits as they come."""
    with _quiet():
        quantize_dynamic(str(source), str(path), weight_type=QuantType.QInt8)
    _keep_ir(path)


def int8_static(source: Path, path: Path, rows: list[dict[str, Any]]) -> None:
    """Write weights in 8 bits, and the range of activations as these arguments show it."""
    with _quiet():
        quantize_static(
            _of_products(source),
            str(path),
            Calibration(rows),
            quant_format=QuantFormat.QDQ,
            # Masks hold the least of all numbers: quantised with the rest they would leave it no digits.
            op_types_to_quantize=["MatMul"],
            extra_options={"MatMulConstBOnly": True},
        )
    _keep_ir(path)


def weights_alone(source: Path, path: Path, bits: int) -> None:
    """Write the matrices that are multiplied with in so few bits, by blocks; all is computed in full precision."""
    with _quiet():
        made = MatMulNBitsQuantizer(_of_products(source), bits=bits, block_size=BLOCK, is_symmetric=True)
        made.process()
    if not any(node.op_type == "MatMulNBits" for node in made.model.model.graph.node):
        raise EngineError("export_failed", "no matrix of the graph can be stored by blocks")
    onnx.save(made.model.model, str(path))
    _keep_ir(path)


def _of_products(source: Path) -> onnx.ModelProto:
    """Return a graph whose products with a sum, as GPT-2 has them, are split: the sum is not to lose digits."""
    model = ONNXModel(onnx.load(str(source)))
    model.replace_gemm_with_matmul()
    split: onnx.ModelProto = model.model
    return split


class Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Hands out one batch of arguments after the other."""

    def __init__(self, rows: list[dict[str, np.ndarray[Any, Any]]]) -> None:
        self._rows = iter(rows)

    def get_next(self) -> dict[str, Any] | None:
        """Return the next batch, None behind the last."""
        return next(self._rows, None)


def _keep_ir(path: Path) -> None:
    model = onnx.load(str(path))
    model.ir_version = IR_VERSION
    model.producer_name = "small-models-portal"
    onnx.save(model, str(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the advice of the libraries to their users out of the log."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
