"""What a pickle would import when somebody loads it, and its tensors. The imports are read by the child process."""

import base64
import zipfile
from typing import Any

from models_hub import rendering
from models_hub.headers.pickled import NotRead, read_pickled
from models_hub.viewers import tensors
from models_hub.viewers.reading import PlaceReader, TooMuch
from models_hub.viewers.shown import Place, Shown
from models_hub.viewers.tensors import Row

# Formats that run code of their author when they are loaded.
ENDINGS = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
MAX_PICKLE = 8_000_000
MAX_READ = 24_000_000
MAX_PARTS = 5
# What reading of a hostile or damaged file, zip files among them, may raise.
UNREADABLE = (TooMuch, zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, RuntimeError)


def imports(place: Place) -> Shown | None:
    """Show the imports of a pickle; None for a file that only has the name of one."""
    try:
        made = scan(place)
    except UNREADABLE:
        made = None
    if made is None:  # what could not be read may import anything: the page warns of it
        return Shown("pickle", {"imports": [], "is_whole": False})
    if not made["imports"] and not made["streams"]:
        return None
    rows = _rows(place)
    about = {"tensors": tensors.view(rows, place.asked) if rows else None}
    return Shown("pickle", {**made, **about, "worst": worst_of(made)})


def _rows(place: Place) -> list[Row]:
    """Return the tensors of a checkpoint; none of a pickle that holds something else, or an older way of it."""
    try:
        found = read_pickled(PlaceReader(place, MAX_READ), place.entry.size)
    except (NotRead, TooMuch):
        return []
    return [Row(one.name, one.dtype, one.shape, one.elements, one.end - one.start) for one in found]


def scan(place: Place) -> dict[str, Any] | None:
    """Return what a pickle imports, as the child says it, or None where that takes too long; raises UNREADABLE."""
    is_cut = {"is_cut": True} if place.entry.size > MAX_PICKLE else {}
    return rendering.of_content("pickle", lambda: _found(place), etag=place.entry.etag, **is_cut)


def worst_of(made: dict[str, Any]) -> str:
    """Return the level of the worst import."""
    levels = {row["level"] for row in made["imports"]}
    return next((level for level in ("dangerous", "unusual") if level in levels), "usual")


def _found(place: Place) -> str:
    """Return the pickles of a file in base64, one after the other: PyTorch keeps one inside of a zip file."""
    reader = PlaceReader(place, MAX_READ)
    is_zip = reader.read(4) == b"PK\x03\x04"
    reader.seek(0)
    data = _in_zip(reader) if is_zip else reader.read(MAX_PICKLE)
    return base64.b64encode(data).decode()


def _in_zip(reader: Any) -> bytes:
    parts: list[bytes] = []
    with zipfile.ZipFile(reader) as archive:
        names = [info for info in archive.infolist() if info.filename.endswith(".pkl")]
        # What is left out could be the one that is loaded.
        if len(names) > MAX_PARTS or sum(info.file_size for info in names) > MAX_PICKLE:
            raise TooMuch
        for info in names:
            with archive.open(info) as member:
                parts.append(member.read(MAX_PICKLE))
    return b"".join(parts)[:MAX_PICKLE]
