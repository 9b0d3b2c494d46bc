"""preprocessor_config.json, read as hostile, and what it says done to images: resize, crop, rescale, normalise.

The same steps in the same order as the image processors of transformers that work with Pillow, number for number;
theirs are not used, because they would take whatever else the file says. Imports no torch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt
from PIL import Image

from worker.engine.contracts import EngineError
from worker.engine.decoding import read_json_object
from worker.engine.folder import ModelFolder
from worker.engine.model_config import refuse_custom_code

FILE = "preprocessor_config.json"
LIMIT = 1 << 16
MAX_SIDE = 4096
# What one image may be made into on the way: a strip of 10,000 x 1 would become millions of pixels wide.
MAX_PIXELS = 25_000_000
# ConvNeXt crops below this side and squeezes from there on.
CONVNEXT_SQUEEZES_AT = 384
YOLOS_STEP = 16

Pixels = npt.NDArray[np.float32]  # (channels, height, width)
Size = tuple[int, int]  # height, width

HALF = (0.5, 0.5, 0.5)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What an image processor of transformers does where its file says nothing else."""

    size: Mapping[str, int]
    crop: int | None = None  # the side that is cut out of the middle
    has_crop_size: int | None = None  # where a file asks for cropping without a size
    resample: Image.Resampling
    mean: Sequence[float]
    std: Sequence[float]
    square: bool = True  # what a size that is one number means
    longest: int | None = None  # and up to which longest side


def _square(side: int) -> dict[str, int]:
    return {"height": side, "width": side}


KINDS = {
    "Beit": Kind(size=_square(224), has_crop_size=224, resample=Image.Resampling.BICUBIC, mean=HALF, std=HALF),
    "Bit": Kind(
        size={"shortest_edge": 224}, crop=224, resample=Image.Resampling.BICUBIC, mean=CLIP_MEAN, std=CLIP_STD,
        square=False,
    ),
    "ConvNext": Kind(
        size={"shortest_edge": 384}, resample=Image.Resampling.BICUBIC, mean=HALF, std=HALF, square=False
    ),
    "DeiT": Kind(size=_square(256), crop=224, resample=Image.Resampling.BICUBIC, mean=HALF, std=HALF),
    "Detr": Kind(
        size={"shortest_edge": 800, "longest_edge": 1333}, resample=Image.Resampling.BILINEAR, mean=IMAGENET_MEAN,
        std=IMAGENET_STD, square=False, longest=1333,
    ),
    "MobileNetV2": Kind(
        size={"shortest_edge": 256}, crop=224, resample=Image.Resampling.BILINEAR, mean=HALF, std=HALF, square=False
    ),
    "ViT": Kind(size=_square(224), resample=Image.Resampling.BILINEAR, mean=HALF, std=HALF),
    "Yolos": Kind(
        size={"shortest_edge": 800, "longest_edge": 1333}, resample=Image.Resampling.BILINEAR, mean=IMAGENET_MEAN,
        std=IMAGENET_STD, square=False, longest=1333,
    ),
}  # fmt: skip
ENDINGS = ("ImageProcessorFast", "ImageProcessorPil", "ImageProcessor", "FeatureExtractor")


