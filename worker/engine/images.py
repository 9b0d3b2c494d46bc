"""Images in the rows of a benchmark, read as hostile: bytes and pixels are bounded before anything is decoded.

A row holds an image as base64 of a PNG, JPEG or WebP file, as {"bytes": base64}, which is what exports of Hugging
Face's data sets have, or as a nested list of pixels. Questions carry the file itself, so that memory holds pixels of
one batch at a time. Imports no torch.
"""

import base64
import binascii
import io
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from worker.engine.contracts import EngineError
from worker.engine.decoding import parse_json
from worker.engine.failures import failing_as
from worker.engine.records import Record

FORMATS = ("PNG", "JPEG", "WEBP")
# A photograph of 25 megapixels is 75 MB once decoded. A tiny file may claim far more.
MAX_PIXELS = 25_000_000
MAX_SIDE = 16_384
MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})


@dataclass(frozen=True)
class Picture:
    """An image file in a row, and the size of what it shows."""

    raw: bytes
    width: int
    height: int

    def as_value(self) -> dict[str, Any]:
        """Return it as it stands in a question."""
        return {"image": base64.b64encode(self.raw).decode("ascii"), "width": self.width, "height": self.height}


def picture_of(record: Record, role: str) -> Picture:
    """Return the image of a row, decoded once to see that it can be; every error is `bad_data` and names the line."""
    value = record.get(role)
    try:
        raw = _file_of(value)
        image = decode(raw)
    except EngineError as error:
        raise record.bad(role, error.message) from error
    return Picture(raw, image.width, image.height)


def from_question(value: dict[str, Any]) -> Image.Image:
    """Return the image of a question, in RGB."""
    return decode(base64.b64decode(value["image"]))


def decode(raw: bytes) -> Image.Image:
    """Return an image in RGB, turned upright as `datasets` does; raises `bad_data`."""
    with warnings.catch_warnings(), failing_as("bad_data", "is not an image that can be read:"):
        warnings.simplefilter("ignore")  # about sizes that are looked at below, and about odd but harmless metadata
        image = Image.open(io.BytesIO(raw), formats=FORMATS)
        _check(image)
        upright = ImageOps.exif_transpose(image)
        return upright.convert("RGB")


def _check(image: Image.Image) -> None:
    width, height = image.size
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise _bad(f"is an image of {width} x {height} pixels; {MAX_PIXELS} pixels and {MAX_SIDE} a side are the most")
    if image.mode not in MODES:
        raise _bad(f"is an image with pixels of the kind {image.mode[:10]}; save it with 8 bits a channel")


def _file_of(value: Any) -> bytes:
    """Return the bytes of an image file, made here where the row has a list of pixels."""
    if isinstance(value, dict):
        value = value.get("bytes")
    if isinstance(value, str) and value.lstrip().startswith("["):  # a cell of CSV
        try:
            value = parse_json(value)
        except (ValueError, RecursionError) as error:
            raise _bad("begins like a list of pixels and is none") from error
    if isinstance(value, str) and value:
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _bad("is not base64 of an image file") from error
    if isinstance(value, list) and value:
        return _drawn(value)
    raise _bad('must be base64 of an image file, {"bytes": base64}, or a list of pixels')


def _drawn(pixels: list[Any]) -> bytes:
    """Return a PNG of pixels (height, width), (height, width, 3), or of a square in one row."""
    try:
        table = np.array(pixels, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _bad("is not a list of pixels: every row must have the same number of them") from error
    if table.ndim == 1 and math.isqrt(len(table)) ** 2 == len(table):
        table = table.reshape(math.isqrt(len(table)), -1)
    if not (table.ndim == 2 or (table.ndim == 3 and table.shape[2] == 3)) or not table.size:
        raise _bad("is not a list of pixels: it must be height x width, or height x width x 3")
    if max(table.shape[:2]) > MAX_SIDE or table.shape[0] * table.shape[1] > MAX_PIXELS:
        raise _bad(f"has more than {MAX_PIXELS} pixels, or more than {MAX_SIDE} a side")
    if not ((table >= 0) & (table <= 255) & (table == np.floor(table))).all():
        raise _bad("has pixels that are not whole numbers from 0 to 255")
    file = io.BytesIO()
    Image.fromarray(table.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _bad(what: str) -> EngineError:
    return EngineError("bad_data", what)
