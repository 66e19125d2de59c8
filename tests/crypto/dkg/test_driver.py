"""The ceremony as message files: resuming, repeating, waiting, excluding, and files that are no messages."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from crypto import cbor
from crypto.dkg.audit import audit_ceremony
from crypto.dkg.driver import STEPS, Progress, WaitingForMessages, advance, assemble
from crypto.dkg.files import KeyShareFile, ParticipantState, failed_file, message_file
from crypto.dkg.messages import Envelope
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.transcript import decode_attempt, encode_attempt
from crypto.dkg.verdict import Culprit
from crypto.errors import CeremonyError, DecodeError
from tests.crypto.dkg.ceremony_support import Actor, actors_of, issuers, play, role_key, signer, trustees


class Table:
    """Everybody's state, and the directory that all of them share."""

    def __init__(self, parameters: CeremonyParameters) -> None:
        self.parameters = parameters
        self.files: dict[str, bytes] = {}
        self.states = {index: ParticipantState.new(parameters, index) for index in parameters.indices}
        self.shares: dict[int, KeyShareFile] = {}

    def step(self, index: int, step: str, *, exclude_missing: bool = False) -> Progress:
        """One step with fresh entropy; state and files go through their encodings."""
        state = ParticipantState.decode(self.states[index].encode())
        sign = signer(self.parameters.kind, index)
        progress = advance(
            self.parameters, state, self.files, step, sign, os.urandom(64), exclude_missing=exclude_missing
        )
        self.states[index] = progress.state
        for name, data in progress.outgoing.items():
            assert self.files.setdefault(name, data) == data
        if progress.key_share is not None:
            self.shares[index] = KeyShareFile.decode(progress.key_share.encode())
        return progress

    def all(self, step: str, without: tuple[int, ...] = ()) -> None:
        for index in self.parameters.indices:
            if index not in without:
                self.step(index, step)

    def run(self, until: str = "finish", without: tuple[int, ...] = ()) -> Table:
        for step in STEPS[: STEPS.index(until) + 1]:
            self.all(step, without)
        return self


@pytest.mark.parametrize("make", [trustees, issuers])
def test_a_ceremony_from_files_gives_everybody_a_share_of_one_key(make: object) -> None:
    table = Table(make()).run()  # type: ignore[operator]
    transcript, outcome = assemble(table.parameters, table.files)
    assert table.files["transcript.cbor"] == transcript
    assert audit_ceremony(table.parameters, transcript) == outcome
    for index, share in table.shares.items():
        for key in outcome.keys:
            own = share.share(key.label)
            assert (own.index, own.joint_key) == (index, key.joint_key)
            (secret,) = table.parameters.group.decode_scalars(own.secret)
            assert table.parameters.group.generate([secret]).encode() == key.verification_keys[index - 1]


def test_every_step_may_be_repeated_at_any_time_and_gives_identical_bytes() -> None:
    table = Table(trustees())
    sent: dict[tuple[int, str], Progress] = {}
    for step in STEPS[:4]:
        for index in table.parameters.indices:
            sent[index, step] = table.step(index, step)
        for (index, earlier), progress in sent.items():
            assert table.step(index, earlier).outgoing == progress.outgoing


def test_a_participant_that_lost_what_it_wrote_writes_the_same_again() -> None:
    table = Table(trustees()).run("share")
    name = message_file(1, "shares", "trustee-2")
    data = table.files.pop(name)
    assert table.step(2, "share").outgoing == {name: data}


def test_steps_out_of_order_are_refused() -> None:
    table = Table(trustees())
    with pytest.raises(CeremonyError, match="'commit', has not been done"):
        table.step(1, "reveal")
    table.all("commit")
    with pytest.raises(CeremonyError, match="'share', has not been done"):
        table.step(1, "confirm")


def test_nobody_reveals_before_all_have_committed() -> None:
    table = Table(trustees())
    table.step(1, "commit")
    table.step(2, "commit")
    with pytest.raises(WaitingForMessages, match="no commit yet from trustee-3") as caught:
        table.step(1, "reveal")
    assert caught.value.missing == (3,)
    assert not any("reveal" in name for name in table.files)


