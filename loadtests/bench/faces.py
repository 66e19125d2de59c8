"""Matching of faces and fingers on one core, in the matcher itself (without the pipe to its process)."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from PIL import Image

from biometric_idp.biometrics.face_dlib import DlibFaceMatcher
from biometric_idp.biometrics.finger_nbis import NbisFingerMatcher
from loadtests.bench.measure import cpu_seconds

_ROOT = Path(__file__).resolve().parent.parent.parent
_REPEATS = 8


def face_matches_per_second_core() -> dict[str, float]:
    """A match is a probe frame detected, aligned, embedded and compared with the stored template.

    The probe is reduced to 640 pixels, a camera's frame; ``face_extract_ms`` is the same without the comparison, and
    ``finger_match_ms`` is one print extracted and compared.
    """
    done = subprocess.run(
        [sys.executable, str(_ROOT / "tools" / "faces.py")], capture_output=True, text=True, check=True
    )
    face_directory, finger_directory = (Path(line) for line in done.stdout.split())
    faces, fingers = DlibFaceMatcher(), NbisFingerMatcher()
    stored = faces.extract((face_directory / "obama" / "obama.jpg").read_bytes())
    frame = _frame((face_directory / "obama" / "obama2.jpg").read_bytes())
    print_stored = fingers.extract((finger_directory / "p1" / "p1_1.png").read_bytes())
    print_probe = (finger_directory / "p1" / "p1_2.png").read_bytes()
    extract, _ = cpu_seconds(lambda: faces.extract(frame), _REPEATS)
    match, score = cpu_seconds(lambda: faces.compare(stored, faces.extract(frame)), _REPEATS)
    finger, finger_score = cpu_seconds(lambda: fingers.compare(print_stored, fingers.extract(print_probe)), _REPEATS)
    if not (score.matches and finger_score.matches):
        raise RuntimeError("the packaged images do not match, so the timing means nothing")
    return {
        "face_matches_per_second_core": round(1 / match, 2),
        "face_extract_ms": round(1000 * extract, 2),
        "finger_match_ms": round(1000 * finger, 2),
    }


def _frame(photograph: bytes) -> bytes:
    image = Image.open(io.BytesIO(photograph)).convert("RGB")
    image.thumbnail((640, 640))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
