"""Issuance keys as a device takes them: from the opening entry with the election's fingerprint, never from an issuer.

A key made for one voter would mark that voter's credential (attack C4); here it fails the fingerprint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from biometric_idp.errors import FormatError
from biometric_idp.schema import require_bytes, require_id, require_list, require_map, require_uint
from crypto import cbor
from crypto.errors import DecodeError
from crypto.group.interface import G2_BYTES, G2Vector, PairingGroup
from crypto.hashing import sha
from crypto.log.tiles import MAX_ENTRY_BYTES

MAX_KEYS_BYTES = 64 * 2**20
_STYLE_KEYS = frozenset({"style", "key", "shares"})


@dataclass(frozen=True, slots=True)
class StyleKeys:
    """Issuance key of one ballot style and its share keys by issuer index; excluded issuers have none."""

    style: str
    key: bytes
    shares: tuple[bytes, ...]

    def share_key(self, issuer: int) -> bytes | None:
        """The encoded share key of issuer 1..m, or None where it was excluded from the ceremony."""
        share = self.shares[issuer - 1] if 1 <= issuer <= len(self.shares) else bytes(G2_BYTES)
        return None if share == bytes(G2_BYTES) else share


@dataclass(frozen=True, slots=True)
class IssuanceKeys:
    """Keys of all styles, in the manifest's order."""

    styles: tuple[StyleKeys, ...]

    def of_style(self, style: str) -> StyleKeys:
        """Keys of one style.

        Raises:
            FormatError: there is no such style.
        """
        for item in self.styles:
            if item.style == style:
                return item
        raise FormatError(f"there is no issuance key for ballot style {style!r}")

    def encode(self) -> bytes:
        return encode_issuance_keys([(item.style, item.key, item.shares) for item in self.styles])


def encode_issuance_keys(styles: Sequence[tuple[str, bytes, Sequence[bytes]]]) -> bytes:
    """The issuance keys blob of docs/spec/02-record.md section 2.5, from (style, key, share keys)."""
    return cbor.encode([{"style": style, "key": key, "shares": b"".join(shares)} for style, key, shares in styles])


def decode_issuance_keys(data: bytes, issuers: int) -> IssuanceKeys:
    """Strict inverse of ``encode_issuance_keys``; points are checked when they are loaded.

    Raises:
        FormatError: says what is malformed.
    """
    try:
        items = require_list(cbor.decode(data, limit=MAX_KEYS_BYTES), "issuance keys", 1, 4096)
    except DecodeError as error:
        raise FormatError(f"issuance keys: {error}") from None
    styles: list[StyleKeys] = []
    for item in items:
        members = require_map(item, _STYLE_KEYS, "issuance key")
        shares = require_bytes(members["shares"], "share keys", issuers * G2_BYTES)
        styles.append(
            StyleKeys(
                require_id(members["style"], "style"),
                require_bytes(members["key"], "issuance key", G2_BYTES),
                tuple([shares[G2_BYTES * i : G2_BYTES * (i + 1)] for i in range(issuers)]),
            )
        )
    if len({item.style for item in styles}) != len(styles):
        raise FormatError("issuance keys: a ballot style occurs twice")
    return IssuanceKeys(tuple(styles))


def keys_from_opening(fingerprint: bytes, opening_entry: bytes, keys_blob: bytes, issuers: int) -> IssuanceKeys:
    """The keys that the election fingerprint stands for.

    Args:
        fingerprint: from the trust root, which reached the device by another way.
        opening_entry, keys_blob: from anybody.

    Raises:
        FormatError: the entry has another fingerprint, or the blob is not the one that it names.
    """
    if sha("evoting/v1/fingerprint", opening_entry) != fingerprint:
        raise FormatError("the opening entry is not the one of the election's fingerprint")
    try:
        entry = cbor.decode(opening_entry, limit=MAX_ENTRY_BYTES)
        body = cbor.decode(entry["body"])  # type: ignore[index]
        blob = body["issuers"]["keys"]  # type: ignore[index]
    except (DecodeError, KeyError, TypeError) as error:
        raise FormatError(f"the opening entry is malformed: {error}") from None
    named = require_map(blob, frozenset({"hash", "length"}), "reference to the issuance keys")
    if require_uint(named["length"], "length") != len(keys_blob) or named["hash"] != sha256(keys_blob).digest():
        raise FormatError("the issuance keys are not the ones that the opening entry names")
    return decode_issuance_keys(keys_blob, issuers)


def load_key(group: PairingGroup, encoded: bytes) -> G2Vector:
    """A checked G2 point.

    Raises:
        FormatError: not canonical, outside the subgroup, or the identity.
    """
    try:
        return group.g2_decode(encoded)
    except DecodeError as error:
        raise FormatError(f"issuance key: {error}") from None
