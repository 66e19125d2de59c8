"""Enrolment ends with the checkpoint that issuers have: a later passkey would only cost its voter the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from biometric_idp.enrolment.passkey import assertion_json, make_assertion
from biometric_idp.request import request_hash
from biometric_idp.shared.fields import encode_base64url
from tests.biometric_idp.online.parties import (
    ELECTION,
    FINGERPRINT,
    TERMINAL_OFFICERS,
    VOTING,
    Device,
    Parties,
    Refused,
    run,
)
from tests.biometric_idp.online.parties import running as parties_running
from tests.support.running import run_tool

pytestmark = pytest.mark.slow
BLINDED = bytes(range(48))


@dataclass
class Ended:
    """Who was in the log in time, who had not finished, and whose entry came between checkpoint and opening."""

    parties: Parties
    early: Device
    early_place: dict[str, Any]
    unfinished: Device
    unfinished_id: str
    late: Device
    late_place: dict[str, Any]
    checkpoint: Path


def opening(parties: Parties, checkpoint: Path) -> list[object]:
    config = ("--config", parties.idp_config, "--election", ELECTION)
    return [*config, "--fingerprint", FINGERPRINT.hex(), "--checkpoint", checkpoint]


@pytest.fixture(scope="module", name="ended")
def fixture_ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    with parties_running(tmp_path_factory.mktemp("ended")) as parties:
        early, unfinished, late = (Device(parties, person) for person in parties.people[:3])
        for device in (early, unfinished, late):
            device.enrol()
        early_place = early.vote_ready()
        unfinished.handoff()
        unfinished_id = unfinished.register_voting(key="not-finished")["enrolment"]
        unfinished.confirm(unfinished_id)
        checkpoint = parties.directory / "checkpoint"
        config = ("--config", parties.idp_config, "--election", ELECTION)
        run("idp", "sign-checkpoint", *config, "--out", checkpoint, prints=False)
        late_place = late.vote_ready()
        assert late_place["index"] == 1
        said = run("idp", "open", *opening(parties, checkpoint))
        assert said["enrolled"] == 1
        yield Ended(parties, early, early_place, unfinished, unfinished_id, late, late_place, checkpoint)
        for device in (early, unfinished, late):
            device.close()


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return str(caught.value.code)


def at_terminal(device: Device, place: dict[str, Any]) -> dict[str, Any]:
    """Ask for a ticket with two officers."""
    hash_ = request_hash(FINGERPRINT, place["style"], place["position"], b"", BLINDED)
    members = {
        "election": FINGERPRINT.hex(),
        "pin": device.person.pin,
        "document": {"mrz": list(device.person.mrz)},
        "style": place["style"],
        "position": place["position"],
        "blinded": encode_base64url(BLINDED),
        "assertions": [assertion_json(make_assertion(own, VOTING, hash_)) for own in TERMINAL_OFFICERS.values()],
    }
    return device.post("/v1/officers/tickets", members)


def test_who_was_in_the_log_in_time_gets_a_ticket_and_no_terminal(ended: Ended) -> None:
    ended.early.handoff("ticket")
    assert ended.early.ticket(ended.early_place, BLINDED)["ticket"]
    assert refused(at_terminal, ended.early, ended.early_place) == "has-voting-passkey"


def test_nobody_gets_into_the_log_any_more(ended: Ended) -> None:
    assert refused(ended.unfinished.complete, ended.unfinished_id) == "enrolment-closed"
    newcomer = Device(ended.parties, ended.parties.people[3])
    newcomer.enrol()
    newcomer.handoff()
    assert refused(newcomer.register_voting) == "enrolment-closed"
    newcomer.close()


def test_whose_passkey_came_after_the_checkpoint_votes_at_a_terminal(ended: Ended) -> None:
    ended.late.handoff("ticket")
    assert refused(ended.late.ticket, ended.late_place, BLINDED) == "not-your-request"
    assert at_terminal(ended.late, ended.late_place)["ticket"]


def test_enrolment_ends_once_with_a_checkpoint_of_this_log(ended: Ended, tmp_path: Path) -> None:
    assert run("idp", "open", *opening(ended.parties, ended.checkpoint))["enrolled"] == 1
    later = tmp_path / "later"
    config = ("--config", ended.parties.idp_config, "--election", ELECTION)
    run("idp", "sign-checkpoint", *config, "--out", later, prints=False)
    forged = tmp_path / "forged"
    forged.write_text(ended.checkpoint.read_text().replace("\n1\n", "\n2\n"))
    for path, sentence in ((later, "ended with 1 entries already"), (forged, "no checkpoint of")):
        done = run_tool("biometric_idp.idp.cli", "open", *opening(ended.parties, path))
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert sentence in done.stderr
