"""Group 4: the Merkle tree, rebuilt from raw entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from verifier.checks.checkpoint import log_keys
from verifier.checks.registry import NotRun, check
from verifier.failure import Failure
from verifier.record.errors import FormatError
from verifier.record.files import TILE_WIDTH, hash_levels
from verifier.record.merkle import EMPTY_ROOT, leaf_hash, root_of
from verifier.record.note import parse_checkpoint, verify_note

if TYPE_CHECKING:
    from verifier.state import State


@check("log.root", 4, "2-log", "the root rebuilt from raw entries is the checkpoint's, and hash tiles fit the entries")
def log_root(state: State) -> Iterator[Failure]:
    """The tree of the entries as they lie here."""
    yield from state.scan.unreadable
    if not state.scan.unreadable and root_of(state.scan.roots) != state.checkpoint.root:
        yield Failure("the entries give another root hash than the checkpoint")
        yield from state.scan.wrong_tiles
    else:
        # The entries are right (or cannot be told), so it is the tile that is named.
        yield from (replace(failure, entry=None) for failure in state.scan.wrong_tiles)
    if not state.scan.unreadable:
        yield from _upper_tiles(state)


def _upper_tiles(state: State) -> Iterator[Failure]:
    full = state.scan.roots[: state.log.size // TILE_WIDTH]
    for level, count in enumerate(hash_levels(state.log.size)):
        if level == 0:
            continue
        for first in range(0, count, TILE_WIDTH):
            hashes = full[first : first + TILE_WIDTH]
            try:
                tile = state.log.read_hash_tile(level, first // TILE_WIDTH, len(hashes))
            except FormatError as error:
                yield Failure(str(error))
                continue
            if tile != b"".join(hashes):
                yield Failure(f"hash tile {level}/{first // TILE_WIDTH} is not what the entries give")
        full = [root_of(full[first : first + TILE_WIDTH]) for first in range(0, count - TILE_WIDTH + 1, TILE_WIDTH)]


@check("log.consistency", 4, "2-log", "every older checkpoint given is a prefix of this log")
def log_consistency(state: State) -> Iterator[Failure]:
    """History was not rewritten since an older checkpoint was seen."""
    if state.scan.unreadable:
        raise NotRun("log.root", "entries cannot be read")
    for name, data in state.settings.older:
        try:
            older = parse_checkpoint(data)
        except FormatError as error:
            yield Failure(f"{name}: {error}")
            continue
        if older.origin != state.checkpoint.origin:
            yield Failure(f"{name}: the checkpoint of another log")
        elif not any(verify_note(older.note, key) for key in log_keys(state)):
            yield Failure(f"{name}: not signed by the log")
        elif older.size > state.log.size:
            yield Failure(f"{name}: of size {older.size}, but this record has only {state.log.size} entries")
        elif _root_at(state, older.size) != older.root:
            yield Failure(f"{name}: the first {older.size} entries of this record give another root hash")


def _root_at(state: State, size: int) -> bytes:
    """Root over the first entries."""
    if size == 0:
        return EMPTY_ROOT
    whole, rest = divmod(size, TILE_WIDTH)
    roots = list(state.scan.roots[:whole])
    if rest:
        roots.append(root_of([leaf_hash(entry) for entry in state.log.read_bundle(whole)[:rest]]))
    return root_of(roots)
