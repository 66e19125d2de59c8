"""A log that signs and publishes: durable head before anybody sees it, never two roots of one size, never smaller.

Ownership: the database holds entries, tiles, signed and published head; any number of processes may publish, because
each signs under the log's row of ``log_state``. What a crash means: between signing and publishing there is a durable
head that nobody has seen; the next round signs the same bytes again or a longer log, and the last published checkpoint
is served meanwhile.

Before a process signs for the first time it shows the last signed head to the witnesses. If they, or the head file,
remember a longer or another log than the database holds, the database is an old copy: it signs nothing (attacks L3,
O2). What a witness remembers it says without a signature, so the word of as many as may be corrupt (fewer than 2q - w,
with a quorum q of w) is not enough to stop a log, nor is their silence enough to hide that it is old.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nacl.signing import SigningKey
from sqlalchemy import Connection, Engine, Row, select, update

from biometric_idp.logs.entries import EntryLog
from biometric_idp.logs.errors import LogDamaged, NotCosigned, StaleLog
from biometric_idp.logs.head_file import HeadFile
from biometric_idp.logs.models import log_states
from biometric_idp.logs.tree import TileStore
from biometric_idp.logs.witnesses import Outcome, Witness, WitnessClient
from biometric_idp.signatures import note_key
from crypto.log.checkpoint import Checkpoint, verify_log_signature
from crypto.log.merkle import EMPTY_ROOT, HASH_BYTES
from crypto.log.note import Note, decode_note
from crypto.log.tiles import TileId
from services.database import reading, transaction

#: Entries taken into the tiles in one transaction; on SQLite nobody can append meanwhile.
_STEP = 16_384

#: Called with a point's name around the durable steps; tests kill the process there.
Probe = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A checkpoint and its note, which bears the log's signature only."""

    checkpoint: Checkpoint
    note: Note


