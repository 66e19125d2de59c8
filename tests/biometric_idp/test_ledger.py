"""Roll commitment, ledger statements, the tree with one leaf per position (C12), and the numbers (C2)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biometric_idp.errors import FormatError
from biometric_idp.issuer.ledger import (
    LedgerError,
    LedgerStatement,
    StyleCount,
    check_ledger_bounds,
    prove_position,
    tree_leaf,
    tree_leaf_hashes,
    tree_salt,
    verify_position,
)
from biometric_idp.registrar.roll import commit_roll, make_roll, read_roll, roll_leaf, roll_salt, write_roll
from crypto.log.errors import InvalidLogProof
from crypto.log.merkle import hash_leaf, hash_leaves, root_of_hashes
from tests.biometric_idp.world import NOW, World

SECRET = sha256(b"ledger secret").digest()
FINGERPRINT = sha256(b"election").digest()
SIZES = (("a", 10), ("b", 4))


def statement(issuer: int, a: int, b: int, terminal: int = 0, tree: int = 14) -> LedgerStatement:
    counts = (StyleCount("a", a, terminal), StyleCount("b", b, 0))
    return LedgerStatement(issuer, "checkpoint", counts, bytes(32), tree, NOW)


def test_honest_numbers_pass() -> None:
    everyone = [statement(i, 6, 2) for i in (1, 2, 3)] + [statement(4, 0, 0)]
    check_ledger_bounds(SIZES, 3, 4, everyone, {"a": 6, "b": 2})
    check_ledger_bounds(SIZES, 3, 4, everyone, {})


def test_C2_more_credentials_than_the_ledgers_hold_are_noticed() -> None:
    everyone = [statement(i, 6, 2) for i in (1, 2, 3)] + [statement(4, 0, 0)]
    for used in ({"a": 7, "b": 2}, {"a": 6, "b": 3}):
        with pytest.raises(LedgerError) as caught:
            check_ledger_bounds(SIZES, 3, 4, everyone, used)
        assert caught.value.check == "ledger.bounds"
    with pytest.raises(LedgerError, match="unknown ballot styles"):
        check_ledger_bounds(SIZES, 3, 4, everyone, {"c": 1})


def test_C2_an_issuer_that_reports_more_than_the_roll_is_named() -> None:
    statements = [statement(1, 6, 2), statement(2, 11, 2), statement(3, 6, 2)]
    with pytest.raises(LedgerError) as caught:
        check_ledger_bounds(SIZES, 3, 4, statements, {"a": 6})
    assert (caught.value.check, caught.value.issuer) == ("ledger.bounds", 2)


def test_a_vanished_issuer_loosens_the_bound_by_exactly_its_signatures() -> None:
    """Issuers 1, 2, 4 signed all six; 4 vanished with its ledger."""
    left = [statement(1, 6, 0), statement(2, 6, 0), statement(3, 0, 0)]
    check_ledger_bounds(SIZES, 3, 4, left, {"a": 6})
    with pytest.raises(LedgerError, match="need 14 signatures, not 12"):
        check_ledger_bounds(SIZES, 3, 4, left, {"a": 7})


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        ([statement(1, 1, 1), statement(2, 1, 1)], "fewer than 3"),
        ([statement(1, 1, 1), statement(2, 1, 1), statement(2, 1, 1)], "different issuers"),
        ([statement(1, 1, 1), statement(2, 1, 1), statement(5, 1, 1)], "different issuers"),
        ([statement(0, 1, 1), statement(2, 1, 1), statement(3, 1, 1)], "different issuers"),
        ([statement(1, 1, 1), statement(2, 1, 1), statement(3, 1, 1, terminal=2)], "terminal voters"),
        ([statement(1, 1, 1), statement(2, 1, 1), statement(3, 1, 1, tree=13)], "one leaf per position"),
        (
            [statement(1, 1, 1), statement(2, 1, 1), replace(statement(3, 1, 1), issued=(StyleCount("a", 1, 0),))],
            "exactly the ballot styles",
        ),
    ],
)
def test_statements_of_a_wrong_shape_are_refused(statements: list[LedgerStatement], reason: str) -> None:
    with pytest.raises(LedgerError, match=reason) as caught:
        check_ledger_bounds(SIZES, 3, 4, statements, {"a": 1})
    assert caught.value.check == "ledger.statements"


@given(st.integers(1, 40), st.data())
def test_C12_every_citizen_gets_the_one_true_answer(size: int, data: st.DataObject) -> None:
    positions = data.draw(st.sets(st.integers(0, size - 1)))
    hashes = {position: sha256(bytes([position])).digest() for position in positions}
    root = root_of_hashes(tree_leaf_hashes(SECRET, FINGERPRINT, len(hashes), size, hashes))
    position = data.draw(st.integers(0, size - 1))
    proof = prove_position(SECRET, FINGERPRINT, len(hashes), size, hashes, position)
    assert proof.value == hashes.get(position)
    verify_position(proof, FINGERPRINT, root, size)
    opposite = None if proof.value is not None else sha256(b"made up").digest()
    for lie in (
        replace(proof, value=opposite),
        replace(proof, value=sha256(b"another").digest()),
        replace(proof, salt=bytes(32)),
        replace(proof, position=(position + 1) % size if size > 1 else 1),
    ):
        with pytest.raises(InvalidLogProof):
            verify_position(lie, FINGERPRINT, root, size)
    with pytest.raises(InvalidLogProof):
        verify_position(proof, bytes(32), root, size)


def test_the_trees_leaves_are_those_of_the_specification() -> None:
    hashes = {1: sha256(b"request").digest()}
    expected = [
        tree_leaf(FINGERPRINT, position, tree_salt(SECRET, FINGERPRINT, 7, position), hashes.get(position))
        for position in range(3)
    ]
    assert tree_leaf_hashes(SECRET, FINGERPRINT, 7, 3, hashes) == hash_leaves(expected)


def test_a_later_tree_shows_no_neighbour_whether_a_leaf_changed() -> None:
    """Salts change with the ledger's size, so every leaf hash changes, not only the one with a new credential."""
    early = tree_leaf_hashes(SECRET, FINGERPRINT, 0, 4, {})
    late = tree_leaf_hashes(SECRET, FINGERPRINT, 1, 4, {2: bytes(32)})
    assert all(early[32 * i : 32 * i + 32] != late[32 * i : 32 * i + 32] for i in range(4))