@dataclass(frozen=True, kw_only=True)
class ImageProcessor:
    """From an image to what a model takes."""

    kind: str
    size: Mapping[str, int] | None  # None: as it comes
    crop: Size | None
    resample: Image.Resampling
    crop_share: float  # of ConvNeXt alone
    factor: float | None
    mean: Sequence[float] | None
    std: Sequence[float]
    channels: int

    def __call__(self, image: Image.Image) -> Pixels:
        """Return the pixels (channels, height, width) of an image in RGB."""
        if self.channels == 1:
            image = image.convert("L")
        width, height = image.size
        if self.size is not None:
            high, wide = self._resized((height, width))
            image = image.resize((wide, high), resample=self.resample)
        table = np.asarray(image)
        table = table[None] if table.ndim == 2 else np.moveaxis(table, -1, 0)
        for crop in self._crops():
            table = _cropped(table, crop)
        # Through float64, and down again at each step, as theirs.
        pixels = table.astype(np.float32)
        if self.factor is not None:
            pixels = (table.astype(np.float64) * self.factor).astype(np.float32)
        if self.mean is not None:
            mean, std = (np.array(values, dtype=np.float32)[:, None, None] for values in (self.mean, self.std))
            pixels = (pixels - mean) / std
        return np.ascontiguousarray(pixels)

    def size_of(self, height: int, width: int) -> Size:
        """Return which size an image of this size is made into."""
        size = self._resized((height, width))
        for crop in self._crops():
            size = crop
        return size

    def _crops(self) -> list[Size]:
        own: list[Size] = []
        if self.kind == "ConvNext" and self.size and self.size["shortest_edge"] < CONVNEXT_SQUEEZES_AT:
            own.append((self.size["shortest_edge"], self.size["shortest_edge"]))
        return own + ([self.crop] if self.crop else [])

    def _resized(self, size: Size) -> Size:
        if self.size is None:
            return size
        if "height" in self.size:
            return self.size["height"], self.size["width"]
        edge, longest = self.size["shortest_edge"], self.size.get("longest_edge")
        if longest is not None:
            found = _within(size, edge, longest, YOLOS_STEP if self.kind == "Yolos" else 1)
        elif self.kind == "ConvNext" and edge >= CONVNEXT_SQUEEZES_AT:
            found = edge, edge
        else:
            found = _by_shortest(size, int(edge / self.crop_share) if self.kind == "ConvNext" else edge)
        if not all(found) or found[0] * found[1] > MAX_PIXELS:
            raise EngineError(
                "inference_failed",
                f"An image of {size[1]} x {size[0]} pixels would be made {found[1]} x {found[0]} for this model.",
            )
        return found


def read_processor(folder: ModelFolder, default: str, channels: int) -> ImageProcessor:
    """Read the file beside config.json; `default` is the kind of processor where the file names none."""
    path = folder.need(FILE, code="missing_preprocessor", why="it says how images are made ready for the model")
    raw = read_json_object(path, limit=LIMIT, code="bad_preprocessor")
    refuse_custom_code(raw, FILE)
    name = _kind_of(raw, default)
    kind = KINDS[name]
    reader = _Reader(raw)
    resizes, crops = reader.flag("do_resize"), reader.flag("do_center_crop", default=kind.crop is not None)
    mean = reader.channels("image_mean", kind.mean, channels)
    std = reader.channels("image_std", kind.std, channels)
    if not all(std):
        raise _bad("image_std must not be 0")
    size = _checked_size(name, reader.size("size", kind.size, kind)) if resizes else None
    return ImageProcessor(
        kind=name,
        size=size,
        crop=reader.crop(kind.crop or kind.has_crop_size) if crops else None,
        resample=reader.resample(kind.resample),
        crop_share=reader.number("crop_pct", 224 / 256, 0.01, 1.0),
        factor=reader.number("rescale_factor", 1 / 255, 0.0, 1e6) if reader.flag("do_rescale") else None,
        mean=mean if reader.flag("do_normalize") else None,
        std=std,
        channels=channels,
    )


def _kind_of(raw: dict[str, Any], default: str) -> str:
    named = raw.get("image_processor_type") or raw.get("feature_extractor_type")
    if named is None:
        return default
    for ending in ENDINGS:
        if isinstance(named, str) and named.endswith(ending) and named.removesuffix(ending) in KINDS:
            return named.removesuffix(ending)
    raise _bad(f"the kind {str(named)[:60]!r} is not known here; known: {', '.join(sorted(KINDS))}")


def _checked_size(name: str, size: Mapping[str, int]) -> Mapping[str, int]:
    if name == "ConvNext" and set(size) != {"shortest_edge"}:
        raise _bad('size must be {"shortest_edge": pixels}')
    return size


