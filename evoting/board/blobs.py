"""Content-addressed blobs beside the tiles; docs/spec/02-log.md section 10."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from evoting.board.layout import BlobRef
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
            source: the content, or a file that holds it, which is read in chunks.

        Raises:
            OSError: the source cannot be read, or the disk fails; after either, the board has to be opened again.
        """
        temporary = self._storage.temporary(self._root)
        with self._storage.changing():
            if isinstance(source, bytes):
                self._storage.write_file(temporary, source)
            else:
                self._storage.copy_file(source, temporary)
        # Described from the copy, so that a source that changes meanwhile cannot get a wrong name.
        ref = describe_blob(temporary)
        target = self._root / ref.path()
        if target.exists() and describe_blob(target) == ref:
            self._storage.remove(temporary)
            return ref
        self._storage.ensure_directory(target.parent, self._root)
        self._storage.settle()
        self._storage.finish(temporary, target)
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
