"""Reading by template gives what the general decoder gives, and never more."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.equations.interface import ContestShape, StyleShape
from verifier.record.ballots import decode_ballot
from verifier.record.cbor import Value, encode
from verifier.record.entries import VoterEntry, decode_entry, split_voter_entry
from verifier.record.errors import FormatError
from verifier.stream.rows import Located, RowSet, read_rows
from verifier.stream.templates import ballot_templates

FINGERPRINT = bytes(range(32))
STYLES = {
    style.id: style
    for style in (
        StyleShape("east", (ContestShape("q", "homomorphic", 0, 3, 0, 1), ContestShape("l", "mixed", 1, width=1)), b""),
        StyleShape("west", (ContestShape("q", "homomorphic", 0, 3, 0, 1), ContestShape("l", "mixed", 1, width=1)), b""),
        StyleShape("a" * 64, (ContestShape("r", "mixed", 0, width=3),), b""),
    )
}
SEQUENCES = [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**53 - 1]


def ballot(style: StyleShape, sequence: int, seed: int = 0, /, **changes: Value) -> bytes:
    """An entry that is a ballot by its form; the contents of its fields are random."""
    source = random.Random(seed)
    body: dict[str, Value] = {
        "election": FINGERPRINT,
        "style": style.id,
        "pseudonym": source.randbytes(32),
        "credential": source.randbytes(48),
        "sequence": sequence,
        "contests": [
            {
                "ciphertexts": source.randbytes(64 * shape.ciphertexts),
                "commitments": source.randbytes(32 * shape.commitments),
                "scalars": source.randbytes(32 * shape.scalars),
            }
            for shape in style.contests
        ],
    }
    return encode({"type": "ballot", "body": encode({**body, **changes}), "signature": source.randbytes(64)})


def read(*entries: bytes) -> tuple[list[RowSet], list[str]]:
    located = [Located(raw, 100 + number, number, 0) for number, raw in enumerate(entries)]
    sets, malformed = read_rows(located, FINGERPRINT, STYLES)
    return sets, [row.sentence for row in malformed]


def general(raw: bytes) -> tuple[object, ...] | None:
    """What the general decoders make of an entry."""
    try:
        entry = decode_entry(raw, 0)
        assert isinstance(entry, VoterEntry)
        body = decode_ballot(entry.body, FINGERPRINT, STYLES)
    except (FormatError, AssertionError):
        return None
    return body.style.id, body.pseudonym, body.credential, body.sequence, body.contests, entry.signature, entry.body


def fast(raw: bytes) -> tuple[object, ...] | None:
    """What ``read_rows`` makes of it."""
    if split_voter_entry(raw) is None:
        return None
    sets, malformed = read(raw)
    if malformed:
        return None
    batch = sets[0].batch
    contests = tuple((c.ciphertexts, c.commitments, c.scalars) for c in batch.contests)
    return (
        batch.style.id,
        batch.pseudonyms,
        batch.credentials,
        int(sets[0].sequences[0]),
        contests,
        batch.signatures,
        batch.messages[0],
    )


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_ballot_matches_exactly_one_template_of_its_style(style: str, sequence: int) -> None:
    raw = ballot(STYLES[style], sequence)
    row = np.frombuffer(raw, dtype=np.uint8).reshape(1, -1)
    fitting = [t for t in ballot_templates(STYLES[style], FINGERPRINT) if t.length == len(raw) and t.matches(row)[0]]
    assert len(fitting) == 1
    assert fitting[0].sequences(row).tolist() == [sequence]
    assert fast(raw) == general(raw) is not None


def test_a_mixed_batch_is_sorted_by_style_and_keeps_every_row() -> None:
    entries = [ballot(style, sequence, seed) for seed, (style, sequence) in enumerate(
        (style, sequence) for style in STYLES.values() for sequence in (0, 1, 300) for _ in range(3)
    )]  # fmt: skip
    sets, malformed = read(*entries)
    assert not malformed
    found = {
        int(ordinal): (rows.batch.style.id, rows.batch.messages[row])
        for rows in sets
        for row, ordinal in enumerate(rows.ordinals)
    }
    expected = {
        number: (decoded[0], decoded[-1]) for number, raw in enumerate(entries) if (decoded := general(raw)) is not None
    }
    assert found == expected
    assert len(found) == len(entries)


@pytest.mark.parametrize(
    ("defect", "changes"),
    [
        ("another election", {"election": bytes(32)}),
        ("an unknown style", {"style": "eaxt"}),
        ("a style that is no id", {"style": "EAST"}),
        ("a short pseudonym", {"pseudonym": bytes(31)}),
        ("a long credential", {"credential": bytes(49)}),
        ("a negative sequence number", {"sequence": -1}),
        ("a sequence number that is text", {"sequence": "0"}),
        ("no contest", {"contests": []}),
        ("an unknown key", {"extra": 0}),
    ],
)
def test_malformed_bodies_are_malformed(defect: str, changes: dict[str, Value]) -> None:
    raw = ballot(STYLES["east"], 0, **changes)
    assert general(raw) is None
    assert fast(raw) is None


@pytest.mark.parametrize(
    "head", [b"\x18\x00", b"\x18\x17", b"\x19\x00\xff", b"\x1a\x00\x00\xff\xff", b"\x1b" + bytes(8)]
)
def test_a_sequence_number_not_in_its_shortest_form_is_malformed(head: bytes) -> None:
    """Such an entry has the very bytes of a template but for the number's value."""
    raw = ballot(STYLES["east"], {2: 24, 3: 256, 5: 65536, 9: 2**32}[len(head)])
    proper = encode({2: 24, 3: 256, 5: 65536, 9: 2**32}[len(head)])
    assert raw.count(encode("sequence") + proper) == 1
    changed = raw.replace(encode("sequence") + proper, encode("sequence") + head)
    assert general(changed) is None
    assert fast(changed) is None


