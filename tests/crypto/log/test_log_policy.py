"""Checkpoints, cosignatures, policies and their evaluation."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.log.checkpoint import Checkpoint, decode_checkpoint_text, is_origin, verify_log_signature
from crypto.log.cosignature import MAX_TIMESTAMP, cosign, verify_cosignature
from crypto.log.errors import InvalidNoteSignature, LogFormatError, QuorumNotReached, UnknownLog
from crypto.log.merkle import EMPTY_ROOT
from crypto.log.note import (
    COSIGNATURE_KEY,
    NoteSignature,
    NoteSigningKey,
    decode_note,
    decode_vkey,
    sign_note,
    verify_ed25519,
)
from crypto.log.policy import MAX_FUTURE_SKEW, Policy, decode_policy, encode_policy, verify_checkpoint
from tests.crypto.log.log_parties import LOG, NOW, POLICY, POLICY_TEXT, WITNESSES, cosigned, key, with_lines

HEAD = Checkpoint(LOG.name, 15, bytes(range(32)))


def test_checkpoint_round_trips() -> None:
    note = decode_note(HEAD.sign(LOG).encode())
    assert verify_log_signature(note, LOG.verifier) == HEAD
    assert decode_checkpoint_text(HEAD.encode_text()) == HEAD


GOOD_TEXT = HEAD.encode_text()


@pytest.mark.parametrize(
    ("defect", "text"),
    [
        ("extension line", GOOD_TEXT + "extension\n"),
        ("empty extension line", GOOD_TEXT + "\n"),
        ("two lines", "\n".join(GOOD_TEXT.split("\n")[:2]) + "\n"),
        ("leading zero", GOOD_TEXT.replace("\n15\n", "\n015\n")),
        ("sign", GOOD_TEXT.replace("\n15\n", "\n+15\n")),
        ("empty size", GOOD_TEXT.replace("\n15\n", "\n\n")),
        ("size beyond 2^48", GOOD_TEXT.replace("\n15\n", f"\n{2**48 + 1}\n")),
        ("short root", GOOD_TEXT.replace("Hh8=", "Hg==")),
        ("root that is not canonical", GOOD_TEXT.replace("Hh8=", "Hh9=")),
        ("empty log with another root", GOOD_TEXT.replace("\n15\n", "\n0\n")),
        ("origin with upper case", GOOD_TEXT.replace("elections", "Elections")),
        ("origin with a space", GOOD_TEXT.replace("elections", "elec tions")),
        ("origin with right-to-left override", GOOD_TEXT.replace("elections", "elec\u202etions")),
        ("origin with trailing slash", GOOD_TEXT.replace("/log\n", "/log/\n")),
        ("empty origin", "\n" + GOOD_TEXT.split("\n", 1)[1]),
        ("no final newline", GOOD_TEXT[:-1]),
    ],
)
def test_malformed_checkpoint_is_refused(defect: str, text: str) -> None:
    with pytest.raises(LogFormatError):
        decode_checkpoint_text(text)


def test_empty_log_has_a_checkpoint() -> None:
    empty = Checkpoint(LOG.name, 0, EMPTY_ROOT)
    assert decode_checkpoint_text(empty.encode_text()) == empty


@pytest.mark.parametrize("origin", ["example.com/log/testdata", "a", "a-b.example", "x.example/2030-09_a.b~c/log"])
def test_origins(origin: str) -> None:
    assert is_origin(origin)


@pytest.mark.parametrize(
    "origin", ["", "a/", "/a", "a//b", "a.", "-a", "a..b", "a b", "a+b", "a/.b", "é", "a" * 256, "a\n"]
)
def test_texts_that_are_no_origin(origin: str) -> None:
    assert not is_origin(origin)


def test_checkpoint_of_another_origin_is_not_this_logs() -> None:
    other = key("elections.example/2031/log")
    with pytest.raises(ValueError, match="not named like the log"):
        HEAD.sign(other)
    foreign = sign_note(HEAD.encode_text(), [other])
    with pytest.raises(LogFormatError, match="is not one of the log"):
        verify_log_signature(foreign, other.verifier)
    with pytest.raises(InvalidNoteSignature, match="bears no signature"):
        verify_log_signature(foreign, LOG.verifier)


def test_cosignature_signs_what_tlog_cosignature_spells_out() -> None:
    witness, text = WITNESSES[0], HEAD.encode_text()
    line = cosign(text, witness, 1_679_315_147)
    assert line.signature[:8] == (1_679_315_147).to_bytes(8, "big")
    verify_ed25519(witness.verifier, line.signature[8:], b"cosignature/v1\ntime 1679315147\n" + text.encode())
    assert verify_cosignature(text, line, witness.verifier) == 1_679_315_147


def test_cosignature_covers_time_text_and_key() -> None:
    witness, text = WITNESSES[0], HEAD.encode_text()
    line = cosign(text, witness, NOW)
    later = NoteSignature(line.name, line.key_id, (NOW + 1).to_bytes(8, "big") + line.signature[8:])
    grown = NoteSignature(line.name, line.key_id, line.signature + b"\x00")
    message = f"cosignature/v1\ntime {MAX_TIMESTAMP + 1}\n{text}".encode()
    too_late = (MAX_TIMESTAMP + 1).to_bytes(8, "big") + witness.sign_message(message)
    beyond = NoteSignature(line.name, line.key_id, too_late)
    for bad in (later, grown, beyond):
        with pytest.raises(InvalidNoteSignature):
            verify_cosignature(text, bad, witness.verifier)
    with pytest.raises(InvalidNoteSignature):
        verify_cosignature(text.replace("15", "16"), line, witness.verifier)
    with pytest.raises(InvalidNoteSignature, match="no cosignature of"):
        verify_cosignature(text, line, WITNESSES[1].verifier)


def test_plain_and_timestamped_signatures_of_one_key_do_not_pass_for_each_other() -> None:
    seed = bytes(32)
    plain, timestamped = (NoteSigningKey("both.example", kind, seed) for kind in (1, COSIGNATURE_KEY))
    assert plain.verifier.key_id != timestamped.verifier.key_id
    with pytest.raises(ValueError, match="no cosignature key"):
        cosign("text\n", plain, NOW)
    line = sign_note(HEAD.encode_text(), [plain]).signatures[0]
    with pytest.raises(InvalidNoteSignature):
        verify_cosignature(HEAD.encode_text(), line, timestamped.verifier)


def test_quorum_of_three_of_four_is_reached() -> None:
    trusted = verify_checkpoint(cosigned(HEAD, WITNESSES[1:]), POLICY, NOW)
    assert trusted.checkpoint == HEAD
    assert trusted.log == LOG.verifier
    assert trusted.times == {"w2": NOW, "w3": NOW, "w4": NOW}
    assert trusted.future == ()


def test_L7_too_few_cosignatures() -> None:
    with pytest.raises(QuorumNotReached, match=r"cosigned by w1, w2, which is no quorum") as caught:
        verify_checkpoint(cosigned(HEAD, WITNESSES[:2]), POLICY, NOW)
    assert caught.value.cosigned == ("w1", "w2")


def test_L7_unknown_witness_does_not_count() -> None:
    unknown = [key(f"unknown{i}.example", COSIGNATURE_KEY) for i in range(3)]
    same_name = NoteSigningKey(WITNESSES[2].name, COSIGNATURE_KEY, bytes(32))
    note = cosigned(HEAD, [*WITNESSES[:2], *unknown, same_name])
    with pytest.raises(QuorumNotReached, match="cosigned by w1, w2,"):
        verify_checkpoint(note, POLICY, NOW)
    verify_checkpoint(cosigned(HEAD, [*WITNESSES[:3], *unknown]), POLICY, NOW)


def test_L7_future_dated_cosignature_does_not_count() -> None:
    note = cosigned(HEAD, WITNESSES[:2])
    at_the_limit = with_lines(note, [cosign(note.text, WITNESSES[2], NOW + MAX_FUTURE_SKEW)])
    assert verify_checkpoint(at_the_limit, POLICY, NOW).times["w3"] == NOW + MAX_FUTURE_SKEW
    beyond = with_lines(note, [cosign(note.text, WITNESSES[2], NOW + MAX_FUTURE_SKEW + 1)])
    with pytest.raises(QuorumNotReached, match="dated in the future: w3") as caught:
        verify_checkpoint(beyond, POLICY, NOW)
    assert caught.value.future == ("w3",)
    with_quorum = with_lines(beyond, [cosign(note.text, WITNESSES[3], NOW)])
    trusted = verify_checkpoint(with_quorum, POLICY, NOW)
    assert (set(trusted.times), trusted.future) == ({"w1", "w2", "w4"}, ("w3",))


def test_L7_one_witness_cannot_count_twice() -> None:
    note = cosigned(HEAD, [WITNESSES[0], WITNESSES[1]])
    twice = with_lines(note, [cosign(note.text, WITNESSES[0], NOW + 1)])
    with pytest.raises(LogFormatError, match="two signatures by one key"):
        decode_note(twice.encode())
    with pytest.raises(QuorumNotReached):
        verify_checkpoint(twice, POLICY, NOW)


def test_cosignature_of_another_checkpoint_spoils_the_note() -> None:
    other = cosign(Checkpoint(LOG.name, 16, bytes(32)).encode_text(), WITNESSES[3], NOW)
    with pytest.raises(InvalidNoteSignature) as caught:
        verify_checkpoint(with_lines(cosigned(HEAD, WITNESSES[:3]), [other]), POLICY, NOW)
    assert caught.value.key_name == WITNESSES[3].name


def test_checkpoint_without_the_logs_signature_is_refused_whatever_the_witnesses_say() -> None:
    note = cosigned(HEAD, WITNESSES)
    unsigned = with_lines(sign_note(note.text, [key("other.example")]), list(note.signatures[1:]))
    with pytest.raises(UnknownLog):
        verify_checkpoint(unsigned, POLICY, NOW)
    forged = NoteSignature(LOG.name, LOG.verifier.key_id, bytes(64))
    with pytest.raises(InvalidNoteSignature):
        verify_checkpoint(with_lines(sign_note(note.text, [key("other.example")]), [forged]), POLICY, NOW)


VKEYS = {f"w{i}": key(f"w{i}.example", COSIGNATURE_KEY).verifier.encode() for i in range(1, 7)}
LINES = "".join(f"witness {name} {vkey}\n" for name, vkey in VKEYS.items())


def policy(text: str) -> Policy:
    return decode_policy((LINES + text).encode())


def test_example_of_tlog_policy_with_two_levels() -> None:
    two_levels = policy(
        "group X-witnesses 2 w1 w2 w3\ngroup Y-witnesses any w4 w5 w6\n"
        "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
    )
    for signers in product([False, True], repeat=6):
        names = {f"w{i}" for i, signed in enumerate(signers, start=1) if signed}
        expected = sum(signers[:3]) >= 2 and any(signers[3:])
        assert two_levels.is_satisfied(names) is expected
    assert two_levels.quorums_intersect()


def test_comments_blanks_tabs_urls_and_names_that_are_no_utf8() -> None:
    text = b"\n# comment \xff\n\t log\t" + LOG.verifier.encode().encode() + b"  https://elections.example/log \n \t \n"
    text += b"witness \xff\xfe " + VKEYS["w1"].encode() + b"\nquorum \xff\xfe\n"
    parsed = decode_policy(text)
    assert parsed.logs == (LOG.verifier,)
    assert parsed.is_satisfied(set(parsed.witnesses))
    assert not parsed.is_satisfied(set())
    assert decode_policy(encode_policy(parsed)) == parsed


def test_policy_round_trips() -> None:
    assert decode_policy(encode_policy(POLICY)) == POLICY


def test_quorum_none_needs_no_witness_and_protects_against_no_split() -> None:
    none = policy("quorum none\n")
    assert none.is_satisfied(set())
    assert not none.quorums_intersect()


def test_single_witness_as_quorum() -> None:
    single = policy("quorum w3\n")
    assert single.is_satisfied({"w3"})
    assert not single.is_satisfied({"w1", "w2", "w4", "w5", "w6"})
    assert single.quorums_intersect()


@pytest.mark.parametrize(
    ("defect", "text"),
    [
        ("no quorum line", ""),
        ("second quorum line", "quorum w1\nquorum w1\n"),
        ("'w9' is not defined", "quorum w9\n"),
        ("'w9' is not defined", "group g any w1 w9\nquorum g\n"),
        ("'g' is not defined", "group g any g\nquorum g\n"),
        ("'none' is not defined", "group g any none\nquorum g\n"),
        ("'none' is taken", "group none any w1\nquorum none\n"),
        ("'w1' is taken", "group w1 any w2\nquorum w1\n"),
        ("'w1' is a member already", "group g any w1 w1\nquorum g\n"),
        ("'w1' is a member already", "group g any w1\ngroup h any w1\nquorum h\n"),
        ("at least 1", "group g 0 w1\nquorum g\n"),
        ("threshold is not a decimal number up to 2", "group g 3 w1 w2\nquorum g\n"),
        ("threshold is not a decimal number", "group g -1 w1 w2\nquorum g\n"),
        ("threshold is not a decimal number", "group g 01 w1 w2\nquorum g\n"),
        ("expected: group", "group g all\nquorum g\n"),
        ("expected: quorum", "quorum w1 w2\n"),
        ("expected: witness", "witness w9\nquorum w1\n"),
        ("expected: log", "log\nquorum w1\n"),
        ("unknown keyword", "witnesses w1\nquorum w1\n"),
        ("occurs twice", f"witness again {VKEYS['w1']}\nquorum w1\n"),
        ("which no log has", f"log {VKEYS['w1']}\nquorum w1\n"),
        ("which no witness has", f"witness w9 {LOG.verifier.encode()}\nquorum w1\n"),
        ("no vkey", "witness w9 garbage\nquorum w1\n"),
        ("newline", "quorum w1"),
        ("control character", "quorum w1\r\n"),
    ],
)
def test_malformed_policy_is_refused(defect: str, text: str) -> None:
    with pytest.raises(LogFormatError, match=defect):
        policy(text)


def test_error_names_the_line() -> None:
    with pytest.raises(LogFormatError, match=r"policy line 8: unknown keyword 'quorums'"):
        policy("\nquorums w1\n")


def test_one_public_key_under_two_names_or_in_two_functions_is_refused() -> None:
    witness = decode_vkey(VKEYS["w1"])
    renamed = NoteSigningKey("renamed.example", COSIGNATURE_KEY, key("w1.example", COSIGNATURE_KEY).seed)
    assert renamed.verifier.public_key == witness.public_key
    as_log = NoteSigningKey("renamed.example", 1, renamed.seed)
    for line in (f"witness w9 {renamed.verifier.encode()}", f"log {as_log.verifier.encode()}"):
        with pytest.raises(LogFormatError, match="occurs twice"):
            policy(f"{line}\nquorum w1\n")


def test_demo_policy_protects_against_a_split_view() -> None:
    assert POLICY.quorums_intersect()
    halves = decode_policy(POLICY_TEXT.replace("witnesses 3", "witnesses 2").encode())
    assert not halves.quorums_intersect()


@st.composite
def trees(draw: st.DrawFn) -> tuple[str, int]:
    """Policies over up to six witnesses with nested groups."""
    names = [f"w{i}" for i in range(1, draw(st.integers(1, 6)) + 1)]
    text, number = "", 0
    while len(names) > 1 or number == 0:
        count = draw(st.integers(1, len(names)))
        members, names = names[:count], names[count:]
        text += f"group g{number} {draw(st.integers(1, count))} {' '.join(members)}\n"
        names.append(f"g{number}")
        number += 1
        if number > 4:
            break
    return text + f"quorum {names[-1]}\n", number


@settings(max_examples=100, deadline=None)
@given(trees())
def test_quorums_intersect_exactly_if_no_two_disjoint_sets_are_quorums(tree: tuple[str, int]) -> None:
    parsed = policy(tree[0])
    everyone = [f"w{i}" for i in range(1, 7)]
    split = any(
        parsed.is_satisfied(one) and parsed.is_satisfied(set(everyone) - one)
        for signers in product([False, True], repeat=6)
        for one in [{name for name, signed in zip(everyone, signers, strict=True) if signed}]
    )
    assert parsed.quorums_intersect() is not split


@given(st.binary(max_size=120))
def test_arbitrary_bytes_are_a_policy_or_refused(data: bytes) -> None:
    try:
        parsed = decode_policy(data)
    except LogFormatError:
        return
    assert decode_policy(encode_policy(parsed)) == parsed
