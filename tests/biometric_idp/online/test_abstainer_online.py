"""C12 end to end: a citizen without a voting passkey asks every issuer and the registrar about their own position."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from biometric_idp.client.issuance import challenge_of
from biometric_idp.client.terminal import NO_PASSKEY, Terminal
from biometric_idp.client.voter import Voter
from biometric_idp.enrolment.passkey import make_assertion
from biometric_idp.issuer.checks import DAY
from biometric_idp.issuer.ledger import PositionProof, verify_position
from biometric_idp.issuer.position_tree import TreeStatement
from biometric_idp.registrar.roll import read_roll
from biometric_idp.request import Assertion
from biometric_idp.shared.fields import decode_base64url
from biometric_idp.shared.inquiry import decode_inquiry
from tests.biometric_idp.online.parties import ELECTION, FINGERPRINT, ORIGIN, VOTING, Device, Refused, officer
from tests.biometric_idp.online.test_flow import assert_roll_proof_holds
from tests.biometric_idp.online.whole import Whole, whole_election

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", name="whole")
def fixture_whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole_election(tmp_path_factory.mktemp("abstainer"), issuers=(1, 2, 3)) as whole:
        yield whole


def signed_in(whole: Whole, number: int) -> Device:
    """A citizen with a sign-in passkey and no other, on the voting host."""
    device = Device(whole.parties, whole.parties.people[number])
    device.enrol()
    device.sign_in()
    device.handoff("ticket")
    return device


def inquiry(device: Device, issuer: int) -> str:
    body = {"election": FINGERPRINT.hex(), "issuer": issuer}
    return str(device.post("/v1/voting/inquiries", body, device.voting_session)["inquiry"])


def at_issuer(whole: Whole, index: int, text: str) -> httpx.Response:
    url = f"{whole.issuers[index - 1].services[0].url}/v1/positions"
    return httpx.post(url, json={"inquiry": text}, headers={"origin": VOTING.origin}, timeout=30)


def proved(whole: Whole, index: int, text: str, size: int) -> bytes | None:
    """The request hash that the issuer has for the position, None for nothing; with all that a citizen checks."""
    answer = at_issuer(whole, index, text)
    deadline = time.monotonic() + 30
    while (answer.status_code != 200 or answer.json()["statement"]["size"] < size) and time.monotonic() < deadline:
        time.sleep(0.1)
        answer = at_issuer(whole, index, text)
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == VOTING.origin
    proof: dict[str, Any] = answer.json()
    said = proof["statement"]
    statement = TreeStatement(
        index,
        FINGERPRINT,
        said["size"],
        bytes.fromhex(said["root"]),
        said["tree-size"],
        said["time"],
        bytes.fromhex(said["signature"]),
    )
    assert statement.holds(bytes(whole.world.signing[index - 1].verify_key))
    assert statement.tree_size == len(read_roll(whole.parties.directory / "roll.bin"))
    asked = decode_inquiry(decode_base64url(text))
    assert proof["position"] == asked.position
    issued = None if proof["issued"] is None else bytes.fromhex(proof["issued"])
    path = tuple(bytes.fromhex(node) for node in proof["path"])
    checked = PositionProof(asked.position, bytes.fromhex(proof["salt"]), issued, path)
    verify_position(checked, FINGERPRINT, statement.root, statement.tree_size)
    return issued


def test_C12_an_abstainer_with_a_sign_in_passkey_only_asks_issuers_and_registrar(whole: Whole) -> None:
    device = signed_in(whole, 1)
    assert device.get("/v1/account", device.session)["elections"][0]["voting_passkey"] == "none"
    for index in (1, 2, 3):
        assert proved(whole, index, inquiry(device, index), 0) is None
    proof = device.reg.get(
        f"/v1/elections/{ELECTION}/roll/proof", headers={"authorization": f"Bearer {inquiry(device, 0)}"}
    ).json()
    assert proof["style"] == device.person.record["unit"]
    assert_roll_proof_holds(proof, device.person.pin)
    # To issuer 1, to nobody else; and it is no leave to be issued anything.
    for index in (2, 3):
        assert at_issuer(whole, index, inquiry(device, 1)).json()["code"] == "inquiry-refused"
    place = {"position": proof["position"], "style": proof["style"]}
    with pytest.raises(Refused, match="not-your-request"):
        device.ticket(place, bytes(range(48)))
    device.close()


def test_C12_an_abstainer_sees_what_two_officers_did_in_their_name(whole: Whole) -> None:
    person = whole.parties.people[2]

    def officers(*numbers: int) -> Any:
        def sign(hash_: bytes) -> list[Assertion]:
            return [make_assertion(officer(number), VOTING, hash_) for number in numbers]

        return sign

    terminal = Terminal(whole.provider, whole.device_side(), VOTING.origin)
    place = terminal.place(FINGERPRINT, person.pin, person.mrz, int(time.time()) // DAY, officers(1))
    wallet, stored = whole.wallet("stolen", place.position, place.style)
    terminal.obtain(wallet, stored, person.pin, person.mrz, officers(1, 2))
    device = signed_in(whole, 2)
    for index in (1, 2, 3):
        assert proved(whole, index, inquiry(device, index), 1) == challenge_of(stored, NO_PASSKEY)
    device.close()


def test_the_client_library_asks_for_an_abstainer(whole: Whole) -> None:
    device = signed_in(whole, 3)
    voter = Voter(whole.provider, whole.provider, whole.parties.party, VOTING, ORIGIN)
    voter.sign_in(device.sign_in_key)
    assert voter.enter("ticket") is None
    assert proved(whole, 2, voter.inquiry(FINGERPRINT, 2), 0) is None
    place = voter.enter("ticket")
    assert place is not None
    assert place.style == device.person.record["unit"]
    device.close()


def test_nobody_asks_without_a_session_nor_about_another_election(whole: Whole) -> None:
    device = signed_in(whole, 4)
    with pytest.raises(Refused, match="session-needed"):
        device.post("/v1/voting/inquiries", {"election": FINGERPRINT.hex(), "issuer": 1})
    with pytest.raises(Refused, match="session-purpose"):
        device.post("/v1/voting/inquiries", {"election": bytes(range(32)).hex(), "issuer": 1}, device.voting_session)
    device.close()