def test_a_request_hash_of_four_letters_cannot_pass_for_none() -> None:
    salt = bytes(32)
    assert tree_leaf(FINGERPRINT, 0, salt, None) != tree_leaf(FINGERPRINT, 0, salt, b"none" + bytes(28))


def test_roll_commitment_opens_to_one_voter_and_hides_the_person() -> None:
    voters = [("abroad", "10101199000001"), ("bishkek", "20202198000002"), ("abroad", "10303197000003")]
    commitment = commit_roll(SECRET, voters)
    leaves = [
        roll_leaf(roll_salt(SECRET, position), position, style, person)
        for position, (style, person) in enumerate(voters)
    ]
    assert root_of_hashes(b"".join(hash_leaf(leaf) for leaf in leaves)) == commitment
    assert len(set(leaves)) == 3
    assert leaves[0] != roll_leaf(roll_salt(SECRET, 0), 0, "bishkek", "10101199000001")
    assert commit_roll(bytes(32), voters) != commitment


def test_roll_file_round_trip_and_damage(world: World) -> None:
    path = world.directory / "roll.bin"
    roll = make_roll(["a", "b"], [0, 1, 1, 0, 1])
    write_roll(path, roll)
    again = read_roll(path)
    assert (again.styles, again.style_indices.tolist()) == (roll.styles, [0, 1, 1, 0, 1])
    assert again.sizes() == [("a", 2), ("b", 3)]
    assert [again.style_of(position) for position in (-1, 0, 1, 5)] == [None, "a", "b", None]
    data = path.read_bytes()
    for damaged in (b"", data[:-1], data + b"\0", b"x" + data[1:], data[:18], data[:-1] + b"\x02"):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"roll\.bin"):
            read_roll(path)
