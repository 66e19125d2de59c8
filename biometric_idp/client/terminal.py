"""A terminal at a precinct: a credential for a voter without a passkey, under two officers' passkeys.

The wallet is the voter's, stored before anything leaves; the officers sign the hash of this very request, and the same
two assertions go to identity provider and issuers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from biometric_idp.client.connection import Connection
from biometric_idp.client.obtain import Issuers
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.request import Assertion, Ticket, decode_ticket
from biometric_idp.shared.fields import decode_base64url, encode_base64url

TICKETS = "/v1/voting/terminal-tickets"


def ask_terminal_ticket(
    provider: Connection,
    origin: str,
    stored: StoredWallet,
    pin: str,
    mrz: Sequence[str],
    assertions: Sequence[Assertion],
) -> Ticket:
    """The identity provider's word for the person at this terminal.

    Args:
        origin: of the voting host, whose page the terminal shows.
        assertions: two different officers', over the request hash.

    Raises:
        ServiceRefused: with the code of what does not hold.
    """
    wallet = stored.wallet
    body = {
        "election": wallet.fingerprint.hex(),
        "pin": pin,
        "document": {"mrz": list(mrz)},
        "style": wallet.style,
        "position": wallet.position,
        "blinded": encode_base64url(wallet.blinded),
        "assertions": [
            {
                "credential": encode_base64url(item.credential),
                "client_data": encode_base64url(item.client_data),
                "authenticator_data": encode_base64url(item.authenticator_data),
                "signature": encode_base64url(item.signature),
            }
            for item in assertions
        ],
    }
    key = sha256(wallet.blinded).hexdigest()
    answer = provider.json("POST", TICKETS, body, idempotency=key, headers={"origin": origin})
    return decode_ticket(decode_base64url(answer.get("ticket")))


def obtain_at_terminal(
    issuers: Issuers,
    provider: Connection,
    origin: str,
    file: WalletFile,
    stored: StoredWallet,
    pin: str,
    mrz: Sequence[str],
    sign: Callable[[bytes], Sequence[Assertion]],
) -> StoredWallet:
    """The wallet with its credential, of the class ``terminal``.

    Args:
        sign: two officers' assertions over a challenge, which is computed here; asked once.
    """
    made: list[Assertion] = []

    def remember(challenge: bytes) -> Sequence[Assertion]:
        made[:] = sign(challenge)
        return made

    return issuers.obtain(
        file,
        stored,
        b"",
        remember,
        lambda wallet, _: ask_terminal_ticket(provider, origin, wallet, pin, mrz, made),
    )
