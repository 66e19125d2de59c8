"""Single parts of the auditor's code, where a whole audit would not tell one rule from another."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from crypto.group import load_pairing_group
from crypto.log.merkle import hash_leaf, prove_inclusion, root_of_hashes
from tests.verifier.ledger.world import passkey
from verifier.ledger.entries import unusable_points
from verifier.ledger.framed import Chunk, open_log, read_bytes, read_through
from verifier.ledger.merkle import Frontier, root_from_path
from verifier.ledger.passkeys import IS_ED25519, IS_P256, Passkey, read_passkey, signature_holds
from verifier.record.errors import UnreadableError
from verifier.state import Silent

ED25519, P256 = passkey("some", 0).public, passkey("some", 1).public


def test_both_encodings_of_a_key_are_read() -> None:
    first, second = (read_passkey(one.credential, one.algorithm, one.key) for one in (ED25519, P256))
    assert first is not None
    assert second is not None
    assert (first.kind, first.key) == (IS_ED25519, ED25519.key[10:])
    assert (second.kind, second.key) == (IS_P256, P256.key[10:42] + P256.key[45:])


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        (-8, ED25519.key + b"\0"),
        (-8, ED25519.key[:-1]),
        (-8, b"\xa5" + ED25519.key[1:]),
        (-7, P256.key + b"\0"),
        (-7, P256.key[:-1]),
        (-7, b"\xa4" + P256.key[1:]),
        (-7, P256.key[:42] + b"\x23" + P256.key[43:]),
        (-7, ED25519.key),
        (-8, P256.key),
    ],
)
def test_another_encoding_of_a_key_is_none(algorithm: int, key: bytes) -> None:
    assert read_passkey(b"id", algorithm, key) is None


def test_a_signature_of_each_kind_holds_for_its_message_alone() -> None:
    for number in (0, 1):
        own = passkey("some", number)
        read = read_passkey(own.public.credential, own.public.algorithm, own.public.key)
        assert read is not None
        assert signature_holds(read, b"message", own.sign(b"message"))
        assert not signature_holds(read, b"message", own.sign(b"another"))
        assert not signature_holds(read, b"message", b"")


def test_no_signature_holds_under_a_point_off_the_curve() -> None:
    signature = passkey("some", 1).sign(b"message")
    assert not signature_holds(Passkey(IS_P256, bytes(32), bytes(64)), b"message", signature)
    curve = ec.SECP256R1()
    assert curve.key_size == 256
    beyond = (2**256 - 1).to_bytes(32, "big") * 2
    assert not signature_holds(Passkey(IS_P256, bytes(32), beyond), b"message", signature)


@given(st.integers(1, 70), st.data())
def test_trees_and_proofs_are_those_of_the_log(size: int, data: st.DataObject) -> None:
    leaves = [hash_leaf(bytes([number])) for number in range(size)]
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    root = root_of_hashes(b"".join(leaves))
    assert frontier.root() == root

    def node(level: int, index: int) -> bytes:
        return root_of_hashes(b"".join(leaves[index << level : (index + 1) << level]))

    index = data.draw(st.integers(0, size - 1))
    path = b"".join(prove_inclusion(index, size, node))
    assert root_from_path(leaves[index], index, size, path) == root
    assert root_from_path(leaves[index], index, size, path + bytes(32)) is None
    assert root_from_path(leaves[index], index, size, path + b"\0") is None
    assert root_from_path(leaves[index], size, size, path) is None
    if path:
        assert root_from_path(leaves[index], index, size, path[:-32]) is None
        assert root_from_path(leaves[index], index, size, bytes(32) + path[32:]) != root


def test_every_unusable_point_is_found() -> None:
    pairing = load_pairing_group()
    good = pairing.g1_generator().encode()
    points = [good, bytes(48), good, good, b"\xc0" + bytes(47), good, b"\xff" * 48]
    assert unusable_points(points, pairing) == [1, 4, 6]
    assert unusable_points([good], pairing) == []


def test_a_file_that_becomes_shorter_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"evoting-enrolment-log/v1\n\0\0\0\1x")
    log = open_log(path)
    assert read_through(log, [], 10, Silent()).chunks == [Chunk(0, 25, 1)]
    with pytest.raises(UnreadableError, match="became shorter"):
        list(log.items(Chunk(0, 25, 2)))


def test_a_disk_that_fails_is_an_unreadable_file() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(UnreadableError, match="the.log: Input/output error"):
        read_bytes(Broken(), Path("the.log"), 1)
