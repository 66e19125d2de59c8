"""Obtaining a credential over HTTP: a stored wallet, one assertion, one ticket, k of m issuers.

Every issuer gets the same bytes, so an interrupted attempt is repeated as it was and gives the same credential. An
issuer that does not answer, refuses, or answers wrongly is replaced by another one, as long as there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from biometric_idp.client.connection import Connection, Unreachable
from biometric_idp.client.issuance import (
    IssuanceError,
    build_request,
    challenge_of,
    combine_verified,
    verified_partial,
)
from biometric_idp.client.keys import IssuanceKeys
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.errors import FormatError
from biometric_idp.request import Answer, Assertion, Refusal, Ticket, decode_answer
from crypto.blind_bls import Entropy
from crypto.group.interface import G1Vector, Group, PairingGroup

CBOR = "application/cbor"
ISSUANCES = "/v1/issuances"


@dataclass(frozen=True)
class Outcome:
    """What one issuer said: an answer, a signed refusal, or nothing."""

    issuer: int
    said: Answer | Refusal | None
    note: str = ""


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
        partials = self._collect(request.encode(), stored, hash_, waiting)
        made = combine_verified(
            self._group, self._pairing, self._keys, self._threshold, stored, partials, self._entropy
        )
        return wallet.complete(stored, made)

    def _collect(self, data: bytes, stored: StoredWallet, hash_: bytes, waiting: list[int]) -> dict[int, G1Vector]:
        """Ask as many issuers as are still needed, until k gave a valid partial signature or nobody is left."""
        partials: dict[int, G1Vector] = {}
        refusals: dict[int, str] = {}
        invalid: list[int] = []
        silent: list[str] = []
        with ThreadPoolExecutor(self._threshold) as pool:
            while len(partials) < self._threshold and waiting:
                needed = self._threshold - len(partials)
                asked, waiting = waiting[:needed], waiting[needed:]
                for outcome in pool.map(lambda issuer: self.ask(issuer, data), asked):
                    if outcome.said is None:
                        silent.append(f"issuer {outcome.issuer}: {outcome.note}")
                    elif isinstance(outcome.said, Refusal):
                        refusals[outcome.issuer] = outcome.said.code
                    else:
                        try:
                            partials[outcome.issuer] = verified_partial(
                                self._pairing, self._keys, stored, hash_, outcome.said, self._entropy
                            )
                        except FormatError:
                            invalid.append(outcome.issuer)
        if len(partials) < self._threshold:
            said = [f"{len(partials)} of {self._threshold} issuers gave a valid partial signature", *silent]
            said += [f"issuer {issuer} refuses: {code}" for issuer, code in refusals.items()]
            said += [f"issuer {issuer} answers wrongly" for issuer in invalid]
            raise IssuanceError("; ".join(said), refusals, invalid)
        return partials

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
