"""Tickets: the identity provider's word that it checked the person behind a request (section 5.4).

One signature covers a tree of request hashes, so that many requests confirmed together cost one signature to make and
one to check. Online, the tree has one leaf.
"""

from __future__ import annotations

from collections.abc import Sequence

from nacl.signing import SigningKey

from biometric_idp.request import Ticket
from biometric_idp.signatures import frames_signature_holds, sign_frames
from crypto.hashing import u64
from crypto.log.merkle import HASH_BYTES, hash_children, hash_leaf

TICKET_DOMAIN = "evoting/v1/ticket"


def sign_tickets(key: SigningKey, fingerprint: bytes, hashes: Sequence[bytes], date: int) -> list[Ticket]:
    """A ticket for each request hash, out of one signed tree. Date: days since 1970-01-01."""
    size = len(hashes)
    levels = [[hash_leaf(value) for value in hashes]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [hash_children(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(above + below[len(below) - len(below) % 2 :])
    signature = sign_frames(key, TICKET_DOMAIN, fingerprint, u64(date), u64(size), levels[-1][0])
    tickets: list[Ticket] = []
    for index in range(size):
        # An odd last node has moved up without a sibling, exactly as RFC 6962 builds its unbalanced trees.
        path = [
            level[(index >> depth) ^ 1] for depth, level in enumerate(levels[:-1]) if (index >> depth) ^ 1 < len(level)
        ]
        tickets.append(Ticket(date, size, index, b"".join(path), signature))
    return tickets


class TicketVerifier:
    """Checks tickets of one identity provider and election; remembers roots whose signature held."""

    #: Roots remembered before starting afresh; bounds memory.
    _MAX_REMEMBERED = 65_536

    def __init__(self, public_key: bytes, fingerprint: bytes) -> None:
        self._public_key = public_key
        self._fingerprint = fingerprint
        self._held: set[tuple[int, int, bytes, bytes]] = set()

    def holds(self, ticket: Ticket, hash_: bytes) -> bool:
        """Whether the ticket is for this request hash and signed. Its date is for the caller to judge."""
        root = _root_from_path(hash_, ticket)
        if root is None:
            return False
        key = (ticket.date, ticket.size, root, ticket.signature)
        if key in self._held:
            return True
        parts = (self._fingerprint, u64(ticket.date), u64(ticket.size), root)
        if not frames_signature_holds(self._public_key, ticket.signature, TICKET_DOMAIN, *parts):
            return False
        if len(self._held) >= self._MAX_REMEMBERED:
            self._held.clear()
        self._held.add(key)
        return True


def _root_from_path(hash_: bytes, ticket: Ticket) -> bytes | None:
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2), or None if it has the wrong length."""
    if ticket.index >= ticket.size:
        return None
    position, last = ticket.index, ticket.size - 1
    node = hash_leaf(hash_)
    path = ticket.path
    for at in range(0, len(path), HASH_BYTES):
        sibling = path[at : at + HASH_BYTES]
        if last == 0:
            return None
        if position & 1 or position == last:
            node = hash_children(sibling, node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            node = hash_children(node, sibling)
        position >>= 1
        last >>= 1
    return node if last == 0 else None
