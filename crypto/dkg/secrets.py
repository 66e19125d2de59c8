"""What a participant keeps to itself during one attempt, all of it derived from one seed.

Deriving rather than drawing makes every step repeatable: whoever resumes sends identical bytes and can never publish
two messages that use one polynomial differently. Nonces hash what they are used for, so none is ever used twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from crypto.dkg.parameters import CeremonyParameters
from crypto.hashing import u64, wide

SEED_BYTES = 64


@dataclass(frozen=True)
class AttemptSecrets:
    """Secrets of participant ``index`` in one attempt.

    Attributes:
        seed: 64 bytes from a random generator, fresh for this attempt, erased when the ceremony is over.
    """

    parameters: CeremonyParameters
    attempt: int
    index: int
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise ValueError(f"the seed of an attempt has {SEED_BYTES} bytes")

    def _derive(self, order: int, purpose: str, *parts: bytes) -> int:
        digest = wide(
            "evoting/v1/ceremony-secret",
            self.seed,
            *self.parameters.context(self.attempt),
            u64(self.index),
            purpose.encode(),
            u64(len(parts)),
            *parts,
        )
        # Zero would publish the identity; it comes up once in 2^252 attempts.
        return int.from_bytes(digest, "little") % order or 1

    def coefficients(self, label: str) -> list[int]:
        """The polynomial of an instance, constant term first."""
        order = self.parameters.group.order
        return [self._derive(order, "coefficient", label.encode(), u64(k)) for k in range(self.parameters.threshold)]

    def receiver_secret(self) -> int:
        return self._derive(self.parameters.transport.order, "receiver")

    def ephemeral(self, receiver: int, receiver_key: bytes) -> int:
        """For one box; bound to the key it is made for."""
        return self._derive(self.parameters.transport.order, "ephemeral", u64(receiver), receiver_key)

    def receiver_nonce(self, receiver_key: bytes) -> int:
        return self._derive(self.parameters.transport.order, "receiver-nonce", receiver_key)

    def possession_nonce(self, label: str, commitments: bytes) -> int:
        return self._derive(self.parameters.group.order, "possession-nonce", label.encode(), commitments)

    def complaint_nonce(self, dealer: int, point: bytes) -> int:
        return self._derive(self.parameters.transport.order, "complaint-nonce", u64(dealer), point)
