"""List bytes (docs/spec/09-decryption.md section 9.1): M ciphertexts, each pad || data, 64 bytes."""

from __future__ import annotations

import numpy as np

from crypto.elgamal import CIPHERTEXT_BYTES
from crypto.errors import DecodeError
from crypto.group.interface import ELEMENT_BYTES

#: Ciphertexts handled at once where every element is needed, so that memory does not grow with the list.
CHUNK = 1 << 14


def count_ciphertexts(ciphertexts: bytes) -> int:
    """M.

    Raises:
        DecodeError: an empty list, which nobody decrypts, or another length.
    """
    if not ciphertexts or len(ciphertexts) % CIPHERTEXT_BYTES:
        raise DecodeError(f"a list to decrypt is one or more ciphertexts of {CIPHERTEXT_BYTES} bytes")
    return len(ciphertexts) // CIPHERTEXT_BYTES


def pads(ciphertexts: bytes, start: int = 0, stop: int | None = None) -> bytes:
    """The pads of a range of ciphertexts, 32 bytes each."""
    return _column(ciphertexts, 0, start, stop)


def data_elements(ciphertexts: bytes, start: int = 0, stop: int | None = None) -> bytes:
    """The data elements of a range of ciphertexts, 32 bytes each."""
    return _column(ciphertexts, 1, start, stop)


def _column(ciphertexts: bytes, column: int, start: int, stop: int | None) -> bytes:
    halves = np.frombuffer(ciphertexts, dtype=np.uint8).reshape(-1, 2, ELEMENT_BYTES)
    return halves[start:stop, column].tobytes()
