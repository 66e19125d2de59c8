"""Face embeddings in a space of each voter's own: a secret rotation and shift that keep every Euclidean distance.

Enrolment stores x -> R x + t, with R orthogonal and t a vector, both derived from the voter's secret; a probe goes
through the same map, so the distance is exactly the one of the originals, and the original is never restored. Two
deployments have different secrets, so even decrypted templates of one image look unrelated: R hides the direction,
t the length, which a rotation alone would keep.

Limits, to be honest: whoever holds the secret undoes the map, and the secret lies (wrapped) beside the template. So it
helps against leaks of decrypted templates alone (memory, a log, another system that was given them). Several templates
of one secret would reveal the distances among themselves; there is one, because re-enrolment draws a new secret.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]

#: Standard deviation of the shift; embeddings have a length of about 1.4 in 128 dimensions, 0.12 a coordinate.
_SHIFT = 4.0
_DOMAIN = b"evoting/v1/biometric-isometry"


class Isometry:
    """The secret map of one voter."""

    def __init__(self, secret: bytes, dimensions: int) -> None:
        normal = _normals(secret, dimensions * (dimensions + 1))
        # The factor of a Gaussian matrix with positive diagonal is uniform over the orthogonal group (Stewart 1980).
        rotation, upper = np.linalg.qr(normal[: dimensions * dimensions].reshape(dimensions, dimensions))
        self._rotation: Vector = rotation * np.sign(np.diag(upper))
        self._shift: Vector = _SHIFT * normal[dimensions * dimensions :]

    def apply(self, vector: Vector) -> Vector:
        """Where the secret sends a vector."""
        result: Vector = self._rotation @ vector + self._shift
        return result


def _normals(secret: bytes, count: int) -> Vector:
    """Standard normal numbers from a secret, by Box and Muller, so that no library version can change them."""
    half = -(-count // 2)
    stream = hashlib.shake_256(_DOMAIN + secret).digest(16 * half)
    uniform = (np.frombuffer(stream, dtype="<u8") >> 11).astype(np.float64)
    radius = np.sqrt(-2 * np.log((uniform[:half] + 0.5) / 2**53))
    angle = 2 * np.pi * uniform[half:] / 2**53
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:count]
