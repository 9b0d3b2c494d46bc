"""What somebody asks of the finder: a task, and what the model may take."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MB = 1_000_000


class Device(NamedTuple):
    """A kind of machine, with the formats of weights that run on it."""

    label: str | Promise
    formats: frozenset[str]
    precisions: frozenset[str] = frozenset()  # one of these too, where any is named


DEVICES: dict[str, Device] = {
    "server": Device(_("Server"), frozenset({"safetensors", "pytorch", "onnx", "gguf", "openvino", "jax", "tf"})),
    "laptop": Device(_("Laptop"), frozenset({"safetensors", "gguf", "onnx", "openvino"})),
    "phone": Device(
        _("Phone"), frozenset({"onnx", "gguf", "tflite"}), frozenset({"8-bit", "6-bit", "5-bit", "4-bit", "fp8"})
    ),
    "browser": Device(_("Browser"), frozenset({"onnx"})),
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question. Only the task must be there; `on` names a board or a benchmark that alone shall count."""

    task: str
    languages: tuple[str, ...] = ()
    on: str = ""  # "board:<slug>" or "benchmark:<id>"
    memory_mb: float | None = None
    latency_ms: float | None = None
    machine: str = ""
    disk_mb: float | None = None
    licences: tuple[str, ...] = ()
    device: str = ""

    @property
    def query(self) -> str:
        """The question as a query string, in an order that does not change."""
        values: Mapping[str, object] = {
            "task": self.task,
            "language": ",".join(self.languages),
            "on": self.on,
            "memory": _number(self.memory_mb),
            "latency": _number(self.latency_ms),
            "machine": self.machine,
            "disk": _number(self.disk_mb),
            "licence": self.licences,
            "device": self.device,
        }
        return urlencode({name: value for name, value in values.items() if value}, doseq=True)

    def without(self, name: str) -> "Asked":
        """Return the same question with one limit less."""
        empty: dict[str, Any] = {
            "memory": {"memory_mb": None},
            "disk": {"disk_mb": None},
            "licence": {"licences": ()},
            "device": {"device": ""},
            "latency": {"latency_ms": None},
        }
        return replace(self, **empty[name])

    @property
    def limits(self) -> Collection[str]:
        """Which filters are set, by their names."""
        given = {
            "memory": self.memory_mb is not None,
            "disk": self.disk_mb is not None,
            "licence": bool(self.licences),
            "device": bool(self.device),
            "latency": self.latency_ms is not None,
        }
        return [name for name, is_set in given.items() if is_set]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
