"""Files of weights whose headers say what is in them: safetensors, whole or in shards, and GGUF."""

import json
import posixpath
from typing import Any

from django.utils.translation import gettext as _

from models_hub import browsing
from models_hub.browsing import Entry, EntryNotFound
from models_hub.headers.gguf import GgufHeader, Many, read_gguf_header
from models_hub.headers.safetensors import read_safetensors
from models_hub.viewers import tensors
from models_hub.viewers.reading import PlaceReader, TooMuch
from models_hub.viewers.shown import Place, Shown, nothing
from models_hub.viewers.tensors import Row
from portal import bounded_json
from portal.errors import InvalidInput

MAX_INDEX_BYTES = 20_000_000
MAX_SHARDS = 300
MAX_TENSORS = 200_000
MAX_READ = 100_000_000
SHOWN_TEXT = 2000
LONG_TEXT = 120  # characters from which a value is folded


def safetensors(place: Place) -> Shown:
    try:
        rows, metadata = _rows(place, place.entry)
    except InvalidInput as error:
        return nothing(error.message)
    return Shown("tensors", {**tensors.view(rows, place.asked), "metadata": _pairs(metadata), "format": "safetensors"})


def safetensors_index(place: Place) -> Shown | None:
    """Show the tensors of all shards that an index names; None for what is no such index."""
    if place.entry.size > MAX_INDEX_BYTES or place.asked.get("view") == "source" or "source" in place.asked:
        return None
    try:
        index = bounded_json.loads(browsing.read(place.repo, place.entry, place.entry.size))
        names = sorted({str(name) for name in index["weight_map"].values()})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    rows: list[Row] = []
    problems: list[str] = []
    for name in names[:MAX_SHARDS]:
        try:
            path = posixpath.normpath(posixpath.join(place.folder, name))
            shard, _metadata = _rows(place, browsing.find(place.repo, place.commit, path), file=name)
            rows += shard
        except EntryNotFound:
            problems.append(_("The index names %(file)s, which is not here.") % {"file": name[:200]})
        except InvalidInput as error:
            problems.append(error.message)
        if len(rows) > MAX_TENSORS:
            problems.append(_("There are more tensors than can be shown."))
            break
    if not rows and not problems:
        return None
    metadata = index.get("metadata")
    pairs = _pairs(metadata if isinstance(metadata, dict) else {})
    about = {**tensors.view(rows, place.asked), "metadata": pairs, "problems": problems[:10], "shards": len(names)}
    return Shown(
        "tensors", {**about, "format": "safetensors"}, modes=("tensors", "source"), mode="tensors", is_text=True
    )


def _rows(place: Place, entry: Entry, *, file: str = "") -> tuple[list[Row], dict[str, str]]:
    reader = PlaceReader(Place(place.repo, place.commit, place.revision, entry), MAX_READ)
    try:
        found, metadata = read_safetensors(reader, entry.size, entry.path)
    except TooMuch:
        raise InvalidInput(_("Its header is too long to be shown here.")) from None
    return [Row(t.name, t.dtype, t.shape, t.elements, t.end - t.start, file) for t in found], metadata


def gguf(place: Place) -> Shown:
    try:
        header = read_gguf_header(PlaceReader(place, MAX_READ), place.entry.size, place.entry.path)
    except InvalidInput as error:
        return nothing(error.message)
    except TooMuch:
        return nothing(_("Its header is too long to be shown here."))
    # GGUF names the fastest changing side first; people know shapes the other way round.
    rows = [Row(t.name, t.dtype, tuple(reversed(t.shape)), t.elements, t.size) for t in header.tensors]
    about = {**tensors.view(rows, place.asked), "metadata": _pairs(header.metadata), "format": f"GGUF {header.version}"}
    return Shown("tensors", {**about, "architecture": header.text("general.architecture")[:100], "bits": _bits(header)})


def _bits(header: GgufHeader) -> float | None:
    """Return how many bits a parameter takes on average."""
    elements = sum(tensor.elements for tensor in header.tensors)
    return 8 * sum(tensor.size for tensor in header.tensors) / elements if elements else None


def _pairs(metadata: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """Return key, value, and whether the value is so long that it is folded."""
    shown = [(str(key)[:200], _value(value)) for key, value in list(metadata.items())[:2000]]
    return [(key, value, len(value) > LONG_TEXT or "\n" in value) for key, value in shown]


def _value(value: Any) -> str:
    if isinstance(value, Many):
        items = ", ".join(_value(item)[:60] for item in value.items)
        rest = value.count - len(value.items)
        return _("%(items)s and %(n)d more") % {"items": items, "n": rest} if rest > 0 else items
    if isinstance(value, bool) or value is None or isinstance(value, int | float | str):
        text = value if isinstance(value, str) else json.dumps(value)
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text[:SHOWN_TEXT] + ("…" if len(text) > SHOWN_TEXT else "")
