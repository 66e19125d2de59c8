"""Key files of roles: one Ed25519 seed with the name under which it signs (docs/spec/02-log.md)."""

from __future__ import annotations

import base64
from pathlib import Path

from nacl.signing import SigningKey

from biometric_idp.errors import FormatError
from biometric_idp.files import require_private, write_atomic
from crypto.log.errors import LogFormatError
from crypto.log.note import NOTE_KEY, NoteSigningKey, decode_base64, decode_vkey

_HEADER = "evoting-key@v1"
_MAX_BYTES = 4096


def read_role_key(path: Path) -> SigningKey:
    """The signing key in a key file.

    Raises:
        FormatError: readable by others, truncated, foreign, or a key of a log witness.
    """
    require_private(path)
    data = path.read_bytes()
    try:
        lines = data[: _MAX_BYTES + 1].decode("ascii").split("\n")
        if len(lines) != 4 or lines[0] != _HEADER or lines[3] or not lines[2].startswith("seed "):
            raise LogFormatError(f"not a key file of format {_HEADER}")
        verifier = decode_vkey(lines[1].removeprefix("vkey "))
        key = NoteSigningKey(verifier.name, verifier.key_type, decode_base64(lines[2][5:], "seed"))
    except (UnicodeDecodeError, LogFormatError) as error:
        raise FormatError(f"{path}: {error}") from None
    if key.verifier != verifier or verifier.key_type != NOTE_KEY:
        raise FormatError(f"{path}: seed and public key do not belong together, or it is no role's key")
    return SigningKey(key.seed)


def write_role_key(path: Path, name: str, seed: bytes) -> bytes:
    """Write a new key file, unless there is one already; returns the public key of what is there then.

    Raises:
        FormatError: a file is there, but is no role's key.
    """
    if path.exists():
        return bytes(read_role_key(path).verify_key)
    key = NoteSigningKey(name, NOTE_KEY, seed)
    lines = (_HEADER, f"vkey {key.verifier.encode()}", f"seed {base64.b64encode(seed).decode()}")
    write_atomic(path, ("\n".join(lines) + "\n").encode(), secret=True)
    return bytes(key.verifier.public_key)
