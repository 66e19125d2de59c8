"""The mixer's role key: Ed25519, in the key file format of docs/spec/02-log.md section 5."""

from __future__ import annotations

import base64
from pathlib import Path

from nacl.signing import SigningKey

from crypto.log.errors import LogFormatError
from crypto.log.note import NOTE_KEY, NoteSigningKey, decode_base64, decode_vkey
from mix_net.errors import InputError
from mix_net.files import read_file, require_private, write_atomic

_HEADER = "evoting-key@v1"
_MAX_FILE_BYTES = 4096


def generate_key(path: Path, name: str, seed: bytes) -> bytes:
    """Make a role key; returns the public key that the manifest is to name.

    Raises:
        InputError: the file exists (a key is never overwritten), or the name is unusable.
    """
    if path.exists():
        raise InputError(f"{path} exists already and is not overwritten")
    try:
        key = NoteSigningKey(name, NOTE_KEY, seed)
    except LogFormatError as error:
        raise InputError(str(error), hint="use the role's id, such as mixer-1") from None
    text = f"{_HEADER}\nvkey {key.verifier.encode()}\nseed {base64.b64encode(key.seed).decode()}\n"
    write_atomic(path, text.encode(), secret=True)
    return key.verifier.public_key


def load_key(path: Path) -> SigningKey:
    """Read a role key.

    Raises:
        InputError: unreadable, readable by others, damaged or foreign.
    """
    data = read_file(path, _MAX_FILE_BYTES)
    require_private(path, path.stat().st_mode)
    try:
        lines = data.decode("ascii").split("\n")
        if len(lines) != 4 or lines[0] != _HEADER or lines[3] or lines[1][:5] != "vkey " or lines[2][:5] != "seed ":
            raise LogFormatError(f"not a key file (it holds {_HEADER}, a vkey and a seed)")
        vkey = decode_vkey(lines[1][5:])
        key = NoteSigningKey(vkey.name, vkey.key_type, decode_base64(lines[2][5:], "seed"))
        if vkey.key_type != NOTE_KEY or key.verifier != vkey:
            raise LogFormatError("seed and vkey do not belong together, or it is no role key")
    except (LogFormatError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from None
    return SigningKey(key.seed)
