"""Entries of an election record and their role signatures (docs/spec/02-record.md sections 2.2 and 2.3).

Pure functions that every party signs with: office, registrar, trustees, issuers and mixers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from crypto import cbor
from crypto.errors import CryptoError, DecodeError
from crypto.hashing import frames, sha

MAX_ENTRY_BYTES = 65_535
#: Types whose binding is the manifest hash; ``manifest`` itself has 32 zero bytes, every other type the fingerprint.
SETUP_TYPES = frozenset({"roll", "enrolment", "trustee-ceremony", "issuer-ceremony", "opening"})
VOTER_TYPES = frozenset({"ballot", "challenge"})


class EntryError(CryptoError):
    """An entry that cannot be made, or that was not signed as it must be."""


@dataclass(frozen=True)
class RoleEntry:
    """A decoded entry that roles signed; ``body`` is decoded, ``raw`` is the whole entry."""

    type: str
    body: dict[str, object]
    signatures: tuple[tuple[str, bytes], ...]
    encoded_body: bytes
    raw: bytes


@dataclass(frozen=True)
class Binding:
    """What signatures are bound to: the manifest hash before the opening, the fingerprint after it."""

    manifest_hash: bytes
    fingerprint: bytes = bytes(32)

    def for_type(self, entry_type: str) -> bytes:
        if entry_type == "manifest":
            return bytes(32)
        return self.manifest_hash if entry_type in SETUP_TYPES else self.fingerprint


def election_fingerprint(opening: bytes) -> bytes:
    """The fingerprint that the trust root holds, of the complete opening entry."""
    return sha("evoting/v1/fingerprint", opening)


def entry_hash(entry: bytes) -> bytes:
    """How one entry names another."""
    return sha("evoting/v1/entry-hash", entry)


def ballot_order(entry: bytes) -> bytes:
    """Sort key of ballots and challenges within an epoch."""
    return sha("evoting/v1/ballot-order", entry)


def signed_message(binding: Binding, entry_type: str, body: bytes) -> bytes:
    """The bytes that a role signs."""
    return frames("evoting/v1/entry", (binding.for_type(entry_type), entry_type.encode(), body))


def sign_entry(
    entry_type: str, body: Mapping[str, object], binding: Binding, signers: Mapping[str, SigningKey]
) -> bytes:
    """An entry with the signatures of the given roles.

    Raises:
        EntryError: the entry would be longer than a log entry may be.
    """
    return _signed(entry_type, cbor.encode(dict(body)), binding, signers, {})


def countersign_entry(entry: RoleEntry, binding: Binding, signers: Mapping[str, SigningKey]) -> bytes:
    """An entry that other roles signed elsewhere, with further signatures; theirs are not checked here.

    Raises:
        EntryError: one of the roles has signed already, or the entry would be too long.
    """
    there = dict(entry.signatures)
    for role in signers:
        if role in there:
            raise EntryError(f"{role} has signed the {entry.type} entry already")
    return _signed(entry.type, entry.encoded_body, binding, signers, there)


def _signed(
    entry_type: str, body: bytes, binding: Binding, signers: Mapping[str, SigningKey], there: Mapping[str, bytes]
) -> bytes:
    message = signed_message(binding, entry_type, body)
    signatures = {**there, **{role: key.sign(message).signature for role, key in signers.items()}}
    entry = cbor.encode(
        {
            "type": entry_type,
            "body": body,
            "signatures": [{"role": role, "signature": signatures[role]} for role in sorted(signatures)],
        }
    )
    if len(entry) > MAX_ENTRY_BYTES:
        raise EntryError(f"the {entry_type} entry has {len(entry)} bytes; a log entry holds at most {MAX_ENTRY_BYTES}")
    return entry


def entry_type(entry: bytes) -> str:
    """The type of an encoded entry.

    Raises:
        DecodeError: not an entry.
    """
    value = cbor.decode(entry, limit=MAX_ENTRY_BYTES)
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise DecodeError("not an entry: a map with a type is expected")
    return str(value["type"])


def decode_role_entry(entry: bytes) -> RoleEntry:
    """Decode an entry that roles signed, without checking the signatures.

    Raises:
        DecodeError: malformed.
    """
    value = cbor.decode(entry, limit=MAX_ENTRY_BYTES)
    if not isinstance(value, dict) or value.keys() != {"type", "body", "signatures"}:
        raise DecodeError("not a role entry: type, body and signatures are expected")
    if not isinstance(value["type"], str) or not isinstance(value["body"], bytes):
        raise DecodeError("not a role entry: the type is text and the body a byte string")
    body = cbor.decode(value["body"], limit=MAX_ENTRY_BYTES)
    if not isinstance(body, dict):
        raise DecodeError(f"the body of the {value['type']} entry is not a map")
    if not isinstance(value["signatures"], list):
        raise DecodeError(f"the signatures of the {value['type']} entry are not a list")
    signatures = []
    for item in value["signatures"]:
        if (
            not isinstance(item, dict)
            or item.keys() != {"role", "signature"}
            or not isinstance(item["role"], str)
            or not isinstance(item["signature"], bytes)
            or len(item["signature"]) != 64
        ):
            raise DecodeError(f"a signature of the {value['type']} entry is malformed")
        signatures.append((item["role"], item["signature"]))
    return RoleEntry(value["type"], body, tuple(signatures), value["body"], entry)


def require_signatures(entry: RoleEntry, binding: Binding, keys: Mapping[str, bytes], signers: Sequence[str]) -> None:
    """Check that exactly the given roles signed the entry.

    Raises:
        EntryError: another set of signers, or a signature that does not hold.
    """
    if [role for role, _ in entry.signatures] != sorted(signers):
        raise EntryError(f"the {entry.type} entry must be signed by {', '.join(sorted(signers))}")
    message = signed_message(binding, entry.type, entry.encoded_body)
    for role, signature in entry.signatures:
        try:
            if role not in keys:
                raise EntryError(f"the {entry.type} entry is signed by {role}, which is no role of this election")
            VerifyKey(keys[role]).verify(message, signature)
        except (BadSignatureError, ValueError):
            raise EntryError(f"the signature of {role} on the {entry.type} entry does not hold") from None
