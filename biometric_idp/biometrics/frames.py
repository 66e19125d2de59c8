"""What a worker tells about one video frame: figures for liveness, never the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biometric_idp.biometrics.errors import ImageRefused
from biometric_idp.biometrics.face_dlib import Face, FaceDetector, encode_embedding, sharpness
from biometric_idp.biometrics.images import Pixels, decode_image
from biometric_idp.biometrics.landmarks import eye_ratio, head_pose

#: A 640 x 480 frame of good quality has a tenth of it.
MAX_FRAME_BYTES = 512 * 1024
_LONGEST = 640
#: The picture is reduced to this many cells a side; their brightness gradients make a perceptual hash, in tiles.
_CELLS, _TILE = 40, 4
_TILES = _CELLS // _TILE
#: Grey levels by which one cell must exceed its left neighbour; below it noise decides.
_STEP = 3


@dataclass(frozen=True, slots=True)
class FrameMeasure:
    """Measurements of one frame.

    Attributes:
        faces: how many of comparable size; all else is zero where there is none, and of the widest where several.
        width: of the face, as a share of the frame's; ``x`` and ``y`` its centre, likewise.
        yaw, pitch, roll: degrees, see ``landmarks.Pose``.
        eyes: eye aspect ratio.
        light, sharp: mean grey and sharpness of the aligned face.
        tiles: perceptual hash of the face's surroundings: tile number and 16 gradient bits each.
        embedding: 512 bytes if it was asked for, else empty.
    """

    faces: int
    width: float = 0.0
    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    eyes: float = 0.0
    light: float = 0.0
    sharp: float = 0.0
    tiles: tuple[tuple[int, int], ...] = ()
    embedding: bytes = b""


def measure_frame(detector: FaceDetector, image: bytes, *, embed: bool) -> FrameMeasure:
    """Measure the face in a frame. A frame without one is a measurement too.

    Args:
        embed: also compute the face's embedding, which takes longest.

    Raises:
        ImageRefused: image-unreadable, image-too-large.
    """
    pixels = decode_image(image, longest=_LONGEST, max_bytes=MAX_FRAME_BYTES)
    if min(pixels.shape[:2]) < _CELLS:
        raise ImageRefused("image-unreadable", "smaller than any camera's frame")
    face = detector.find(pixels)
    if face is None:
        return FrameMeasure(0)
    height, width = pixels.shape[:2]
    points = detector.landmarks(face)
    pose = head_pose(points)
    chip = detector.chip(face)
    return FrameMeasure(
        faces=1 + face.others,
        width=face.box.width() / width,
        x=(face.box.left() + face.box.right()) / 2 / width,
        y=(face.box.top() + face.box.bottom()) / 2 / height,
        yaw=pose.yaw,
        pitch=pose.pitch,
        roll=pose.roll,
        eyes=eye_ratio(points),
        light=float(chip.mean()),
        sharp=sharpness(chip),
        tiles=perceptual_tiles(pixels, face),
        embedding=encode_embedding(detector.embedding(chip)) if embed else b"",
    )


def perceptual_tiles(pixels: Pixels, face: Face) -> tuple[tuple[int, int], ...]:
    """Gradient bits of the tiles around the face, without those that are flat.

    Only around the face: a room stays the same from one session to the next, a person never sits exactly so again.
    """
    height, width = pixels.shape[:2]
    cells = _reduce(pixels.astype(np.float32).mean(axis=2))
    bits = cells[:, 1:] - cells[:, :-1] > _STEP
    x, y = (face.box.left() + face.box.right()) / 2 / width, (face.box.top() + face.box.bottom()) / 2 / height
    across, down = 0.6 * face.box.width() / width, 0.75 * face.box.width() / height
    weights = 1 << np.arange(_TILE * _TILE)
    result = []
    for row in range(_TILES):
        for column in range(_TILES):
            if abs((column + 0.5) / _TILES - x) < across and abs((row + 0.5) / _TILES - y) < down:
                tile = bits[row * _TILE : (row + 1) * _TILE, column * _TILE : (column + 1) * _TILE]
                if value := int(tile.ravel() @ weights):
                    result.append((row * _TILES + column, value))
    return tuple(result)


def _reduce(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean brightness of ``_CELLS`` rows and one column more."""
    height, width = grey.shape
    rows = np.linspace(0, height, _CELLS + 1).astype(np.int64)
    columns = np.linspace(0, width, _CELLS + 2).astype(np.int64)
    sums = np.add.reduceat(np.add.reduceat(grey.astype(np.float64), rows[:-1], axis=0), columns[:-1], axis=1)
    areas = np.diff(rows)[:, None] * np.diff(columns)[None, :]
    result: npt.NDArray[np.float64] = sums / areas
    return result
