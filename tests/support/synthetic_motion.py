"""Test code: makes a still portrait turn its head and blink.

**What this shows.** A portrait that is warped along its landmarks passes the product's active liveness: whoever can
feed a virtual camera can be "live" with one photograph of the victim. Liveness here stops a photograph held before
the camera, a replayed recording and a swap of faces, not an injected synthetic video. The document, the registrar's
own channel and the passkey carry the promise (docs/identity.md).

The head is taken as a rigid body: each landmark gets the depth of a generic head, the points are turned about a
vertical axis, and a thin-plate spline carries the picture along. A blink draws the skin above each eye down over it.
Every frame is moved a little and gets sensor noise of its own, as a hand-held camera gives; ``seed`` fixes both.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from biometric_idp.biometrics.face_dlib import FaceDetector
from biometric_idp.biometrics.images import decode_image

Array = npt.NDArray[np.float64]

#: What ``frames`` can play; "neutral" looks into the camera. Left and right are the person's own.
ACTIONS = ("neutral", "turn-left", "turn-right", "blink")
WIDTH, HEIGHT = 640, 480
_FACE_WIDTH = 190
_TURN_DEGREES = 27.0
#: Chromium plays a fake capture file at this rate, whatever the file says.
CHROMIUM_FPS = 30
#: Landmarks of the upper and the lower lid of each eye, from corner to corner.
_LIDS = (((36, 37, 38, 39), (36, 41, 40, 39)), ((42, 43, 44, 45), (42, 47, 46, 45)))
_GRID = 8


def frames(
    portrait_jpeg: bytes,
    actions: Sequence[str],
    fps: int = 10,
    seconds_per_action: float = 2.0,
    *,
    seed: int | None = None,
    quality: int = 90,
) -> list[bytes]:
    """JPEG frames (640 x 480) of the portrait's person: one second of looking ahead, then each action, then a second.

    A turn goes out, stays and comes back; a blink closes the eyes for 0.6 seconds in the middle of its time.
    Unmirrored, as a camera sees it.

    Args:
        actions: out of ``ACTIONS``.
        seed: fixes sway and noise; without it every call is another recording.
    """
    random = np.random.default_rng(secrets.randbits(64) if seed is None else seed)
    head = _head(portrait_jpeg)
    poses: list[tuple[float, float]] = [(0.0, 0.0)] * fps
    for action in actions:
        count = max(2, round(fps * seconds_per_action))
        poses += [_pose(action, index / count, seconds_per_action) for index in range(count)]
    poses += [(0.0, 0.0)] * fps
    phases = random.uniform(0, 2 * np.pi, (4, 2))
    result = []
    for index, (yaw, closed) in enumerate(poses):
        sway = _sway(index / fps, phases)
        picture = head.render(yaw, closed, sway)
        result.append(encode_jpeg(picture + _noise(random), quality))
    return result


def write_mjpeg(path: Path | str, frames: Sequence[bytes], fps: int = 10) -> None:
    """A file for Chromium's ``--use-file-for-fake-video-capture``, which loops it at 30 frames a second.

    Each frame is repeated so that it plays at ``fps``. The loop starts again with the same frames, which liveness calls
    a replay: make the video longer than the session, with "neutral" at its end.
    """
    Path(path).write_bytes(b"".join(frame * max(1, CHROMIUM_FPS // fps) for frame in frames))


def encode_jpeg(picture: Array, quality: int = 90) -> bytes:
    """Pixels 0..255 of shape (height, width, 3) as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _pose(action: str, at: float, seconds: float) -> tuple[float, float]:
    """Yaw in degrees and how far the eyes are closed (0..1), at a share of the action's time."""
    if action in ("turn-left", "turn-right"):
        # Out in the first 35 %, back in the last 35 %, at rest a little at both ends.
        share = np.clip(min(at - 0.05, 0.95 - at) / 0.35, 0, 1)
        smooth = share * share * (3 - 2 * share)
        return (_TURN_DEGREES if action == "turn-left" else -_TURN_DEGREES) * float(smooth), 0.0
    if action == "blink":
        distance = abs(at - 0.5) * seconds
        return 0.0, float(np.clip((0.4 - distance) / 0.12, 0, 1))
    if action == "neutral":
        return 0.0, 0.0
    raise ValueError(f"{action} is none of {ACTIONS}")


