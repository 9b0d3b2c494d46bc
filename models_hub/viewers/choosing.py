"""Which viewer shows a file: decided by its name and its size, and given up where the content says otherwise."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from models_hub.tables.formats import format_of
from models_hub.viewers import documents, media, onnx, pickles, texts, weights
from models_hub.viewers.shown import Place, Shown, nothing

Viewer = Callable[[Place], Shown | None]

# By the end of a name; the first that fits is asked, and plain text comes after all of them.
VIEWERS: tuple[tuple[tuple[str, ...], Viewer], ...] = (
    ((".md", ".markdown", ".mdx"), documents.markdown),
    ((".ipynb",), documents.notebook),
    ((".safetensors.index.json",), weights.safetensors_index),
    ((".json", ".jsonl.json"), documents.json),
    ((".yaml", ".yml"), documents.yaml),
    ((".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".bmp", ".ico"), media.picture),
    ((".mp3", ".wav", ".ogg", ".flac", ".m4a", ".opus", ".aac"), media.sound),
    ((".mp4", ".webm", ".m4v", ".mov"), media.film),
    ((".pdf",), media.paper),
    ((".safetensors",), weights.safetensors),
    ((".gguf",), weights.gguf),
    ((".onnx",), onnx.model),
    (pickles.ENDINGS, pickles.imports),
)
# Rows that have a viewer of their own, which the page brings in.
TABLES = {"csv", "tsv", "jsonl", "parquet", "arrow"}


def shown(place: Place) -> Shown:
    """Return what to show of a file."""
    entry = place.entry
    if entry.blob and entry.blob.awaited_by:
        return nothing(_("This file is still with the upstream hub; it is fetched when it is downloaded."))
    if not entry.size:
        return nothing(_("This file is empty."))
    if is_table(entry.path) and "source" not in place.asked:
        return Shown(
            "table", modes=("rows", "source") if entry.blob is None else (), mode="rows", is_text=not entry.blob
        )
    name = entry.name.lower()
    for endings, viewer in VIEWERS:
        if name.endswith(endings) and (found := viewer(place)) is not None:
            return found
    return _as_text(place)


def is_table(path: str) -> bool:
    return format_of(path) in TABLES


def runs_code(path: str) -> bool:
    """Say whether a file is of a format that may run its author's code when it is loaded."""
    return path.lower().endswith(pickles.ENDINGS)


def _as_text(place: Place) -> Shown:
    text = texts.read(place)
    if text is None:
        return nothing(_("This is a binary file."))
    shown = texts.source(place, text)
    return shown.with_modes(("rows", "source"), "source") if is_table(place.entry.path) else shown
