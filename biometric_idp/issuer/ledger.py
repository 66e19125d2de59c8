"""Ledger statements and the tree with one leaf per roll position (docs/spec/05-credentials.md sections 5.7 and 5.8)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from nacl.signing import SigningKey

from biometric_idp.errors import IdpError
from biometric_idp.signatures import sign_checkpoint
from crypto import cbor
from crypto.hashing import frame, frames, sha, u64
from crypto.log.merkle import hash_leaf, prove_inclusion, root_of_hashes, verify_inclusion
from crypto.log.tiles import TileFrontier

NONE = b"none"
_LEAF_DOMAIN = "evoting/v1/ledger-leaf"


class LedgerError(IdpError):
    """A check of section 5.8 does not hold.

    Attributes:
        check: its name.
        issuer: index of the issuer to blame, where there is one.
    """

    def __init__(self, check: str, message: str, issuer: int | None = None) -> None:
        super().__init__(message)
        self.check = check
        self.issuer = issuer


@dataclass(frozen=True, slots=True)
class StyleCount:
    """Credentials of one ballot style; ``terminal`` of them under two officers."""

    style: str
    count: int
    terminal: int


@dataclass(frozen=True, slots=True)
class LedgerStatement:
    """The body of an issuer's ``ledger`` entry."""

    issuer: int
    checkpoint: str
    issued: tuple[StyleCount, ...]
    tree_root: bytes
    tree_size: int
    time: int

    def encode(self) -> bytes:
        return cbor.encode(
            {
                "issuer": self.issuer,
                "checkpoint": self.checkpoint,
                "issued": [
                    {"style": item.style, "count": item.count, "terminal": item.terminal} for item in self.issued
                ],
                "tree": {"root": self.tree_root, "size": self.tree_size},
                "time": self.time,
            }
        )


def ledger_origin(origin: str, issuer: int) -> str:
    """Origin of an issuer's ledger in the election whose log has this origin."""
    return f"{origin}/ledger/{issuer}"


def sign_ledger_checkpoint(key: SigningKey, origin: str, issuer: int, entries: Sequence[bytes]) -> str:
    """The issuer's checkpoint over these entries."""
    frontier = TileFrontier()
    for entry in entries:
        frontier.extend(hash_leaf(entry))
    return sign_checkpoint(key, ledger_origin(origin, issuer), frontier.size, frontier.root())


def tree_salt(secret: bytes, fingerprint: bytes, ledger_size: int, position: int) -> bytes:
    """Salt of one leaf; secret is the issuer's, for this election alone."""
    message = frames("evoting/v1/ledger-salt", (fingerprint, u64(ledger_size), u64(position)))
    return hmac.digest(secret, message, "sha256")


def tree_leaf(fingerprint: bytes, position: int, salt: bytes, value: bytes | None) -> bytes:
    """The leaf of a position: a salted commitment to the request hash, or to nothing."""
    return sha(_LEAF_DOMAIN, fingerprint, u64(position), salt, NONE if value is None else value)


def tree_leaf_hashes(
    secret: bytes, fingerprint: bytes, ledger_size: int, roll_size: int, hashes: Mapping[int, bytes], first: int = 0
) -> bytes:
    """Concatenated RFC 6962 leaf hashes of all positions from ``first`` on. Cost: five hashes a position."""
    salt_head = frame(b"evoting/v1/ledger-salt") + frame(fingerprint) + frame(u64(ledger_size))
    leaf_head = frame(_LEAF_DOMAIN.encode()) + frame(fingerprint)
    eight, thirty_two, four = u64(8), u64(32), u64(4)
    keyed = hmac.new(secret, salt_head, "sha256")
    output: list[bytes] = []
    for position in range(first, roll_size):
        place = eight + u64(position)
        mac = keyed.copy()
        mac.update(place)
        value = hashes.get(position)
        tail = four + NONE if value is None else thirty_two + value
        leaf = sha256(leaf_head + place + thirty_two + mac.digest() + tail).digest()
        output.append(sha256(b"\x00" + leaf).digest())
    return b"".join(output)


@dataclass(frozen=True, slots=True)
class PositionProof:
    """What a citizen is given about their own position (attack C12)."""

    position: int
    salt: bytes
    value: bytes | None
    path: tuple[bytes, ...]


def prove_position(
    secret: bytes, fingerprint: bytes, ledger_size: int, roll_size: int, hashes: Mapping[int, bytes], position: int
) -> PositionProof:
    """Proof that the tree says this, and nothing else, about a position."""
    leaves = tree_leaf_hashes(secret, fingerprint, ledger_size, roll_size, hashes)
    cache: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        if (level, index) not in cache:
            cache[level, index] = root_of_hashes(leaves[(index << level) * 32 : ((index + 1) << level) * 32])
        return cache[level, index]

    path = prove_inclusion(position, roll_size, node)
    return PositionProof(position, tree_salt(secret, fingerprint, ledger_size, position), hashes.get(position), path)


def verify_position(proof: PositionProof, fingerprint: bytes, tree_root: bytes, tree_size: int) -> None:
    """Check a proof against the tree of a ledger statement.

    Raises:
        InvalidLogProof: the tree says something else, or nothing, about the position.
    """
    leaf = hash_leaf(tree_leaf(fingerprint, proof.position, proof.salt, proof.value))
    verify_inclusion(leaf, proof.position, tree_size, proof.path, tree_root)


def check_ledger_bounds(
    sizes: Sequence[tuple[str, int]],
    threshold: int,
    issuers: int,
    statements: Sequence[LedgerStatement],
    used: Mapping[str, int],
) -> None:
    """The numbers of section 5.8: shapes, and both bounds of ``ledger.bounds``.

    Args:
        sizes: ballot styles and their sizes on the roll, in the manifest's order.
        threshold, issuers: k and m.
        statements: signatures and checkpoints already checked.
        used: different pseudonyms with a valid credential on the board, by style.

    Raises:
        LedgerError: names the check and, where one is to blame, the issuer.
    """
    indices = [statement.issuer for statement in statements]
    if len(set(indices)) != len(indices) or not all(1 <= index <= issuers for index in indices):
        raise LedgerError("ledger.statements", "statements are not one each of different issuers")
    if len(indices) < threshold:
        raise LedgerError("ledger.statements", f"{len(indices)} issuers reported, fewer than {threshold}")
    roll_size = sum(size for _, size in sizes)
    for statement in statements:
        who = statement.issuer
        if [item.style for item in statement.issued] != [style for style, _ in sizes]:
            raise LedgerError("ledger.statements", f"issuer {who} does not list exactly the ballot styles", who)
        if statement.tree_size != roll_size:
            raise LedgerError("ledger.statements", f"the tree of issuer {who} has not one leaf per position", who)
        for item, (style, size) in zip(statement.issued, sizes, strict=True):
            if not 0 <= item.terminal <= item.count:
                raise LedgerError("ledger.statements", f"issuer {who} counts more terminal voters than all", who)
            if item.count > size:
                raise LedgerError("ledger.bounds", f"issuer {who} issued {item.count} of {size} for {style!r}", who)
    signatures_each = threshold - (issuers - len(statements))
    for column, (style, _) in enumerate(sizes):
        issued = sum(statement.issued[column].count for statement in statements)
        needed = signatures_each * used.get(style, 0)
        if needed > issued:
            raise LedgerError("ledger.bounds", f"used credentials of {style!r} need {needed} signatures, not {issued}")
    unknown = sorted(set(used) - {style for style, _ in sizes})
    if unknown:
        raise LedgerError("ledger.bounds", f"credentials used for unknown ballot styles: {', '.join(unknown)}")
