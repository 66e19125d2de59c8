"""What an authenticator says, judged (W3C Web Authentication Level 3, sections 7.1 and 7.2).

The library ``webauthn`` does the formats; three things it leaves to its callers are done here, before it is asked: JSON
without repeated names, no page of another origin around ours, and attestation that a configured root vouches for (given
no roots, or a self-made statement, the library is content).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    decode_credential_public_key,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import (
    DecodedEC2PublicKey,
    DecodedOKPPublicKey,
)
from webauthn.helpers.structs import AttestationFormat

from biometric_idp.errors import FormatError
from biometric_idp.files import unique_names
from biometric_idp.shared.fields import decode_base64url
from biometric_idp.webauthn import (
    EDDSA,
    ES256,
    PublicPasskey,
    RelyingParty,
    encode_cose_ed25519,
    encode_cose_es256,
    require_cose_key,
)
from services.problems import Problem

#: In the order of preference that is told to authenticators. RS256 is what Windows Hello may have; never for voting.
SIGN_IN_ALGORITHMS = (
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
VOTING_ALGORITHMS = (COSEAlgorithmIdentifier.EDDSA, COSEAlgorithmIdentifier.ECDSA_SHA_256)
_MOST_BYTES = 16_384
Roots = Mapping[str, Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class AuthenticatorPolicy:
    """Which authenticators are let in. ``aaguids`` empty lets in every model."""

    is_attested: bool
    roots: Roots
    aaguids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Registered:
    """A passkey that an authenticator has made."""

    credential: bytes
    key: bytes = field(repr=False)
    counter: int
    aaguid: str
    format: str
    backed_up: bool


def client_challenge(credential: Mapping[str, object], kind: str) -> bytes:
    """The challenge in the client data of a response, after the checks of JSON and surrounding page.

    Raises:
        Problem: ``passkey-refused``.
    """
    response = credential.get("response")
    text = response.get("clientDataJSON") if isinstance(response, dict) else None
    try:
        if type(text) is not str or len(text) > _MOST_BYTES:
            raise ValueError("no client data")
        members = json.loads(decode_base64url(text).decode(), object_pairs_hook=unique_names)
        if type(members) is not dict or members.get("type") != kind:
            raise ValueError("another type")
        if members.get("crossOrigin", False) is not False or "topOrigin" in members:
            raise ValueError("a page of another origin")
        return decode_base64url(members.get("challenge"))
    except (ValueError, RecursionError):
        raise Problem("passkey-refused") from None


def verify_registration(
    credential: Mapping[str, object],
    challenge: bytes,
    party: RelyingParty,
    policy: AuthenticatorPolicy,
    algorithms: Sequence[COSEAlgorithmIdentifier],
) -> Registered:
    """Check what ``navigator.credentials.create`` returned.

    Raises:
        Problem: ``passkey-refused``, or ``authenticator-refused`` where the policy does not let it in.
    """
    try:
        parsed = parse_registration_credential_json(dict(credential))
        attestation = parse_attestation_object(parsed.response.attestation_object)
        _require_attested(attestation.fmt, attestation.att_stmt.x5c, policy)
        verified = verify_registration_response(
            credential=parsed,
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=list(algorithms),
            pem_root_certs_bytes_by_fmt={AttestationFormat(name): list(pems) for name, pems in policy.roots.items()},
        )
    except Problem:
        raise
    except Exception:  # noqa: BLE001  (the library lets parsers' errors through; whatever it is, it is no passkey)
        raise Problem("passkey-refused") from None
    if policy.aaguids and verified.aaguid not in policy.aaguids:
        raise Problem("authenticator-refused")
    if not 1 <= len(verified.credential_id) <= 1023:
        raise Problem("passkey-refused")
    return Registered(
        verified.credential_id,
        verified.credential_public_key,
        verified.sign_count,
        verified.aaguid,
        str(getattr(verified.fmt, "value", verified.fmt)),
        verified.credential_backed_up,
    )


def _require_attested(name: str, chain: Sequence[bytes] | None, policy: AuthenticatorPolicy) -> None:
    """A root can vouch only for a format that has roots, and through a chain of certificates."""
    if policy.is_attested and (not policy.roots.get(str(getattr(name, "value", name))) or not chain):
        raise Problem("authenticator-refused")


def verify_assertion(
    credential: Mapping[str, object], challenge: bytes, party: RelyingParty, key: bytes, counter: int
) -> int:
    """Check what ``navigator.credentials.get`` returned; gives the new signature counter.

    Raises:
        Problem: ``passkey-refused``.
    """
    try:
        verified = verify_authentication_response(
            credential=parse_authentication_credential_json(dict(credential)),
            expected_challenge=challenge,
            expected_rp_id=party.rp_id,
            expected_origin=party.origin,
            credential_public_key=key,
            credential_current_sign_count=counter,
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001  (as above)
        raise Problem("passkey-refused") from None
    return verified.new_sign_count


def canonical_passkey(registered: Registered) -> PublicPasskey:
    """The key in one of the two encodings of docs/spec/05-credentials.md section 5.3.

    Raises:
        Problem: ``key-not-accepted``: another algorithm or curve.
    """
    decoded = decode_credential_public_key(registered.key)
    try:
        if isinstance(decoded, DecodedOKPPublicKey) and decoded.alg == EDDSA and decoded.crv == 6:
            algorithm, key = EDDSA, encode_cose_ed25519(decoded.x)
        elif isinstance(decoded, DecodedEC2PublicKey) and decoded.alg == ES256 and decoded.crv == 1:
            algorithm, key = ES256, encode_cose_es256(decoded.x, decoded.y)
        else:
            raise FormatError("another algorithm or curve")
        require_cose_key(key, algorithm)
    except FormatError:
        raise Problem("key-not-accepted") from None
    return PublicPasskey(registered.credential, algorithm, key)
