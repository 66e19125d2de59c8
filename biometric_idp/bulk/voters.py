"""Files of a bulk run: voters of a chunk with their software passkeys, and wallets of a chunk (section 5.10)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from biometric_idp.enrolment.passkey import Ed25519Passkey
from biometric_idp.errors import FormatError
from biometric_idp.files import write_atomic
from biometric_idp.schema import decode_map, require_bytes, require_id, require_list, require_uint
from crypto import cbor

VOTERS_LINE = b"evoting-bulk-voters/v1\n"
WALLETS_LINE = b"evoting-wallets/v1\n"
_HEADER = frozenset({"fingerprint", "styles", "count"})
_MAX_HEADER_BYTES = 1_048_576

VOTER = np.dtype([("position", ">u4"), ("style", ">u4"), ("seed", "V32")])
WALLET = np.dtype([("style", ">u4"), ("secret", "V32"), ("pseudonym", "V32"), ("credential", "V48")])


def passkey_of(seed: bytes) -> Ed25519Passkey:
    """The software passkey behind a seed; its credential id follows from the seed as well."""
    return Ed25519Passkey(seed, sha256(b"credential id" + seed).digest()[:16])


@dataclass(frozen=True)
class Chunk:
    """Rows of one chunk and the styles that their indices mean."""

    styles: tuple[str, ...]
    rows: NDArray[np.void]


def write_voters(path: Path, chunk: Chunk) -> None:
    write_atomic(path, _encode(VOTERS_LINE, bytes(32), chunk), secret=True)


def read_voters(path: Path) -> Chunk:
    """Strict inverse of ``write_voters``.

    Raises:
        FormatError: truncated or foreign.
    """
    return _decode(path, VOTERS_LINE, bytes(32), VOTER)


def write_wallets(path: Path, fingerprint: bytes, chunk: Chunk) -> None:
    write_atomic(path, _encode(WALLETS_LINE, fingerprint, chunk), secret=True)


def read_wallets(path: Path, fingerprint: bytes) -> Chunk:
    """Strict inverse of ``write_wallets``.

    Raises:
        FormatError: truncated, foreign, or of another election.
    """
    return _decode(path, WALLETS_LINE, fingerprint, WALLET)


def _encode(line: bytes, fingerprint: bytes, chunk: Chunk) -> bytes:
    header = cbor.encode({"fingerprint": fingerprint, "styles": list(chunk.styles), "count": len(chunk.rows)})
    return line + len(header).to_bytes(4, "big") + header + chunk.rows.tobytes()


def _decode(path: Path, line: bytes, fingerprint: bytes, dtype: np.dtype[np.void]) -> Chunk:
    data = path.read_bytes()
    start = len(line) + 4
    if not data.startswith(line) or len(data) < start:
        raise FormatError(f"{path}: does not start with {line.decode().strip()!r}")
    stop = start + int.from_bytes(data[start - 4 : start], "big")
    if stop > len(data) or stop - start > _MAX_HEADER_BYTES:
        raise FormatError(f"{path}: truncated in its header")
    header = decode_map(data[start:stop], _HEADER, f"{path}: header", _MAX_HEADER_BYTES)
    if require_bytes(header["fingerprint"], "fingerprint", 32) != fingerprint:
        raise FormatError(f"{path}: of another election")
    styles = tuple([require_id(item, "style") for item in require_list(header["styles"], "styles", 1, 4096)])
    count = require_uint(header["count"], "count")
    if len(data) - stop != count * dtype.itemsize:
        raise FormatError(f"{path}: {len(data) - stop} bytes after the header are not {count} rows")
    rows = np.frombuffer(data, dtype, offset=stop)
    if count and int(rows["style"].max()) >= len(styles):
        raise FormatError(f"{path}: a row has an unknown ballot style")
    return Chunk(styles, rows)
