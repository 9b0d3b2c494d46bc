"""What a pickle would import when somebody loads it. The pickle is found here, and read by the child process."""

import base64
import zipfile
from typing import Any

from models_hub import rendering
from models_hub.viewers.reading import PlaceReader, TooMuch
from models_hub.viewers.shown import Place, Shown

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
        made = rendering.of_content("pickle", lambda: _found(place), etag=place.entry.etag)
    except UNREADABLE:
        made = None
    if made is None:  # what could not be read may import anything: the page warns of it
        return Shown("pickle", {"imports": [], "is_whole": False})
    if not made["imports"] and not made["streams"]:
        return None
    levels = {row["level"] for row in made["imports"]}
    worst = next((level for level in ("dangerous", "unusual") if level in levels), "usual")
    return Shown("pickle", {**made, "worst": worst})


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
        for info in names[:MAX_PARTS]:
            with archive.open(info) as member:
                parts.append(member.read(MAX_PICKLE))
    return b"".join(parts)[:MAX_PICKLE]
