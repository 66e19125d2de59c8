"""Schnorr and Chaum-Pedersen proofs: complete, and bound to domain, context, statement and encoding."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.dkg.key_group import G2KeyGroup, KeyGroup, RistrettoKeyGroup
from crypto.errors import CryptoError, DecodeError, InvalidProof
from crypto.group import load_group, load_pairing_group
from crypto.group.interface import ORDER
from crypto.proofs.chaum_pedersen import EqualityStatement, prove_equality, verify_equality
from crypto.proofs.schnorr import prove_possession, verify_possession

GROUPS: list[KeyGroup] = [RistrettoKeyGroup(load_group()), G2KeyGroup(load_pairing_group())]
CONTEXT = (b"one", b"two")


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
@given(secret=st.integers(1, ORDER - 1), nonce=st.integers(1, ORDER - 1))
@settings(max_examples=15, deadline=None)
def test_schnorr_is_complete(group: KeyGroup, secret: int, nonce: int) -> None:
    statement = group.generate([secret]).encode()
    proof = prove_possession(group, "evoting/v1/test", CONTEXT, statement, secret, nonce)
    verify_possession(group, "evoting/v1/test", CONTEXT, statement, proof)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_schnorr_is_bound_to_domain_context_and_every_element(group: KeyGroup) -> None:
    first, second = group.generate([3]).encode(), group.generate([4]).encode()
    statement = first + second
    proof = prove_possession(group, "evoting/v1/test", CONTEXT, statement, 3, 5)
    verify_possession(group, "evoting/v1/test", CONTEXT, statement, proof)
    for domain, context, claimed in (
        ("evoting/v1/other", CONTEXT, statement),
        ("evoting/v1/test", (b"onet", b"wo"), statement),
        ("evoting/v1/test", (b"one",), statement),
        ("evoting/v1/test", CONTEXT, first),
        ("evoting/v1/test", CONTEXT, first + first),
        ("evoting/v1/test", CONTEXT, second + first),
    ):
        with pytest.raises(InvalidProof):
            verify_possession(group, domain, context, claimed, proof)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_schnorr_has_one_encoding(group: KeyGroup) -> None:
    statement = group.generate([3]).encode()
    proof = prove_possession(group, "evoting/v1/test", CONTEXT, statement, 3, 5)
    challenge, response = group.decode_scalars(proof)
    order = group.order
    unreduced = [
        value.to_bytes(32, "little" if group.name == "ristretto255" else "big") for value in (order, order + 1)
    ]
    bad = [
        b"",
        proof[:-1],
        proof + b"\0",
        group.encode_scalars([challenge]) + unreduced[1],
        unreduced[0] + proof[32:],
        group.encode_scalars([0, response]),
    ]
    for data in bad:
        with pytest.raises(DecodeError):
            verify_possession(group, "evoting/v1/test", CONTEXT, statement, data)
    with pytest.raises(InvalidProof):
        verify_possession(
            group, "evoting/v1/test", CONTEXT, statement, group.encode_scalars([challenge, (response + 1) % order])
        )


def equality(secret: int, base: int, image: int) -> EqualityStatement:
    group = load_group()
    elements = group.generator().mul(group.scalars([secret, base, image]))
    return EqualityStatement(elements[0:1], elements[1:2], elements[2:3])


@given(secret=st.integers(1, ORDER - 1), base=st.integers(0, ORDER - 1), nonce=st.integers(1, ORDER - 1))
@settings(max_examples=20, deadline=None)
def test_chaum_pedersen_is_complete(secret: int, base: int, nonce: int) -> None:
    group = load_group()
    statement = equality(secret, base, secret * base % ORDER)
    proof = prove_equality(
        group, "evoting/v1/test", CONTEXT, statement, group.scalars([secret]), group.scalars([nonce])
    )
    verify_equality(group, "evoting/v1/test", CONTEXT, statement, proof)


@given(secret=st.integers(1, ORDER - 1), base=st.integers(0, ORDER - 1), off=st.integers(1, ORDER - 1))
@settings(max_examples=20, deadline=None)
def test_chaum_pedersen_refuses_unequal_logarithms(secret: int, base: int, off: int) -> None:
    group = load_group()
    statement = equality(secret, base, (secret * base + off) % ORDER)
    proof = prove_equality(group, "evoting/v1/test", CONTEXT, statement, group.scalars([secret]), group.scalars([9]))
    with pytest.raises(InvalidProof):
        verify_equality(group, "evoting/v1/test", CONTEXT, statement, proof)


def test_chaum_pedersen_is_bound_to_everything() -> None:
    group = load_group()
    statement = equality(3, 5, 15)
    proof = prove_equality(group, "evoting/v1/test", CONTEXT, statement, group.scalars([3]), group.scalars([9]))
    verify_equality(group, "evoting/v1/test", CONTEXT, statement, proof)
    challenge, response = group.scalars_decode(proof).to_ints()
    # Both equations hold for multiples of base and image too; only the hash tells them apart.
    for domain, context, claimed in (
        ("evoting/v1/other", CONTEXT, statement),
        ("evoting/v1/test", (b"onetwo", b""), statement),
        ("evoting/v1/test", CONTEXT, equality(3, 10, 30)),
        ("evoting/v1/test", CONTEXT, equality(5, 3, 15)),
    ):
        with pytest.raises(InvalidProof):
            verify_equality(group, domain, context, claimed, proof)
    for data in (
        proof[:-1],
        proof + b"\0",
        (challenge + ORDER).to_bytes(32, "little") + proof[32:],
        proof[:32] + (response + ORDER).to_bytes(32, "little"),
        bytes(32) + proof[32:],
        group.scalars([challenge, response + 1]).encode(),
    ):
        with pytest.raises(CryptoError):
            verify_equality(group, "evoting/v1/test", CONTEXT, statement, data)
