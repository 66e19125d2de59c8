"""Head pose and eye opening from 68 landmarks (iBUG 300-W order); pure geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Points: TypeAlias = npt.NDArray[np.float64]

#: Nose tip, chin, outer eye corners, mouth corners: landmark indices and a generic head, which is common in pose
#: estimation tutorials; x to the image's right, y down, z away from the camera, arbitrary unit.
_INDICES = (30, 8, 36, 45, 48, 54)
_HEAD = np.array(
    [(0, 0, 0), (0, 330, 65), (-225, -170, 135), (225, -170, 135), (-150, 150, 125), (150, 150, 125)],
    dtype=np.float64,
)
_EYES = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees; ``yaw`` is positive when persons turn to their own left (the nose moves to the image's right)."""

    yaw: float
    pitch: float
    roll: float


def head_pose(points: Points) -> Pose:
    """Pose of the head by a weak-perspective fit of six landmarks to a generic head.

    The person's own proportions shift it by some degrees, so compare with the same person looking ahead.
    """
    image = points[list(_INDICES)]
    head = _HEAD - _HEAD.mean(axis=0)
    rows, *_ = np.linalg.lstsq(head, image - image.mean(axis=0), rcond=None)
    across, down = rows.T
    scale = (np.linalg.norm(across) + np.linalg.norm(down)) / 2
    if not scale > 0:
        return Pose(0.0, 0.0, 0.0)
    # A head that turns to its left carries the nose (smallest z) to the image's right: x falls with growing z.
    yaw = -np.arctan2(across[2], np.hypot(across[0], across[1]))
    pitch = -np.arctan2(down[2], np.hypot(down[0], down[1]))
    roll = np.arctan2(across[1], across[0])
    return Pose(*(float(value) for value in np.degrees((yaw, pitch, -roll))))


def eye_ratio(points: Points) -> float:
    """Eye aspect ratio, the mean of both eyes: height over width (Soukupova and Cech, CVWW 2016). About 0.3 if open."""
    return float(np.mean([_aspect(points[list(eye)]) for eye in _EYES]))


def _aspect(eye: Points) -> float:
    width = np.linalg.norm(eye[0] - eye[3])
    height = np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])
    return float(height / (2 * width)) if width > 0 else 0.0
