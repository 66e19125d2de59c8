"""Schnorr signatures by pseudonyms over ristretto255 (docs/spec/01-encoding.md section 1.4).

They verify in the same multi-scalar multiplication as the proofs of a ballot, which Ed25519 would not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from crypto.batch import Accumulator
from crypto.group.interface import ElementVector, FixedBase, Group, ScalarVector
from crypto.hashing import frame, wide

SIGNATURE_BYTES = 64


def sign_many(
    group: Group,
    generator_table: FixedBase,
    domain: str,
    secrets: ScalarVector,
    publics: Sequence[bytes],
    messages: Sequence[bytes],
    entropy: Callable[[int], bytes],
) -> list[bytes]:
    """One signature R || s for each secret and message; constant time in the secrets.

    The nonce hashes fresh entropy with secret and message, so a broken generator alone does not repeat it.
    """
    fresh = entropy(64 * len(messages))
    encoded = secrets.encode()
    seeds = [
        hashlib.sha512(
            frame(b"evoting/v1/schnorr-nonce")
            + frame(fresh[64 * i : 64 * i + 64])
            + frame(encoded[32 * i : 32 * i + 32])
            + frame(message)
        ).digest()
        for i, message in enumerate(messages)
    ]
    nonces = group.scalars_wide(b"".join(seeds))
    commitments = generator_table.mul_encode(nonces)
    points = [commitments[32 * i : 32 * i + 32] for i in range(len(messages))]
    challenges = signature_challenges(group, domain, points, publics, messages)
    responses = (nonces + challenges * secrets).encode()
    return [point + responses[32 * i : 32 * i + 32] for i, point in enumerate(points)]


def signature_challenges(
    group: Group, domain: str, commitments: Sequence[bytes], publics: Sequence[bytes], messages: Sequence[bytes]
) -> ScalarVector:
    """The challenge e of every signature."""
    return group.scalars_wide(
        b"".join(
            [
                wide(domain, commitment, public, message)
                for commitment, public, message in zip(commitments, publics, messages, strict=True)
            ]
        )
    )


def accumulate_signatures(
    accumulator: Accumulator,
    commitments: ElementVector,
    publics: ElementVector,
    responses: ScalarVector,
    challenges: ScalarVector,
    weights: Callable[[int], ScalarVector],
) -> None:
    """Add the equations s*G = R + e*P of n signatures to a batch."""
    weight = weights(len(responses))
    accumulator.add(-weight, commitments)
    accumulator.add(-(weight * challenges), publics)
    accumulator.add_generator(weight.inner(responses))
