"""What is counted of a model, not claimed: from the headers of its weights, and from config.json.

Parameters are the elements of the tensors of one complete set of weights: elements of quantized tensors, not the words
that they are packed in; neither their scales nor a table that the config declares to be another one again.
"""

import io
import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models_hub import browsing, contents
from models_hub.browsing import Entry
from models_hub.checking import FileRefused
from models_hub.headers import configs, summaries
from models_hub.headers.configs import ModelConfig
from models_hub.headers.gguf import read_gguf_header
from models_hub.headers.onnx import Broken, Graph, Seekable, TooLong
from models_hub.headers.pickled import NotRead, read_pickled
from models_hub.headers.safetensors import Tensor, read_safetensors_header
from models_hub.headers.summaries import Summary
from models_hub.models import Blob, Repo
from models_hub.weight_sets import WeightSet, is_pickled, weight_sets, whole_models
from portal import bounded_json
from portal.errors import DomainError

MAX_CONFIG_BYTES = 1_000_000
MAX_INDEX_BYTES = 10_000_000
MAX_SHOWN_SETS = 30
NOTEWORTHY = 0.1  # a dtype of fewer parameters, such as that of norms, does not tell the precision
WORD_BITS = 32
UNREADABLE: Summary = {"unreadable": True}
ONNX_READER = 2  # raised when more of these files is read; a header that an older one read is read again
# Names of formats by what a file is called; the Hub labels repositories with them.
FORMATS = {
    ".safetensors": "safetensors", ".gguf": "gguf", ".onnx": "onnx", "pytorch_model.bin": "pytorch",
    "tf_model.h5": "tf", "flax_model.msgpack": "jax", ".tflite": "tflite", "openvino_model.xml": "openvino",
}  # fmt: skip
PRECISIONS = {
    "F64": "fp64", "F32": "fp32", "F16": "fp16", "BF16": "bf16", "C64": "fp32", "I16": "16-bit", "U16": "16-bit",
    "I32": "32-bit", "U32": "32-bit", "I64": "64-bit", "U64": "64-bit", "I8": "8-bit", "U8": "8-bit", "BOOL": "8-bit",
    "MXFP4": "4-bit", "NVFP4": "4-bit", "F4": "4-bit", "F6_E2M3": "6-bit", "F6_E3M2": "6-bit",
}  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """What the files of one revision are, by their own headers; None and "" where nothing could be read.

    `memory_bytes` is what the smallest complete set of weights takes when loaded as it is stored; None for an adapter,
    which needs another model's weights too. `counted` has what no list filters by.
    """

    architecture: str = ""
    model_type: str = ""
    context_length: int | None = None
    vocabulary: int | None = None
    parameters: int | None = None
    dtypes: dict[str, int] = field(default_factory=dict)
    formats: list[str] = field(default_factory=list)
    precisions: list[str] = field(default_factory=list)
    memory_bytes: int | None = None
    counted: dict[str, Any] = field(default_factory=dict)


def note_header(path: str, blob: Blob) -> None:
    """Read the header of a file of weights once for each content; raises FileRefused where safetensors lie.

    A header of another format that cannot be read is noted as such: its file stays a file.
    """
    if blob.awaited_by is not None:
        return
    if path.lower().endswith(".safetensors"):
        # Read as GGUF before, or in an older way, it may still lie.
        if blob.dtypes is not None and blob.header is not None:
            return
        tensors = read_safetensors_header(contents.BlobReader(blob), blob.size, path)
        blob.dtypes, blob.header = _dtypes_of(tensors), summaries.of_safetensors(tensors)
    elif path.lower().endswith(".gguf") and blob.header is None:
        try:
            blob.header = summaries.of_gguf(read_gguf_header(contents.BlobReader(blob), blob.size, path))
        except FileRefused:
            blob.header = UNREADABLE
    elif path.lower().endswith(".onnx") and (blob.header or {}).get("reader", 0) < ONNX_READER:
        blob.header = _of_onnx(contents.BlobReader(blob), blob.size) | {"reader": ONNX_READER}
    elif is_pickled(path) and blob.header is None:
        blob.header = _of_pickled(contents.BlobReader(blob), blob.size)
    else:
        return
    blob.save(update_fields=("dtypes", "header"))


def _of_onnx(file: Seekable, size: int) -> Summary:
    graph = Graph(file, size)
    try:
        graph.read()
    except (Broken, TooLong):
        return UNREADABLE
    return (summaries.of_onnx(graph) if graph.is_there else None) or UNREADABLE


