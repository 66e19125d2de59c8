"""Group arithmetic: one interface, two implementations that share no line of curve code."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import cast

from crypto.group.interface import (
    BLS_ORDER,
    ELEMENT_BYTES,
    G1_BYTES,
    G2_BYTES,
    ORDER,
    SCALAR_BYTES,
    ElementVector,
    FixedBase,
    G1Vector,
    G2Vector,
    Group,
    Indices,
    PairingGroup,
    ScalarVector,
)

__all__ = [
    "BLS_ORDER",
    "ELEMENT_BYTES",
    "G1_BYTES",
    "G2_BYTES",
    "ORDER",
    "SCALAR_BYTES",
    "ElementVector",
    "FixedBase",
    "G1Vector",
    "G2Vector",
    "Group",
    "Indices",
    "PairingGroup",
    "ScalarVector",
    "load_group",
    "load_pairing_group",
    "native_available",
    "set_threads",
]

#: Chooses the implementation where the caller does not.
ARITHMETIC_VARIABLE = "EVOTING_ARITHMETIC"


@cache
def native_available() -> bool:
    """Whether the compiled module is there and loads on this machine."""
    try:
        from crypto.group import _native  # noqa: F401
    except ImportError:
        return False
    return True


def _resolve(name: str | None) -> str:
    chosen = name or os.environ.get(ARITHMETIC_VARIABLE) or ("native" if native_available() else "portable")
    if chosen not in ("native", "portable"):
        raise ValueError(f"unknown arithmetic {chosen!r}: it is 'native' or 'portable'")
    if chosen == "native" and not native_available():
        raise ValueError("the native arithmetic is not built here; use 'portable' or run the set-up with Rust")
    return chosen


def load_group(name: str | None = None) -> Group:
    """The arithmetic of ristretto255.

    Args:
        name: "native" or "portable"; by default the environment variable EVOTING_ARITHMETIC, else native where it is
            built, else portable.

    Raises:
        ValueError: no such arithmetic, or not built here.
    """
    return _group(_resolve(name))


def load_pairing_group(name: str | None = None) -> PairingGroup:
    """The arithmetic of BLS12-381; arguments and errors as ``load_group``."""
    return _pairing_group(_resolve(name))


# The casts: an implementation takes only its own vectors, which a plain protocol cannot say. The tests compare the
# signatures of both implementations with the interface.


@cache
def _group(name: str) -> Group:
    if name == "native":
        from crypto.group.native import NativeGroup

        return cast(Group, NativeGroup())
    from crypto.group.portable import PortableGroup

    return cast(Group, PortableGroup())


@cache
def _pairing_group(name: str) -> PairingGroup:
    if name == "native":
        from crypto.group.native import NativePairingGroup

        return cast(PairingGroup, NativePairingGroup())
    # py_ecc raises the recursion limit of the whole process, with which deeply nested hostile input could overflow the
    # stack of a parser; nothing that is used of it recurses.
    limit = sys.getrecursionlimit()
    from crypto.group.portable_bls import PortablePairingGroup

    sys.setrecursionlimit(limit)

    return cast(PairingGroup, PortablePairingGroup())


def set_threads(count: int) -> None:
    """Use this many threads in vector operations; 0 stands for all cores. The portable arithmetic always uses one."""
    if count < 0:
        raise ValueError("the number of threads is not negative")
    if native_available():
        from crypto.group import _native

        _native.set_threads(count)
