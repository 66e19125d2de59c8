"""The enrolment log: which passkey speaks for which roll position (docs/spec/05-credentials.md section 5.3).

An entry is signed by identity provider and registrar. Readers take keys only from a log whose entries have the size and
root of the checkpoint that they were told to use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from nacl.signing import SigningKey

from biometric_idp.errors import FormatError
from biometric_idp.request import MAX_CREDENTIAL_ID_BYTES
from biometric_idp.schema import (
    decode_map,
    require_bytes,
    require_id,
    require_list,
    require_map,
    require_uint,
)
from biometric_idp.signatures import frames_signature_holds, note_verifier, sign_checkpoint, sign_frames
from biometric_idp.webauthn import PublicPasskey, require_cose_key
from crypto import cbor
from crypto.errors import CryptoError
from crypto.log.checkpoint import Checkpoint, verify_log_signature
from crypto.log.merkle import hash_leaf
from crypto.log.note import decode_note
from crypto.log.tiles import MAX_ENTRY_BYTES, TileFrontier

ENROLMENT_DOMAIN = "evoting/v1/enrolment"
#: Enrolments in one entry: with the longest members an entry still fits where imports put this many.
MAX_ENROLMENTS = 256

_ENTRY = frozenset({"body", "identity-provider", "registrar"})
_BODY = frozenset({"enrolments"})
_ENROLMENT = frozenset({"position", "style", "credential", "key", "algorithm", "method", "time"})
METHODS = ("code", "in-person")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One voter's passkey, and how and when the registrar confirmed it."""

    position: int
    style: str
    passkey: PublicPasskey
    method: str
    time: int


def enrolment_origin(origin: str) -> str:
    """Origin of the enrolment log of the election whose log has this origin."""
    return f"{origin}/enrolment"


def encode_enrolments(enrolments: Sequence[Enrolment]) -> bytes:
    """The body that both roles sign.

    Raises:
        ValueError: none, or too many of them.
    """
    if not 1 <= len(enrolments) <= MAX_ENROLMENTS:
        raise ValueError(f"an entry holds 1 to {MAX_ENROLMENTS} enrolments")
    return cbor.encode(
        {
            "enrolments": [
                {
                    "position": item.position,
                    "style": item.style,
                    "credential": item.passkey.credential,
                    "key": item.passkey.key,
                    "algorithm": item.passkey.algorithm,
                    "method": item.method,
                    "time": item.time,
                }
                for item in enrolments
            ]
        }
    )


def sign_enrolments(key: SigningKey, origin: str, body: bytes) -> bytes:
    """One role's signature over a body; each role calls this on its own host after its own checks."""
    return sign_frames(key, ENROLMENT_DOMAIN, enrolment_origin(origin).encode(), body)


def encode_entry(body: bytes, identity_provider: bytes, registrar: bytes) -> bytes:
    """A log entry out of a body and both signatures.

    Raises:
        ValueError: longer than a log entry may be.
    """
    entry = cbor.encode({"body": body, "identity-provider": identity_provider, "registrar": registrar})
    if len(entry) > MAX_ENTRY_BYTES:
        raise ValueError(f"an enrolment entry of {len(entry)} bytes is too long")
    return entry


def sign_enrolment_checkpoint(key: SigningKey, origin: str, entries: Iterable[bytes]) -> str:
    """The identity provider's checkpoint over the whole log."""
    frontier = TileFrontier()
    for entry in entries:
        frontier.extend(hash_leaf(entry))
    return sign_checkpoint(key, enrolment_origin(origin), frontier.size, frontier.root())


@dataclass(frozen=True, slots=True)
class EnrolmentSource:
    """Whose log, and which checkpoint of it, counts for an election."""

    origin: str
    identity_provider: bytes
    registrar: bytes
    checkpoint: str
    time: int

    def verified_checkpoint(self) -> Checkpoint:
        """The checkpoint, if the identity provider signed it for this log.

        Raises:
            FormatError: malformed, of another log, or badly signed.
        """
        try:
            key = note_verifier(self.identity_provider, enrolment_origin(self.origin))
            return verify_log_signature(decode_note(self.checkpoint.encode()), key)
        except CryptoError as error:
            raise FormatError(f"enrolment checkpoint: {error}") from None


