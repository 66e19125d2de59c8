"""One issuer at work on a batch of requests: every row of docs/spec/05-credentials.md section 5.5, in its order.

The only path to a partial signature leads through ``IssuerStore.record``; a request that arrives alone is a batch of
one. No network and no files: services and the command line stand around this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from nacl.signing import SigningKey

from biometric_idp.errors import FormatError, Refused
from biometric_idp.issuer.checks import DAY, Authorised, Authoriser, VoterState
from biometric_idp.issuer.store import IssuerStore
from biometric_idp.policy import IssuancePolicy
from biometric_idp.registrar.roll import Roll
from biometric_idp.request import Answer, Refusal, Request, decode_request, sign_refusal
from crypto.blind_bls import sign_partial, undecodable_points
from crypto.errors import DecodeError
from crypto.group.interface import G1_BYTES, G1Vector, PairingGroup


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """Secrets of one issuer for one election. ``repr`` shows none of them."""

    index: int
    signing: SigningKey
    shares: Mapping[str, int]

    def __repr__(self) -> str:
        return f"IssuerKeys(index={self.index})"


@dataclass(slots=True)
class _Item:
    """A request on its way through the rows."""

    data: bytes
    digest: bytes
    request: Request | None = None
    hash: bytes = b""
    authorised: Authorised | None = None
    refusal: str | None = None


class Issuer:
    """Answers requests. Safe to use from several threads or processes, each with a store object of its own."""

    def __init__(
        self,
        policy: IssuancePolicy,
        roll: Roll,
        keys: IssuerKeys,
        store: IssuerStore,
        group: PairingGroup,
        *,
        remember: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Take everything that answering needs.

        Args:
            remember: told, before answers leave, the size of the ledger that they stand on.
        """
        self._policy = policy
        self._roll = roll
        self._keys = keys
        self._store = store
        self._group = group
        self._authoriser = Authoriser(policy)
        self._remember = remember

    def answer(self, requests: Sequence[bytes], now: int) -> list[Answer | Refusal]:
        """Answer or refuse each request, in order.

        Args:
            requests: encoded requests as they arrived, of any quality.
            now: seconds since 1970.

        Cost: for each request one signature verification, one decoding and one constant-time multiplication in G1; one
        durable transaction for the batch.
        """
        items = [self._decode(data) for data in requests]
        repeated = self._authorise(items, now)
        decoded = self._decode_points(items)
        fresh = [item for item in items if item.authorised is not None]
        outcomes, size = self._store.record(
            [(item.authorised, item.data, item.digest) for item in fresh if item.authorised is not None]
        )
        self._remember(max(size, repeated))
        for item, outcome in zip(fresh, outcomes, strict=True):
            item.refusal = outcome
        return self._sign(items, decoded, now // DAY)

    def _decode(self, data: bytes) -> _Item:
        item = _Item(data, sha256(data).digest())
        try:
            item.request = decode_request(data)
            item.hash = self._authoriser.hash_of(item.request)
        except FormatError:
            item.hash = item.digest
            item.refusal = "malformed"
        return item

    def _authorise(self, items: Sequence[_Item], now: int) -> int:
        """Judge each item; gives the size that the ledger had when the last of the repeated ones was entered."""
        size = 0
        requests = [item.request for item in items if item.request is not None]
        positions = [request.position for request in requests]
        officers = [passkey for request in requests for passkey in self._authoriser.officers_of(request)]
        known = self._store.known(positions, officers)
        for item in items:
            request = item.request
            if request is None:
                continue
            earlier = known.issued.get(request.position)
            if earlier is not None and earlier.is_of(item.digest):
                size = max(size, earlier.sequence + 1)
                continue  # row 1: the stored row is the answer
            passkey = known.passkeys.get(request.position)
            state = VoterState(self._roll.style_of(request.position), passkey, known.counters)
            try:
                item.authorised = self._authoriser.authorise(request, item.hash, state, now)
            except Refused as refusal:
                item.refusal = refusal.code
        return size

    def _decode_points(self, items: Sequence[_Item]) -> dict[str, tuple[list[int], G1Vector]]:
        """Row 13: per style the rows still in the running, and their blinded points."""
        by_style: dict[str, list[int]] = {}
        for index, item in enumerate(items):
            if item.refusal is None and item.request is not None:
                by_style.setdefault(item.request.style, []).append(index)
        decoded: dict[str, tuple[list[int], G1Vector]] = {}
        for style, rows in by_style.items():
            data = _blinded(items, rows)
            try:
                points = self._group.g1_decode(data)
            except DecodeError:
                for place in undecodable_points(self._group, data):
                    items[rows[place]].authorised = None
                    items[rows[place]].refusal = "blinded"
                rows = [row for row in rows if items[row].refusal is None]
                if not rows:
                    continue
                points = self._group.g1_decode(_blinded(items, rows))
            decoded[style] = (rows, points)
        return decoded

    def _sign(
        self, items: Sequence[_Item], decoded: Mapping[str, tuple[list[int], G1Vector]], today: int
    ) -> list[Answer | Refusal]:
        partials: dict[int, bytes] = {}
        for style, (rows, points) in decoded.items():
            granted = [row for row in rows if items[row].refusal is None]
            if not granted:
                continue
            if len(granted) < len(rows):
                points = self._group.g1_decode(_blinded(items, granted))
            encoded = sign_partial(points, self._keys.shares[style]).encode()
            for place, row in enumerate(granted):
                partials[row] = encoded[G1_BYTES * place : G1_BYTES * (place + 1)]
        issuer = self._keys.index
        fingerprint = self._policy.fingerprint
        return [
            Answer(issuer, item.hash, partials[index])
            if item.refusal is None
            else sign_refusal(self._keys.signing, fingerprint, issuer, item.hash, item.refusal, today)
            for index, item in enumerate(items)
        ]


def _blinded(items: Sequence[_Item], rows: Sequence[int]) -> bytes:
    requests = [items[row].request for row in rows]
    return b"".join([request.blinded for request in requests if request is not None])
