"""A terminal: a credential for a voter without a voting passkey, by two officers (section 5.4, class ``terminal``).

The order is the one of every device: wallet on disk, then assertions over a challenge that is computed here, then the
ticket, then the issuers. Both the identity provider and every issuer check the officers' assertions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from biometric_idp.client.connection import Connection
from biometric_idp.client.obtain import Issuers
from biometric_idp.client.voter import Place, place_of
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.enrolment.passkey import assertion_json
from biometric_idp.request import Assertion, Ticket, decode_ticket
from biometric_idp.shared.fields import decode_base64url, encode_base64url
from biometric_idp.shared.terminal_place import place_challenge

#: No voting passkey, no credential id.
NO_PASSKEY = b""
TICKETS = "/v1/officers/tickets"

#: Officers' passkeys sign a challenge on the voting host.
Officers = Callable[[bytes], Sequence[Assertion]]


class Terminal:
    """Serves one voter after the other; keeps nothing of any.

    Args:
        provider: the identity provider.
        voting_origin: of the terminal's page.
    """

    def __init__(self, provider: Connection, issuers: Issuers, voting_origin: str) -> None:
        self._provider = provider
        self._issuers = issuers
        self._voting_origin = voting_origin

    def place(self, fingerprint: bytes, pin: str, mrz: Sequence[str], date: int, officer: Officers) -> Place:
        """Where the voter stands on the roll, which a request must name.

        Args:
            date: today, in days since 1970-01-01.
            officer: one officer's passkey, over a challenge that names the voter.
        """
        (assertion,) = officer(place_challenge(fingerprint, pin, date))
        body = {
            "election": fingerprint.hex(),
            "pin": pin,
            "document": {"mrz": list(mrz)},
            "date": date,
            "assertion": assertion_json(assertion),
        }
        headers = {"origin": self._voting_origin}
        return place_of(self._provider.json("POST", "/v1/officers/places", body, headers=headers))

    def obtain(
        self,
        wallet: WalletFile,
        stored: StoredWallet,
        pin: str,
        mrz: Sequence[str],
        officers: Officers,
        order: Sequence[int] | None = None,
    ) -> StoredWallet:
        """The voter's wallet with its credential.

        Args:
            stored: what was read back from ``wallet``; style and position are the voter's own.
            mrz: machine-readable zone of the voter's document.
            order: issuers in the order in which they are asked.

        Raises:
            ServiceRefused: the identity provider refuses officers, person or place.
            IssuanceError: fewer than k issuers gave a valid partial signature.
        """
        made: list[Assertion] = []

        def sign(hash_: bytes) -> Sequence[Assertion]:
            made[:] = officers(hash_)
            return made

        return self._issuers.obtain(
            wallet, stored, NO_PASSKEY, sign, lambda ready, _: self.ticket(ready, pin, mrz, made), order
        )

    def ticket(self, stored: StoredWallet, pin: str, mrz: Sequence[str], assertions: Sequence[Assertion]) -> Ticket:
        """The identity provider's word for the request of this wallet, this person and these officers."""
        wallet = stored.wallet
        body = {
            "election": wallet.fingerprint.hex(),
            "pin": pin,
            "document": {"mrz": list(mrz)},
            "style": wallet.style,
            "position": wallet.position,
            "blinded": encode_base64url(wallet.blinded),
            "assertions": [assertion_json(item) for item in assertions],
        }
        # A repeated visit has fresh assertions, and so another body: the key is theirs as well as the wallet's.
        key = sha256(wallet.blinded + b"".join(item.signature for item in assertions)).hexdigest()
        headers = {"origin": self._voting_origin}
        answer = self._provider.json("POST", TICKETS, body, idempotency=key, headers=headers)
        return decode_ticket(decode_base64url(answer.get("ticket")))