@given(st.sampled_from(sorted(STYLES)), st.sampled_from(SEQUENCES), st.data())
def test_any_changed_byte_is_judged_the_same_both_ways(style: str, sequence: int, data: st.DataObject) -> None:
    raw = bytearray(ballot(STYLES[style], sequence))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert fast(bytes(raw)) == general(bytes(raw))


@given(st.sampled_from(sorted(STYLES)), st.data())
def test_any_cut_or_longer_entry_is_judged_the_same_both_ways(style: str, data: st.DataObject) -> None:
    raw = ballot(STYLES[style], 0)
    at = data.draw(st.integers(0, len(raw)))
    changed = raw[:at] + data.draw(st.binary(max_size=8)) + raw[at + data.draw(st.integers(0, 8)) :]
    assert fast(changed) == general(changed)


@pytest.mark.parametrize("number", [b"\x18", b"\x20", b"\x37", b"\xf6"])
def test_a_head_in_place_of_a_sequence_number_of_one_byte_is_malformed(number: bytes) -> None:
    raw = ballot(STYLES["east"], 23)
    changed = raw.replace(encode("sequence") + b"\x17", encode("sequence") + number)
    assert changed != raw
    assert fast(changed) is None


def test_a_sequence_number_of_2_to_the_53_is_malformed() -> None:
    raw = ballot(STYLES["east"], 2**53 - 1)
    changed = raw.replace(encode(2**53 - 1), b"\x1b" + (2**53).to_bytes(8, "big"))
    assert changed != raw
    assert general(changed) is None
    assert fast(changed) is None


def decoded(raw: bytes) -> VoterEntry | None:
    """The ballot or challenge that the decoder sees in an entry."""
    try:
        entry = decode_entry(raw, 0)
    except FormatError:
        return None
    return entry if isinstance(entry, VoterEntry) else None


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 600])
@pytest.mark.parametrize("kind", ["ballot", "challenge"])
def test_the_quick_split_compares_every_byte_of_the_form(kind: str, size: int) -> None:
    """Another byte, one more or one less: what the decoder refuses is not split, wherever it stands."""
    fields: dict[str, Value] = {"type": kind, "body": b"b" * size, "signature": b"s" * 64}
    raw = encode(fields if kind == "ballot" else {**fields, "opening": b"o" * size})
    assert split_voter_entry(raw) == decoded(raw) is not None
    for at in range(len(raw)):
        if raw[at - 1 : at + 2] in (b"bbb", b"ooo", b"sss"):
            continue
        for other in {*range(0x40, 0x60), 0xA3, 0xA4, 0xA5, raw[at] ^ 1, raw[at] ^ 0x20} - {raw[at]}:
            changed = raw[:at] + bytes([other]) + raw[at + 1 :]
            assert split_voter_entry(changed) == decoded(changed), (at, other)
        for changed in (raw[:at], raw[:at] + raw[at + 1 :], raw[:at] + raw[at : at + 1] + raw[at:], raw + raw[:at]):
            assert split_voter_entry(changed) == decoded(changed), at


@pytest.mark.parametrize("longer", ["body", "opening"])
@pytest.mark.parametrize("size", [0, 23, 24, 255])
def test_a_length_not_in_its_shortest_form_is_not_split(size: int, longer: str) -> None:
    """The same entry with a head that is a byte longer than it needs to be."""
    content = b"x" * size
    fields: dict[str, Value] = {"type": "challenge", "body": b"", "signature": bytes(64), "opening": b""}
    raw = encode({**fields, longer: content})
    head = encode(content)[: len(encode(content)) - size]
    wider = b"\x58" + bytes([size]) if size < 24 else b"\x59" + size.to_bytes(2, "big")
    assert split_voter_entry(raw) is not None
    changed = raw.replace(encode(longer) + head, encode(longer) + wider)
    assert len(changed) == len(raw) + 1
    assert decoded(changed) is None
    assert split_voter_entry(changed) is None


def test_a_body_that_is_no_byte_string_is_not_split() -> None:
    for body in ("text", 7, None, [b""]):
        raw = encode({"type": "ballot", "body": body, "signature": bytes(64)})  # type: ignore[dict-item]
        assert split_voter_entry(raw) is None


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(min_size=64, max_size=64))
def test_the_quick_split_of_an_entry_is_that_of_the_decoder(body: bytes, opening: bytes, signature: bytes) -> None:
    kinds: tuple[dict[str, Value], ...] = (
        {"type": "ballot", "body": body, "signature": signature},
        {"type": "challenge", "body": body, "signature": signature, "opening": opening},
    )
    for fields in kinds:
        raw = encode(fields)
        assert split_voter_entry(raw) == decode_entry(raw, 0)
        for at in (1, 6, len(raw) // 2, len(raw) - 65, len(raw) - 1):
            if (split := split_voter_entry(raw[:at])) is not None:
                assert split == decode_entry(raw[:at], 0)
