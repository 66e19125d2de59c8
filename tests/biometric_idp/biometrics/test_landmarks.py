"""Head pose from landmarks of a head that is turned by known angles; motion that a camera could have seen."""

from __future__ import annotations

import numpy as np
import pytest

from biometric_idp.biometrics.face_dlib import FaceDetector
from biometric_idp.biometrics.images import decode_image
from biometric_idp.biometrics.landmarks import eye_ratio, head_pose
from tests.support.faces import portrait
from tests.support.synthetic_motion import frames

#: Landmark 30, 8, 36, 45, 48, 54 of some head that is not the generic one; x right, y down, z away from the camera.
_HEAD = {30: (0, 0, 0), 8: (0, 300, 80), 36: (-200, -160, 150), 45: (200, -160, 150), 48: (-140, 140, 110)}
_HEAD[54] = (140, 140, 110)


def _project(yaw: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    points = np.zeros((68, 2))
    angle = np.radians(yaw)
    for index, (x, y, z) in _HEAD.items():
        # The nose (small z) goes to the image's right when the head turns to its own left.
        points[index] = (x * np.cos(angle) - z * np.sin(angle) + 320, y + 240)
    return points


@pytest.mark.parametrize("yaw", [-40, -20, -5, 0, 5, 20, 40])
def test_yaw_of_a_known_turn_is_recovered(yaw: float) -> None:
    assert head_pose(_project(yaw)).yaw == pytest.approx(yaw, abs=4)


def test_points_in_one_place_have_no_pose() -> None:
    assert head_pose(np.zeros((68, 2))).yaw == 0
    assert eye_ratio(np.zeros((68, 2))) == 0


@pytest.mark.slow
@pytest.mark.parametrize("person", ["biden"])
def test_synthetic_motion_turns_both_ways_and_closes_the_eyes(person: str) -> None:
    detector = FaceDetector()
    poses: list[float] = []
    eyes: list[float] = []
    for frame in frames(portrait(person), ["turn-left", "turn-right", "blink"], fps=5, seed=1):
        face = detector.find(decode_image(frame, longest=640))
        assert face is not None or 18 <= len(poses) <= 22, "only the farthest turn may hide the face"
        points = detector.landmarks(face) if face else np.zeros((68, 2))
        poses.append(head_pose(points).yaw if face else np.nan)
        eyes.append(eye_ratio(points) if face else np.nan)
    ahead = np.median(poses[:5])
    assert np.nanmax(poses[5:15]) > ahead + 20
    assert np.nanmin(poses[15:25]) < ahead - 20
    assert np.nanmin(eyes[25:35]) < 0.75 * np.median(eyes[:5])
    assert abs(np.median(poses[35:]) - ahead) < 5
