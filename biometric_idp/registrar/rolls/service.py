"""The roll, taken in and given out, its commitment, and proofs about positions (docs/spec/05-credentials.md, 5.2)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from biometric_idp.errors import StateError
from biometric_idp.registrar.roll import Roll, make_roll, roll_leaf, roll_salt
from biometric_idp.registrar.rolls.repository import RollHead, RollRepository
from crypto.log.merkle import HASH_BYTES, hash_children, hash_leaf, hash_leaves, prove_inclusion, root_of_hashes


@dataclass(frozen=True, slots=True)
class RollProof:
    """What shows a citizen that they are on the roll, once and with the right style."""

    position: int
    style: str
    salt: bytes
    path: tuple[bytes, ...]
    size: int
    commitment: bytes


def import_roll(
    db: Connection,
    election: str,
    styles: Sequence[str],
    voters: Sequence[tuple[str, str]],
    entropy: Callable[[int], bytes],
    shuffle: Callable[[list[tuple[str, str]]], None],
) -> tuple[Roll, bytes]:
    """Take in (style, pin) of every eligible voter, in a random order; give the issuers' roll and the commitment.

    Raises:
        StateError: there is a roll already, a person occurs twice, or a style is unknown.
    """
    repository = RollRepository(db)
    if repository.head(election) is not None:
        raise StateError(f"election {election} has its roll already: it does not change once it is committed")
    ordered = list(voters)
    if len({pin for _, pin in ordered}) != len(ordered):
        raise StateError("a person occurs twice in the list")
    unknown = {style for style, _ in ordered} - set(styles)
    if unknown:
        raise StateError(f"unknown ballot styles: {', '.join(sorted(unknown))}")
    shuffle(ordered)
    secret = entropy(32)
    commitment = root_of_hashes(_leaf_hashes(secret, ordered))
    repository.add(election, RollHead(len(ordered), secret, commitment, None, tuple(styles)), ordered)
    return _roll(styles, ordered), commitment


def export_roll(db: Connection, election: str, styles: Sequence[str] = ()) -> tuple[Roll, bytes]:
    """The issuers' roll as ``import_roll`` gave it, and its commitment.

    Args:
        styles: in the manifest's order; needed only for a roll that an earlier version drew, which did not keep them.

    Raises:
        StateError: there is no roll, its styles are others, or its rows are not those that were committed to.
    """
    repository = RollRepository(db)
    head = repository.head(election)
    if head is None:
        raise StateError(f"election {election} has no roll yet")
    order = list(head.styles or styles)
    if styles and list(styles) != order:
        raise StateError(f"the roll was drawn with the styles {', '.join(order)}, in this order")
    voters = list(repository.voters(election))
    if not {style for style, _ in voters} <= set(order):
        raise StateError("ballot styles in the manifest's order are needed: --style, repeated")
    if root_of_hashes(_leaf_hashes(head.secret, voters)) != head.commitment:
        raise StateError("the roll in the database is not the one that was committed")
    return _roll(order, voters), head.commitment


def _roll(styles: Sequence[str], voters: Sequence[tuple[str, str]]) -> Roll:
    index = {style: number for number, style in enumerate(styles)}
    return make_roll(styles, [index[style] for style, _ in voters])


def _leaf_hashes(secret: bytes, voters: Sequence[tuple[str, str]]) -> bytes:
    return hash_leaves(
        roll_leaf(roll_salt(secret, position), position, style, pin) for position, (style, pin) in enumerate(voters)
    )


class RollProver:
    """Proofs about positions; a roll never changes, so its tree is computed once (64 bytes for each voter)."""

    def __init__(self) -> None:
        self._trees: dict[str, list[bytes]] = {}
        self._turn = threading.Lock()

    def prove(self, db: Connection, election: str, position: int) -> RollProof | None:
        """The proof for a position, None beyond the roll."""
        repository = RollRepository(db)
        head, voter = repository.head(election), repository.pin_at(election, position)
        if head is None or voter is None:
            return None
        with self._turn:
            if election not in self._trees:
                self._trees[election] = _tree(_leaf_hashes(head.secret, list(repository.voters(election))))
        pin, style = voter
        salt = roll_salt(head.secret, position)
        tree = self._trees[election]

        def node(level: int, index: int) -> bytes:
            return tree[level][HASH_BYTES * index : HASH_BYTES * (index + 1)]

        if node(0, position) != hash_leaf(roll_leaf(salt, position, style, pin)):
            raise StateError("the roll in the database is not the one that was committed")
        path = prove_inclusion(position, head.size, node)
        return RollProof(position, style, salt, path, head.size, head.commitment)


def _tree(leaves: bytes) -> list[bytes]:
    """Hashes of all perfect subtrees, level by level."""
    levels = [leaves]
    while len(levels[-1]) >= 2 * HASH_BYTES:
        below = levels[-1]
        whole = len(below) - len(below) % (2 * HASH_BYTES)
        levels.append(
            b"".join(
                hash_children(below[at : at + HASH_BYTES], below[at + HASH_BYTES : at + 2 * HASH_BYTES])
                for at in range(0, whole, 2 * HASH_BYTES)
            )
        )
    return levels
