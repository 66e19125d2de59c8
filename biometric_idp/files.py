"""Files of this package (docs/spec/05-credentials.md section 5.10): written whole or not at all, refused as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from biometric_idp.errors import FormatError
from crypto.errors import DecodeError

#: A framed item is at most this long, so a forged length cannot ask for memory.
MAX_ITEM_BYTES = 65_535
MAX_JSON_BYTES = 16_777_216


def write_atomic(path: Path, chunks: bytes | Iterable[bytes], *, secret: bool = False, shared: bool = False) -> None:
    """Replace a file in one step, durable when this returns. A crash leaves the old file or none.

    Args:
        secret: readable by the owner only; the draft always is.
        shared: several parties may write the same bytes at once, so each process has a draft of its own.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp" if shared else f".{path.name}.tmp")
    # Owner only from the first byte on; a draft that a crash left behind is taken over and replaced.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
                file.write(chunk)
            file.flush()
            os.fchmod(file.fileno(), 0o600 if secret else 0o644)
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft)
        raise
    sync_directory(path.parent)


def require_private(path: Path) -> None:
    """Refuse a file of secrets that others than its owner can read or write.

    Raises:
        FormatError: they can.
    """
    if path.stat().st_mode & 0o077:
        raise FormatError(f"{path} can be read by others: chmod 600 it")


def sync_directory(path: Path) -> None:
    """Make a rename in this directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: object, *, secret: bool = False) -> None:
    write_atomic(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode(), secret=secret)


def read_json(path: Path, kind: str) -> dict[str, object]:
    """A JSON object whose ``format`` member is ``kind``, without repeated names.

    Raises:
        FormatError: names the file and what is wrong with it.
    """
    data = path.read_bytes()
    if len(data) > MAX_JSON_BYTES:
        raise FormatError(f"{path}: {len(data)} bytes are too many")
    try:
        value = json.loads(data.decode(), object_pairs_hook=unique_names, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON: {error}") from None
    if type(value) is not dict or value.get("format") != kind:
        raise FormatError(f"{path}: not a file of format {kind}")
    return value


def unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """``object_pairs_hook`` that refuses repeated names."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name occurs twice")
    return value


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


class FramedReader:
    """Reads a file of a first line, a fixed header and length-prefixed items.

    Raises:
        FormatError: another first line, truncated, or an item longer than allowed.
    """

    def __init__(self, path: Path, first_line: bytes, header_bytes: int) -> None:
        self._path = path
        self._file: BinaryIO = path.open("rb")
        if self._file.read(len(first_line)) != first_line:
            self._file.close()
            raise FormatError(f"{path}: does not start with {first_line.decode().strip()!r}")
        self.header = self._file.read(header_bytes)
        if len(self.header) != header_bytes:
            self._file.close()
            raise FormatError(f"{path}: truncated in its header")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[bytes]:
        index = 0
        while prefix := self._file.read(4):
            length = int.from_bytes(prefix, "big")
            if len(prefix) != 4 or length > MAX_ITEM_BYTES:
                raise FormatError(f"{self._path}: item {index} has no valid length")
            item = self._file.read(length)
            if len(item) != length:
                raise FormatError(f"{self._path}: truncated in item {index}")
            yield item
            index += 1

    def chunks(self, size: int) -> Iterator[list[bytes]]:
        """Items in lists of at most ``size``."""
        chunk: list[bytes] = []
        for item in self:
            chunk.append(item)
            if len(chunk) == size:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


def frame_item(item: bytes) -> bytes:
    """An item after its length in four bytes."""
    return len(item).to_bytes(4, "big") + item


def read_item(data: bytes, at: int) -> tuple[bytes, int]:
    """The framed item at an offset, and the offset after it.

    Raises:
        DecodeError: the data end before the item does.
    """
    stop = at + 4 + int.from_bytes(data[at : at + 4], "big")
    if at + 4 > len(data) or stop > len(data):
        raise DecodeError(f"truncated at byte {at}")
    return data[at + 4 : stop], stop
