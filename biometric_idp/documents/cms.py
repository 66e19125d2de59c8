"""Signed messages: CMS SignedData (RFC 5652) with one signer and signed attributes."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asn1crypto import cms

from biometric_idp.documents.certificates import Certificate, decode_certificate
from biometric_idp.documents.der import decode_der, refusing
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.documents.keys import hash_named, verify_signature

_MAX_CERTIFICATES = 16
CODE = "chip-form"


@dataclass(frozen=True)
class SignedMessage:
    """A message whose signature holds under the signer's certificate. Whether to trust that one is another question."""

    content: bytes = field(repr=False)
    signer: Certificate
    signed_at: datetime | None


def verify_signed_message(
    der: bytes, content_type: str, what: str, *, most: int, detached: bytes | None = None
) -> SignedMessage:
    """Check form, digest and signature of a SignedData.

    Args:
        content_type: the OID that the content must have.
        most: largest accepted length in bytes.
        detached: the content, where the message must not carry it itself.

    Raises:
        DocumentRefused: ``chip-form``, ``chip-content-type``, ``chip-digest``, ``chip-signer``, ``chip-signature``,
            ``chip-algorithm``, ``chip-certificate``.
    """
    outer = decode_der(cms.ContentInfo, der, most, CODE, what)
    with refusing(CODE, what):
        if outer["content_type"].native != "signed_data":
            raise DocumentRefused("chip-content-type", f"{what} is no signed message")
        message = outer["content"]
        inner = message["encap_content_info"]
        if inner["content_type"].dotted != content_type:
            raise DocumentRefused("chip-content-type", f"{what} holds another type of content")
        carried = None if inner["content"].native is None else bytes(inner["content"])
        if (carried is None) != (detached is not None):
            raise DocumentRefused(CODE, f"{what} has its content where it should not, or lacks it")
        content = detached if carried is None else carried
        assert content is not None
        signers = message["signer_infos"]
        if len(signers) != 1:
            raise DocumentRefused(CODE, f"{what} has {len(signers)} signers, not one")
        signer = signers[0]
        digest = signer["digest_algorithm"]["algorithm"].native
        hash_named(digest, what)
        attributes = _attributes(signer, what)
        if attributes["content_type"].dotted != content_type:
            raise DocumentRefused("chip-content-type", f"{what}: the signed attributes name another type of content")
        actual = hashlib.new(digest, content).digest()
        if not hmac.compare_digest(attributes["message_digest"].native, actual):
            raise DocumentRefused("chip-digest", f"{what}: the signed digest is not that of the content")
        certificate = _signer_certificate(message, signer["sid"], what)
        # The signature is over the attributes as a SET, not under the tag that they have inside (RFC 5652 section 5.4).
        signed = b"\x31" + signer["signed_attrs"].dump()[1:]
        verify_signature(
            certificate.key, signer["signature_algorithm"], bytes(signer["signature"]), signed, digest,
            "chip-signature", what,
        )  # fmt: skip
        moment = attributes.get("signing_time")
        return SignedMessage(content, certificate, None if moment is None else moment.native)


def _attributes(signer: Any, what: str) -> dict[str, Any]:
    if not isinstance(signer["signed_attrs"], cms.CMSAttributes):
        raise DocumentRefused(CODE, f"{what} has no signed attributes")
    found: dict[str, Any] = {}
    for item in signer["signed_attrs"]:
        name = item["type"].native
        if name in found or len(item["values"]) != 1:
            raise DocumentRefused(CODE, f"{what} has a signed attribute twice")
        found[name] = item["values"][0]
    for name in ("content_type", "message_digest"):
        if name not in found:
            raise DocumentRefused(CODE, f"{what} lacks a signed attribute")
    if "signing_time" in found:
        found["signing_time"] = found["signing_time"].chosen
    return found


def _signer_certificate(message: Any, identifier: Any, what: str) -> Certificate:
    if not isinstance(message["certificates"], cms.CertificateSet):
        raise DocumentRefused("chip-signer", f"{what} carries no certificate")
    if len(message["certificates"]) > _MAX_CERTIFICATES:
        raise DocumentRefused(CODE, f"{what} carries {len(message['certificates'])} certificates")
    matching = []
    for choice in message["certificates"]:
        if choice.name != "certificate":
            continue
        certificate = choice.chosen
        if identifier.name == "issuer_and_serial_number":
            wanted = identifier.chosen
            fits = (
                certificate.issuer.dump() == wanted["issuer"].dump()
                and certificate.serial_number == wanted["serial_number"].native
            )
        else:
            fits = certificate.key_identifier is not None and certificate.key_identifier == identifier.chosen.native
        if fits:
            matching.append(certificate.dump())
    if len(matching) != 1:
        raise DocumentRefused("chip-signer", f"{what} carries no certificate of its signer, or two")
    return decode_certificate(matching[0], "the document signer's certificate")
