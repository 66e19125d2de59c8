"""Hash tiles of a log in its database: extending them costs as many hashes as there are new entries."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, insert, or_, select

from biometric_idp.logs.entries import EntryLog
from biometric_idp.logs.models import log_tiles
from crypto.log.merkle import HASH_BYTES, prove_consistency, prove_inclusion, tree_root
from crypto.log.tiles import TileFrontier, TileId, node_reader


class TileStore:
    """Tiles within the caller's transaction. A partial tile is a prefix of what it grows into: all widths are there."""

    def __init__(self, log: EntryLog, connection: Connection) -> None:
        self._log = log
        self._connection = connection

    def read(self, tile: TileId) -> bytes:
        """Hashes of a tile; fewer than its width where the tree does not go so far."""
        table = log_tiles.c
        query = select(table.hashes).where(
            table.log == self._log.log, table.level == tile.level, table.position == tile.index
        )
        found = self._connection.scalar(query) or b""
        return bytes(found[: tile.width * HASH_BYTES])

    def extend(self, size: int, stop: int) -> None:
        """Take in entries ``size`` to before ``stop``, where ``size`` is how far the tiles go."""
        frontier = TileFrontier.load(size, self.read)
        # Of the tiles there now, only partial ones of the old right edge can change: one for each level.
        old = [(tile.level, tile.index) for tile, _ in frontier.partial_tiles()]
        changed = frontier.extend(self._log.leaves(self._connection, size, stop)) + frontier.partial_tiles()
        table = log_tiles.c
        if not changed:
            return
        if old:
            places = or_(*[and_(table.level == level, table.position == index) for level, index in old])
            self._connection.execute(delete(log_tiles).where(table.log == self._log.log, places))
        rows = [
            {"log": self._log.log, "level": tile.level, "position": tile.index, "hashes": hashes}
            for tile, hashes in changed
        ]
        self._connection.execute(insert(log_tiles), rows)

    def root(self, size: int) -> bytes:
        """Root over the first ``size`` entries. Cost: reads two tiles a level."""
        return tree_root(size, node_reader(size, self.read))

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return prove_consistency(old_size, new_size, node_reader(new_size, self.read))

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return prove_inclusion(index, size, node_reader(size, self.read))
