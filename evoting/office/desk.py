"""The office at work: its board opened for writing, and officers with their key files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nacl.signing import SigningKey

from crypto.entry import RoleEntry
from crypto.log.note import NOTE_KEY
from evoting.board.keys import load_key
from evoting.board.store import Board
from evoting.definition import Manifest
from evoting.errors import RecordError
from evoting.office.steps import Officers
from evoting.record.election import ElectionRecord
from evoting.record.rules import officers_needed


@dataclass(frozen=True)
class Desk:
    """An open record and the officers who sit at it."""

    record: ElectionRecord
    keys: Sequence[Path]

    def officers(self, kind: str) -> Officers:
        """As many officers as sign an entry of a type.

        Raises:
            RecordError: other than that many different officers of this election gave their keys.
            KeyFileError: a key file cannot be used.
        """
        return load_officers(self.record.manifest, self.keys, officers_needed(kind))

    def officers_beside(self, entry: RoleEntry) -> Officers:
        """As many officers as still have to sign an entry that others have signed.

        Raises:
            RecordError, KeyFileError: as ``officers``.
        """
        signed = {role for role, _ in entry.signatures}
        there = sum(role.id in signed for role in self.record.manifest.roles_of("officer"))
        return load_officers(self.record.manifest, self.keys, officers_needed(entry.type) - there)


def load_officers(manifest: Manifest, keys: Sequence[Path], needed: int) -> dict[str, SigningKey]:
    """Officers' signing keys by role id; a file's key, not its name, says whose it is.

    Raises:
        RecordError: a key is no officer's of this election, or other than ``needed`` different officers are there.
        KeyFileError: a file cannot be used.
    """
    roles = {role.key: role.id for role in manifest.roles_of("officer")}
    officers: dict[str, SigningKey] = {}
    for path in keys:
        key = load_key(path, NOTE_KEY)
        role = roles.get(key.verifier.public_key)
        if role is None:
            raise RecordError(f"{path}: this key is no officer's of this election")
        officers[role] = SigningKey(key.seed)
    if len(officers) != needed or len(keys) != needed:
        people = "one officer" if needed == 1 else f"{needed} different officers"
        raise RecordError(f"this takes {people}: give --key {'once' if needed == 1 else f'{needed} times'}")
    return officers


@contextmanager
def open_desk(root: Path, state: Path, log_key: Path, keys: Sequence[Path]) -> Iterator[Desk]:
    """Open a record for writing.

    Raises:
        BoardError: no such log, another process at work there, or files that cannot be trusted.
    """
    with Board.open(root, state, load_key(log_key, NOTE_KEY)) as board:
        yield Desk(ElectionRecord(board), keys)
