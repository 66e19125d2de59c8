"""Measure a matcher on a directory of labelled images: ``python -m biometric_idp.biometrics.accuracy DIR``.

DIR holds one sub-directory per person (or finger) with images of that one. Every pair of images is compared once:
pairs of one person are genuine, all others impostor comparisons. Bounds are one-sided Clopper-Pearson at 95 %; with no
error in n comparisons that is the "rule of three", about 3/n.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

from biometric_idp.biometrics.errors import BiometricError, ImageRefused
from biometric_idp.biometrics.face_dlib import DlibFaceMatcher
from biometric_idp.biometrics.finger_nbis import NbisFingerMatcher
from biometric_idp.biometrics.interface import Matcher, Template

_SUFFIXES = {".jpg", ".jpeg", ".png"}
_CONFIDENCE = 0.95
_FACE_THRESHOLDS = (0.40, 0.45, 0.50, 0.55, 0.60)
_FINGER_THRESHOLDS = (20.0, 30.0, 40.0, 50.0, 60.0)
#: Below this many impostor comparisons of different persons no rate of one in a thousand can be shown (rule of three).
_ENOUGH = 3000


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors among comparisons, with the upper bound of the true rate."""

    errors: int
    comparisons: int
    rate: float
    upper: float

    @classmethod
    def of(cls, errors: int, comparisons: int) -> Rate:
        rate = errors / comparisons if comparisons else float("nan")
        return cls(errors, comparisons, rate, upper_bound(errors, comparisons))


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """False non-match rate and false match rate at one threshold."""

    threshold: float
    fnmr: Rate
    fmr: Rate


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The figures of one directory.

    Attributes:
        failures: images that gave no template, by code.
        genuine, impostor: all scores, sorted.
    """

    algorithm: str
    persons: int
    images: int
    failures: Mapping[str, int]
    failure_to_acquire: Rate
    genuine: Sequence[float]
    impostor: Sequence[float]
    higher_is_closer: bool
    thresholds: Sequence[AtThreshold]

    @property
    def caution(self) -> str:
        """What such figures are worth."""
        pairs = len(self.impostor)
        if pairs >= _ENOUGH and len(self.genuine) >= _ENOUGH // 10:
            return (
                "These figures hold for images, cameras and persons like these only; pairs share images, so the bounds "
                "are optimistic."
            )
        return (
            f"THIS SET IS TOO SMALL TO CERTIFY ANYTHING: {self.persons} persons, {len(self.genuine)} genuine and "
            f"{pairs} impostor comparisons. Even without an error a false match rate of {upper_bound(0, pairs):.0%} is "
            "compatible with it, and the pairs are not independent."
        )


def upper_bound(errors: int, comparisons: int, confidence: float = _CONFIDENCE) -> float:
    """Clopper-Pearson: the greatest true rate at which so few errors still have probability 1 - confidence."""
    if comparisons == 0 or errors >= comparisons:
        return 1.0
    low, high = errors / comparisons, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(errors, comparisons, middle) > 1 - confidence else (low, middle)
    return high


def _at_most(errors: int, comparisons: int, rate: float) -> float:
    """Probability of at most so many errors, of a binomial distribution."""
    if rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    total = 0.0
    for count in range(errors + 1):
        ways = math.lgamma(comparisons + 1) - math.lgamma(count + 1) - math.lgamma(comparisons - count + 1)
        total += math.exp(ways + count * math.log(rate) + (comparisons - count) * math.log1p(-rate))
    return min(total, 1.0)


def measure(directory: Path, matcher: Matcher, thresholds: Sequence[float]) -> Accuracy:
    """Extract every image and compare every pair.

    Raises:
        FileNotFoundError: no images in sub-directories.
        MatcherUnavailable: weights or library are missing.
    """
    paths = sorted(
        path
        for person in directory.iterdir()
        if person.is_dir()
        for path in person.iterdir()
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
    )
    if not paths:
        raise FileNotFoundError(f"{directory} has no images as PERSON/NAME.jpg")
    failures: Counter[str] = Counter()
    templates: list[tuple[str, Template]] = []
    for path in paths:
        try:
            templates.append((path.parent.name, matcher.extract(path.read_bytes())))
        except ImageRefused as error:
            failures[error.code] += 1
    genuine: list[float] = []
    impostor: list[float] = []
    higher = False
    for (person_a, a), (person_b, b) in combinations(templates, 2):
        score = matcher.compare(a, b)
        higher = score.higher_is_closer
        (genuine if person_a == person_b else impostor).append(score.value)
    return Accuracy(
        f"{matcher.algorithm}/{matcher.version}",
        len({path.parent for path in paths}),
        len(paths),
        dict(failures),
        Rate.of(sum(failures.values()), len(paths)),
        sorted(genuine),
        sorted(impostor),
        higher,
        [_at(threshold, genuine, impostor, higher) for threshold in thresholds],
    )


def _at(threshold: float, genuine: Sequence[float], impostor: Sequence[float], higher: bool) -> AtThreshold:
    def matches(value: float) -> bool:
        return value >= threshold if higher else value <= threshold

    fnmr = Rate.of(sum(not matches(value) for value in genuine), len(genuine))
    return AtThreshold(threshold, fnmr, Rate.of(sum(matches(value) for value in impostor), len(impostor)))


def report(found: Accuracy) -> str:
    """A table for people."""
    lines = [
        f"{found.algorithm}: {found.images} images of {found.persons} persons",
        f"failure to acquire: {_rate(found.failure_to_acquire)}"
        + "".join(f", {count} x {code}" for code, count in sorted(found.failures.items())),
        f"genuine comparisons:  {_range(found.genuine)}",
        f"impostor comparisons: {_range(found.impostor)}",
        "threshold   false non-match                        false match",
    ]
    lines += [f"{row.threshold:9.2f}   {_rate(row.fnmr):36}   {_rate(row.fmr)}" for row in found.thresholds]
    return "\n".join([*lines, found.caution])


def _rate(rate: Rate) -> str:
    if not rate.comparisons:
        return "no comparison"
    return f"{rate.errors} of {rate.comparisons} = {rate.rate:.2%} (at most {rate.upper:.2%})"


def _range(values: Sequence[float]) -> str:
    if not values:
        return "none"
    return f"{len(values)}, from {values[0]:.3f} over {values[len(values) // 2]:.3f} to {values[-1]:.3f}"


def as_json(found: Accuracy) -> str:
    """All figures, NaN as null."""
    value = asdict(found) | {"caution": found.caution}

    def plain(item: object) -> object:
        if isinstance(item, float):
            return None if math.isnan(item) else item
        if isinstance(item, dict):
            return {name: plain(part) for name, part in item.items()}
        return [plain(part) for part in item] if isinstance(item, list | tuple) else item

    return json.dumps(plain(value), indent=1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write JSON if asked."""
    parser = argparse.ArgumentParser(prog="python -m biometric_idp.biometrics.accuracy", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR", help="one sub-directory of images per person")
    parser.add_argument("--modality", choices=("face", "finger"), default="face")
    parser.add_argument("--threshold", type=float, action="append", help="a threshold to report (repeatable)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures and scores there")
    options = parser.parse_args(arguments)
    matcher: Matcher = DlibFaceMatcher() if options.modality == "face" else NbisFingerMatcher()
    usual = _FACE_THRESHOLDS if options.modality == "face" else _FINGER_THRESHOLDS
    try:
        found = measure(options.directory, matcher, options.threshold or usual)
        if options.json:
            options.json.write_text(as_json(found) + "\n")
    except (OSError, BiometricError) as error:
        print(f"accuracy: error: {error}", file=sys.stderr)
        return 2
    print(report(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
