"""Terminal voters without a passkey, end to end: two officers, ticket, issuers, the public count (attack C16)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from biometric_idp.bulk.people import SyntheticPerson
from biometric_idp.client.connection import ServiceRefused
from biometric_idp.client.issuance import IssuanceError, build_request, challenge_of
from biometric_idp.client.terminal import NO_PASSKEY, Terminal
from biometric_idp.client.voter import Place
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.enrolment.passkey import assertion_json, make_assertion
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.issuer.checks import DAY
from biometric_idp.request import Assertion, request_hash
from biometric_idp.shared.fields import encode_base64url
from biometric_idp.webauthn import RelyingParty
from services.database import open_engine, reading
from tests.biometric_idp.issuer_service.places import answer_of, ask, code_of
from tests.biometric_idp.online.parties import (
    FINGERPRINT,
    VOTING,
    Parties,
    officer,
    running,
)
from tests.biometric_idp.online.whole import PLANS, Whole, terminal_officer, whole_election, with_officers

pytestmark = pytest.mark.slow
_NAMES = count()


@pytest.fixture(scope="module", name="whole")
def fixture_whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with whole_election(tmp_path_factory.mktemp("terminal")) as whole:
        yield whole


def by(*numbers: int, party: RelyingParty = VOTING, counter: int = 0) -> Callable[[bytes], list[Assertion]]:
    """Assertions of these officers."""
    return lambda hash_: [make_assertion(officer(number), party, hash_, counter=counter) for number in numbers]


def today() -> int:
    return int(time.time()) // DAY


class Visit:
    """One person at the terminal."""

    def __init__(self, whole: Whole, person: SyntheticPerson) -> None:
        self.whole, self.person = whole, person
        self.terminal = Terminal(whole.provider, whole.device_side(), VOTING.origin)
        self.place: Place = self.terminal.place(FINGERPRINT, person.pin, person.mrz, today(), by(1))
        self.wallet, self.stored = self.fresh()

    def fresh(self) -> tuple[WalletFile, StoredWallet]:
        return self.whole.wallet(str(next(_NAMES)), self.place.position, self.place.style)

    def hash(self) -> bytes:
        return challenge_of(self.stored, NO_PASSKEY)

    def body(self, assertions: Sequence[Assertion], **changes: Any) -> dict[str, Any]:
        wallet = self.stored.wallet
        return {
            "election": FINGERPRINT.hex(),
            "pin": self.person.pin,
            "document": {"mrz": list(self.person.mrz)},
            "style": wallet.style,
            "position": wallet.position,
            "blinded": encode_base64url(wallet.blinded),
            "assertions": [assertion_json(item) for item in assertions],
            **changes,
        }

    def ask(self, assertions: Sequence[Assertion], key: str | None = None, **changes: Any) -> httpx.Response:
        return post(self.whole.parties, "tickets", self.body(assertions, **changes), key)


def post(parties: Parties, path: str, body: dict[str, Any], key: str | None = None) -> httpx.Response:
    headers = {"host": f"id.localhost:{parties.idp.port}", "origin": VOTING.origin}
    if key is not None:
        headers["idempotency-key"] = key
    url = f"http://127.0.0.1:{parties.idp.port}/v1/officers/{path}"
    return httpx.post(url, json=body, headers=headers, timeout=60)


def code(response: httpx.Response) -> str:
    assert response.status_code >= 400, response.text
    problem = response.json()
    assert problem["message"].keys() == problem["next"].keys() == {"ky", "ru", "en"}
    return str(problem["code"])


def test_two_officers_obtain_a_credential_for_a_voter_without_a_passkey_and_it_is_counted_apart(whole: Whole) -> None:
    visit = Visit(whole, whole.parties.people[1])
    done = visit.terminal.obtain(visit.wallet, visit.stored, visit.person.pin, visit.person.mrz, by(1, 2))
    assert done.wallet.credential is not None
    for index in (1, 2, 3):
        assert whole.counts(index, 1)[visit.place.style]["terminal"] == 1
    # Once and no more: another wallet of the same voter is refused by the issuers.
    wallet, stored = visit.fresh()
    with pytest.raises(IssuanceError) as caught:
        visit.terminal.obtain(wallet, stored, visit.person.pin, visit.person.mrz, by(2, 1), order=(1, 2, 3))
    assert set(caught.value.refusals.values()) == {"already-issued"}


def unlike(hash_: bytes) -> bytes:
    return sha256(hash_).digest()


@pytest.mark.parametrize(
    "sign",
    [
        lambda hash_: by(1, 1)(hash_),
        lambda hash_: by(3, 4)(hash_),
        lambda hash_: by(1, 3)(hash_),
        lambda hash_: by(1, 2)(unlike(hash_)),
        lambda hash_: [*by(1)(hash_), *by(2)(unlike(hash_))],
        lambda hash_: by(1, 2, party=RelyingParty("id.localhost", "http://id.localhost:8000"))(hash_),
        lambda hash_: [make_assertion(officer(number), VOTING, hash_, flags=1) for number in (1, 2)],
    ],
    ids=[
        "the-same-twice",
        "of-another-election",
        "one-of-another",
        "another-hash",
        "one-other-hash",
        "id-host",
        "no-uv",
    ],
)
def test_C16_what_is_not_two_officers_of_this_election_over_this_request(
    whole: Whole, sign: Callable[[bytes], list[Assertion]]
) -> None:
    """Refused by the identity provider; and by every issuer, even with a ticket that was got in another way."""
    visit = Visit(whole, whole.parties.people[2])
    made = sign(visit.hash())
    assert code(visit.ask(made)) == "officers-refused"
    ticket = sign_tickets(whole.world.idp, FINGERPRINT, [visit.hash()], today())[0]
    request = build_request(visit.stored, NO_PASSKEY, made, ticket)
    for place in whole.issuers:
        assert code_of(answer_of(ask(place.services[0], request.encode()))) in {
            "enrolment", "challenge", "client-data", "user-verified",
        }  # fmt: skip


def test_C16_one_officer_alone(whole: Whole) -> None:
    visit = Visit(whole, whole.parties.people[2])
    alone = by(1)(visit.hash())
    assert code(visit.ask(alone)) == "malformed-request"
    ticket = sign_tickets(whole.world.idp, FINGERPRINT, [visit.hash()], today())[0]
    request = build_request(visit.stored, NO_PASSKEY, alone, ticket)
    for place in whole.issuers:
        assert code_of(answer_of(ask(place.services[0], request.encode()))) == "enrolment"


def test_C16_officers_cannot_act_for_a_voter_who_has_a_passkey(whole: Whole) -> None:
    visit = Visit(whole, whole.enrolled.person)
    assert code(visit.ask(by(1, 2)(visit.hash()))) == "has-voting-passkey"
    ticket = sign_tickets(whole.world.idp, FINGERPRINT, [visit.hash()], today())[0]
    request = build_request(visit.stored, NO_PASSKEY, by(1, 2)(visit.hash()), ticket)
    for place in whole.issuers:
        assert code_of(answer_of(ask(place.services[0], request.encode()))) == "enrolment"


def test_C16_officers_cannot_use_one_persons_document_for_anothers_place(whole: Whole) -> None:
    visit, other = (Visit(whole, whole.parties.people[number]) for number in (2, 3))
    # PIN and document of another person; then this person's own, with the other's position, then with another style.
    changes: dict[str, Any] = {"pin": other.person.pin, "document": {"mrz": list(other.person.mrz)}}
    assert code(visit.ask(by(1, 2)(visit.hash()), **changes)) == "not-this-place"
    wallet = visit.stored.wallet
    for style, position in ((wallet.style, other.place.position), ("south", wallet.position)):
        hash_ = request_hash(FINGERPRINT, style, position, NO_PASSKEY, wallet.blinded)
        assert code(visit.ask(by(1, 2)(hash_), style=style, position=position)) == "not-this-place"


def test_without_officers_nothing_is_learnt_and_no_attempt_is_used_up(whole: Whole) -> None:
    person = whole.parties.people[4]
    visit = Visit(whole, person)
    wrong: dict[str, Any] = {"document": {"mrz": list(whole.parties.people[5].mrz)}}
    for _ in range(5):
        assert code(visit.ask(by(1, 3)(visit.hash()), **wrong)) == "officers-refused"
    assert visit.ask(by(1, 2)(visit.hash())).status_code == 200


def test_a_wrong_document_and_an_unknown_person_get_the_same_answer_and_a_delay(whole: Whole) -> None:
    visit = Visit(whole, whole.parties.people[5])
    assertions = by(1, 2)(visit.hash())
    wrong: dict[str, Any] = {"document": {"mrz": list(whole.parties.people[6].mrz)}}
    nobody = {"pin": "20101199099999"}
    answers = [visit.ask(assertions, **changes) for changes in (wrong, nobody)]
    assert {code(answer) for answer in answers} == {"identity-not-confirmed"}
    assert answers[0].json()["message"] == answers[1].json()["message"]
    for _ in range(2):
        assert code(visit.ask(assertions, **wrong)) == "identity-not-confirmed"
    delayed = visit.ask(assertions)
    assert code(delayed) == "too-many-attempts"
    assert int(delayed.headers["retry-after"]) > 0
    # The same delay stands before an enrolment with this PIN.
    started = httpx.post(
        f"http://127.0.0.1:{whole.parties.idp.port}/v1/enrolments",
        json={"pin": visit.person.pin, "document": {"mrz": list(visit.person.mrz)}},
        headers={"host": f"id.localhost:{whole.parties.idp.port}"},
    )
    assert code(started) == "too-many-attempts"


def test_the_same_request_has_the_same_answer_and_a_used_assertion_makes_no_other_one(whole: Whole) -> None:
    visit = Visit(whole, whole.parties.people[6])
    assertions = by(5, 6, counter=7)(visit.hash())
    first = visit.ask(assertions, key="a terminal's key")
    assert first.status_code == 200, first.text
    assert visit.ask(assertions, key="a terminal's key").json() == first.json()
    assert code(visit.ask(by(1, 2)(visit.hash()), key="a terminal's key")) == "idempotency-conflict"
    assert code(visit.ask(assertions, key="another of its keys")) == "officers-refused"


def test_the_place_of_a_person_needs_an_officer_and_the_document(whole: Whole) -> None:
    person, other = whole.parties.people[3], whole.parties.people[4]
    terminal = Terminal(whole.provider, whole.device_side(), VOTING.origin)

    def refusal(pin: str, mrz: Sequence[str], date: int, sign: Callable[[bytes], list[Assertion]]) -> str:
        with pytest.raises(ServiceRefused) as caught:
            terminal.place(FINGERPRINT, pin, mrz, date, sign)
        return caught.value.code

    assert refusal(person.pin, person.mrz, today(), by(3)) == "officers-refused"
    assert refusal(person.pin, person.mrz, today(), lambda hash_: by(1)(unlike(hash_))) == "officers-refused"
    assert refusal(person.pin, person.mrz, today() - 2, by(1)) == "officers-refused"
    assert refusal(person.pin, other.mrz, today(), by(1)) == "identity-not-confirmed"


def test_only_pages_of_the_voting_host_may_ask(whole: Whole) -> None:
    visit = Visit(whole, whole.parties.people[3])
    port = whole.parties.idp.port
    for origin, allowed in ((VOTING.origin, True), ("http://evil.example", False)):
        answer = httpx.options(
            f"http://127.0.0.1:{port}/v1/officers/tickets",
            headers={
                "host": f"id.localhost:{port}",
                "origin": origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": "content-type",
            },
        )
        assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
    answer = httpx.post(
        f"http://127.0.0.1:{port}/v1/officers/confirmations",
        json=visit.body(by(1, 2)(visit.hash())),
        headers={"host": f"id.localhost:{port}", "origin": VOTING.origin},
    )
    assert answer.status_code == 403


def test_the_audit_log_names_officers_and_a_date_and_no_person(whole: Whole) -> None:
    visit = Visit(whole, whole.parties.people[7])
    engine = open_engine(str(whole.parties.directory / "idp/idp.sqlite"))

    def events() -> list[str]:
        time.sleep(1.5)
        with reading(engine) as db:
            return [row[0] for row in db.execute(text("select event from audit_log order by sequence"))]

    before = len(events())
    assert visit.ask(by(1, 2)(visit.hash())).status_code == 200
    (mine,) = events()[before:]
    assert '"terminal-ticket"' in mine
    assert "officer-1 officer-2" in mine
    assert '"date"' in mine
    assert '"time"' not in mine
    assert visit.person.pin not in mine


def test_C16_an_officer_whose_role_did_not_sign_for_this_election_stops_the_opening(tmp_path: Path) -> None:
    def change(members: dict[str, Any]) -> None:
        with_officers(members)
        members["elections"][0]["officers"][1] = terminal_officer(2, bytes(32))

    with (
        pytest.raises(AssertionError, match="signature of officer officer-2 does not hold"),
        running(tmp_path, change_idp=change, plans=PLANS),
    ):
        pass
