"""The rules of a log witness (C2SP tlog-witness), without files."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.log.checkpoint import Checkpoint
from crypto.log.errors import LogFormatError, WitnessRefusal
from crypto.log.merkle import EMPTY_ROOT, NodeReader, hash_leaves, prove_consistency, root_of_hashes
from crypto.log.note import NoteSignature, sign_note
from crypto.log.witness import (
    CosignRequest,
    WitnessedHead,
    accept_checkpoint,
    decode_request,
    decode_witnessed_head,
)
from tests.crypto.log.log_parties import LOG, NOW, key, with_lines

ENTRIES = [b"entry %d" % i for i in range(20)]
LOGS = [LOG.verifier]


def nodes(entries: list[bytes]) -> NodeReader:
    return lambda level, index: root_of_hashes(hash_leaves(entries[index << level : (index + 1) << level]))


def head(size: int, entries: list[bytes] = ENTRIES) -> Checkpoint:
    return Checkpoint(LOG.name, size, root_of_hashes(hash_leaves(entries[:size])))


def request(old: int, new: int, entries: list[bytes] = ENTRIES) -> CosignRequest:
    return CosignRequest(old, prove_consistency(old, new, nodes(entries)), head(new, entries).sign(LOG))


def refusal(made: CosignRequest, previous: WitnessedHead | None, now: int = NOW) -> WitnessRefusal:
    with pytest.raises(WitnessRefusal) as caught:
        accept_checkpoint(made, LOGS, previous, now)
    return caught.value


def test_a_growing_log_is_accepted_step_by_step() -> None:
    previous = None
    old = 0
    for new in (0, 0, 1, 1, 7, 8, 20):
        previous = accept_checkpoint(request(old, new), LOGS, previous, NOW + new)
        assert previous == WitnessedHead(head(new), NOW + new)
        old = new


def test_request_is_laid_out_as_tlog_witness_says() -> None:
    made = request(3, 7)
    lines = made.encode().decode().split("\n")
    assert lines[0] == "old 3"
    assert lines[5] == ""
    assert len(made.proof) == 4
    assert "\n".join(lines[6:]).encode() == made.checkpoint.encode()
    assert decode_request(made.encode()) == made
    first = request(0, 5)
    assert first.encode().startswith(b"old 0\n\n" + LOG.name.encode())
    assert decode_request(first.encode()) == first


@pytest.mark.parametrize(
    "change",
    [
        ("old 3", "old 03"),
        ("old 3", "size 3"),
        ("old 3", "old"),
        ("old 3\n", "old 3\nQQ==\n"),
        ("old 3\n", "old 3\n!\n"),
        ("old 3\n", "old 3\n" + ("A" * 43 + "=\n") * 60),
        ("\n\n", "\n"),
        ("\u2014", "-"),
    ],
)
def test_malformed_request_is_a_bad_request(change: tuple[str, str]) -> None:
    with pytest.raises(WitnessRefusal) as caught:
        decode_request(request(3, 7).encode().decode().replace(*change).encode())
    assert caught.value.status == 400


def test_checkpoint_that_is_none_is_a_bad_request() -> None:
    made = CosignRequest(0, (), sign_note("just a text\n", [LOG]))
    assert refusal(made, None).status == 400


def test_unknown_log() -> None:
    other = key("other.example/log")
    made = CosignRequest(0, (), Checkpoint(other.name, 0, EMPTY_ROOT).sign(other))
    assert refusal(made, None).status == 404


def test_checkpoint_not_signed_by_the_log() -> None:
    text = head(5).encode_text()
    for note in (
        sign_note(text, [key("other.example/log")]),
        with_lines(sign_note(text, [key("o.example")]), [NoteSignature(LOG.name, LOG.verifier.key_id, bytes(64))]),
    ):
        assert refusal(CosignRequest(0, (), note), None).status == 403


def test_old_size_beyond_the_checkpoint() -> None:
    made = CosignRequest(8, (), head(7).sign(LOG))
    assert refusal(made, WitnessedHead(head(8), NOW)).status == 400


def test_old_size_that_is_not_the_last_cosigned_one_tells_that_one() -> None:
    for old in (0, 3, 9):
        error = refusal(request(old, 12), WitnessedHead(head(8), NOW))
        assert (error.status, error.size) == (409, 8)
    error = refusal(request(3, 12), None)
    assert (error.status, error.size) == (409, 0)


def test_L2_second_root_of_one_size_is_refused() -> None:
    other = [*ENTRIES[:7], b"other"]
    error = refusal(CosignRequest(8, (), head(8, other).sign(LOG)), WitnessedHead(head(8), NOW))
    assert (error.status, error.size) == (409, 8)
    assert "another root of size 8" in str(error)


def test_L6_edited_history_is_refused_even_with_a_proof_of_its_own() -> None:
    edited = [b"edited", *ENTRIES[1:]]
    assert refusal(request(8, 12, edited), WitnessedHead(head(8), NOW)).status == 422


def test_rollback_is_refused() -> None:
    previous = WitnessedHead(head(12), NOW)
    assert refusal(request(8, 8), previous).status == 409
    assert refusal(CosignRequest(12, (), head(8).sign(LOG)), previous).status == 400


def test_proof_that_is_missing_or_not_needed_is_refused() -> None:
    assert refusal(CosignRequest(8, (), head(12).sign(LOG)), WitnessedHead(head(8), NOW)).status == 422
    assert refusal(CosignRequest(0, (bytes(32),), head(12).sign(LOG)), None).status == 422


def test_clock_that_went_back_is_refused() -> None:
    error = refusal(request(8, 12), WitnessedHead(head(8), NOW), NOW - 1)
    assert "clock" in str(error)
    with pytest.raises(ValueError, match="no timestamp"):
        accept_checkpoint(request(0, 5), LOGS, None, -1)


def test_head_round_trips_and_damage_is_noticed() -> None:
    made = WitnessedHead(head(8), NOW)
    data = made.encode()
    assert decode_witnessed_head(data) == made
    for cut in range(len(data)):
        with pytest.raises(LogFormatError):
            decode_witnessed_head(data[:cut])
    with pytest.raises(LogFormatError):
        decode_witnessed_head(b"\xff" + data)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_request_or_refused(data: bytes) -> None:
    with contextlib.suppress(WitnessRefusal):
        assert decode_request(data).encode() == data
