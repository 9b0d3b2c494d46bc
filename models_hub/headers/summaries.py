"""The few numbers of a weight file's header that a repository's facts are counted from; kept beside the file."""

from collections import Counter
from typing import Any

from models_hub.headers.gguf import GgufHeader
from models_hub.headers.onnx import MAX_SIDE, Graph, OnnxTensor
from models_hub.headers.safetensors import Tensor

Summary = dict[str, Any]

# Scales and tables that a quantized weight brings along: no parameters of the model. By what they belong to.
BESIDE_PACKED = (
    ".qzeros",
    ".scales",
    ".g_idx",
    ".weight_scale",
    ".weight_zero_point",
    ".weight_shape",
    ".weight_g_idx",
)
BESIDE_WEIGHT = (".SCB", ".weight_scale", ".weight_scale_inv", ".weight_format", ".input_scale", ".k_scale", ".v_scale")
OF_WEIGHT = (".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map")
QUANT_STATES = (".quant_state.bitsandbytes__nf4", ".quant_state.bitsandbytes__fp4")
# Tables that some programs save and none learns.
BUFFERS = (".position_ids", ".token_type_ids", ".num_batches_tracked", ".rotary_emb.inv_freq", ".attn.masked_bias")
# Input and output tables that may be one and the same.
TIEABLE = (
    "embed_tokens.weight", "wte.weight", "word_embeddings.weight", "shared.weight", "tok_embeddings.weight",
    "lm_head.weight", "embed_out.weight", "predictions.decoder.weight",
)  # fmt: skip
MAX_TIEABLE = 8
# The types of numbers that ONNX files have weights in, by the names of safetensors. Whole numbers of more bits are
# shapes and places, not parameters.
OF_ONNX = {
    "FLOAT": "F32", "FLOAT16": "F16", "BFLOAT16": "BF16", "DOUBLE": "F64", "INT8": "I8", "UINT8": "U8", "INT4": "I4",
    "UINT4": "U4", "FLOAT4E2M1": "F4", "FLOAT8E4M3FN": "F8_E4M3", "FLOAT8E4M3FNUZ": "F8_E4M3FNUZ",
    "FLOAT8E5M2": "F8_E5M2", "FLOAT8E5M2FNUZ": "F8_E5M2FNUZ",
}  # fmt: skip
BESIDE_QUANTIZED = ("_scale", "_zero_point")
COMPUTED = ("cos_cache", "sin_cache", "inv_freq", "position_ids", "attn_mask")  # tables that exporters write down
MAX_PLACES = 20


def of_safetensors(tensors: list[Tensor]) -> Summary:
    """Part the elements of a file into parameters as they are, packed ones, and what is none.

    `packed32` counts words of 32 bits, `packed4` bytes with two parameters each; `tieable` are the shapes of tables
    that a config may declare to be the same.
    """
    names = {tensor.name for tensor in tensors}
    plain: Counter[str] = Counter()
    found = Summary(bytes=sum(tensor.end - tensor.start for tensor in tensors), tensors=len(tensors))
    packed: Counter[str] = Counter()
    for tensor in tensors:
        kind = _kind(tensor, names)
        if kind == "plain":
            plain[tensor.dtype] += tensor.elements
        elif kind:
            packed[kind] += tensor.elements
    tieable = [list(tensor.shape) for tensor in tensors if tensor.name.endswith(TIEABLE) and len(tensor.shape) == 2]
    return found | packed | {"plain": dict(plain), "tieable": tieable[:MAX_TIEABLE]}


def _kind(tensor: Tensor, names: set[str]) -> str:
    """Say what a tensor's elements are: plain, packed32, packed4, or "" for no parameters at all."""
    name, stem = tensor.name, tensor.name.rpartition(".")[0]
    if name.endswith((".qweight", ".weight_packed")) and tensor.dtype == "I32":
        return "packed32"
    if any(name + state in names for state in QUANT_STATES):
        return "packed4"
    if name.endswith("_blocks") and tensor.dtype == "U8" and name.removesuffix("_blocks") + "_scales" in names:
        return "packed4"
    if name.endswith("_scales") and name.removesuffix("_scales") + "_blocks" in names:
        return ""
    beside_packed = name.endswith(BESIDE_PACKED) and (f"{stem}.qweight" in names or f"{stem}.weight_packed" in names)
    beside_weight = name.endswith(BESIDE_WEIGHT) and f"{stem}.weight" in names
    of_weight = ".quant_state." in name or (name.endswith(OF_WEIGHT) and stem in names)
    return "" if beside_packed or beside_weight or of_weight or f".{name}".endswith(BUFFERS) else "plain"