def test_whoever_does_not_come_is_excluded_and_the_others_go_on() -> None:
    table = Table(trustees(4, 2))
    table.all("commit", without=(4,))
    failed = table.step(2, "reveal", exclude_missing=True).failed
    assert failed is not None
    assert failed.culprits == (Culprit(4, "missing"),)
    table.run(without=(4,))
    _, outcome = assemble(table.parameters, table.files)
    assert outcome.participants == (1, 2, 3)
    assert table.shares.keys() == {1, 2, 3}
    with pytest.raises(CeremonyError, match="participant 4 was excluded"):
        table.step(4, "commit")


def actor_from(table: Table, index: int) -> Actor:
    """The actor with a table participant's own seed."""
    actor = Actor(table.parameters, index)
    actor.__dict__["secrets"] = replace(actor.secrets, seed=table.states[index].seeds[1])
    return actor


def corrupt_share(table: Table, dealer: int, victim: int) -> None:
    """Replace a dealer's shares by ones that are wrong for one receiver, consistently with the dealer's own state."""
    corrupt = actor_from(table, dealer)
    corrupt.deal = lambda receiver, shares: [share + 1 for share in shares] if receiver == victim else shares
    others = [actor_from(table, index) for index in table.parameters.indices]
    data = corrupt.sign("shares", corrupt.shares(others)).encode()
    name = message_file(1, "shares", table.parameters.roles[dealer - 1].id)
    table.files[name] = data


@pytest.mark.parametrize("make", [trustees, issuers])
def test_S11_complaint_restarts_the_ceremony_without_the_dealer(make: object) -> None:
    table = Table(make(4, 3))  # type: ignore[operator]
    table.run("share")
    corrupt_share(table, dealer=2, victim=4)
    for index in (1, 3, 4):
        table.step(index, "confirm")
    assert message_file(1, "complaint", table.parameters.roles[3].id) in table.files
    # The dealer plays along to the end.
    agreed = Envelope.decode(table.files[message_file(1, "confirm", table.parameters.roles[0].id)])
    confirm = actor_from(table, 2).sign("confirm", {"transcript": transcript_in(agreed)})
    table.files[message_file(1, "confirm", table.parameters.roles[1].id)] = confirm.encode()
    progress = table.step(1, "finish")
    assert progress.failed is not None
    assert progress.failed.culprits == (Culprit(2, "bad-share"),)
    assert decode_attempt(table.files[failed_file(1)]) == progress.failed
    table.run(without=(2,))
    _, outcome = assemble(table.parameters, table.files)
    assert outcome.participants == (1, 3, 4)
    assert outcome.excluded == (Culprit(2, "bad-share"),)


def transcript_in(confirm: Envelope) -> bytes:
    body = cbor.decode(confirm.body)
    assert isinstance(body, dict)
    return bytes(body["transcript"])


def test_seeds_of_a_failed_attempt_are_forgotten_and_new_ones_drawn() -> None:
    table = Table(trustees(4, 2))
    table.all("commit", without=(4,))
    first = table.states[1].seeds[1]
    table.step(1, "reveal", exclude_missing=True)
    table.step(1, "commit")
    assert table.states[1].seeds.keys() == {2}
    assert table.states[1].seeds[2] != first


def test_the_state_forgets_its_seeds_when_the_share_is_made() -> None:
    table = Table(trustees()).run()
    assert all(state.finished and not state.seeds for state in table.states.values())
    with pytest.raises(CeremonyError, match="has finished"):
        table.step(1, "finish")


def test_M10_like_change_of_an_earlier_round_after_publication_is_refused() -> None:
    """A participant that has sent shares does not send others because somebody exchanged a commit."""
    table = Table(trustees()).run("share")
    other = Actor(table.parameters, 3)
    replaced = play([Actor(table.parameters, 1), Actor(table.parameters, 2), other])
    table.files[message_file(1, "commit", "trustee-3")] = replaced.rounds[0][2].encode()
    table.files[message_file(1, "reveal", "trustee-3")] = replaced.rounds[1][2].encode()
    with pytest.raises(CeremonyError, match="have changed since this participant published"):
        table.step(1, "confirm")


