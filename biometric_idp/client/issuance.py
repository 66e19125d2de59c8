"""The device's side of issuance, for one voter or for many at once (docs/spec/05-credentials.md sections 5.1 and 5.4).

Steps are types: secrets, then a stored wallet, then a request, then answers of k issuers, then the credential.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from biometric_idp.client.keys import IssuanceKeys, load_key
from biometric_idp.client.wallet import StoredWallet, Wallet
from biometric_idp.errors import FormatError, IdpError
from biometric_idp.request import Answer, Assertion, Refusal, Request, Ticket, request_hash
from crypto.blind_bls import (
    Entropy,
    blind,
    combine_partials,
    encode_message,
    find_invalid_partials,
    generate_randomizers,
    hash_credential_message,
    unblind,
    undecodable_points,
    verify_partials,
)
from crypto.errors import DecodeError, InvalidProof
from crypto.group.interface import G1Vector, Group, PairingGroup


class IssuanceError(IdpError):
    """No credential yet: too few issuers gave a valid partial signature.

    Attributes:
        refusals: code of the refusal by issuer.
        invalid: issuers whose answer is wrong; they misbehave or are misconfigured.
    """

    def __init__(self, message: str, refusals: Mapping[int, str], invalid: Sequence[int]) -> None:
        super().__init__(message)
        self.refusals = dict(refusals)
        self.invalid = list(invalid)


@dataclass(frozen=True)
class Pseudonyms:
    """Fresh pseudonyms of one ballot style, blinded: what wallets are made of.

    Attributes:
        secrets, publics: 32 bytes each, concatenated.
        hashed, points: H(msg) and M', kept for the verification of partial signatures and credentials.
        blinded: M' encoded.
    """

    style: str
    secrets: bytes
    publics: bytes
    randomizers: list[int]
    hashed: G1Vector
    points: G1Vector
    blinded: bytes

    def __len__(self) -> int:
        return len(self.randomizers)


def generate_pseudonyms(
    group: Group, pairing: PairingGroup, fingerprint: bytes, style: str, count: int, entropy: Entropy
) -> Pseudonyms:
    """Draw pseudonyms and blindings. Cost, each: a fixed-base multiplication; a hash and a multiplication in G1."""
    scalars = group.scalars_wide(entropy(64 * count))
    # A table pays from some dozens on; a device that draws one pseudonym spends most of its time on it.
    generator = group.generator()
    publics = generator.mul(scalars) if count == 1 else group.fixed_base(generator).mul(scalars)
    if bool(publics.identity_mask().any()):
        raise ValueError("entropy source returned zeroes")
    encoded = publics.encode()
    randomizers = generate_randomizers(count, entropy)
    hashed = hash_credential_message(
        pairing, [encode_message(fingerprint, style, encoded[32 * i : 32 * i + 32]) for i in range(count)]
    )
    points = blind(hashed, randomizers)
    return Pseudonyms(style, scalars.encode(), encoded, randomizers, hashed, points, points.encode())


def new_wallet(
    group: Group, pairing: PairingGroup, fingerprint: bytes, style: str, position: int, entropy: Entropy
) -> Wallet:
    """A wallet with a fresh pseudonym and blinding, to be stored before anything else."""
    drawn = generate_pseudonyms(group, pairing, fingerprint, style, 1, entropy)
    return Wallet(fingerprint, style, position, drawn.secrets, drawn.randomizers[0], drawn.blinded, None)


def pseudonym_of(group: Group, wallet: Wallet) -> bytes:
    """The public key that the credential certifies."""
    return group.generator().mul(group.scalars_decode(wallet.secret)).encode()


def challenge_of(stored: StoredWallet, credential: bytes) -> bytes:
    """The WebAuthn challenge for a stored wallet; ``credential`` is the voting passkey's id, empty at a terminal.

    It takes a ``StoredWallet`` so that no request can exist for a pseudonym that is not on disk.
    """
    wallet = stored.wallet
    return request_hash(wallet.fingerprint, wallet.style, wallet.position, credential, wallet.blinded)


def build_request(stored: StoredWallet, credential: bytes, assertions: Sequence[Assertion], ticket: Ticket) -> Request:
    """The request that goes to every issuer alike."""
    wallet = stored.wallet
    return Request(wallet.style, wallet.position, credential, wallet.blinded, tuple(assertions), ticket)


def combine_answers(
    group: Group,
    pairing: PairingGroup,
    keys: IssuanceKeys,
    threshold: int,
    stored: StoredWallet,
    hash_: bytes,
    answers: Sequence[Answer | Refusal],
    entropy: Entropy,
) -> bytes:
    """The credential out of the answers of at least k issuers; wrong ones are left out and named.

    Args:
        hash_: request hash that was sent.

    Raises:
        IssuanceError: fewer than k valid partial signatures so far.
    """
    partials: dict[int, G1Vector] = {}
    refusals: dict[int, str] = {}
    invalid: list[int] = []
    for answer in answers:
        if isinstance(answer, Refusal) and answer.hash == hash_:
            refusals[answer.issuer] = answer.code
        elif isinstance(answer, Refusal):
            invalid.append(answer.issuer)
        elif answer.issuer not in partials:
            try:
                partials[answer.issuer] = verified_partial(pairing, keys, stored, hash_, answer, entropy)
            except FormatError:
                invalid.append(answer.issuer)
    if len(partials) < threshold:
        raise IssuanceError(f"{len(partials)} of {threshold} issuers gave a valid partial signature", refusals, invalid)
    return combine_verified(group, pairing, keys, threshold, stored, partials, entropy)


def verified_partial(
    pairing: PairingGroup, keys: IssuanceKeys, stored: StoredWallet, hash_: bytes, answer: Answer, entropy: Entropy
) -> G1Vector:
    """The partial signature of an answer, verified against the issuer's share key out of the opening.

    Raises:
        FormatError: it is for another request, no point, or not by this issuer's share; the issuer is to blame.
    """
    point = decoded_partial(pairing, keys, stored, hash_, answer)
    require_partial(pairing, keys, stored, answer.issuer, point, entropy)
    return point


def decoded_partial(
    pairing: PairingGroup, keys: IssuanceKeys, stored: StoredWallet, hash_: bytes, answer: Answer
) -> G1Vector:
    """The point of an answer, canonical and in the subgroup; it may still be by another share.

    Raises:
        FormatError: the answer is for another request, of no issuer, or no point.
    """
    if keys.of_style(stored.wallet.style).share_key(answer.issuer) is None or answer.hash != hash_:
        raise FormatError(f"issuer {answer.issuer} answers another request, or is none of the issuers")
    try:
        return pairing.g1_decode(answer.partial)
    except DecodeError:
        raise FormatError(f"the partial signature of issuer {answer.issuer} is no point") from None


def require_partial(
    pairing: PairingGroup, keys: IssuanceKeys, stored: StoredWallet, issuer: int, point: G1Vector, entropy: Entropy
) -> None:
    """Check a partial signature against the issuer's share key.

    Raises:
        FormatError: it is not by this share; the issuer is to blame.
    """
    share_key = keys.of_style(stored.wallet.style).share_key(issuer)
    try:
        if share_key is None:
            raise FormatError(f"issuer {issuer} is none of the issuers")
        blinded = pairing.g1_decode(stored.wallet.blinded)
        verify_partials(pairing, blinded, point, load_key(pairing, share_key), entropy)
    except (DecodeError, InvalidProof):
        raise FormatError(f"the partial signature of issuer {issuer} does not verify") from None


def combine_verified(
    group: Group,
    pairing: PairingGroup,
    keys: IssuanceKeys,
    threshold: int,
    stored: StoredWallet,
    partials: Mapping[int, G1Vector],
    entropy: Entropy,
) -> bytes:
    """The credential out of at least k partial signatures, verified against the issuance key.

    The signature is unique, so one that verifies is the one that verified partials would have given: partials need a
    look of their own only where this fails, to find out whose is wrong.

    Raises:
        FormatError: the wallet holds its credential already.
        InvalidProof: a partial signature is wrong.
    """
    wallet = stored.wallet
    if wallet.blinding is None:
        raise FormatError("the wallet already holds its credential")
    chosen = {issuer: partials[issuer] for issuer in sorted(partials)[:threshold]}
    combined, denominator = combine_partials(chosen)
    credential = unblind(combined, denominator, [wallet.blinding])
    message = encode_message(wallet.fingerprint, wallet.style, pseudonym_of(group, wallet))
    hashed = hash_credential_message(pairing, [message])
    verify_partials(pairing, hashed, credential, load_key(pairing, keys.of_style(wallet.style).key), entropy)
    return credential.encode()


def combine_many(
    pairing: PairingGroup,
    keys: IssuanceKeys,
    drawn: Pseudonyms,
    partials: Mapping[int, bytes],
    entropy: Entropy,
) -> bytes:
    """Credentials for many pseudonyms of one style out of the partial signatures of exactly k issuers.

    Everything that a single device verifies is verified here, in batches.

    Args:
        partials: by issuer, 48 bytes for each pseudonym.

    Raises:
        InvalidProof: ``credential.partial`` or ``credential.signature``, with the first culprit's position.
    """
    style = keys.of_style(drawn.style)
    points: dict[int, G1Vector] = {}
    share_keys = {}
    for issuer, data in partials.items():
        share_key = style.share_key(issuer)
        if share_key is None:
            raise FormatError(f"issuer {issuer} has no share key")
        share_keys[issuer] = load_key(pairing, share_key)
        try:
            points[issuer] = pairing.g1_decode(data)
        except DecodeError:
            index = undecodable_points(pairing, data)[0]
            raise InvalidProof("credential.partial", f"answer {index} of issuer {issuer} is no point", index) from None
    invalid = find_invalid_partials(pairing, drawn.points, points, share_keys, entropy)
    for issuer, rows in invalid.items():
        raise InvalidProof("credential.partial", f"answer {rows[0]} of issuer {issuer} does not verify", rows[0])
    combined, denominator = combine_partials(points)
    credentials = unblind(combined, denominator, drawn.randomizers)
    verify_partials(pairing, drawn.hashed, credentials, load_key(pairing, style.key), entropy)
    return credentials.encode()
