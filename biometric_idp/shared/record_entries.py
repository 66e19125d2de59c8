"""Entries of the election record that identity provider and registrar sign in setup (docs/spec/02-record.md)."""

from __future__ import annotations

from pathlib import Path

from nacl.signing import SigningKey

from biometric_idp.errors import FormatError, StateError
from biometric_idp.signatures import signature_holds
from crypto.entry import (
    MAX_ENTRY_BYTES,
    Binding,
    EntryError,
    RoleEntry,
    countersign_entry,
    decode_role_entry,
    sign_entry,
    signed_message,
)
from crypto.errors import DecodeError

#: Ids of the two roles in every manifest.
IDENTITY_PROVIDER, REGISTRAR = "identity-provider", "registrar"


def manifest_binding(digest: str) -> Binding:
    """What entries of the setup are bound to.

    Args:
        digest: the manifest's hash, as ``evoting-office import`` prints it.

    Raises:
        FormatError: something else.
    """
    try:
        value = bytes.fromhex(digest)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise FormatError("the hash of a manifest is 64 hexadecimal digits")
    return Binding(value)


def roll_entry(
    key: SigningKey, binding: Binding, commitment: bytes, sizes: list[tuple[str, int]], size: int, time: int
) -> bytes:
    """The ``roll`` entry with the registrar's signature; an officer's is still missing."""
    styles = [{"style": style, "size": count} for style, count in sizes]
    body = {"commitment": commitment, "size": size, "styles": styles, "time": time}
    return sign_entry("roll", body, binding, {REGISTRAR: key})


def enrolment_entry(key: SigningKey, binding: Binding, checkpoint: str, time: int) -> bytes:
    """The ``enrolment`` entry with the identity provider's signature; the registrar's is still missing."""
    return sign_entry("enrolment", {"checkpoint": checkpoint, "time": time}, binding, {IDENTITY_PROVIDER: key})


def read_enrolment_entry(path: Path, binding: Binding, identity_provider: bytes) -> tuple[RoleEntry, str, int]:
    """An ``enrolment`` entry that the identity provider signed, with its checkpoint and its time.

    Raises:
        FormatError: names the file and what is wrong with it.
    """
    try:
        with path.open("rb") as file:
            entry = decode_role_entry(file.read(MAX_ENTRY_BYTES + 1))
    except DecodeError as error:
        raise FormatError(f"{path}: {error}") from None
    if entry.type != "enrolment":
        raise FormatError(f"{path}: a {entry.type} entry, and an enrolment entry is expected")
    checkpoint, time = entry.body.get("checkpoint"), entry.body.get("time")
    if entry.body.keys() != {"checkpoint", "time"} or not isinstance(checkpoint, str) or type(time) is not int:
        raise FormatError(f"{path}: the body of the entry is not of its schema")
    if [role for role, _ in entry.signatures] != [IDENTITY_PROVIDER]:
        raise FormatError(f"{path}: not signed by the identity provider alone")
    if not signature_holds(
        identity_provider, entry.signatures[0][1], signed_message(binding, entry.type, entry.encoded_body)
    ):
        raise FormatError(f"{path}: the identity provider's signature does not hold for this election's manifest")
    return entry, checkpoint, time


def countersigned(entry: RoleEntry, key: SigningKey, binding: Binding) -> bytes:
    """The entry with the registrar's signature.

    Raises:
        StateError: the registrar has signed it already.
    """
    try:
        return countersign_entry(entry, binding, {REGISTRAR: key})
    except EntryError as error:
        raise StateError(str(error)) from None