class _Reader:
    """Reads keys of the file, each with its limits."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw

    def flag(self, key: str, *, default: bool = True) -> bool:
        value = self._raw.get(key)
        if value is not None and not isinstance(value, bool):
            raise _bad(f"{key} must be true or false")
        return default if value is None else value

    def number(self, key: str, default: float, least: float, most: float) -> float:
        value = self._raw.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise _bad(f"{key} must be a number from {least} to {most}")
        return float(value)

    def channels(self, key: str, default: Sequence[float], count: int) -> list[float]:
        value = self._raw.get(key)
        if value is None:
            value = list(default)[:count]
        values = value if isinstance(value, list) else [value] * count
        fits = all(isinstance(item, int | float) and not isinstance(item, bool) for item in values)
        if not fits or len(values) != count or not all(math.isfinite(item) for item in values):
            raise _bad(f"{key} must be a list of {count} numbers, one for each channel of the model")
        return [float(item) for item in values]

    def resample(self, default: Image.Resampling) -> Image.Resampling:
        value = self._raw.get("resample")
        if value is None:
            return default
        if type(value) is not int or not 0 <= value <= 5:
            raise _bad("resample must be a filter of Pillow, 0 to 5")
        return Image.Resampling(value)

    def size(self, key: str, default: Mapping[str, int], kind: Kind) -> Mapping[str, int]:
        value = self._raw.get(key)
        if value is None:
            return default
        if type(value) is int:
            if kind.square:
                value = _square(value)
            else:
                # Files of older versions give the longest side apart.
                longest = self._raw.get("max_size", kind.longest)
                value = {"shortest_edge": value} | ({"longest_edge": longest} if kind.longest else {})
        known = ({"height", "width"}, {"shortest_edge"}, {"shortest_edge", "longest_edge"})
        value = {name: side for name, side in value.items() if side is not None} if isinstance(value, dict) else {}
        if set(value) not in known or not all(_is_side(side) for side in value.values()):
            raise _bad(
                f'{key} must be {{"height", "width"}} or {{"shortest_edge"}}, perhaps with "longest_edge", '
                f"each from 1 to {MAX_SIDE}"
            )
        return value

    def crop(self, default: int | None) -> Size:
        value = self._raw.get("crop_size")
        value = default if value is None else value
        height, width = (value.get("height"), value.get("width")) if isinstance(value, dict) else (value, value)
        if not (_is_side(height) and _is_side(width)):
            raise _bad(f'crop_size must be {{"height", "width"}}, each from 1 to {MAX_SIDE}')
        return height, width


def _is_side(value: Any) -> TypeGuard[int]:
    return type(value) is int and 1 <= value <= MAX_SIDE


def _by_shortest(size: Size, edge: int) -> Size:
    height, width = size
    short, long = min(size), max(size)
    other = int(edge * long / short)
    return (other, edge) if width <= height else (edge, other)


def _within(size: Size, edge: int, longest: int, step: int) -> Size:
    """Return a size whose shortest side is `edge`, or less where the longest would pass its limit."""
    height, width = size
    exact: float | None = None
    if max(size) / min(size) * edge > longest:
        exact = longest * min(size) / max(size)
        edge = round(exact)
    scale = edge if exact is None else exact
    if min(size) == edge:
        found = size
    elif width < height:
        found = int(scale * height / width), edge
    else:
        found = edge, int(scale * width / height)
    if step > 1 and width < height:  # YOLOS also scales what has the right side already
        found = int(scale * height / width), edge
    return found[0] - found[0] % step, found[1] - found[1] % step


def _cropped(table: npt.NDArray[Any], size: Size) -> npt.NDArray[Any]:
    """Return the middle of an image (channels, height, width), with black around what is too small."""
    height, width = table.shape[1:]
    more = [max(wanted - there, 0) for wanted, there in zip(size, (height, width), strict=True)]
    above, before = (math.ceil(part / 2) for part in more)
    table = np.pad(table, ((0, 0), (above, more[0] - above), (before, more[1] - before)))
    # Placed by the size before, moved by what was put around.
    top, left = (height - size[0]) // 2 + above, (width - size[1]) // 2 + before
    return table[:, max(0, top) : top + size[0], max(0, left) : left + size[1]]


def _bad(what: str) -> EngineError:
    return EngineError("bad_preprocessor", f"{FILE} cannot be used: {what}")
