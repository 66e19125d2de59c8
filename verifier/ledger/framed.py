"""Files of length-prefixed items, read as a stream; docs/spec/05-credentials.md section 5.10.

A file that is truncated or has another first line is refused as a whole, so it is read through once, to its end, before
anything of it is judged. The same pass gives its Merkle root and cuts it into chunks for the judges.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from verifier.ledger.merkle import Frontier
from verifier.record.entries import MAX_ENTRY_BYTES
from verifier.record.errors import UnreadableError
from verifier.record.merkle import leaf_hash
from verifier.record.note import MAX_NOTE_BYTES
from verifier.state import Progress

LEDGER_LINE = b"evoting-ledger/v1\n"
ENROLMENT_LINE = b"evoting-enrolment-log/v1\n"


@dataclass(frozen=True)
class Chunk:
    """Some consecutive items of a file."""

    first: int  # index of the first
    offset: int  # where its length stands
    count: int


@dataclass(frozen=True)
class Framed:
    """A file whose beginning was read; ``offset`` is where its first item's length stands."""

    path: Path
    offset: int

    def items(self, chunk: Chunk) -> Iterator[bytes]:
        """The items of a chunk.

        Raises:
            UnreadableError: the file is shorter than it was.
        """
        with open_regular(self.path) as file:
            file.seek(chunk.offset)
            for number in range(chunk.first, chunk.first + chunk.count):
                item = read_item(file, self.path, f"item {number}", MAX_ENTRY_BYTES)
                if item is None:
                    raise UnreadableError(f"{self.path}: became shorter while it was read")
                yield item


@dataclass(frozen=True)
class LedgerFile:
    """The beginning of an issuer's export: which ledger it is, and the checkpoint over all of its entries."""

    items: Framed
    fingerprint: bytes
    issuer: int
    note: bytes


@dataclass(frozen=True)
class Whole:
    """What reading a file to its end gives."""

    size: int
    root: bytes
    roots: dict[int, bytes]  # over the first so many items, for the sizes that were asked for and are there
    chunks: list[Chunk]


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file; errors as everywhere here are ``UnreadableError``."""
    try:
        # A pipe or device would wait for ever, or never end.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path}: {getattr(error, 'strerror', None) or 'cannot be opened'}") from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise UnreadableError(f"{path}: not a regular file")
    return file


def read_bytes(file: BinaryIO, path: Path, count: int) -> bytes:
    """Up to so many bytes."""
    try:
        return file.read(count)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from None


def read_item(file: BinaryIO, path: Path, name: str, limit: int) -> bytes | None:
    """The next item, or None at the end of the file; a length is compared with the limit before anything is read."""
    prefix = read_bytes(file, path, 4)
    if not prefix:
        return None
    length = int.from_bytes(prefix, "big")
    if len(prefix) < 4:
        raise UnreadableError(f"{path}: truncated in the length of {name}")
    if length > limit:
        raise UnreadableError(f"{path}: {name} claims {length} bytes, more than {limit}")
    item = read_bytes(file, path, length)
    if len(item) < length:
        raise UnreadableError(f"{path}: truncated in {name}")
    return item


def require_line(file: BinaryIO, path: Path, line: bytes) -> None:
    """The first line names the format."""
    if read_bytes(file, path, len(line)) != line:
        raise UnreadableError(f"{path}: does not begin with the line {line.decode().strip()!r}")


def open_log(path: Path) -> Framed:
    """An enrolment log file.

    Raises:
        UnreadableError: missing, or of another format.
    """
    with open_regular(path) as file:
        require_line(file, path, ENROLMENT_LINE)
        return Framed(path, file.tell())


def open_ledger(path: Path, fingerprint: bytes) -> LedgerFile:
    """An issuer's export.

    Raises:
        UnreadableError: missing, of another format or election, or truncated before its first entry.
    """
    with open_regular(path) as file:
        require_line(file, path, LEDGER_LINE)
        header = read_bytes(file, path, 36)
        if len(header) < 36:
            raise UnreadableError(f"{path}: truncated in its header")
        if header[:32] != fingerprint:
            raise UnreadableError(f"{path}: a ledger of another election than the trust root's")
        note = read_item(file, path, "its checkpoint", MAX_NOTE_BYTES)
        if note is None:
            raise UnreadableError(f"{path}: truncated before its checkpoint")
        return LedgerFile(Framed(path, file.tell()), header[:32], int.from_bytes(header[32:], "big"), note)


def read_through(file: Framed, sizes: Collection[int], step: int, progress: Progress) -> Whole:
    """Read a file to its end.

    Args:
        sizes: sizes at which the root is wanted.
        step: items in a chunk.

    Raises:
        UnreadableError: truncated, or an item of more than 65,535 bytes.

    Cost: two hashes for each item; memory for a few hashes and one item.
    """
    frontier, wanted, roots, chunks = Frontier(), set(sizes), {}, []
    with open_regular(file.path) as stream:
        progress.start(f"reading {file.path.name} (bytes)", os.fstat(stream.fileno()).st_size)
        stream.seek(file.offset)
        at = stream.tell()
        while True:
            if frontier.size in wanted:
                roots[frontier.size] = frontier.root()
            item = read_item(stream, file.path, f"item {frontier.size}", MAX_ENTRY_BYTES)
            if item is None:
                break
            if frontier.size % step == 0:
                chunks.append(Chunk(frontier.size, at, step))
                progress.advance(at - chunks[-2].offset if len(chunks) > 1 else 0)
            frontier.append(leaf_hash(item))
            at += 4 + len(item)
    if chunks:
        chunks[-1] = Chunk(chunks[-1].first, chunks[-1].offset, frontier.size - chunks[-1].first)
    return Whole(frontier.size, frontier.root(), roots, chunks)
