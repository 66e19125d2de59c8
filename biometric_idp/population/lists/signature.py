"""The signature that a voter list comes with: a detached file, by a configured key or certificate.

Two forms are accepted. ``evoting-list-signature/v1`` is JSON with an Ed25519 or ECDSA-P256 signature over
``frame("evoting/v1/voter-list") || frame(SHA-256 of the file)``. CMS SignedData (DER or PEM, RFC 5652) is detached over
the file itself, by a certificate that is configured.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from asn1crypto import pem
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from biometric_idp.documents.certificates import Certificate, decode_certificate
from biometric_idp.documents.cms import verify_signed_message
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.errors import FormatError
from biometric_idp.files import unique_names
from biometric_idp.population.lists.errors import ListRefused
from crypto.hashing import frame

FORMAT = "evoting-list-signature/v1"
MAX_SIGNATURE_BYTES = 65_536
#: A CMS message needs the content in memory.
MAX_CMS_LIST_BYTES = 4_294_967_296
_MAX_TRUST_BYTES = 1_048_576
_DATA = "1.2.840.113549.1.7.1"
_ALGORITHMS = ("ed25519", "ecdsa-p256-sha256")

ListKey = Ed25519PublicKey | EllipticCurvePublicKey


@dataclass(frozen=True)
class ListTrust:
    """Who may sign lists: keys by SHA-256 of their SubjectPublicKeyInfo, and certificates by SHA-256."""

    keys: dict[str, ListKey] = field(repr=False)
    certificates: dict[str, Certificate] = field(repr=False)


def read_trust(paths: Iterable[Path]) -> ListTrust:
    """Keys and certificates out of PEM files.

    Raises:
        FormatError: a file holds something else, or nothing.
    """
    keys: dict[str, ListKey] = {}
    certificates: dict[str, Certificate] = {}
    for path in paths:
        data = path.read_bytes()
        if len(data) > _MAX_TRUST_BYTES or not pem.detect(data):
            raise FormatError(f"{path}: is no PEM file of keys or certificates")
        try:
            for kind, _, der in pem.unarmor(data, multiple=True):
                if kind == "CERTIFICATE":
                    certificate = decode_certificate(der, str(path))
                    certificates[certificate.fingerprint] = certificate
                elif kind == "PUBLIC KEY":
                    keys[sha256(der).hexdigest()] = _list_key(der)
                else:
                    raise ValueError("is neither PUBLIC KEY nor CERTIFICATE")
        except (ValueError, TypeError, DocumentRefused) as error:
            raise FormatError(f"{path}: {error}") from None
    if not keys and not certificates:
        raise FormatError("there is no key and no certificate that may sign lists")
    return ListTrust(keys, certificates)


def key_id(key: ListKey) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, in hexadecimal."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _list_key(der: bytes) -> ListKey:
    key = load_der_public_key(der)
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError("a key that is neither Ed25519 nor P-256")


def signed_bytes(digest: str) -> bytes:
    """What a key signs for a file with this SHA-256."""
    return frame(b"evoting/v1/voter-list") + frame(bytes.fromhex(digest))


def verify_list_signature(list_path: Path, digest: str, signature: bytes, trust: ListTrust, now: datetime) -> str:
    """Check the signature of a list and say by whom it is: ``key:...`` or ``certificate:...``.

    Args:
        digest: SHA-256 of the file, hexadecimal.

    Raises:
        ListRefused: ``list-signature``.
    """
    if len(signature) > MAX_SIGNATURE_BYTES:
        raise _refused(f"the signature has more than {MAX_SIGNATURE_BYTES} bytes")
    if signature.lstrip()[:1] == b"{":
        return f"key:{_verify_key(digest, signature, trust)}"
    return f"certificate:{_verify_cms(list_path, digest, signature, trust, now)}"


def _verify_key(digest: str, data: bytes, trust: ListTrust) -> str:
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=unique_names)
        if type(value) is not dict or value.get("format") != FORMAT:
            raise _refused(f"the signature is not of format {FORMAT}")
        if value.keys() != {"format", "algorithm", "key", "signature"} or not all(
            type(v) is str for v in value.values()
        ):
            raise _refused("the signature has other members than algorithm, key and signature")
        raw = base64.b64decode(value["signature"], validate=True)
    except (ValueError, RecursionError, binascii.Error):
        raise _refused("the signature is malformed") from None
    key = trust.keys.get(value["key"])
    if key is None:
        raise _refused("the list is signed by a key that is not configured")
    if value["algorithm"] != _ALGORITHMS[not isinstance(key, Ed25519PublicKey)]:
        raise _refused("the signature names an algorithm that is not its key's")
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(raw, signed_bytes(digest))
        else:
            key.verify(raw, signed_bytes(digest), ECDSA(SHA256()))
    except InvalidSignature:
        raise _refused("the signature does not hold") from None
    return str(value["key"])


def _verify_cms(list_path: Path, digest: str, data: bytes, trust: ListTrust, now: datetime) -> str:
    if list_path.stat().st_size > MAX_CMS_LIST_BYTES:
        raise _refused("the list is too long for a CMS signature")
    content = list_path.read_bytes()
    if sha256(content).hexdigest() != digest:
        raise ListRefused("list-changed", "the list changed while it was read")
    try:
        der = pem.unarmor(data)[2] if pem.detect(data) else data
        message = verify_signed_message(der, _DATA, "the signature", most=MAX_SIGNATURE_BYTES, detached=content)
    except (ValueError, TypeError, DocumentRefused) as error:
        raise _refused(str(error)) from None
    certificate = trust.certificates.get(message.signer.fingerprint)
    if certificate is None:
        raise _refused("the list is signed under a certificate that is not configured")
    if certificate.usages is not None and not certificate.usages & {"digital_signature", "non_repudiation"}:
        raise _refused("the certificate is not for signatures")
    for moment in (message.signed_at or now, now):
        if not certificate.is_valid_at(moment):
            raise _refused("the certificate is not valid, or was not when the list was signed")
    return certificate.fingerprint


def _refused(text: str) -> ListRefused:
    return ListRefused("list-signature", text)