def of_gguf(header: GgufHeader) -> Summary:
    """Return what a GGUF header tells of the model; its quantized tensors are counted by their elements."""
    kind = header.text("general.architecture")[:80]
    plain: Counter[str] = Counter()
    for tensor in header.tensors:
        plain[tensor.dtype] += tensor.elements
    numbers = {
        "context_length": header.number(f"{kind}.context_length"),
        "vocabulary": header.length("tokenizer.ggml.tokens") or header.number(f"{kind}.vocab_size"),
        "hidden_size": header.number(f"{kind}.embedding_length"),
        "layers": header.number(f"{kind}.block_count"),
        "heads": header.number(f"{kind}.attention.head_count"),
        "kv_heads": header.number(f"{kind}.attention.head_count_kv"),
    }
    rope = header.text(f"{kind}.rope.scaling.type")[:40]
    return {
        "bytes": sum(tensor.size for tensor in header.tensors),
        "tensors": len(header.tensors),
        "plain": dict(plain),
        "architecture": kind if kind.isprintable() else "",
        "rope": {"kind": rope} if rope.isprintable() and rope not in {"", "none"} else {},
        **{name: number for name, number in numbers.items() if number},
    }


def of_onnx(graph: Graph) -> Summary | None:
    """Return what the weights of an ONNX file are; None where it declares more than it can hold.

    `elsewhere` has the files beside it that hold weights, and how long each must be. A graph has its constants among
    the weights: single numbers, shapes and tables of positions are left out, as are scales of quantized weights.
    """
    plain: Counter[str] = Counter()
    elsewhere: dict[str, int] = {}
    names = {weight.name for weight in graph.weights}
    for weight in graph.weights:
        if weight.size and weight.elements > min(weight.room, MAX_SIDE):
            return None
        if weight.elsewhere is not None:
            path, end = weight.elsewhere
            elsewhere[path] = max(elsewhere.get(path, 0), end)
        if weight.dtype in OF_ONNX and _is_parameter(weight, graph, names):
            packing = graph.packed.get(weight.name) if weight.dtype in {"UINT8", "INT8"} else None
            if packing is None:
                plain[OF_ONNX[weight.dtype]] += weight.elements
            elif 0 < packing.bits <= 8:
                room = weight.elements * (8 // packing.bits)
                plain[f"U{packing.bits}"] += min(packing.elements or room, room)
    if "" in elsewhere or len(elsewhere) > MAX_PLACES:
        return None
    return {
        "bytes": sum(weight.size for weight in graph.weights),
        "tensors": len(graph.weights),
        "plain": dict(plain),
        "tieable": _tieable(graph.weights),
        **({"elsewhere": elsewhere} if elsewhere else {}),
    }


def _is_parameter(weight: OnnxTensor, graph: Graph, names: set[str]) -> bool:
    name = weight.name
    of_quantized = name.endswith(BESIDE_QUANTIZED) and any(
        f"{name.removesuffix(ending)}_quantized" in names for ending in BESIDE_QUANTIZED
    )
    return bool(weight.shape) and not (name in graph.beside or of_quantized or name.endswith(COMPUTED))


def _tieable(weights: list[OnnxTensor]) -> list[list[int]]:
    """Return the shapes of tables of tokens; the one at the end lies on its side and has lost its name."""
    tables = {tuple(sorted(one.shape)) for one in weights if one.name.endswith(TIEABLE) and len(one.shape) == 2}
    shapes = [tuple(sorted(one.shape)) for one in weights if len(one.shape) == 2 and one.dtype in OF_ONNX]
    return [list(shape) for shape in shapes if shape in tables][:MAX_TIEABLE]