def _of_pickled(file: Seekable, size: int) -> Summary:
    try:
        return summaries.of_safetensors(read_pickled(file, size))
    except NotRead:
        return UNREADABLE


def _dtypes_of(tensors: Iterable[Tensor]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for tensor in tensors:
        counts[tensor.dtype] += tensor.elements
    return dict(counts)


def read_json(repo: Repo, entry: Entry | None, limit: int = MAX_CONFIG_BYTES) -> Any:
    """Return what a JSON file holds; None where there is no such file, or no JSON in it."""
    if entry is None or entry.size > limit or (entry.blob and entry.blob.awaited_by):
        return None
    try:
        return bounded_json.loads(browsing.read(repo, entry, entry.size))
    except (ValueError, RecursionError):
        return None


def count(repo: Repo, files: Mapping[str, Entry]) -> Counts:
    """Count what the files of one revision are; reads config files, and headers that nobody has read yet."""
    config = configs.read_configs({name: read_json(repo, files[name]) for name in configs.FILES if name in files})
    indexes = {
        path: _shards(read_json(repo, entry, MAX_INDEX_BYTES))
        for path, entry in files.items()
        if path.endswith(".index.json") and path.count("/") <= 1
    }
    ways = whole_models(weight_sets(files, indexes), config.folders)
    headers = {path: _header(repo, files[path]) for way in ways for one in way for path in one.paths}
    return _Count(config, files, ways, headers).counts()


def formats(paths: Iterable[str]) -> list[str]:
    """Return the formats of weights among these files."""
    known = list(paths)
    return [name for ending, name in FORMATS.items() if any(path.endswith(ending) for path in known)]


def precision_of(dtype: str) -> str:
    """Return the precision that a dtype or a quantization of a tensor stands for, as lists name it."""
    if dtype in PRECISIONS:
        return PRECISIONS[dtype]
    if dtype.startswith("F8"):
        return "fp8"
    bits = next((character for character in dtype if character.isdigit()), "")
    return f"{bits}-bit" if bits else ""


class _Count:
    """The counting of one revision."""

    def __init__(
        self,
        config: ModelConfig,
        files: Mapping[str, Entry],
        ways: list[list[WeightSet]],
        headers: Mapping[str, Summary],
    ) -> None:
        self._config = config
        self._files = files
        self._ways = ways
        self._headers = headers

    def counts(self) -> Counts:
        best = next((way for way in self._ways if self._is_read(way)), [])
        gguf = next((header for header in self._headers.values() if header.get("architecture")), {})
        config = self._config
        sizes = {name: config.sizes.get(name) or gguf.get(name) for name in configs.SIZES}
        return Counts(
            architecture=config.architecture or gguf.get("architecture", "") or config.model_type,
            model_type=config.model_type or gguf.get("architecture", ""),
            context_length=config.context_length or gguf.get("context_length"),
            vocabulary=sizes.pop("vocabulary"),
            parameters=self._parameters(best) if best else None,
            dtypes=self._dtypes(best),
            formats=formats(self._files),
            precisions=self._precisions(),
            memory_bytes=self._memory(),
            counted=self._details(best, sizes, gguf),
        )

    def _is_read(self, way: list[WeightSet]) -> bool:
        return all(self._is_whole(path) for one in way for path in one.paths)

    def _is_whole(self, path: str) -> bool:
        """Say whether the header of a file was read, and what it declares to lie in other files can be there."""
        header, folder = self._headers[path], posixpath.dirname(path)
        beside = header.get("elsewhere", {}).items()
        sizes = [(self._files.get(posixpath.normpath(posixpath.join(folder, name))), end) for name, end in beside]
        return header.get("plain") is not None and all(file and file.size >= end for file, end in sizes)

    def _summaries(self, way: list[WeightSet]) -> list[Summary]:
        return [self._headers[path] for one in way for path in one.paths]

    def _parameters(self, way: list[WeightSet]) -> int:
        return sum(self._by_precision(way).values()) - self._twice(way)

    def _by_precision(self, way: list[WeightSet]) -> Counter[str]:
        """Count the parameters of a way to have the model by the precision that they are stored in."""
        found: Counter[str] = Counter()
        bits = self._config.quantization.get("bits", 4)
        for summary in self._summaries(way):
            for dtype, elements in summary["plain"].items():
                found[precision_of(dtype)] += elements
            found[f"{bits}-bit"] += summary.get("packed32", 0) * WORD_BITS // bits
            found["4-bit"] += summary.get("packed4", 0) * 2
        return found

    def _twice(self, way: list[WeightSet]) -> int:
        """Count the elements of tables that are stored again although the config says that they are the same."""
        if not self._config.is_tied:
            return 0
        tables = Counter((rows, columns) for one in self._summaries(way) for rows, columns in one.get("tieable", []))
        return sum(rows * columns * (times - 1) for (rows, columns), times in tables.items())

    def _dtypes(self, way: list[WeightSet]) -> dict[str, int]:
        found: Counter[str] = Counter()
        for one in way:
            for path in one.paths:
                blob = self._files[path].blob
                found.update((blob.dtypes if blob else None) or self._headers[path]["plain"])
        return dict(found)

    def _precisions(self) -> list[str]:
        found = dict[str, None]()
        for way in self._ways:
            if self._is_read(way):
                counts = self._by_precision(way)
                most = sum(counts.values()) * NOTEWORTHY
                found |= dict.fromkeys(name for name, number in counts.most_common() if name and number > most)
        return list(found)

    def _memory(self) -> int | None:
        return None if self._config.adapter else min((self._size(way) for way in self._ways), default=None)

    def _size(self, way: list[WeightSet]) -> int:
        """Return the bytes of a set's tensors; of formats whose headers are not read, those of its files."""
        return sum(self._size_of(path) for one in way for path in one.paths)

    def _size_of(self, path: str) -> int:
        size = self._headers[path].get("bytes")
        beside = [self._files[name].size for name in (f"{path}_data", f"{path}.data") if name in self._files]
        return size if isinstance(size, int) else self._files[path].size + sum(beside)

    def _details(
        self, best: list[WeightSet], sizes: Mapping[str, int | None], gguf: Mapping[str, Any]
    ) -> dict[str, Any]:
        config = self._config
        found = {
            **sizes,
            "context": config.context or ({"GGUF": gguf["context_length"]} if gguf.get("context_length") else {}),
            "rope": config.rope or gguf.get("rope"),
            "quantization": config.quantization,
            "adapter": config.adapter,
            "generation": config.generation,
            "brings_code": config.brings_code,
            "tied": self._twice(best) if best else 0,
            "tensors": sum(one["tensors"] for one in self._summaries(best)),
            "from": [path for one in best for path in one.paths][:MAX_SHOWN_SETS],
            "sets": [self._set(way) for way in self._ways[:MAX_SHOWN_SETS]],
            "unread": self._unread(),
        }
        return {name: value for name, value in found.items() if value}

    def _set(self, way: list[WeightSet]) -> dict[str, Any]:
        is_read = self._is_read(way)
        counts = self._by_precision(way) if is_read else Counter[str]()
        return {
            "name": way[0].name,
            "files": sum(len(one.paths) for one in way),
            "form": way[0].form,
            "bytes": self._size(way),
            "parameters": self._parameters(way) if is_read else None,
            "precision": next((name for name, _number in counts.most_common(1)), ""),
        }

    def _unread(self) -> list[str]:
        """Return the files whose headers should tell something, and do not or not yet."""
        told = [path for path in self._headers if path.endswith((".gguf", ".onnx"))]
        unread = [path for path in told if not self._is_whole(path)]
        awaited = [path for path in self._headers if (blob := self._files[path].blob) and blob.awaited_by]
        return list(dict.fromkeys([*unread, *awaited]))[:MAX_SHOWN_SETS]


def _header(repo: Repo, entry: Entry) -> Summary:
    """Return the summary of a weight file's header, {} where there is none."""
    try:
        if entry.blob is None:
            return _small_header(repo, entry)
        note_header(entry.path, entry.blob)
    except (DomainError, OSError):  # it lies, having come in under another name, or its bytes are not to be had
        return {}
    return entry.blob.header or {}


def _small_header(repo: Repo, entry: Entry) -> Summary:
    """Return the summary of weights that a push left in git itself: they are small."""
    if not entry.path.endswith((".safetensors", ".onnx")) and not is_pickled(entry.path):
        return {}
    body = browsing.read(repo, entry, entry.size)
    if is_pickled(entry.path):
        return _of_pickled(io.BytesIO(body), len(body))
    if entry.path.endswith(".onnx"):
        return _of_onnx(io.BytesIO(body), len(body))
    return summaries.of_safetensors(read_safetensors_header(io.BytesIO(body), len(body), entry.path))


def _shards(index: Any) -> list[str]:
    """Return the files that an index of shards names."""
    mapping = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(mapping, dict):
        return []
    return list(dict.fromkeys(name for name in mapping.values() if isinstance(name, str)))