def test_equivocation_in_an_earlier_round_ends_the_attempt() -> None:
    table = Table(trustees()).run("share")
    other = play(actors_of(table.parameters)).rounds[0][2]
    table.files["attempt-1/1-commit.second.cbor"] = other.encode()
    failed = table.step(1, "confirm").failed
    assert failed is not None
    assert failed.culprits == (Culprit(3, "equivocation"),)


def test_an_exclusion_that_leaves_out_what_was_sent_is_not_accepted() -> None:
    """Somebody takes trustee 3's commit off the stick and declares it missing."""
    table = Table(trustees(4, 2))
    table.all("commit")
    table.step(4, "reveal")
    commit = table.files.pop(message_file(1, "commit", "trustee-3"))
    assert table.step(1, "reveal", exclude_missing=True).failed is not None
    with pytest.raises(CeremonyError, match="leaves out the commit that this participant sent"):
        table.step(3, "commit")
    with pytest.raises(CeremonyError, match="which this participant found in order"):
        table.step(4, "commit")
    table.files[message_file(1, "commit", "trustee-3")] = commit


def test_a_recorded_failure_that_did_not_happen_is_refused() -> None:
    table = Table(trustees(4, 2))
    table.all("commit", without=(4,))
    table.step(1, "reveal", exclude_missing=True)
    attempt = decode_attempt(table.files[failed_file(1)])
    table.files[failed_file(1)] = encode_attempt(replace(attempt, culprits=(Culprit(2, "missing"),)))
    with pytest.raises(CeremonyError, match=r"attempt-1/failed.cbor: missing"):
        table.step(2, "commit")
    table.files[failed_file(1)] = b"\0"
    with pytest.raises(CeremonyError, match=r"attempt-1/failed.cbor"):
        table.step(2, "commit")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: b"foreign",
        lambda data: data + b"\0",
        lambda data: bytes([data[0], data[1] ^ 1]) + data[2:],
    ],
    ids=["truncated", "empty", "foreign", "longer", "flipped"],
)
def test_a_file_that_is_no_message_is_named(damage: object) -> None:
    table = Table(trustees())
    table.all("commit")
    name = message_file(1, "commit", "trustee-2")
    table.files[name] = damage(table.files[name])  # type: ignore[operator]
    with pytest.raises(CeremonyError, match="attempt-1/1-commit.trustee-2.cbor: "):
        table.step(1, "reveal")


def test_a_message_with_a_foreign_signature_is_named() -> None:
    table = Table(trustees())
    table.all("commit")
    name = message_file(1, "commit", "trustee-2")
    envelope = Envelope.decode(table.files[name])
    forged = role_key(9).sign(b"something").signature
    table.files[name] = replace(envelope, signature=forged).encode()
    with pytest.raises(CeremonyError, match="the signature of trustee-2 does not hold"):
        table.step(1, "reveal")


@pytest.mark.parametrize("encode", ["state", "share"])
def test_damaged_secret_files_are_refused(encode: str) -> None:
    table = Table(trustees()).run()
    data = table.states[1].encode() if encode == "state" else table.shares[1].encode()
    decode = ParticipantState.decode if encode == "state" else KeyShareFile.decode
    decode(data)
    for damaged in (data[:-1], b"", data + b"\0", b"{}", data.replace(b"/v1", b"/v2")):
        with pytest.raises(DecodeError):
            decode(damaged)
    if encode == "share":
        secret = table.shares[1].shares[0].secret
        at = data.index(secret)
        with pytest.raises(DecodeError, match="checksum"):
            decode(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def test_secrets_do_not_show_in_representations() -> None:
    table = Table(trustees()).run("commit")
    state = table.states[1]
    assert state.seeds[1].hex() not in repr(state)
    assert repr(state.seeds[1]) not in repr(state)
    table = Table(trustees()).run()
    share = table.shares[1]
    assert repr(share.shares[0].secret) not in repr(share)
