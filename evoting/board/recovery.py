"""Opening a log after a clean stop or a crash: what is committed is completed, what is not is removed.

What a crash can leave, and what happens to it:

- temporary files, and tiles beyond the committed size: removed, their ``append`` never returned;
- a tail file of another size than the committed one: removed;
- partial tiles of a size that was not signed: removed;
- a checkpoint signed in ``head`` that did not reach the record: put there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crypto.log.checkpoint import Checkpoint, verify_log_signature
from crypto.log.errors import LogError, LogFormatError
from crypto.log.merkle import (
    HASH_BYTES,
    NodeReader,
    hash_leaves,
    root_of_hashes,
    tree_root,
)
from crypto.log.note import Note, NoteSigningKey, VerifierKey
from crypto.log.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    TileFrontier,
    TileId,
    decode_bundle,
    encode_bundle,
    node_reader,
    tiles_of_size,
)
from evoting.board.errors import BoardError, RecordCorrupt, StaleState
from evoting.board.layout import CHECKPOINT, TEMPORARY, parse_tile, record_files
from evoting.board.reader import RecordReader
from evoting.board.state import HEAD, LOCK, SequencerState, decode_state, tail_name
from evoting.board.storage import Storage


@dataclass(frozen=True, slots=True)
class Loaded:
    """A log that is ready to go on."""

    state: SequencerState
    frontier: TileFrontier
    tail: list[bytes]
    published: Note | None


def recover(root: Path, state_dir: Path, log_key: NoteSigningKey, storage: Storage, known: tuple[Note, ...]) -> Loaded:
    """Check record and state against each other and repair what a crash interrupted.

    Everything is checked before the first change, so a refusal leaves all files as they were.

    Raises:
        StaleState, RecordCorrupt, BoardError: as ``Board.open``.
    """
    state, tail = _read_state(state_dir, log_key.name)
    reader = RecordReader(root)
    edge = _RightEdge(reader, state.size, tail)
    frontier = TileFrontier.load(state.size, edge.tile)
    if frontier.root() != state.root:
        raise RecordCorrupt(f"the {state.size} committed entries do not hash to the committed root")
    nodes = node_reader(state.size, edge.tile)
    signed = _signed_head(state, log_key.verifier, nodes)
    published = reader.checkpoint() if (root / CHECKPOINT).exists() else None
    for note in (*known, *([published] if published else [])):
        _require_not_ahead(note, log_key.verifier, signed, nodes)

    _remove_leftovers(root, state_dir, state.size, signed.size if signed else 0, storage)
    if signed and state.signed and (published is None or published.text != state.signed.text):
        for tile in tiles_of_size(signed.size):
            if tile.is_partial:
                storage.place(root, tile.path(), edge.bytes_of(tile))
        storage.settle()
        storage.replace(root / CHECKPOINT, state.signed.encode(), storage.temporary(root))
        published = state.signed
    return Loaded(state, frontier, tail, published)


def remove_empty_directories(root: Path, storage: Storage) -> None:
    """Remove directories that pruning has emptied; they are not part of a record."""
    for path in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
        if not any(path.iterdir()):
            storage.discard_directory(path)


class _RightEdge:
    """Tiles of the committed size. Partial ones follow from full tiles and the tail, so they need not be on disk."""

    def __init__(self, reader: RecordReader, size: int, tail: list[bytes]) -> None:
        self._reader = reader
        self._size = size
        self._tail = tail
        self._leaves = hash_leaves(tail)

    def tile(self, tile: TileId) -> bytes:
        level = tile.level or 0
        if tile.index < self._size >> (TILE_HEIGHT * (level + 1)):
            return self._reader.tile(TileId(level, tile.index))[: tile.width * HASH_BYTES]
        if level == 0:
            return self._leaves[: tile.width * HASH_BYTES]
        first = tile.index * TILE_WIDTH
        below = (self._reader.tile(TileId(level - 1, first + i)) for i in range(tile.width))
        return b"".join(root_of_hashes(data) for data in below)

    def bytes_of(self, tile: TileId) -> bytes:
        """Content of the file of a tile or bundle."""
        if tile.level is not None:
            return self.tile(tile)
        if tile.index < self._size // TILE_WIDTH:
            return encode_bundle(self._reader.bundle(tile.index)[: tile.width])
        return encode_bundle(self._tail[: tile.width])


def _read_state(state_dir: Path, origin: str) -> tuple[SequencerState, list[bytes]]:
    try:
        state = decode_state((state_dir / HEAD).read_bytes())
        if state.origin != origin:
            raise BoardError(f"{state_dir} is the state of the log {state.origin!r}, not of {origin!r}")
        width = state.size % TILE_WIDTH
        tail = decode_bundle((state_dir / tail_name(state.size)).read_bytes(), width) if width else []
    except LogFormatError as error:
        raise RecordCorrupt(f"{state_dir}: {error}") from error
    except OSError as error:
        raise BoardError(f"{error.filename} cannot be read: {error.strerror}") from error
    return state, tail


def _signed_head(state: SequencerState, key: VerifierKey, nodes: NodeReader) -> Checkpoint | None:
    if state.signed is None:
        return None
    try:
        signed = verify_log_signature(state.signed, key)
    except LogError as error:
        raise RecordCorrupt(f"the signed checkpoint in the state is not by this log: {error}") from error
    if signed.size > state.size or tree_root(signed.size, nodes) != signed.root:
        raise RecordCorrupt(f"the signed checkpoint of size {signed.size} is not one of the committed entries")
    return signed


def _require_not_ahead(note: Note, key: VerifierKey, signed: Checkpoint | None, nodes: NodeReader) -> None:
    """A checkpoint that this log signed must be covered by the state; else the state is an old or a foreign copy."""
    try:
        seen = verify_log_signature(note, key)
    except LogError as error:
        raise BoardError(f"a given or published checkpoint is not by this log: {error}") from error
    if signed is None or seen.size > signed.size:
        ours = signed.size if signed else "none"
        raise StaleState(f"this log has signed size {seen.size}, but its state knows only {ours}: an old copy?")
    if tree_root(seen.size, nodes) != seen.root:
        raise StaleState(f"this log has signed another root of size {seen.size} than its state knows")


def _remove_leftovers(root: Path, state_dir: Path, size: int, signed_size: int, storage: Storage) -> None:
    for name in list(record_files(root)):
        tile = parse_tile(name)
        stray = tile is not None and tile.end > (signed_size if tile.is_partial else size)
        if stray or name.startswith(TEMPORARY + "/"):
            storage.remove(root / name)
    for path in state_dir.iterdir():
        if path.name not in (HEAD, LOCK, tail_name(size)) and path.name.startswith((HEAD, "tail-")):
            storage.remove(path)