class OnlineLog(EntryLog):
    """One log with its key and its witnesses.

    Args:
        key: the role's Ed25519 key; the note key is named like the origin.
        witnesses, quorum: how many of them must cosign before a checkpoint is published; none and 0 for a log
            without witnesses.
        head_file: where to remember the last signed head outside the database.
    """

    def __init__(
        self,
        engine: Engine,
        origin: str,
        key: SigningKey,
        witnesses: Sequence[Witness] = (),
        quorum: int = 0,
        *,
        head_file: Path | None = None,
        probe: Probe = lambda _: None,
    ) -> None:
        if not min(1, len(witnesses)) <= quorum <= len(witnesses):
            raise ValueError(f"a quorum of {quorum} among {len(witnesses)} witnesses is impossible")
        super().__init__(engine, origin)
        self._key = note_key(key, origin)
        self._client = WitnessClient(witnesses)
        self._quorum = quorum
        self._head_file = None if head_file is None else HeadFile(head_file, self._key.verifier)
        self._probe = probe
        self._publishing = threading.Lock()
        self._confirmed = False
        self._stale: str | None = None

    def close(self) -> None:
        """Close connections to witnesses."""
        self._client.close()

    @property
    def stale(self) -> str | None:
        """Why nothing more is signed: the database is known to be an old copy. None otherwise."""
        return self._stale

    # What everybody may see.

    def checkpoint(self) -> str | None:
        """The last published checkpoint with its cosignatures; None before the first."""
        with reading(self.engine) as connection:
            note = self._state(connection).published_note
        return None if note is None else str(note)

    def published(self) -> Checkpoint | None:
        """The same, decoded."""
        note = self.checkpoint()
        return None if note is None else self._decode(note).checkpoint

    def hash_tile(self, level: int, index: int, width: int) -> bytes | None:
        """A hash tile of the published tree; None where it has no such tile."""
        if not 1 <= width <= 256 or not 0 <= level <= 6 or index < 0:
            return None
        tile = TileId(level, index, width)
        with reading(self.engine) as connection:
            if tile.end > (self._state(connection).published_size or 0):
                return None
            hashes = TileStore(self, connection).read(tile)
        if len(hashes) != width * HASH_BYTES:
            raise LogDamaged(f"{self.origin}: {tile.path()} is missing")
        return hashes

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """Proof that an entry is in the tree of a size that was signed."""
        with reading(self.engine) as connection:
            return TileStore(self, connection).inclusion(index, size)

    def consistency_proof(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Proof between two sizes of which the larger was signed."""
        with reading(self.engine) as connection:
            return TileStore(self, connection).consistency(old_size, new_size)

    # Signing and publishing.

    def sign(self) -> SignedHead:
        """Sign the log as it is now; the head is durable when this returns, and nothing is published.

        Raises:
            StaleLog: the head file or the database remembers a longer log, or another one.
            LogDamaged: tiles do not lead to the last signed head.
        """
        if self._stale is not None:
            raise StaleLog(self._stale)
        while True:
            signed = transaction(self.engine, self._sign_step)
            if signed is not None:
                self._probe("after-sign")
                return signed

    def publish(self, now: int) -> str:
        """Sign what is new, collect cosignatures, publish; returns the published note.

        Safe to call at any interval and from several processes. Blocks for as long as witnesses take.

        Args:
            now: seconds since 1970.

        Raises:
            NotCosigned: too few witnesses answered; the earlier checkpoint stays published.
            StaleLog, LogDamaged: as ``sign``; the log must be looked at by its operator.
        """
        with self._publishing:
            is_first = not self._confirmed
            self._confirm(now)
            with reading(self.engine) as connection:
                state, size = self._state(connection), self.size(connection)
            if state.published_size == size and self._stale is None and not is_first:
                return str(state.published_note)
            head = self.sign()
            if state.published_size == head.checkpoint.size:
                return str(state.published_note)
            note = self._cosigned(head, now)
            transaction(self.engine, lambda connection: self._store_published(connection, head.checkpoint.size, note))
            self._probe("after-publish")
            return note

    def _confirm(self, now: int) -> None:
        """Once in a process, before it signs: do witnesses remember more than the database holds?"""
        if self._confirmed or not self._client.witnesses:
            self._confirmed = True
            return
        with reading(self.engine) as connection:
            note = self._state(connection).signed_note
        if note is None:
            empty = Checkpoint(self.origin, 0, EMPTY_ROOT)
            head = SignedHead(empty, empty.sign(self._key))
        else:
            head = self._decode(note)
        outcomes = self._submit(head, now)
        heard = sum(outcome.was_heard for outcome in outcomes)
        if heard < self._quorum:
            raise NotCosigned(
                f"{self.origin}: {heard} of {len(outcomes)} witnesses told what they remember, not {self._quorum}",
                _failures(outcomes),
            )
        self._confirmed = True

    def _cosigned(self, head: SignedHead, now: int) -> str:
        outcomes = self._submit(head, now)
        lines = [outcome.line for outcome in outcomes if outcome.line is not None]
        if len(lines) < self._quorum:
            raise NotCosigned(
                f"{self.origin}: {len(lines)} of {len(outcomes)} witnesses cosigned, {self._quorum} are needed",
                _failures(outcomes),
            )
        return Note(head.note.text, (*head.note.signatures, *lines)).encode().decode()

    def _submit(self, head: SignedHead, now: int) -> list[Outcome]:
        size = head.checkpoint.size
        outcomes = self._client.submit(head.note, lambda old: self.consistency_proof(old, size), now)
        # Another process of this log may have been faster; only what nobody signed here is alarming.
        with reading(self.engine) as connection:
            signed = self._state(connection).signed_size or 0
        objecting = [outcome for outcome in outcomes if outcome.contradicts or outcome.ahead > signed]
        if not objecting:
            return outcomes
        corrupt = max(0, 2 * self._quorum - len(outcomes) - 1)
        if len(objecting) > corrupt:
            self._stale = (
                f"{self.origin}: {', '.join(outcome.witness for outcome in objecting)} cosigned another log than this "
                f"database of {signed} entries holds: it is an old copy, and nothing more is signed"
            )
            raise StaleLog(self._stale)
        heard = sum(outcome.was_heard for outcome in outcomes)
        # Of the quorum behind the last published head, so many at least were heard and honest.
        if self._quorum - (len(outcomes) - heard) - corrupt <= corrupt:
            raise NotCosigned(
                f"{self.origin}: {len(objecting)} witnesses remember another log; too few others contradict them",
                _failures(outcomes),
            )
        return outcomes

    def _sign_step(self, connection: Connection) -> SignedHead | None:
        """Extend the tiles by one step; sign when they have reached the end. One transaction."""
        state = self._state(connection, lock=True)
        tiles = TileStore(self, connection)
        size = self.size(connection)
        stop = min(size, state.tree_size + _STEP)
        if state.tree_size > size or (state.signed_size or 0) > size:
            raise LogDamaged(f"{self.origin}: {size} entries, but a head of more was signed")
        tiles.extend(state.tree_size, stop)
        values: dict[str, object] = {"tree_size": stop}
        head = None
        if stop == size:
            head = self._sign_at(state, tiles, size)
            values |= {"signed_size": size, "signed_note": head.note.encode().decode()}
            if self._head_file is not None and state.signed_size != size:
                # Before the commit: whoever comes next under this lock finds the file at least as far as the database.
                self._head_file.write(head.note.encode())
        connection.execute(update(log_states).where(log_states.c.log == self.log).values(values))
        if head is not None:
            self._probe("before-sign")
        return head

    def _sign_at(self, state: Row[tuple[object, ...]], tiles: TileStore, size: int) -> SignedHead:
        earlier = [] if state.signed_note is None else [self._decode(state.signed_note).checkpoint]
        remembered = None if self._head_file is None else self._head_file.read()
        if remembered is not None and remembered.size > size:
            self._stale = (
                f"{self.origin}: a head of size {remembered.size} was signed, but the database has {size} entries: "
                "it is an old copy, and nothing more is signed"
            )
            raise StaleLog(self._stale)
        for checkpoint in [*earlier, *([] if remembered is None else [remembered])]:
            if tiles.root(checkpoint.size) != checkpoint.root:
                raise LogDamaged(f"{self.origin}: the first {checkpoint.size} entries are not those that were signed")
        checkpoint = Checkpoint(self.origin, size, tiles.root(size))
        return SignedHead(checkpoint, checkpoint.sign(self._key))

    def _store_published(self, connection: Connection, size: int, note: str) -> None:
        state = self._state(connection, lock=True)
        if state.published_size is None or state.published_size < size:
            values = {"published_size": size, "published_note": note}
            connection.execute(update(log_states).where(log_states.c.log == self.log).values(values))

    def _state(self, connection: Connection, *, lock: bool = False) -> Row[tuple[object, ...]]:
        query = select(log_states).where(log_states.c.log == self.log)
        return connection.execute(query.with_for_update() if lock else query).one()

    def _decode(self, text: str) -> SignedHead:
        note = decode_note(text.encode())
        return SignedHead(verify_log_signature(note, self._key.verifier), note)


def _failures(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {outcome.witness: outcome.failure for outcome in outcomes if outcome.line is None}
