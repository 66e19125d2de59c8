"""All services of a small election as processes, with what a signed-in person would send along."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from biometric_idp.idp.oidc.keys import new_key
from biometric_idp.issuer.ledger import ledger_origin
from biometric_idp.shared.fields import encode_base64url
from biometric_idp.signatures import note_verifier
from tests.biometric_idp.issuer_service.places import AUDITOR_TOKEN, make_place
from tests.biometric_idp.online.parties import (
    ELECTION,
    FINGERPRINT,
    ORIGIN,
    READER,
    VOTING,
    Device,
    officer_config,
    running,
)
from tests.biometric_idp.world import ORIGIN as ISSUING_ORIGIN
from tests.biometric_idp.world import World
from tests.support.witnesses import start_witnesses

CLIENT = {
    "id": "cabinet",
    "names": {"ky": "Кабинет", "ru": "Кабинет", "en": "Cabinet"},
    "redirect_uris": ["https://cabinet.example/callback"],
    "authentication": "none",
    "scopes": ["openid", "profile", "pin"],
}
NOBODY: Mapping[str, str] = {}


@dataclass
class Target:
    """A running service.

    Attributes:
        callers: headers by who asks.
        known: values that exist in this deployment, by name of a member or parameter, for requests to get far.
    """

    url: str
    callers: dict[str, Mapping[str, str]]
    known: dict[str, object] = field(default_factory=dict)


def _bearer(token: str, **more: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {token}", **more}


@contextmanager
def all_targets(directory: Path) -> Iterator[dict[str, Target]]:
    """Identity provider, registrar, an issuer with a ledger entry, a witness of its ledger."""
    with ExitStack() as stack:
        parties_directory, issuer_directory = directory / "parties", directory / "issuer"
        for item in (parties_directory, issuer_directory, directory / "witness"):
            item.mkdir()

        def complete(members: dict[str, object]) -> None:
            members["officers"] = [officer_config(1), officer_config(2)]
            members["appointments"] = {"consulates": ["moscow"]}
            members["oidc"] = {"keys": "oidc-keys", "clients": [CLIENT]}
            if not (parties_directory / "idp/oidc-keys").exists():
                new_key(parties_directory / "idp/oidc-keys", int(time.time()) - 7200, least_age=600)

        parties = stack.enter_context(running(parties_directory, change_idp=complete))
        signed_in, voting, enrolling = (Device(parties, parties.people[number]) for number in range(3))
        for device in (signed_in, voting, enrolling):
            stack.callback(device.close)
        signed_in.enrol()
        voting.enrol()
        place = voting.vote_ready()
        inquiry = voting.post(
            "/v1/voting/inquiries", {"election": FINGERPRINT.hex(), "issuer": 0}, voting.voting_session
        )
        enrolling.start()

        world = World(issuer_directory, now=int(time.time()))
        stack.callback(world.close)
        ledger = note_verifier(bytes(world.signing[0].verify_key), ledger_origin(ISSUING_ORIGIN, 1))
        witness = start_witnesses(directory / "witness", stack, [ledger], 1)[0]
        issuing = make_place(world, 1, witnesses=[witness.witness], quorum=1)
        stack.callback(issuing.stop)
        issuer = issuing.start()
        assert witness.service is not None

        request = world.request(world.wallet(0)).encode()
        known = {
            "election": ORIGIN,
            "enrolment": "0" * 32,
            "pin": parties.people[5].pin,
            "mrz": list(parties.people[5].mrz),
            "consulate": "moscow",
            "client_id": "cabinet",
            "redirect_uri": "https://cabinet.example/callback",
            "response_type": "code",
            "scope": "openid pin",
            "grant_type": "authorization_code",
            "code_challenge_method": "S256",
            "code_challenge": "A" * 43,
            "position": place["position"],
            "style": place["style"],
            "credential": encode_base64url(voting.voting_key.public.credential),
            "blinded": encode_base64url(os.urandom(48)),
        }
        yield {
            "idp": Target(
                f"http://127.0.0.1:{parties.idp.port}",
                {
                    "nobody": NOBODY,
                    "signed-in": _bearer(signed_in.session),
                    "enrolling": _bearer(enrolling.session),
                    "voting": _bearer(voting.voting_session, origin=VOTING.origin),
                    "reader": _bearer(READER),
                },
                known | {"election id": ELECTION, "fingerprint": FINGERPRINT.hex()},
            ),
            "registrar": Target(
                f"http://127.0.0.1:{parties.registrar.port}",
                {"nobody": NOBODY, "voter": _bearer(str(inquiry["inquiry"]), origin=VOTING.origin)},
                known | {"election id": ELECTION},
            ),
            "issuer": Target(issuer.url, {"nobody": NOBODY, "auditor": _bearer(AUDITOR_TOKEN)}, {"request": request}),
            "witness": Target(witness.service.url, {"nobody": NOBODY}),
        }
