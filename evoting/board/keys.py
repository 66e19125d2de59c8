"""Key files: one Ed25519 seed with the name and type under which it signs; docs/spec/02-log.md section 5."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

from crypto.log.checkpoint import is_origin
from crypto.log.errors import LogFormatError
from crypto.log.note import (
    SEED_BYTES,
    NoteSigningKey,
    VerifierKey,
    decode_base64,
    decode_vkey,
)
from evoting.board.errors import KeyFileError
from evoting.board.storage import Storage

_HEADER = "evoting-key@v1"
_MAX_FILE_BYTES = 4096
_MODE = 0o600


def generate_key(
    path: Path, name: str, key_type: int, *, seed: bytes | None = None, storage: Storage | None = None
) -> VerifierKey:
    """Make a key and store it durably, readable for its owner only.

    Args:
        path: must not exist: a key is never overwritten.
        name: an origin-like name, such as ``elections.example/2030/log``.
        key_type: ``NOTE_KEY`` for logs and roles, ``COSIGNATURE_KEY`` for log witnesses.
        seed: 32 bytes; by default fresh ones from the operating system.

    Raises:
        KeyFileError: the name is unusable, or the file exists or cannot be written.
    """
    if not is_origin(name):
        raise KeyFileError(f"{name!r} is no key name: use a host name and path such as elections.example/2030/log")
    if path.exists():
        raise KeyFileError(f"{path} exists already and is not overwritten")
    key = NoteSigningKey(name, key_type, os.urandom(SEED_BYTES) if seed is None else seed)
    text = f"{_HEADER}\nvkey {key.verifier.encode()}\nseed {base64.b64encode(key.seed).decode()}\n"
    try:
        (storage or Storage()).replace(path, text.encode(), path.with_name(path.name + ".tmp"), _MODE)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error.strerror}") from error
    return key.verifier


def load_key(path: Path, key_type: int | None = None) -> NoteSigningKey:
    """Read a key file.

    Args:
        key_type: the type that is expected; None takes any.

    Raises:
        KeyFileError: it cannot be read, others can read it, it is truncated or foreign, seed and vkey do not belong
            together, or it is a key of another type.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise KeyFileError(f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}): chmod 600 it")
    try:
        key = _decode(data)
    except LogFormatError as error:
        raise KeyFileError(f"{path}: {error}") from error
    if key_type is not None and key.key_type != key_type:
        raise KeyFileError(f"{path}: key {key.name!r} has type 0x{key.key_type:02x}, not 0x{key_type:02x}")
    return key


def _decode(data: bytes) -> NoteSigningKey:
    if not data.startswith(_HEADER.encode() + b"\n"):
        raise LogFormatError(f"no key file (it does not begin with {_HEADER})")
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError as error:
        raise LogFormatError("key file is not text") from error
    if len(lines) != 4 or lines[3] or not lines[1].startswith("vkey ") or not lines[2].startswith("seed "):
        raise LogFormatError("key file is truncated or has other lines than vkey and seed")
    vkey = decode_vkey(lines[1][len("vkey ") :])
    key = NoteSigningKey(vkey.name, vkey.key_type, decode_base64(lines[2][len("seed ") :], "seed"))
    if key.verifier != vkey:
        raise LogFormatError("seed and vkey do not belong together")
    return key
