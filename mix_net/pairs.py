"""Re-encryption pairs made before the close, each used once.

A file holds randomizers r with r*G and r*K, and a cursor that only moves forward. Taking pairs first makes the new
cursor durable, then erases the taken records, and only then hands them out: a crash at any instruction wastes pairs and
never gives one out twice. Nobody copies such a file; a copy would bring its own cursor.

Layout: a header of 96 bytes (magic, public key, count, and a SHA-256 of these); two cursor slots in sectors of their
own, written in turn, so that a torn write leaves the other one; then records of 96 bytes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto.errors import DecodeError
from crypto.group.interface import ELEMENT_BYTES, SCALAR_BYTES, Group
from mix_net.errors import InputError, PairsError
from mix_net.files import require_private, write_atomic
from mix_net.randomness import Randomness, random_scalars
from mix_net.shuffle import ReencryptionPairs, fixed_bases

_MAGIC = b"evoting-pairs/v1"
_SECTOR = 4096
_RECORDS = 3 * _SECTOR
_RECORD_BYTES = SCALAR_BYTES + 2 * ELEMENT_BYTES
_HEADER_BYTES = len(_MAGIC) + ELEMENT_BYTES + 16 + 32
_CHUNK = 65_536


def prepare_pairs(
    group: Group,
    path: Path,
    public_key: bytes,
    count: int,
    randomness: Randomness,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Make ``count`` pairs under a public key. Constant-time in the randomizers.

    Raises:
        PairsError: the file exists already.
        InvalidProof: the public key is not valid.
    """
    if path.exists():
        raise PairsError(f"{path} exists already and is not overwritten", hint="choose another name")
    if not 1 <= count < 2**32:
        raise PairsError(f"{count} pairs cannot be made")
    generator, key = fixed_bases(group, public_key)

    def records() -> Iterator[bytes]:
        header = _header(public_key, count)
        yield header.ljust(_SECTOR, b"\0")
        yield _slot(header, 0).ljust(_SECTOR, b"\0")
        yield bytes(_SECTOR)
        for first in range(0, count, _CHUNK):
            scalars = random_scalars(group, randomness, min(_CHUNK, count - first))
            yield _interleave(scalars.encode(), generator.mul(scalars).encode(), key.mul(scalars).encode())
            progress(min(count, first + _CHUNK))

    write_atomic(path, records(), secret=True)


def take_pairs(group: Group, path: Path, public_key: bytes, count: int) -> ReencryptionPairs:
    """The next ``count`` pairs; nobody gets them again.

    Raises:
        PairsError: damaged, of another key, or too few left. Nothing is used up then.
    """
    with _opened(path) as descriptor:
        header, total = _read_header(descriptor, path, public_key)
        cursor, slot = _read_cursor(descriptor, path, header, total)
        if count > total - cursor:
            raise PairsError(
                f"{path}: {count} pairs are needed, {total - cursor} are left", hint="prepare more, or mix without them"
            )
        at = _RECORDS + cursor * _RECORD_BYTES
        data = os.pread(descriptor, count * _RECORD_BYTES, at)
        if len(data) != count * _RECORD_BYTES:
            raise PairsError(f"{path} is truncated")
        os.pwrite(descriptor, _slot(header, cursor + count), (2 - slot) * _SECTOR)
        os.fsync(descriptor)
        os.pwrite(descriptor, bytes(len(data)), at)
        os.fsync(descriptor)
    try:
        return ReencryptionPairs(
            group.scalars_decode(_column(data, 0)),
            group.elements_decode(_column(data, 1), allow_identity=False),
            group.elements_decode(_column(data, 2), allow_identity=False),
        )
    except DecodeError as error:
        raise PairsError(f"{path}: pair {cursor + (error.index or 0)} is damaged: {error}") from None


def pairs_left(path: Path, public_key: bytes) -> int:
    """How many pairs have not been taken.

    Raises:
        PairsError: damaged, or of another key.
    """
    with _opened(path) as descriptor:
        header, total = _read_header(descriptor, path, public_key)
        return total - _read_cursor(descriptor, path, header, total)[0]


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    try:
        require_private(path, os.fstat(descriptor).st_mode)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _header(public_key: bytes, count: int) -> bytes:
    fields = _MAGIC + public_key + count.to_bytes(16, "big")
    return fields + hashlib.sha256(fields).digest()


def _read_header(descriptor: int, path: Path, public_key: bytes) -> tuple[bytes, int]:
    header = os.pread(descriptor, _HEADER_BYTES, 0)
    fields = header[:-32]
    if header[: len(_MAGIC)] != _MAGIC or hashlib.sha256(fields).digest() != header[-32:]:
        raise PairsError(f"{path} is no file of re-encryption pairs, or its header is damaged")
    if fields[len(_MAGIC) : len(_MAGIC) + ELEMENT_BYTES] != public_key:
        raise PairsError(f"{path} was made for another public key")
    total = int.from_bytes(fields[-16:], "big")
    if os.fstat(descriptor).st_size != _RECORDS + total * _RECORD_BYTES:
        raise PairsError(f"{path} is truncated, or bytes follow it")
    return header, total


def _slot(header: bytes, cursor: int) -> bytes:
    encoded = cursor.to_bytes(8, "big")
    return encoded + hashlib.sha256(header + encoded).digest()


def _read_cursor(descriptor: int, path: Path, header: bytes, total: int) -> tuple[int, int]:
    """The furthest cursor, and the number (0 or 1) of the slot that holds it."""
    found = []
    for number in range(2):
        data = os.pread(descriptor, 40, (1 + number) * _SECTOR)
        cursor = int.from_bytes(data[:8], "big")
        if data == _slot(header, cursor) and cursor <= total:
            found.append((cursor, number))
    if not found:
        raise PairsError(f"{path}: the cursor is damaged", hint="pairs of this file must not be used any more")
    return max(found)


def _interleave(*columns: bytes) -> bytes:
    width = len(columns)
    out = bytearray(sum(map(len, columns)))
    view = memoryview(out)
    for offset in range(0, len(columns[0]), 32):
        for number, column in enumerate(columns):
            at = width * offset + 32 * number
            view[at : at + 32] = column[offset : offset + 32]
    return bytes(out)


def _column(data: bytes, number: int) -> bytes:
    return b"".join([data[at : at + 32] for at in range(32 * number, len(data), _RECORD_BYTES)])