def read_enrolment_log(source: EnrolmentSource, entries: Iterable[bytes]) -> Iterator[list[Enrolment]]:
    """The enrolments of every entry, in log order; whether one takes effect is decided by ``EnrolmentRules``.

    The log is judged as a whole only when the iterator is exhausted: consumers must undo what they took if it raises.

    Raises:
        FormatError: an entry is malformed or badly signed, or the log is not the one of the checkpoint.
    """
    checkpoint = source.verified_checkpoint()
    bound = enrolment_origin(source.origin).encode()
    frontier = TileFrontier()
    for index, entry in enumerate(entries):
        where = f"enrolment log entry {index}"
        members = decode_map(entry, _ENTRY, where, MAX_ENTRY_BYTES)
        body = members["body"]
        if type(body) is not bytes:
            raise FormatError(f"{where}: body is no byte string")
        for role, key in (("identity-provider", source.identity_provider), ("registrar", source.registrar)):
            signature = require_bytes(members[role], f"{where}: signature of {role}", 64)
            if not frames_signature_holds(key, signature, ENROLMENT_DOMAIN, bound, body):
                raise FormatError(f"{where}: the signature of {role} does not verify")
        frontier.extend(hash_leaf(entry))
        yield decode_enrolments(body, where)
    if (frontier.size, frontier.root()) != (checkpoint.size, checkpoint.root):
        raise FormatError(
            f"enrolment log of {frontier.size} entries is not the one of the checkpoint of {checkpoint.size}"
        )


def decode_enrolments(body: bytes, where: str) -> list[Enrolment]:
    """Strict inverse of ``encode_enrolments``; signatures are the caller's.

    Raises:
        FormatError: says where it is malformed.
    """
    members = decode_map(body, _BODY, where, MAX_ENTRY_BYTES)
    items = require_list(members["enrolments"], f"{where}: enrolments", 1, MAX_ENROLMENTS)
    return [_decode_enrolment(item, where) for item in items]


def _decode_enrolment(value: object, where: str) -> Enrolment:
    members = require_map(value, _ENROLMENT, where)
    algorithm = members["algorithm"]
    if type(algorithm) is not int:
        raise FormatError(f"{where}: algorithm is no integer")
    passkey = PublicPasskey(
        require_bytes(members["credential"], f"{where}: credential", 1, MAX_CREDENTIAL_ID_BYTES),
        algorithm,
        require_bytes(members["key"], f"{where}: key", 1, 1024),
    )
    method = members["method"]
    if method not in METHODS:
        raise FormatError(f"{where}: method is none of {', '.join(METHODS)}")
    return Enrolment(
        require_uint(members["position"], f"{where}: position"),
        require_id(members["style"], f"{where}: style"),
        passkey,
        str(method),
        require_uint(members["time"], f"{where}: time"),
    )


class EnrolmentRules:
    """Decides in log order which enrolments take effect (section 5.3)."""

    def __init__(self, style_of: Callable[[int], str | None], latest: int) -> None:
        """``style_of`` reads the issuer's own roll and gives None beyond it; ``latest`` is the checkpoint's time."""
        self._style_of = style_of
        self._latest = latest

    def objection(self, enrolment: Enrolment, *, is_first: bool) -> str | None:
        """Why the enrolment has no effect, or None where it takes effect."""
        style = self._style_of(enrolment.position)
        if style is None:
            return f"position {enrolment.position} is not on the roll"
        if style != enrolment.style:
            return f"position {enrolment.position} has another ballot style on the roll"
        try:
            require_cose_key(enrolment.passkey.key, enrolment.passkey.algorithm)
        except FormatError as error:
            return f"position {enrolment.position}: {error}"
        if enrolment.time > self._latest:
            return f"position {enrolment.position}: confirmed after the checkpoint's time"
        if not is_first and enrolment.method != "in-person":
            return f"position {enrolment.position}: a later passkey counts only when confirmed in person"
        return None
