"""Content-addressed blobs beside the tiles; docs/spec/02-log.md section 10."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from evoting.board.layout import TEMPORARY, BlobRef
from evoting.board.storage import Storage

_CHUNK = 1 << 22


class BlobWriter:
    """Adds blobs to a record. Safe to repeat: a blob that is there already, whole, is left alone."""

    def __init__(self, root: Path, storage: Storage) -> None:
        self._root = root
        self._storage = storage

    def put(self, source: bytes | Path) -> BlobRef:
        """Store a blob; on return it is durable under its name, so an entry may name it.

        Args:
            source: the content, or a file that holds it and does not change meanwhile. A file is read in chunks.
        """
        ref = describe_blob(source)
        target = self._root / ref.path()
        if target.exists() and describe_blob(target) == ref:
            return ref
        self._storage.ensure_directory(target.parent)
        self._storage.settle()
        temporary = self._root / TEMPORARY / "blob"
        if isinstance(source, bytes):
            self._storage.replace(target, source, temporary)
        else:
            self._storage.replace_from(target, source, temporary)
            if describe_blob(target) != ref:
                self._storage.remove(target)
                raise ValueError(f"{source} changed while it was stored")
        return ref


def describe_blob(source: bytes | Path) -> BlobRef:
    """Hash and length of some content."""
    if isinstance(source, bytes):
        return BlobRef(sha256(source).digest(), len(source))
    digest, length = sha256(), 0
    with source.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            length += len(chunk)
    return BlobRef(digest.digest(), length)
