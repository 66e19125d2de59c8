"""Both matchers on real faces and fingers: the same matches, another does not, an unusable image is refused by name."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from biometric_idp.biometrics.errors import ImageRefused, TemplateMismatch
from biometric_idp.biometrics.face_dlib import DlibFaceMatcher, FaceLimits
from biometric_idp.biometrics.finger_nbis import NbisFingerMatcher
from biometric_idp.biometrics.interface import Template
from biometric_idp.errors import FormatError
from tests.support.faces import finger, image, portrait


@pytest.fixture(name="faces", scope="module")
def fixture_faces() -> DlibFaceMatcher:
    return DlibFaceMatcher()


def changed(name: str, change: object) -> bytes:
    buffer = io.BytesIO()
    change(Image.open(io.BytesIO(image(name))).convert("RGB")).save(buffer, "JPEG", quality=95)  # type: ignore[operator]
    return buffer.getvalue()


def code_of(faces: DlibFaceMatcher, data: bytes) -> str:
    with pytest.raises(ImageRefused) as refused:
        faces.extract(data)
    return refused.value.code


def test_one_person_matches_and_another_does_not(faces: DlibFaceMatcher) -> None:
    a, b, other = (faces.extract(image(name)) for name in ("obama/obama.jpg", "obama/obama2.jpg", "biden/biden.jpg"))
    assert faces.compare(a, b).matches
    assert faces.compare(a, b).value == pytest.approx(0.36, abs=0.03)
    assert not faces.compare(a, other).matches
    strict = DlibFaceMatcher(FaceLimits(threshold=0.30))
    assert not strict.compare(a, b).matches


def test_an_unusable_face_is_refused_by_name(faces: DlibFaceMatcher) -> None:
    name = "obama/obama.jpg"
    assert code_of(faces, changed(name, lambda it: it.filter(ImageFilter.GaussianBlur(8)))) == "blurred"
    assert code_of(faces, changed(name, lambda it: ImageEnhance.Brightness(it).enhance(0.12))) == "too-dark"
    assert code_of(faces, changed(name, lambda it: it.point(lambda value: 226 + value // 10))) == "too-bright"
    wide = DlibFaceMatcher(FaceLimits(min_width=150))
    assert code_of(wide, changed(name, lambda it: it.reduce(4))) == "face-too-small"
    assert code_of(faces, changed(name, lambda it: it.crop((0, 600, 910, 1137)))) == "no-face"
    both = Image.new("RGB", (1800, 1100))
    both.paste(Image.open(io.BytesIO(portrait("obama"))), (0, 0))
    both.paste(Image.open(io.BytesIO(portrait("biden"))).resize((880, 2000)), (910, 0))
    buffer = io.BytesIO()
    both.save(buffer, "JPEG")
    assert code_of(faces, buffer.getvalue()) == "several-faces"


def test_the_same_finger_matches_and_another_does_not() -> None:
    fingers = NbisFingerMatcher()
    a, b, other = (fingers.extract(finger(name)) for name in ("p1_1.png", "p1_2.png", "p2_1.png"))
    assert fingers.compare(a, b).value > 80
    assert fingers.compare(a, b).matches
    assert fingers.compare(a, other).value < 25
    assert not fingers.compare(a, other).matches


def test_what_shows_no_finger_is_refused_before_the_c_code_crashes() -> None:
    for size, value in ((10, 0), (127, 128), (400, 128)):
        buffer = io.BytesIO()
        Image.fromarray(np.full((size, size), value, dtype=np.uint8)).save(buffer, "PNG")
        with pytest.raises(ImageRefused) as refused:
            NbisFingerMatcher().extract(buffer.getvalue())
        assert refused.value.code == "no-finger"


def test_templates_of_different_kinds_are_never_compared(faces: DlibFaceMatcher) -> None:
    face = faces.extract(portrait("obama"))
    for other in (
        Template("face", face.algorithm, 2, face.data),
        Template("face", "another", 1, face.data),
        Template("finger", face.algorithm, 1, face.data),
    ):
        with pytest.raises(TemplateMismatch):
            faces.compare(face, other)
        with pytest.raises(TemplateMismatch):
            faces.compare(other, other)
    assert face.data.hex()[:8] not in repr(face)


def test_data_that_are_no_template_are_refused(faces: DlibFaceMatcher) -> None:
    for data in (b"", bytes(511), bytes(508) + np.array([np.nan], dtype="<f4").tobytes()):
        bad = Template("face", faces.algorithm, faces.version, data)
        with pytest.raises(FormatError):
            faces.compare(bad, bad)
    fingers = NbisFingerMatcher()
    good = fingers.extract(finger("p1_1.png"))
    for data in (b"", good.data[:-1], good.data[:4] + b"\xff\xff" + good.data[6:], good.data[:6] + b"\xff" * 7):
        bad = Template("finger", fingers.algorithm, fingers.version, data)
        with pytest.raises(FormatError):
            fingers.compare(bad, bad)
