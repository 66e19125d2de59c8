"""Receipts (C2SP tlog-proof)."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.log.checkpoint import Checkpoint
from crypto.log.errors import InvalidLogProof, LogError, LogFormatError, QuorumNotReached, UnknownLog
from crypto.log.merkle import NodeReader, hash_leaves, prove_inclusion, root_of_hashes
from crypto.log.proof import InclusionReceipt, decode_receipt, verify_receipt
from tests.crypto.log.log_parties import LOG, NOW, POLICY, WITNESSES, cosigned, key

ENTRIES = [b"ballot %d" % i for i in range(11)]


def nodes(entries: list[bytes]) -> NodeReader:
    return lambda level, index: root_of_hashes(hash_leaves(entries[index << level : (index + 1) << level]))


HEAD = Checkpoint(LOG.name, 11, root_of_hashes(hash_leaves(ENTRIES)))
NOTE = cosigned(HEAD, WITNESSES[:3])


def receipt(index: int) -> InclusionReceipt:
    return InclusionReceipt(index, prove_inclusion(index, 11, nodes(ENTRIES)), NOTE)


@pytest.mark.parametrize("index", range(11))
def test_receipt_of_every_entry_verifies_and_round_trips(index: int) -> None:
    made = receipt(index)
    read = decode_receipt(made.encode())
    assert read == made
    assert verify_receipt(read, ENTRIES[index], POLICY, NOW).checkpoint == HEAD


def test_layout_is_that_of_tlog_proof() -> None:
    lines = replace(receipt(10), extra=b"extra information").encode().decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra ZXh0cmEgaW5mb3JtYXRpb24=", "index 10"]
    assert lines[3 + len(receipt(10).path)] == ""
    assert lines[4 + len(receipt(10).path) :] == NOTE.encode().decode().split("\n")


def test_L1_receipt_for_an_entry_that_the_log_left_out_proves_it() -> None:
    """The acknowledged ballot is in the receipt's tree; the root that is published later does not contain it."""
    made = receipt(4)
    verify_receipt(made, ENTRIES[4], POLICY, NOW)
    without = [*ENTRIES[:4], b"another ballot", *ENTRIES[5:]]
    published = cosigned(Checkpoint(LOG.name, 11, root_of_hashes(hash_leaves(without))), WITNESSES[:3])
    with pytest.raises(InvalidLogProof):
        verify_receipt(replace(made, checkpoint=published), ENTRIES[4], POLICY, NOW)


def test_receipt_holds_for_its_entry_and_index_only() -> None:
    with pytest.raises(InvalidLogProof):
        verify_receipt(receipt(3), ENTRIES[4], POLICY, NOW)
    with pytest.raises(InvalidLogProof):
        verify_receipt(replace(receipt(3), index=2), ENTRIES[3], POLICY, NOW)
    with pytest.raises(InvalidLogProof):
        verify_receipt(replace(receipt(3), index=11), ENTRIES[3], POLICY, NOW)


def test_receipt_under_an_untrusted_checkpoint_is_refused() -> None:
    few = replace(receipt(3), checkpoint=cosigned(HEAD, WITNESSES[:1]))
    with pytest.raises(QuorumNotReached):
        verify_receipt(few, ENTRIES[3], POLICY, NOW)
    other = key("other.example/log")
    foreign = cosigned(replace(HEAD, origin=other.name), WITNESSES, log=other)
    with pytest.raises(UnknownLog):
        verify_receipt(replace(receipt(3), checkpoint=foreign), ENTRIES[3], POLICY, NOW)


GOOD = receipt(3).encode().decode()


@pytest.mark.parametrize(
    ("defect", "text"),
    [
        ("does not begin with", GOOD.replace("@v1", "@v2", 1)),
        ("no index line", GOOD.replace("index 3", "Index 3")),
        ("index is not a decimal", GOOD.replace("index 3", "index 03")),
        ("index is not a decimal", GOOD.replace("index 3", "index -3")),
        ("not base64", GOOD.replace("index 3\n", "index 3\n!\n")),
        ("32 bytes", GOOD.replace("index 3\n", "index 3\nQQ==\n")),
        ("extra data has 0 bytes", GOOD.replace("index 3\n", "extra \nindex 3\n")),
        ("no index line", GOOD.replace("index 3\n", "extra QQ==\nextra QQ==\nindex 3\n")),
        ("more than 63", GOOD.replace("index 3\n", "index 3\n" + "A" * 43 + "=\n" * 1 + ("A" * 43 + "=\n") * 63)),
        ("ASCII", GOOD.replace("index 3\n", "index 3\né\n")),
        ("no empty line", GOOD.replace("\n\n", "\n")),
    ],
)
def test_malformed_receipt_is_refused(defect: str, text: str) -> None:
    with pytest.raises(LogFormatError, match=defect):
        decode_receipt(text.encode())


@given(st.binary(max_size=200) | st.integers(0, len(GOOD)).map(lambda cut: GOOD.encode()[:cut]))
def test_arbitrary_and_truncated_bytes_are_refused(data: bytes) -> None:
    with contextlib.suppress(LogError):
        assert decode_receipt(data).encode() == data
