"""The whole way of one voter over HTTP: enrolment, sign-in, voting passkey, ticket, inquiry."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from biometric_idp.enrolment.log import EnrolmentSource, read_enrolment_log
from biometric_idp.files import FramedReader
from biometric_idp.idp.ticket import TicketVerifier
from biometric_idp.issuer.office import ENROLMENT_LINE
from biometric_idp.registrar.roll import read_roll
from biometric_idp.registrar.rolls.service import RollProof
from biometric_idp.request import Ticket, request_hash
from biometric_idp.shared.fields import decode_base64url
from biometric_idp.shared.inquiry import decode_inquiry
from crypto import cbor
from tests.biometric_idp.online.parties import ELECTION, FINGERPRINT, ORIGIN, READER, Device, running


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_a_voter_comes_from_a_document_to_a_ticket(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    databases = {}
    if kind == "postgresql":
        server = request.getfixturevalue("postgres")
        databases = {"idp_database": server.database(), "registrar_database": server.database()}
    with running(tmp_path, **databases) as parties:
        device = Device(parties, parties.people[3])
        device.enrol()
        signed_in = device.sign_in()
        assert signed_in["acr"] == "urn:evoting:acr:passkey"
        assert signed_in["amr"] == ["pop", "user"]
        logged = device.vote_ready()
        assert logged["state"] == "logged"
        assert logged["index"] == 0
        roll = read_roll(tmp_path / "roll.bin")
        assert roll.style_of(logged["position"]) == logged["style"] == device.person.record["unit"]

        device.handoff("ticket")
        blinded = bytes(range(48))
        answer = device.ticket(logged, blinded)
        hash_ = request_hash(
            FINGERPRINT, logged["style"], logged["position"], device.voting_key.public.credential, blinded
        )
        assert decode_base64url(answer["hash"]) == hash_
        members = cbor.decode(decode_base64url(answer["ticket"]))
        assert isinstance(members, dict)
        assert TicketVerifier(parties.keys["idp"], FINGERPRINT).holds(Ticket(**members), hash_)

        asked = device.post("/v1/voting/inquiries", {"election": FINGERPRINT.hex(), "issuer": 0}, device.voting_session)
        inquiry = decode_inquiry(decode_base64url(asked["inquiry"]))
        assert inquiry.holds(parties.keys["idp"])
        assert inquiry.position == logged["position"]
        proof = device.reg.get(
            f"/v1/elections/{ELECTION}/roll/proof", headers={"authorization": f"Bearer {asked['inquiry']}"}
        ).json()
        assert_roll_proof_holds(proof, device.person.pin)

        account = device.get("/v1/account", device.session)
        assert account["elections"][0]["voting_passkey"] == "logged"
        notices = [item["kind"] for item in account["notices"]]
        assert notices == ["passkey-registered", "voting-passkey-code"]

        log = f"/v1/elections/{ELECTION}/enrolment-log"
        note = wait_for_checkpoint(device.id, f"{log}/checkpoint", 1)
        answered = device.id.get(f"{log}/enrolment-log.bin", headers={"authorization": f"Bearer {READER}"})
        (tmp_path / "log.bin").write_bytes(answered.content)
        source = EnrolmentSource(ORIGIN, parties.keys["idp"], parties.keys["registrar"], note, 2**40)
        with FramedReader(tmp_path / "log.bin", ENROLMENT_LINE, 0) as entries:
            (enrolments,) = list(read_enrolment_log(source, entries))
        assert enrolments[0].passkey == device.voting_key.public
        assert enrolments[0].method == "code"
        kinds = [message["text"].split(":")[0] for message in parties.messages()]
        assert len(kinds) == 2
        assert device.id.get(f"{log}/enrolment-log.bin").status_code == 401
        device.close()


def wait_for_checkpoint(client: httpx.Client, path: str, size: int) -> str:
    import time

    for _ in range(100):
        answer = client.get(path)
        if answer.status_code == 200 and answer.text.split("\n")[1] == str(size):
            return answer.text
        time.sleep(0.1)
    raise AssertionError("no checkpoint")


def assert_roll_proof_holds(proof: dict[str, object], pin: str) -> None:
    from biometric_idp.registrar.roll import roll_leaf
    from crypto.log.merkle import hash_leaf, verify_inclusion

    held = RollProof(
        int(str(proof["position"])),
        str(proof["style"]),
        bytes.fromhex(str(proof["salt"])),
        tuple(bytes.fromhex(str(node)) for node in proof["path"]),  # type: ignore[attr-defined]
        int(str(proof["size"])),
        bytes.fromhex(str(proof["commitment"])),
    )
    leaf = hash_leaf(roll_leaf(held.salt, held.position, held.style, pin))
    verify_inclusion(leaf, held.position, held.size, held.path, held.commitment)
