"""What the identity provider knows of a matcher: images in, templates out, two templates compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from biometric_idp.biometrics.errors import TemplateMismatch

Modality = Literal["face", "finger"]
MODALITIES: tuple[Modality, ...] = ("face", "finger")
#: A template is small; a forged length cannot ask for memory.
MAX_TEMPLATE_BYTES = 16_384


@dataclass(frozen=True, slots=True, repr=False)
class Template:
    """What a matcher keeps of an image. It names its algorithm, so that it is never compared across algorithms.

    Attributes:
        algorithm: name of detector, alignment and model together.
        version: changes whenever templates of before and after do not compare.
        data: the matcher's own encoding.
    """

    modality: Modality
    algorithm: str
    version: int
    data: bytes

    def __repr__(self) -> str:
        """Without the data, so that no log or traceback can show it."""
        return f"Template({self.modality}, {self.algorithm}/{self.version})"

    def require_same_kind(self, other: Template) -> None:
        """Raises TemplateMismatch unless both come from one algorithm and version."""
        mine = (self.modality, self.algorithm, self.version)
        theirs = (other.modality, other.algorithm, other.version)
        if mine != theirs:
            raise TemplateMismatch("template-mismatch", f"{mine} against {theirs}")


@dataclass(frozen=True, slots=True)
class Score:
    """The outcome of a comparison.

    Attributes:
        value: the algorithm's own measure; `higher_is_closer` tells its direction.
        threshold: what decided, from the configuration.
    """

    value: float
    threshold: float
    higher_is_closer: bool

    @property
    def matches(self) -> bool:
        return self.value >= self.threshold if self.higher_is_closer else self.value <= self.threshold


class Matcher(Protocol):
    """One modality and one algorithm. Not safe for threads: it lives in a worker process (``workers.py``)."""

    @property
    def modality(self) -> Modality: ...

    @property
    def algorithm(self) -> str: ...

    @property
    def version(self) -> int: ...

    def extract(self, image: bytes) -> Template:
        """The template of the one face or finger in an image (JPEG or PNG).

        Raises:
            ImageRefused: nothing, too much or too little to see.
        """
        ...

    def compare(self, a: Template, b: Template) -> Score:
        """How close two templates are.

        Raises:
            TemplateMismatch: of another matcher.
            FormatError: the data are no template.
        """
        ...
