"""Passive authentication of a chip (ICAO Doc 9303 part 11 section 5.1): what a terminal read is what the state signed.

It does not tell whether the chip is a copy; that is what active or chip authentication at the terminal is for.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from biometric_idp.documents.certificates import CountryRoots
from biometric_idp.documents.cms import verify_signed_message
from biometric_idp.documents.der import read_only_tlv
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.documents.lds import (
    DATA_GROUPS,
    LDS_SECURITY_OBJECT,
    MAX_DATA_GROUP_BYTES,
    MAX_SOD_BYTES,
    FaceImage,
    decode_dg1,
    decode_dg2,
    decode_security_object,
)
from biometric_idp.documents.mrz import Mrz


@dataclass(frozen=True)
class AuthenticDocument:
    """A document whose data groups the issuing state signed.

    Attributes:
        face: the portrait of DG2, None where DG2 was not read.
        signed_at: when it was signed, where the security object says so.
        signer, root: SHA-256 of the certificates, for the audit log.
        data_groups: numbers of the groups that were compared.
    """

    mrz: Mrz
    face: FaceImage | None = field(repr=False)
    signed_at: datetime | None
    signer: str
    root: str
    data_groups: tuple[int, ...]


def authenticate_document(
    sod: bytes, data_groups: Mapping[int, bytes], roots: CountryRoots, now: datetime
) -> AuthenticDocument:
    """Check the security object, its signer up to a root of the issuing state, and every data group against it.

    Args:
        sod: the file EF.SOD.
        data_groups: files by number; DG1 has to be among them.
        now: with time zone.

    Raises:
        DocumentRefused: the code says which check failed; see ``problems.toml``.
    """
    if 1 not in data_groups or not data_groups.keys() <= set(DATA_GROUPS):
        raise DocumentRefused("chip-data-group", "DG1 is missing, or a data group has no number from 1 to 16")
    if any(len(data) > MAX_DATA_GROUP_BYTES for data in data_groups.values()) or len(sod) > MAX_SOD_BYTES:
        raise DocumentRefused("chip-form", "a file is too long")
    message = verify_signed_message(
        read_only_tlv(sod, b"\x77", "chip-form", "EF.SOD"), LDS_SECURITY_OBJECT, "EF.SOD", most=MAX_SOD_BYTES
    )
    signed = decode_security_object(message.content)
    for number, data in sorted(data_groups.items()):
        if number not in signed.hashes:
            raise DocumentRefused("chip-data-group", f"DG{number} is not in the security object")
        if not hmac.compare_digest(hashlib.new(signed.algorithm, data).digest(), signed.hashes[number]):
            raise DocumentRefused("chip-hash", f"DG{number} is not what was signed")
    # Only now is the state known that the roots have to be of: the one that DG1 names.
    mrz = decode_dg1(data_groups[1])
    root = roots.require_signer(message.signer, mrz.issuer, message.signed_at, now)
    face = decode_dg2(data_groups[2]) if 2 in data_groups else None
    return AuthenticDocument(
        mrz, face, message.signed_at, message.signer.fingerprint, root.fingerprint, tuple(sorted(data_groups))
    )
