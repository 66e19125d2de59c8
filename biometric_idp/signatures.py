"""Ed25519 role signatures over frames (docs/spec/01-encoding.md section 1.6)."""

from __future__ import annotations

from nacl.bindings import crypto_sign_open
from nacl.exceptions import CryptoError as NaclError
from nacl.signing import SigningKey

from crypto.hashing import frames
from crypto.log.checkpoint import Checkpoint
from crypto.log.note import NOTE_KEY, NoteSigningKey, VerifierKey

SIGNATURE_BYTES = 64


def sign_frames(key: SigningKey, domain: str, *parts: bytes) -> bytes:
    """Signature over the framed domain and parts. Constant time in the key."""
    return key.sign(frames(domain, parts)).signature


def frames_signature_holds(public_key: bytes, signature: bytes, domain: str, *parts: bytes) -> bool:
    """Whether a signature over the framed domain and parts verifies; see ``signature_holds``."""
    return signature_holds(public_key, signature, frames(domain, parts))


def signature_holds(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Ed25519 as libsodium verifies it: S below the order, no small order, canonical, without cofactor."""
    if len(signature) != SIGNATURE_BYTES or len(public_key) != 32:
        return False
    try:
        crypto_sign_open(signature + message, public_key)
    except NaclError:
        return False
    return True


def note_key(key: SigningKey, origin: str) -> NoteSigningKey:
    """The role's key as the key of its log, named like the log's origin."""
    return NoteSigningKey(origin, NOTE_KEY, key.encode())


def note_verifier(public_key: bytes, origin: str) -> VerifierKey:
    return VerifierKey(origin, NOTE_KEY, public_key)


def sign_checkpoint(key: SigningKey, origin: str, size: int, root: bytes) -> str:
    """Text of the signed checkpoint of a role's log."""
    return Checkpoint(origin, size, root).sign(note_key(key, origin)).encode().decode()


def sign_role_entry(key: SigningKey, binding: bytes, kind: str, body: bytes) -> bytes:
    """A role's signature over an entry of the record (docs/spec/02-record.md section 2.2)."""
    return sign_frames(key, "evoting/v1/entry", binding, kind.encode(), body)
