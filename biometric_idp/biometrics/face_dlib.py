"""Faces by dlib: HOG detector, landmarks, 128-dimensional residual-network embedding.

King, "Dlib-ml" (JMLR 2009) and its model card: the network was trained so that two images of one person lie within a
Euclidean distance of 0.6. The weights come with the package face_recognition_models, whose own module imports
something that is gone, so its files are found without importing it.

The one-to-one match needs the 5-point landmarks only. The 68-point landmarks serve liveness, and their training data
are licensed for research: whoever deploys this has that examined first (docs/identity.md).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dlib
import numpy as np
import numpy.typing as npt

from biometric_idp.biometrics.errors import ImageRefused, MatcherUnavailable
from biometric_idp.biometrics.images import MAX_IMAGE_BYTES, Pixels, decode_image
from biometric_idp.biometrics.interface import Modality, Score, Template
from biometric_idp.errors import FormatError

DIMENSIONS = 128
#: Same person 0.21-0.43 and different persons 0.58-0.85 on the packaged faces; see ``accuracy.py`` before changing it.
DEFAULT_THRESHOLD = 0.50
_LONGEST = 800
_CHIP = 150
_MODELS = "face_recognition_models"


@dataclass(frozen=True, slots=True)
class FaceLimits:
    """What a usable face is.

    Attributes:
        threshold: greatest distance of one person's templates.
        min_width: of the detected face, in pixels of the image as sent.
        min_light, max_light: mean grey of the face, 0..255.
        min_sharpness: standard deviation of the Laplacian over the aligned face, which has 150 x 150 pixels.
        rival: a second face counts from this share of the first one's width on.
    """

    threshold: float = DEFAULT_THRESHOLD
    min_width: int = 70
    min_light: float = 35.0
    max_light: float = 235.0
    min_sharpness: float = 3.0
    rival: float = 0.4


@dataclass(frozen=True, slots=True, repr=False)
class Face:
    """One face found in an image; lives in a worker's memory only.

    Attributes:
        pixels: the image as decoded and reduced.
        box: dlib rectangle in ``pixels``.
        others: further faces of comparable size.
    """

    pixels: Pixels
    box: Any
    others: int


def model_path(name: str) -> Path:
    """A weights file of the package face_recognition_models.

    Raises:
        MatcherUnavailable: not installed.
    """
    found = importlib.util.find_spec(_MODELS)
    for place in (found.submodule_search_locations or []) if found else []:
        path = Path(place) / "models" / name
        if path.is_file():
            return path
    raise MatcherUnavailable("matcher-unavailable", f"{name} is not installed (package {_MODELS})")


class FaceDetector:
    """Finds and measures faces; the models are read when first needed."""

    def __init__(self, limits: FaceLimits | None = None) -> None:
        self.limits = limits or FaceLimits()
        self._detector = dlib.get_frontal_face_detector()

    @cached_property
    def _five(self) -> Any:
        return dlib.shape_predictor(str(model_path("shape_predictor_5_face_landmarks.dat")))

    @cached_property
    def _many(self) -> Any:
        return dlib.shape_predictor(str(model_path("shape_predictor_68_face_landmarks.dat")))

    @cached_property
    def _network(self) -> Any:
        return dlib.face_recognition_model_v1(str(model_path("dlib_face_recognition_resnet_model_v1.dat")))

    def boxes(self, pixels: Pixels) -> list[Any]:
        """Rectangles of all faces, widest first."""
        found = list(self._detector(pixels, 0))
        if not found and max(pixels.shape[:2]) <= _LONGEST // 2:
            # A small portrait: the detector itself sees nothing under 80 pixels.
            found = list(self._detector(pixels, 1))
        return sorted(found, key=lambda box: -box.width())

    def find(self, pixels: Pixels) -> Face | None:
        """The widest face, with the number of comparable others."""
        boxes = self.boxes(pixels)
        if not boxes:
            return None
        others = sum(box.width() >= self.limits.rival * boxes[0].width() for box in boxes[1:])
        return Face(pixels, boxes[0], others)

    def landmarks(self, face: Face) -> npt.NDArray[np.float64]:
        """68 points (x, y) in the common iBUG 300-W order."""
        shape = self._many(face.pixels, face.box)
        return np.array([(shape.part(i).x, shape.part(i).y) for i in range(68)], dtype=np.float64)

    def chip(self, face: Face) -> Pixels:
        """The face, upright and centred, 150 x 150 pixels."""
        chip: Pixels = dlib.get_face_chip(face.pixels, self._five(face.pixels, face.box), _CHIP, 0.25)
        return chip

    def embedding(self, chip: Pixels) -> npt.NDArray[np.float64]:
        """128 coordinates; Euclidean distance tells persons apart."""
        return np.array(self._network.compute_face_descriptor(chip), dtype=np.float64)


class DlibFaceMatcher:
    """``Matcher`` for faces."""

    modality: Modality = "face"
    algorithm = "dlib-hog-5pt-resnet-v1"
    version = 1

    def __init__(self, limits: FaceLimits | None = None) -> None:
        self.detector = FaceDetector(limits)
        self.limits = self.detector.limits

    def extract(self, image: bytes) -> Template:
        """The template of the one face in an image.

        Raises:
            ImageRefused: see its codes.
        """
        return self.template(self.usable(image))

    def usable(self, image: bytes, max_bytes: int = MAX_IMAGE_BYTES) -> Pixels:
        """The aligned face of an image that has exactly one of sufficient size, light and sharpness.

        Raises:
            ImageRefused: see its codes.
        """
        pixels = decode_image(image, longest=_LONGEST, max_bytes=max_bytes)
        face = self.detector.find(pixels)
        if face is None:
            raise ImageRefused("no-face")
        if face.others:
            raise ImageRefused("several-faces", f"{face.others + 1} faces")
        if face.box.width() < self.limits.min_width:
            raise ImageRefused("face-too-small", f"{face.box.width()} pixels, at least {self.limits.min_width}")
        chip = self.detector.chip(face)
        light = float(chip.mean())
        if light < self.limits.min_light:
            raise ImageRefused("too-dark", f"mean {light:.0f}, at least {self.limits.min_light:.0f}")
        if light > self.limits.max_light:
            raise ImageRefused("too-bright", f"mean {light:.0f}, at most {self.limits.max_light:.0f}")
        sharp = sharpness(chip)
        if sharp < self.limits.min_sharpness:
            raise ImageRefused("blurred", f"sharpness {sharp:.1f}, at least {self.limits.min_sharpness:.1f}")
        return chip

    def template(self, chip: Pixels) -> Template:
        """The template of an aligned face."""
        return Template(self.modality, self.algorithm, self.version, encode_embedding(self.detector.embedding(chip)))

    def compare(self, a: Template, b: Template) -> Score:
        """Euclidean distance of two embeddings."""
        return compare_faces(a, b, self.limits.threshold)


def compare_faces(a: Template, b: Template, threshold: float = DEFAULT_THRESHOLD) -> Score:
    """Euclidean distance of two face templates; needs no model and no worker.

    Raises:
        TemplateMismatch: not both of this algorithm and version.
        FormatError: the data are no embedding.
    """
    a.require_same_kind(b)
    a.require_same_kind(Template("face", DlibFaceMatcher.algorithm, DlibFaceMatcher.version, b""))
    distance = float(np.linalg.norm(decode_embedding(a.data) - decode_embedding(b.data)))
    return Score(distance, threshold, higher_is_closer=False)


def encode_embedding(vector: npt.NDArray[np.float64]) -> bytes:
    """128 little-endian float32."""
    return vector.astype("<f4").tobytes()


def decode_embedding(data: bytes) -> npt.NDArray[np.float64]:
    """Raises FormatError unless these are 128 finite numbers."""
    if len(data) != 4 * DIMENSIONS:
        raise FormatError(f"a face template has {4 * DIMENSIONS} bytes, not {len(data)}")
    vector = np.frombuffer(data, dtype="<f4").astype(np.float64)
    if not np.isfinite(vector).all():
        raise FormatError("a face template holds a number that is not finite")
    return vector


def sharpness(chip: Pixels) -> float:
    """Standard deviation of the discrete Laplacian of the grey image."""
    grey = chip.astype(np.float64).mean(axis=2)
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(laplacian.std())
