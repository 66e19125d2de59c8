"""From an accepted final list to the roll: voters in the random order that the registrar draws.

The order depends on a secret of 32 random bytes and on the list, and on nothing else, so that it can be drawn again
and nobody without the secret knows who stands at which position. The secret is another one than that of the roll's
commitment (``biometric_idp/registrar/roll.py``).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from sqlalchemy import Engine

from biometric_idp.errors import StateError
from biometric_idp.population.lists import repository
from biometric_idp.population.lists.service import final_list
from crypto.hashing import frame
from services.database import reading

SECRET_BYTES = 32


class RollRow(NamedTuple):
    """A voter on the roll; ``person`` in docs/spec/05-credentials.md section 5.2 is the PIN."""

    position: int
    style: str
    pin: str


def draw_roll(engine: Engine, election: str, secret: bytes, styles: Mapping[str, str]) -> Iterator[RollRow]:
    """The roll of an election, by position.

    Voters are sorted by HMAC-SHA256(secret, frame("evoting/v1/roll-order") || frame(list's SHA-256) || frame(pin)).

    Args:
        styles: ballot style by reporting unit, small units already merged.

    Raises:
        StateError: there is no final list, its entries were purged, or a unit has no style.
        ValueError: the secret is not 32 bytes.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"the secret of a roll's order has {SECRET_BYTES} bytes")
    source = final_list(engine, election)
    prefix = frame(b"evoting/v1/roll-order") + frame(bytes.fromhex(source.sha256))
    names = sorted(set(styles.values()))
    index_of = {unit: names.index(style) for unit, style in styles.items()}
    size = source.voters
    keys = np.zeros(size, "S32")
    pins, indices = np.zeros(size, np.uint64), np.zeros(size, np.uint32)
    count = 0
    with reading(engine) as connection:
        for pin, unit in repository.voters_of(connection, source.id):
            if unit not in index_of:
                raise StateError(f"unit {unit} has no ballot style")
            if count < size:
                # In hexadecimal, cut to 128 bits: this kind of array loses zero bytes at the end.
                keys[count] = hmac.digest(secret, prefix + frame(pin.encode()), "sha256").hex()[:32].encode()
                pins[count], indices[count] = int(pin), index_of[unit]
            count += 1
    if count != size:
        raise StateError(f"the final list has {size} voters, its entries are {count}: were they purged?")
    return _rows(names, pins, indices, np.lexsort((pins, keys)))


def _rows(names: list[str], pins: np.ndarray, indices: np.ndarray, order: np.ndarray) -> Iterator[RollRow]:
    for position, at in enumerate(order):
        yield RollRow(position, names[int(indices[at])], f"{int(pins[at]):014}")
