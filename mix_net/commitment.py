"""Pedersen commitments to vectors (docs/spec/08-mixing.md section 8.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from crypto.group.interface import ELEMENT_BYTES, ElementVector, Group, ScalarVector
from crypto.hashing import generators


class CommitmentKey:
    """The generators H and G_1..G_count, derived from public labels.

    Deriving them costs about as much as decoding them; make one key of the largest size and share it among proofs.
    Whoever verifies derives it: a commitment key is never taken from a file.
    """

    def __init__(self, group: Group, blinding: ElementVector, messages: ElementVector) -> None:
        self.group = group
        self._blinding = blinding
        self._messages = messages
        self._encoded = blinding.encode() + messages.encode()
        self._bases: dict[int, ElementVector] = {}

    @classmethod
    def derive(cls, group: Group, count: int) -> CommitmentKey:
        """The first ``count`` message generators of docs/spec/01-encoding.md section 1.4."""
        return cls(group, *generators(group, count))

    def __len__(self) -> int:
        return len(self._messages)

    def digest(self, count: int) -> bytes:
        """SHA-512 of the encodings of H, G_1..G_count: what binds them to a transcript."""
        return hashlib.sha512(self._encoded[: ELEMENT_BYTES * (count + 1)]).digest()

    def bases(self, count: int) -> ElementVector:
        """H, G_1..G_count as one vector."""
        if count > len(self):
            raise ValueError(f"the commitment key has {len(self)} generators, {count} are needed")
        if count not in self._bases:
            self._bases[count] = self.group.concat_elements([self._blinding, self._messages[:count]])
        return self._bases[count]

    def commit(self, message: ScalarVector, blinding: int) -> ElementVector:
        """com(message; blinding), a vector of length one. Variable time (ADR 0003)."""
        scalars = self.group.concat_scalars([self.group.scalars([blinding]), message])
        return self.group.msm(scalars, self.bases(len(message)))

    def commit_all(self, messages: Sequence[ScalarVector], blindings: Sequence[int]) -> ElementVector:
        """One commitment for each message."""
        return self.group.concat_elements(
            [self.commit(message, blinding) for message, blinding in zip(messages, blindings, strict=True)]
        )