def _sway(seconds: float, phases: Array) -> tuple[float, float, float, float]:
    """Shift in pixels, scale and roll (radians) of a hand-held camera at an instant."""
    slow, fast = 2 * np.pi * 0.23 * seconds, 2 * np.pi * 0.61 * seconds
    waves = np.sin(slow + phases[:, 0]) + 0.4 * np.sin(fast + phases[:, 1])
    return 7.0 * float(waves[0]), 5.0 * float(waves[1]), 1 + 0.012 * float(waves[2]), 0.018 * float(waves[3])


class Head:
    """A portrait in camera size, its landmarks with depth, and the spline that carries it along."""

    def __init__(self, pixels: Array, points: Array) -> None:
        self.pixels = pixels
        left, right = points[0], points[16]
        width = float(np.linalg.norm(right - left))
        middle = (points[27] + points[8]) / 2
        self._middle = middle
        # Depths in units of half the face's width, towards the camera, on an upright ellipsoid; then the nose.
        half = width / 2
        relative = (points - middle) / half
        depth = np.sqrt(np.clip(1.25 - relative[:, 0] ** 2 - 0.25 * relative[:, 1] ** 2, 0.0, None))
        depth[27:31] += (0.05, 0.15, 0.27, 0.40)
        depth[31:36] += (0.10, 0.15, 0.20, 0.15, 0.10)
        depth[36:48] -= 0.08
        ring = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        outline = middle + np.stack([np.sin(ring) * 1.35, np.cos(ring) * 1.75], axis=1) * half
        # Hair and ears lie near the axis and hardly move; the picture's rim does not move at all.
        far = middle + np.stack([np.sin(ring) * 2.6, np.cos(ring) * 2.9], axis=1) * half
        self._source = np.concatenate([points, outline, far])
        self._depth = np.concatenate([depth * half, np.full(24, 0.05 * half), np.zeros(24)])
        self._moves = np.concatenate([np.ones(68), np.full(24, 0.8), np.zeros(24)])

    def render(self, yaw: float, closed: float, sway: tuple[float, float, float, float]) -> Array:
        """The picture with the head turned (degrees) and the eyes closed by a share."""
        angle = np.radians(yaw) * self._moves
        offset = self._source - self._middle
        turned = offset[:, 0] * np.cos(angle) + self._depth * np.sin(angle)
        target = np.stack([turned + self._middle[0], self._source[:, 1]], axis=1)
        across, down, scale, roll = sway
        turn = scale * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
        target = (target - self._middle) @ turn.T + self._middle + (across, down)
        where = self._inverse(target)
        if closed:
            for upper, lower in _LIDS:
                _close(where, self._source[list(upper)], self._source[list(lower)], closed)
        return _bilinear(self.pixels, where)

    def _inverse(self, target: Array) -> Array:
        """Source coordinates (height, width, 2) of every pixel: a thin-plate spline on a grid, then bilinear."""
        xs, ys = np.meshgrid(np.arange(0, WIDTH + 1, _GRID), np.arange(0, HEIGHT + 1, _GRID))
        coarse = _thin_plate(target, self._source, np.stack([xs.ravel(), ys.ravel()], axis=1).astype(np.float64))
        grid = coarse.reshape(HEIGHT // _GRID + 1, WIDTH // _GRID + 1, 2)
        return np.asarray(_DOWN @ np.moveaxis(grid, 2, 0) @ _ACROSS.T, dtype=np.float64).transpose(1, 2, 0)


def _interpolation(size: int) -> Array:
    """Matrix that takes values at every ``_GRID``-th place to all ``size`` places."""
    at = np.arange(size) / _GRID
    left = at.astype(np.int64)
    matrix = np.zeros((size, size // _GRID + 1))
    matrix[np.arange(size), left] = 1 - (at - left)
    matrix[np.arange(size), left + 1] += at - left
    return matrix


_DOWN, _ACROSS = _interpolation(HEIGHT), _interpolation(WIDTH)


def _close(where: Array, upper: Array, lower: Array, closed: float) -> None:
    """Change source coordinates in place: the lid's edge goes down, the skin up to the fold is stretched after it."""
    left, right = upper[0, 0], upper[-1, 0]
    reach = right - left
    top, bottom = upper[:, 1].min() - reach, lower[:, 1].max() + 2
    near = np.nonzero(
        (where[..., 0] > left) & (where[..., 0] < right) & (where[..., 1] > top) & (where[..., 1] < bottom)
    )
    x, y = where[near].T
    lid, rim = np.interp(x, upper[:, 0], upper[:, 1]), np.interp(x, lower[:, 0], lower[:, 1])
    fold = lid - 0.35 * reach
    edge = lid + 0.94 * closed * np.maximum(rim - lid, 0)
    skin = fold + (y - fold) * (lid - fold) / (edge - fold)
    eye = lid + (y - edge) * (rim - lid) / np.maximum(rim - edge, 1e-6)
    where[(*near, np.ones_like(near[0]))] = np.where(
        (y > fold) & (y < edge), skin, np.where((y >= edge) & (y < rim), eye, y)
    )


@lru_cache(maxsize=8)
def _head(portrait: bytes) -> Head:
    """Portrait scaled and placed so that the face has a camera's usual size and place; grey where there is none."""
    detector = FaceDetector()
    pixels = decode_image(portrait, longest=800)
    face = detector.find(pixels)
    if face is None:
        raise ValueError("no face in the portrait")
    points = detector.landmarks(face)
    scale = _FACE_WIDTH / float(np.linalg.norm(points[16] - points[0]))
    middle = (points[27] + points[8]) / 2
    shift = np.array([WIDTH / 2, HEIGHT / 2 + 10]) - scale * middle
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    where = (np.stack([x, y], axis=2) - shift) / scale
    return Head(_bilinear(pixels.astype(np.float64), where), points * scale + shift)


def _thin_plate(control: Array, values: Array, places: Array) -> Array:
    """Values at places of the thin-plate spline through (control, values); Bookstein (PAMI 1989), lightly smoothed."""
    count = len(control)

    def kernel(a: Array, b: Array) -> Array:
        square = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
        bent: Array = 0.5 * square * np.log(np.where(square > 0, square, 1.0))
        return bent

    affine = np.concatenate([np.ones((count, 1)), control], axis=1)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = kernel(control, control) + 0.05 * np.eye(count)
    system[:count, count:] = affine
    system[count:, :count] = affine.T
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    result: Array = kernel(places, control) @ weights[:count]
    result += np.concatenate([np.ones((len(places), 1)), places], axis=1) @ weights[count:]
    return result


def _bilinear(image: Array, where: Array) -> Array:
    """Image at real coordinates (x, y); the rim is repeated outside."""
    height, width, channels = image.shape
    flat = image.reshape(-1, channels).astype(np.float32)
    x = where[..., 0].clip(0, width - 1.001).ravel()
    y = where[..., 1].clip(0, height - 1.001).ravel()
    left, top = x.astype(np.int64), y.astype(np.int64)
    dx, dy = (x - left).astype(np.float32)[:, None], (y - top).astype(np.float32)[:, None]
    at = top * width + left
    upper = flat[at] * (1 - dx) + flat[at + 1] * dx
    lower = flat[at + width] * (1 - dx) + flat[at + width + 1] * dx
    result: Array = (upper + (lower - upper) * dy).reshape(*where.shape[:2], channels).astype(np.float64)
    return result


@lru_cache(maxsize=1)
def _noise_field() -> Array:
    return np.random.default_rng(1).normal(0, 2.0, (HEIGHT + 97, WIDTH + 97, 3))


def _noise(random: np.random.Generator) -> Array:
    """Sensor noise: another part of one large field for every frame, because drawing it anew takes longest of all."""
    down, across = random.integers(0, 97, 2)
    part: Array = _noise_field()[down : down + HEIGHT, across : across + WIDTH]
    return part if random.integers(2) else -part
