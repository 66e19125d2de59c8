"""Images of strangers: what is decoded, what is refused before decoding, and what is thrown away."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from biometric_idp.biometrics.errors import ImageRefused
from biometric_idp.biometrics.images import decode_grey, decode_image


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def halves() -> Image.Image:
    """200 x 100: left half red, right half blue."""
    image = Image.new("RGB", (200, 100), "red")
    image.paste("blue", (100, 0, 200, 100))
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pixels_come_upright_in_rgb(kind: str) -> None:
    pixels = decode_image(encoded(halves(), kind), longest=400)
    assert pixels.shape == (100, 200, 3)
    assert pixels[50, 50, 0] > 200
    assert pixels[50, 150, 2] > 200


@pytest.mark.parametrize(("orientation", "shape", "red_at"), [(3, (100, 200), (50, 150)), (6, (200, 100), (50, 50))])
def test_the_orientation_of_a_phone_is_applied(
    orientation: int, shape: tuple[int, int], red_at: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "where I live"
    pixels = decode_image(encoded(halves(), exif=exif), longest=400)
    assert pixels.shape[:2] == shape
    assert pixels[red_at][0] > 200


def test_a_large_image_is_reduced_and_never_enlarged() -> None:
    assert decode_image(encoded(Image.new("RGB", (3000, 1500))), longest=800).shape[:2] == (400, 800)
    assert decode_image(encoded(Image.new("RGB", (30, 15))), longest=800).shape[:2] == (15, 30)


def test_what_is_transparent_becomes_white() -> None:
    clear = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    assert decode_image(encoded(clear, "PNG"), longest=100).min() == 255
    wide = Image.fromarray(np.full((20, 20), 0x8000, dtype=np.uint16))
    assert decode_grey(encoded(wide, "PNG"), longest=100).max() == 0x80


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "WEBP"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(ImageRefused) as refused:
        decode_image(encoded(halves(), kind), longest=400)
    assert refused.value.code == "image-unreadable"


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff", b"%PDF-1.7", encoded(halves())[:300], encoded(halves(), "PNG")[:90], bytes(1000)]
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ImageRefused) as refused:
        decode_image(data, longest=400)
    assert refused.value.code == "image-unreadable"


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes whose header promises so many pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [5000, 20_000, 60_000])
def test_a_decompression_bomb_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(ImageRefused) as refused:
        decode_image(bomb(side, side), longest=400)
    assert refused.value.code == "image-too-large"


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(ImageRefused) as refused:
        decode_image(encoded(halves()) + bytes(1000), longest=400, max_bytes=1000)
    assert refused.value.code == "image-too-large"
