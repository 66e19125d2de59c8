"""Shares on their way from dealer to receiver: ephemeral Diffie-Hellman and AEAD that anyone can be shown.

docs/spec/04-ceremonies.md, rounds 3 and 4. The receiver who complains discloses the Diffie-Hellman point with a proof;
from then on everybody derives the same key and looks into the same box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
)
from nacl.exceptions import CryptoError as SodiumError

from crypto.dkg.bodies import Complaint, SealedShares
from crypto.dkg.key_group import Elements
from crypto.dkg.parameters import CeremonyParameters
from crypto.errors import DecodeError
from crypto.group.interface import ElementVector
from crypto.hashing import sha, u64
from crypto.proofs.chaum_pedersen import (
    EqualityStatement,
    prove_equality,
    verify_equality,
)

#: The key of a box is used once, so its nonce may be constant.
_NONCE = bytes(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)


@dataclass(frozen=True)
class BoxContext:
    """Which box: of which attempt, from whom, to whom, and under which receiver key."""

    parameters: CeremonyParameters
    attempt: int
    dealer: int
    receiver: int
    receiver_key: bytes

    def frames(self) -> tuple[bytes, ...]:
        return (*self.parameters.context(self.attempt), u64(self.dealer), u64(self.receiver))


def _key(context: BoxContext, point: bytes, shared: bytes) -> bytes:
    return sha("evoting/v1/ceremony-share-key", *context.frames(), point, context.receiver_key, shared)


def seal_shares(context: BoxContext, shares: Sequence[int], ephemeral: int) -> SealedShares:
    """Encrypt the shares of all instances for one receiver; ``ephemeral`` is used for nothing else."""
    parameters = context.parameters
    point = parameters.transport.generate([ephemeral]).encode()
    receiver_key = parameters.transport.decode(context.receiver_key)
    shared = parameters.transport.multiply(receiver_key, [ephemeral]).encode()
    plaintext = parameters.group.encode_scalars(shares)
    box = crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, None, _NONCE, _key(context, point, shared))
    return SealedShares(point, box)


def shared_point(context: BoxContext, sealed: SealedShares, receiver_secret: int) -> bytes:
    """S = e_j * R, which opens the box."""
    transport = context.parameters.transport
    return transport.multiply(transport.decode(sealed.point), [receiver_secret]).encode()


def open_shares(context: BoxContext, sealed: SealedShares, shared: bytes) -> list[int]:
    """The shares in a box.

    Raises:
        DecodeError: the box does not open, or a scalar in it is not canonical.
    """
    try:
        plaintext = crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed.box, None, _NONCE, _key(context, sealed.point, shared)
        )
    except SodiumError:
        raise DecodeError("the box does not open") from None
    return context.parameters.group.decode_scalars(plaintext)


def _statement(context: BoxContext, sealed: SealedShares, shared: bytes) -> EqualityStatement:
    def vector(element: Elements) -> ElementVector:
        return cast(ElementVector, element)

    decode = context.parameters.transport.decode
    return EqualityStatement(vector(decode(context.receiver_key)), vector(decode(sealed.point)), vector(decode(shared)))


def complain(context: BoxContext, sealed: SealedShares, receiver_secret: int, nonce: int) -> Complaint:
    """Disclose the point that opens the box, with the proof that it is the right one."""
    shared = shared_point(context, sealed, receiver_secret)
    group = context.parameters.transport.group
    proof = prove_equality(
        group,
        "evoting/v1/ceremony-equality",
        context.frames(),
        _statement(context, sealed, shared),
        group.scalars([receiver_secret]),
        group.scalars([nonce]),
    )
    return Complaint(context.dealer, shared, proof)


def verify_complaint(context: BoxContext, sealed: SealedShares, complaint: Complaint) -> None:
    """Check that the disclosed point is the one that opens the box.

    Raises:
        InvalidProof: it is not.
    """
    verify_equality(
        context.parameters.transport.group,
        "evoting/v1/ceremony-equality",
        context.frames(),
        _statement(context, sealed, complaint.point),
        complaint.proof,
    )
