"""The tree with one leaf per roll position, kept so that a proof costs little and memory stays small (section 5.7).

Of the lowest eight levels nothing is kept: a proof makes the 256 leaves around its position again, from the ledger at
the tree's size. Above, every level is kept: 64 bytes for 256 positions, four megabytes for sixteen million.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nacl.signing import SigningKey

from biometric_idp.issuer.ledger import PositionProof, tree_leaf_hashes, tree_salt
from biometric_idp.signatures import frames_signature_holds, sign_frames
from crypto.hashing import u64
from crypto.log.merkle import HASH_BYTES, hash_children, root_of_hashes

TREE_DOMAIN = "evoting/v1/ledger-tree"
PROOF_FORMAT = "evoting-position-proof/v1"
_BLOCK = 256
#: Positions whose hashes are read at once while the tree is built.
_STRIDE = 65_536

#: Request hash by position, for the positions from start to before stop, of the ledger at the tree's size.
Values = Callable[[int, int], Mapping[int, bytes]]


@dataclass(frozen=True, slots=True)
class TreeStatement:
    """An interim statement: what the issuer signs between opening and close."""

    issuer: int
    fingerprint: bytes
    ledger_size: int
    root: bytes
    tree_size: int
    time: int
    signature: bytes

    def holds(self, public_key: bytes) -> bool:
        """Whether the issuer with this role key signed the statement."""
        return frames_signature_holds(public_key, self.signature, TREE_DOMAIN, *_parts(self))

    def to_json(self) -> dict[str, object]:
        """The statement as ``/v1/ledger/tree`` gives it."""
        return {"issuer": self.issuer, "fingerprint": self.fingerprint.hex(), **self.members()}

    def members(self) -> dict[str, object]:
        """The members that a position proof repeats."""
        return {
            "size": self.ledger_size,
            "root": self.root.hex(),
            "tree-size": self.tree_size,
            "time": self.time,
            "signature": self.signature.hex(),
        }


def _parts(statement: TreeStatement) -> tuple[bytes, ...]:
    return (
        statement.fingerprint,
        u64(statement.issuer),
        u64(statement.ledger_size),
        statement.root,
        u64(statement.tree_size),
        u64(statement.time),
    )


class PositionTree:
    """The tree at one size of the ledger."""

    def __init__(self, secret: bytes, fingerprint: bytes, ledger_size: int, roll_size: int, values: Values) -> None:
        """Build it. Cost: seven hashes a position, in the calling thread."""
        self._secret = secret
        self._fingerprint = fingerprint
        self.ledger_size = ledger_size
        self.roll_size = roll_size
        blocks: list[bytes] = []
        for start in range(0, roll_size, _STRIDE):
            stop = min(start + _STRIDE, roll_size)
            found = values(start, stop)
            blocks += [root_of_hashes(self._leaves(first, found)) for first in range(start, stop, _BLOCK)]
        #: Level 8 and above; an odd last node moves up, as RFC 6962 has it.
        self._levels = [b"".join(blocks)]
        while len(self._levels[-1]) > HASH_BYTES:
            self._levels.append(_parents(self._levels[-1]))

    @property
    def root(self) -> bytes:
        return root_of_hashes(self._levels[-1])

    def sign(self, key: SigningKey, issuer: int, time: int) -> TreeStatement:
        """The issuer's statement about this tree."""
        unsigned = TreeStatement(
            issuer, self._fingerprint, self.ledger_size, self.root, self.roll_size, time, bytes(64)
        )
        signature = sign_frames(key, TREE_DOMAIN, *_parts(unsigned))
        return TreeStatement(issuer, self._fingerprint, self.ledger_size, self.root, self.roll_size, time, signature)

    def prove(self, position: int, values: Values) -> PositionProof:
        """Proof of what the tree says about a position.

        Args:
            values: as they were when the tree was built.

        Cost: about 1,800 hashes.
        """
        first = position - position % _BLOCK
        found = values(first, min(first + _BLOCK, self.roll_size))
        path: list[bytes] = []
        index, level = position - first, self._leaves(first, found)
        while len(level) > HASH_BYTES:
            _add_sibling(path, level, index)
            index, level = index >> 1, _parents(level)
        index = position // _BLOCK
        for level in self._levels[:-1]:
            _add_sibling(path, level, index)
            index >>= 1
        salt = tree_salt(self._secret, self._fingerprint, self.ledger_size, position)
        return PositionProof(position, salt, found.get(position), tuple(path))

    def _leaves(self, first: int, values: Mapping[int, bytes]) -> bytes:
        stop = min(first + _BLOCK, self.roll_size)
        return tree_leaf_hashes(self._secret, self._fingerprint, self.ledger_size, stop, values, first)


def _parents(level: bytes) -> bytes:
    paired = len(level) - len(level) % (2 * HASH_BYTES)
    parents = [
        hash_children(level[at : at + HASH_BYTES], level[at + HASH_BYTES : at + 2 * HASH_BYTES])
        for at in range(0, paired, 2 * HASH_BYTES)
    ]
    return b"".join([*parents, level[paired:]])


def _add_sibling(path: list[bytes], level: bytes, index: int) -> None:
    sibling = level[(index ^ 1) * HASH_BYTES : ((index ^ 1) + 1) * HASH_BYTES]
    if sibling:
        path.append(sibling)


def proof_to_json(
    proof: PositionProof, statement: TreeStatement | None, fingerprint: bytes, issuer: int
) -> dict[str, object]:
    """A proof as citizens get it; without a statement it is against the ledger statement in the record."""
    value: dict[str, object] = {
        "format": PROOF_FORMAT,
        "fingerprint": fingerprint.hex(),
        "issuer": issuer,
        "position": proof.position,
        "issued": None if proof.value is None else proof.value.hex(),
        "salt": proof.salt.hex(),
        "path": [node.hex() for node in proof.path],
    }
    return value if statement is None else {**value, "statement": statement.members()}
