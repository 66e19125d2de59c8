"""The sequencer: an append-only log on disk with one writer; docs/spec/02-log.md sections 10 and 11.

Order of every change: entries and tiles become durable in the record, then ``head`` in the state directory commits
them, and only then is anything acknowledged. A checkpoint is signed over what is committed, the signature becomes
durable in ``head``, and only then does it leave for the record. So a crash at any instruction either loses an
``append`` that never returned, whole, or loses nothing; and no size is signed with two roots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from crypto.log.checkpoint import Checkpoint, decode_checkpoint_text
from crypto.log.cosignature import verify_cosignature
from crypto.log.merkle import (
    NodeReader,
    hash_leaves,
    prove_consistency,
    prove_inclusion,
)
from crypto.log.note import Note, NoteSignature, NoteSigningKey, VerifierKey
from crypto.log.policy import MAX_FUTURE_SKEW
from crypto.log.proof import InclusionReceipt
from crypto.log.tiles import (
    MAX_ENTRY_BYTES,
    TILE_WIDTH,
    TileFrontier,
    TileId,
    encode_bundle,
    node_reader,
    tiles_of_size,
)
from evoting.board import recovery
from evoting.board.blobs import BlobWriter
from evoting.board.errors import BoardError, CosignatureRefused, RecordCorrupt
from evoting.board.layout import (
    CHECKPOINT,
    TEMPORARY,
    BlobRef,
    parse_blob_path,
    parse_tile,
    record_files,
)
from evoting.board.lock import WriterLock
from evoting.board.reader import RecordReader
from evoting.board.state import HEAD, SequencerState, tail_name
from evoting.board.storage import Storage


class Board:
    """One open log. Create it with ``create`` or ``open``; close it, or use it as a context manager."""

    def __init__(
        self,
        root: Path,
        state_dir: Path,
        key: NoteSigningKey,
        storage: Storage,
        lock: WriterLock,
        loaded: recovery.Loaded,
    ) -> None:
        self.root = root
        self._state_dir = state_dir
        self._key = key
        self._storage = storage
        self._lock = lock
        self._frontier = loaded.frontier
        self._tail = loaded.tail
        self._signed = loaded.state.signed
        self._published = loaded.published
        self._reader = RecordReader(root)
        self._blobs = BlobWriter(root, storage)

    @classmethod
    def create(cls, path: Path, state_dir: Path, log_key: NoteSigningKey, *, storage: Storage | None = None) -> Self:
        """Start an empty log whose origin is the key's name.

        Args:
            path: the record directory; missing or empty.
            state_dir: what must not be lost and is not public; best on another disk, never restored from a backup.

        Raises:
            BoardError: there is a record or a state already.
            BoardLocked: another process is at work there.
        """
        storage = storage or Storage()
        for directory in (state_dir, path):
            directory.parent.mkdir(parents=True, exist_ok=True)
            storage.ensure_directory(directory, directory)
        storage.settle()
        with WriterLock(path, state_dir):
            if (state_dir / HEAD).exists() or any(not name.startswith(TEMPORARY) for name in record_files(path)):
                raise BoardError(f"{path} or {state_dir} holds a log already")
            empty = TileFrontier()
            state = SequencerState(log_key.name, 0, empty.root(), None)
            storage.replace(state_dir / HEAD, state.encode(), state_dir / (HEAD + ".tmp"))
        return cls.open(path, state_dir, log_key, storage=storage)

    @classmethod
    def open(
        cls,
        path: Path,
        state_dir: Path,
        log_key: NoteSigningKey,
        *,
        known: Iterable[Note] = (),
        storage: Storage | None = None,
    ) -> Self:
        """Open an existing log, finish or undo what a crash interrupted, and refuse to go on from an old copy.

        Args:
            known: checkpoints of this log as others hold them (log witnesses, mirrors). Where record and state were
                both restored from one backup, nothing else can show that they are old.

        Raises:
            StaleState: more was signed, or something else of the same size, than this state knows.
            RecordCorrupt: what was committed is not on disk, or hashes to another root.
            BoardLocked: another process has the log open.
            BoardError: no such log, or another log than the key's.
        """
        storage = storage or Storage()
        lock = WriterLock(path, state_dir)
        try:
            loaded = recovery.recover(path, state_dir, log_key, storage, tuple(known))
            return cls(path, state_dir, log_key, storage, lock, loaded)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Let go of the log. Not needed for durability."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def origin(self) -> str:
        return self._key.name

    @property
    def size(self) -> int:
        """Committed entries, whether signed or not."""
        return self._frontier.size

    @property
    def published(self) -> Note | None:
        """The checkpoint in the record, with the cosignatures added so far."""
        return self._published

    @property
    def head(self) -> Checkpoint | None:
        """Origin, size and root of the last signed checkpoint."""
        return decode_checkpoint_text(self._signed.text) if self._signed else None

    def append(self, entries: Iterable[bytes]) -> range:
        """Append entries, all or none; on return they are durable and have these indices.

        They are covered by a checkpoint after the next ``publish``. Memory is bounded by one bundle.

        Raises:
            ValueError: an entry is longer than 65,535 bytes; nothing was appended.
            OSError: the disk failed; the board must be opened again, and has appended all or none.
        """
        frontier, tail = self._frontier.copy(), list(self._tail)
        iterator = iter(entries)
        try:
            while chunk := list(islice(iterator, TILE_WIDTH - len(tail))):
                if max(map(len, chunk)) > MAX_ENTRY_BYTES:
                    raise ValueError(f"an entry has more than {MAX_ENTRY_BYTES} bytes")
                index = frontier.size // TILE_WIDTH
                full = frontier.extend(hash_leaves(chunk))
                tail += chunk
                if len(tail) == TILE_WIDTH:
                    self._storage.place(self.root, TileId(None, index).path(), encode_bundle(tail))
                    tail = []
                for tile, data in full:
                    self._storage.place(self.root, tile.path(), data)
            if frontier.size == self.size:
                return range(self.size, self.size)
            self._storage.settle()
        except BaseException:
            self._storage.abandon()
            raise
        before = self.size
        with self._storage.changing():
            if tail:
                self._write_state(tail_name(frontier.size), encode_bundle(tail))
            self._write_head(frontier, self._signed)
            if self._tail:
                self._storage.remove(self._state_dir / tail_name(before))
            self._frontier, self._tail = frontier, tail
        return range(before, frontier.size)

    def publish(self) -> Note:
        """Sign the committed entries and put the checkpoint into the record; without new entries, change nothing."""
        if self._signed is not None and self._published is not None and self._signed_size() == self.size:
            return self._published
        for tile, data in self._partial_tiles():
            self._storage.place(self.root, tile.path(), data)
        self._storage.settle()
        note = Checkpoint(self.origin, self.size, self._frontier.root()).sign(self._key)
        with self._storage.changing():
            self._write_head(self._frontier, note)
            self._signed = note
            self._write_checkpoint(note)
        return note

    def add_cosignatures(self, lines: Iterable[NoteSignature], witnesses: Sequence[VerifierKey], now: int) -> Note:
        """Add cosignatures of known witnesses to the published checkpoint; lines of unknown keys are ignored.

        A witness that cosigned before is replaced where its new timestamp is later.

        Args:
            now: seconds since the epoch, to keep out cosignatures that every verifier would refuse.

        Raises:
            InvalidNoteSignature: a line of a known witness does not verify for this checkpoint.
            CosignatureRefused: a cosignature is dated in the future.
            BoardError: nothing is published yet.
        """
        if self._signed is None or self._published is None:
            raise BoardError("nothing is published that could be cosigned")
        text = self._signed.text
        known = {(key.name, key.key_id): key for key in witnesses}
        kept = {(line.name, line.key_id): line for line in self._published.signatures}
        kept.pop((self._key.name, self._key.verifier.key_id))
        for line in lines:
            key = known.get((line.name, line.key_id))
            if key is None:
                continue
            timestamp = verify_cosignature(text, line, key)
            if timestamp > now + MAX_FUTURE_SKEW:
                raise CosignatureRefused(f"the cosignature of {line.name!r} is dated in the future ({timestamp})")
            previous = kept.get((line.name, line.key_id))
            if previous is None or verify_cosignature(text, previous, key) < timestamp:
                kept[line.name, line.key_id] = line
        # One order for one set: the log first, then witnesses by name and key id.
        note = Note(text, (*self._signed.signatures, *(kept[line] for line in sorted(kept))))
        if note != self._published:
            self._write_checkpoint(note)
        return note

    def read_entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Committed entries ``start`` to ``stop - 1``."""
        if not 0 <= start <= stop <= self.size:
            raise ValueError(f"no entries {start} to {stop} in a log of size {self.size}")
        full = self.size - self.size % TILE_WIDTH
        yield from self._reader.entries(min(start, full), min(stop, full), full)
        yield from self._tail[max(start - full, 0) : max(stop - full, 0)]

    def receipt(self, index: int, extra: bytes = b"") -> InclusionReceipt:
        """Receipt for an entry under the published checkpoint.

        Raises:
            BoardError: the entry is not covered by it yet.
        """
        if self._published is None or index >= self._signed_size():
            raise BoardError(f"entry {index} is not under a published checkpoint")
        size = self._signed_size()
        return InclusionReceipt(index, prove_inclusion(index, size, self._nodes(size)), self._published, extra)

    def consistency_proof(self, old_size: int) -> tuple[bytes, ...]:
        """Consistency proof from a smaller size to the published checkpoint."""
        size = self._signed_size()
        return prove_consistency(old_size, size, self._nodes(size))

    def put_blob(self, source: bytes | Path) -> BlobRef:
        """Store a blob durably; see ``BlobWriter.put``."""
        return self._blobs.put(source)

    def get_blob(self, ref: BlobRef) -> bytes:
        """Content of a blob, checked against its name."""
        return self._reader.blob(ref)

    def prune(self, blobs: Iterable[BlobRef] | None = None) -> None:
        """Bring the record to its canonical set of files, for the checkpoint that is published.

        Removes partial tiles of earlier sizes, temporary files and, where ``blobs`` says which ones entries name, all
        others. Interrupted, it can be repeated. A log goes on after it as before.

        Raises:
            BoardError: entries are committed that no checkpoint covers yet.
            RecordCorrupt: a file lies in the record that no log puts there.
        """
        if self._published is None or self._signed_size() != self.size:
            raise BoardError("publish before pruning")
        wanted = {tile.path() for tile in tiles_of_size(self.size)} | {CHECKPOINT}
        keep = None if blobs is None else {ref.path() for ref in blobs}
        for name in sorted(record_files(self.root)):
            if name in wanted or (parse_blob_path(name) and (keep is None or name in keep)):
                continue
            if not (parse_tile(name) or parse_blob_path(name) or name.startswith(TEMPORARY + "/")):
                raise RecordCorrupt(f"{name} is no file of a record")
            self._storage.remove(self.root / name)
        recovery.remove_empty_directories(self.root, self._storage)

    def _signed_size(self) -> int:
        return self.head.size if self.head else 0

    def _partial_tiles(self) -> Iterator[tuple[TileId, bytes]]:
        if self._tail:
            yield TileId(None, self.size // TILE_WIDTH, len(self._tail)), encode_bundle(self._tail)
        yield from self._frontier.partial_tiles()

    def _nodes(self, size: int) -> NodeReader:
        return node_reader(size, self._reader.tile)

    def _write_checkpoint(self, note: Note) -> None:
        self._storage.replace(self.root / CHECKPOINT, note.encode(), self._storage.temporary(self.root))
        self._published = note

    def _write_head(self, frontier: TileFrontier, signed: Note | None) -> None:
        self._write_state(HEAD, SequencerState(self.origin, frontier.size, frontier.root(), signed).encode())

    def _write_state(self, name: str, data: bytes) -> None:
        self._storage.replace(self._state_dir / name, data, self._state_dir / (name + ".tmp"))
