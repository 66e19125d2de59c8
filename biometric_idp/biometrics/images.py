"""Decode images that strangers send: JPEG and PNG only, bounded before decoding, upright, nothing else kept."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from biometric_idp.biometrics.errors import ImageRefused

Pixels: TypeAlias = npt.NDArray[np.uint8]

#: A register's portrait or a phone's photograph; a video frame is far smaller.
MAX_IMAGE_BYTES = 8 * 1024 * 1024
#: 72 MB decoded at three bytes each.
MAX_PIXELS = 24_000_000
#: Pillow raises these for data it cannot read, beside its own subclasses of OSError.
_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, struct.error, zlib.error)


def decode_image(data: bytes, *, longest: int, max_bytes: int = MAX_IMAGE_BYTES) -> Pixels:
    """RGB pixels (height, width, 3), turned upright by EXIF and reduced so that no side exceeds ``longest`` pixels.

    Raises:
        ImageRefused: image-too-large (bytes, or pixels by the header alone), image-unreadable.
    """
    return np.asarray(_decode(data, "RGB", longest, max_bytes), dtype=np.uint8)


def decode_grey(data: bytes, *, longest: int, max_bytes: int = MAX_IMAGE_BYTES) -> Pixels:
    """Grey pixels (height, width); otherwise as ``decode_image``."""
    return np.asarray(_decode(data, "L", longest, max_bytes), dtype=np.uint8)


def _decode(data: bytes, mode: str, longest: int, max_bytes: int) -> Image.Image:
    if len(data) > max_bytes:
        raise ImageRefused("image-too-large", f"{len(data)} bytes, at most {max_bytes}")
    try:
        with warnings.catch_warnings():
            # We have a limit of our own, below the one Pillow only warns about.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Any = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageRefused("image-too-large", f"{width} x {height} pixels, at most {MAX_PIXELS}")
        orientation = image.getexif().get(0x0112, 1)
        # Lets the JPEG decoder skip what would be thrown away; never below the size asked for.
        image.draft(mode, (longest, longest))
        image = _flatten(image, mode)
    except Image.DecompressionBombError as error:
        raise ImageRefused("image-too-large", str(error)) from None
    except _UNREADABLE:
        # Without the decoder's text, which may quote the data.
        raise ImageRefused("image-unreadable", f"{len(data)} bytes") from None
    if orientation in range(2, 9):
        image = _turn(image, orientation)
    if max(image.size) > longest:
        image.thumbnail((longest, longest), Image.Resampling.BILINEAR, reducing_gap=2.0)
    result: Image.Image = image
    return result


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    """One plane of opaque colour; whatever was transparent becomes white, as paper would be."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        paper.alpha_composite(layer)
        return paper.convert(mode)
    if image.mode.startswith("I"):
        # Sixteen bits of grey, which Pillow would clip instead of scale.
        wide = np.asarray(image, dtype=np.int64)
        return Image.fromarray((wide >> 8).clip(0, 255).astype(np.uint8)).convert(mode)
    return image.convert(mode)


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    image.getexif()[0x0112] = orientation
    return ImageOps.exif_transpose(image)
