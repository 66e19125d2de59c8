"""Obtaining a credential over HTTP: a stored wallet, one assertion, one ticket, k of m issuers.

Every issuer gets the same bytes, so an interrupted attempt is repeated as it was and gives the same credential. An
issuer that does not answer, refuses, or answers wrongly is replaced by another one, as long as there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from biometric_idp.client.connection import Connection, Unreachable
from biometric_idp.client.issuance import (
    IssuanceError,
    build_request,
    challenge_of,
    combine_verified,
    decoded_partial,
    require_partial,
)
from biometric_idp.client.keys import IssuanceKeys
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.errors import FormatError
from biometric_idp.request import Answer, Assertion, Refusal, Ticket, decode_answer
from crypto.blind_bls import Entropy
from crypto.errors import InvalidProof
from crypto.group.interface import G1Vector, Group, PairingGroup

CBOR = "application/cbor"
ISSUANCES = "/v1/issuances"
#: Requests to issuers at a time.
_ASKING = 64


@dataclass(frozen=True)
class Outcome:
    """What one issuer said: an answer, a signed refusal, or nothing."""

    issuer: int
    said: Answer | Refusal | None
    note: str = ""


@dataclass
class _Said:
    """What all issuers said so far."""

    partials: dict[int, G1Vector] = field(default_factory=dict)
    refusals: dict[int, str] = field(default_factory=dict)
    invalid: list[int] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    def error(self, threshold: int) -> IssuanceError:
        words = [f"{len(self.partials)} of {threshold} issuers gave a valid partial signature", *self.silent]
        words += [f"issuer {issuer} refuses: {code}" for issuer, code in self.refusals.items()]
        words += [f"issuer {issuer} answers wrongly" for issuer in self.invalid]
        return IssuanceError("; ".join(words), self.refusals, self.invalid)


class Issuers:
    """The issuers of one election, as a device sees them.

    Args:
        keys: issuance keys from the opening entry with the election's fingerprint, never from an issuer (attack C4).
        connections: by issuer index.
    """

    def __init__(
        self,
        group: Group,
        pairing: PairingGroup,
        keys: IssuanceKeys,
        threshold: int,
        connections: Mapping[int, Connection],
        entropy: Entropy,
    ) -> None:
        self._group = group
        self._pairing = pairing
        self._keys = keys
        self._threshold = threshold
        self._connections = dict(connections)
        self._entropy = entropy
        # Threads start when they are needed, end with the object, and serve all voters of a terminal.
        self._pool = ThreadPoolExecutor(_ASKING, "issuers")

    def obtain(
        self,
        wallet: WalletFile,
        stored: StoredWallet,
        credential: bytes,
        sign: Callable[[bytes], Sequence[Assertion]],
        ticket: Callable[[StoredWallet, bytes], Ticket],
        order: Sequence[int] | None = None,
    ) -> StoredWallet:
        """The wallet with its credential, verified and stored; a wallet that has one is returned as it is.

        Args:
            stored: what was read back from ``wallet``.
            credential: the voting passkey's id, empty at a terminal.
            sign: assertions over the challenge, which is computed here and never taken from a server.
            ticket: asks the identity provider, given the wallet and the credential id.
            order: issuers in the order in which they are asked; by index where it is not given.

        Raises:
            IssuanceError: fewer than k issuers gave a valid partial signature; the wallet is kept for another attempt.
        """
        if stored.wallet.credential is not None:
            return stored
        hash_ = challenge_of(stored, credential)
        request = build_request(stored, credential, sign(hash_), ticket(stored, credential))
        waiting = list(order if order is not None else sorted(self._connections))
        said = _Said()
        while True:
            self._collect(request.encode(), stored, hash_, waiting, said)
            try:
                made = combine_verified(
                    self._group, self._pairing, self._keys, self._threshold, stored, said.partials, self._entropy
                )
            except InvalidProof:
                self._drop_wrong(stored, said)
                continue
            return wallet.complete(stored, made)

    def _collect(self, data: bytes, stored: StoredWallet, hash_: bytes, waiting: list[int], said: _Said) -> None:
        """Ask as many issuers as are still needed, until k gave a point or nobody is left.

        Raises:
            IssuanceError: nobody is left.
        """
        while len(said.partials) < self._threshold and waiting:
            needed = self._threshold - len(said.partials)
            asked = waiting[:needed]
            del waiting[:needed]
            for outcome in self._pool.map(lambda issuer: self.ask(issuer, data), asked):
                if outcome.said is None:
                    said.silent.append(f"issuer {outcome.issuer}: {outcome.note}")
                elif isinstance(outcome.said, Refusal):
                    said.refusals[outcome.issuer] = outcome.said.code
                else:
                    try:
                        said.partials[outcome.issuer] = decoded_partial(
                            self._pairing, self._keys, stored, hash_, outcome.said
                        )
                    except FormatError:
                        said.invalid.append(outcome.issuer)
        if len(said.partials) < self._threshold:
            raise said.error(self._threshold)

    def _drop_wrong(self, stored: StoredWallet, said: _Said) -> None:
        """Leave out partial signatures that do not verify; there is at least one.

        Raises:
            FormatError: all verify, so that the keys do not belong together.
        """
        wrong: list[int] = []
        for issuer, point in said.partials.items():
            try:
                require_partial(self._pairing, self._keys, stored, issuer, point, self._entropy)
            except FormatError:
                wrong.append(issuer)
        if not wrong:
            raise FormatError("every partial signature verifies, but not the credential: the keys do not fit together")
        for issuer in wrong:
            del said.partials[issuer]
            said.invalid.append(issuer)

    def ask(self, issuer: int, data: bytes) -> Outcome:
        """What one issuer says to the bytes of a request; its own connection retries what may be repeated."""
        try:
            reply = self._connections[issuer].send("POST", ISSUANCES, data, CBOR)
            if reply.kind != CBOR:
                return Outcome(issuer, None, f"status {reply.status}")
            said = decode_answer(reply.data)
            if said.issuer != issuer:
                return Outcome(issuer, None, f"answers as issuer {said.issuer}")
        except (Unreachable, FormatError) as error:
            return Outcome(issuer, None, str(error))
        return Outcome(issuer, said)
