"""Fixed-width reading of a proof (section 8.5)."""

from __future__ import annotations

from crypto.errors import DecodeError, InvalidProof
from crypto.group.interface import ELEMENT_BYTES, SCALAR_BYTES, Group, ScalarVector


class ProofReader:
    """Takes canonical items off the front of a proof whose size was already checked."""

    def __init__(self, group: Group, data: bytes) -> None:
        self.group = group
        self._data = data
        self._at = 0

    def _take(self, length: int) -> bytes:
        piece = self._data[self._at : self._at + length]
        self._at += length
        return piece

    def elements(self, count: int) -> bytes:
        """The encodings of ``count`` elements, each canonical; the identity is allowed.

        Raises:
            InvalidProof: ``shuffle.encoding``.
        """
        at = self._at
        data = self._take(count * ELEMENT_BYTES)
        try:
            self.group.elements_decode(data, allow_identity=True)
        except DecodeError as error:
            raise InvalidProof("shuffle.encoding", f"bad element in the proof, from byte {at} on: {error}") from None
        return data

    def scalars(self, count: int) -> ScalarVector:
        """``count`` scalars below the group order.

        Raises:
            InvalidProof: ``shuffle.encoding``.
        """
        at = self._at
        try:
            return self.group.scalars_decode(self._take(count * SCALAR_BYTES))
        except DecodeError as error:
            raise InvalidProof("shuffle.encoding", f"bad scalar in the proof, from byte {at} on: {error}") from None

    def scalar(self) -> int:
        return self.scalars(1).to_ints()[0]


def encode_scalars(*values: int) -> bytes:
    """Reduced integers as scalars, 32 bytes little-endian each."""
    return b"".join([value.to_bytes(SCALAR_BYTES, "little") for value in values])
