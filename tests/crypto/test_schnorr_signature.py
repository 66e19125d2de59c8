"""Signatures by pseudonyms: complete, bound to domain, key and message, and batched without letting errors cancel."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from crypto.batch import Accumulator, find_failures
from crypto.errors import DecodeError
from crypto.group import Group
from crypto.group.interface import ORDER, ElementVector
from crypto.hashing import scalar
from crypto.schnorr_signature import accumulate_signatures, sign_many, signature_challenges
from tests.support.arithmetics import deterministic_entropy, each_group

DOMAIN = "evoting/v1/ballot-signature"


def keys(group: Group, count: int) -> tuple[object, list[bytes]]:
    secrets = group.scalars_wide(os.urandom(64 * count))
    encoded = group.fixed_base(group.generator()).mul(secrets).encode()
    return secrets, [encoded[32 * i : 32 * i + 32] for i in range(count)]


def holds(
    group: Group, publics: Sequence[bytes], messages: Sequence[bytes], signatures: Sequence[bytes], domain: str = DOMAIN
) -> bool:
    """Whether a batch of signatures holds."""
    points = [signature[:32] for signature in signatures]
    accumulator = Accumulator(group, group.generator())
    accumulate_signatures(
        accumulator,
        group.elements_decode(b"".join(points), allow_identity=False),
        group.elements_decode(b"".join(publics), allow_identity=False),
        group.scalars_decode(b"".join(signature[32:] for signature in signatures)),
        signature_challenges(group, domain, points, publics, messages),
        lambda count: group.scalars_short(os.urandom(16 * count)),
    )
    return accumulator.holds()


def sign(group: Group, secrets: object, publics: list[bytes], messages: list[bytes]) -> list[bytes]:
    table = group.fixed_base(group.generator())
    return sign_many(group, table, DOMAIN, secrets, publics, messages, os.urandom)  # type: ignore[arg-type]


@each_group
def test_signatures_hold_alone_and_together(group: Group) -> None:
    secrets, publics = keys(group, 4)
    messages = [b"", b"a", b"a", b"longer" * 100]
    signatures = sign(group, secrets, publics, messages)
    assert all(len(signature) == 64 for signature in signatures)
    assert holds(group, publics, messages, signatures)
    assert all(holds(group, [p], [m], [s]) for p, m, s in zip(publics, messages, signatures, strict=True))
    assert sign(group, secrets[:0], [], []) == []  # type: ignore[index]


@each_group
def test_the_equation_is_that_of_section_1_4(group: Group) -> None:
    secrets, publics = keys(group, 1)
    (signature,) = sign(group, secrets, publics, [b"m"])
    e = scalar(DOMAIN, signature[:32], publics[0], b"m")
    point = group.elements_decode(signature[:32], allow_identity=False)
    public = group.elements_decode(publics[0], allow_identity=False)
    left = group.generator().mul(group.scalars_decode(signature[32:]))
    assert left == point + public.mul(group.scalars([e]))


@each_group
def test_B4_domain_key_message_and_both_halves_bind(group: Group) -> None:
    secrets, publics = keys(group, 2)
    messages = [b"first", b"second"]
    signatures = sign(group, secrets, publics, messages)
    assert not holds(group, publics, messages, signatures, "evoting/v1/challenge-signature")
    assert not holds(group, publics[::-1], messages, signatures)
    assert not holds(group, publics, messages[::-1], signatures)
    assert not holds(group, publics, [b"first", b"second\0"], signatures)
    assert not holds(group, publics, messages, [signatures[0], signatures[0][:32] + signatures[1][32:]])
    assert not holds(group, publics, messages, [signatures[0], signatures[1][:32] + signatures[0][32:]])


@each_group
def test_B11_errors_that_cancel_in_a_plain_sum(group: Group) -> None:
    secrets, publics = keys(group, 3)
    messages = [b"a", b"b", b"c"]
    signatures = sign(group, secrets, publics, messages)

    def shifted(signature: bytes, amount: int) -> bytes:
        value = (int.from_bytes(signature[32:], "little") + amount) % ORDER
        return signature[:32] + value.to_bytes(32, "little")

    bad = [shifted(signatures[0], 1), signatures[1], shifted(signatures[2], -1)]
    # The plain sum of all equations does not notice.
    assert sum(int.from_bytes(s[32:], "little") for s in bad) % ORDER == (
        sum(int.from_bytes(s[32:], "little") for s in signatures) % ORDER
    )
    rows = range(3)
    found = find_failures(
        rows, lambda part: holds(group, [publics[i] for i in part], [messages[i] for i in part], [bad[i] for i in part])
    )
    assert found == [0, 2]


@each_group
def test_B9_B10_identity_and_non_canonical_halves_do_not_decode(group: Group) -> None:
    secrets, publics = keys(group, 1)
    (signature,) = sign(group, secrets, publics, [b"m"])
    larger = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    for bad in (bytes(32) + signature[32:], signature[:32] + larger, b"\xff" * 32 + signature[32:]):
        with pytest.raises(DecodeError):
            holds(group, publics, [b"m"], [bad])


@each_group
def test_nonces_differ_though_the_random_generator_is_stuck(group: Group) -> None:
    """Two messages under one nonce would give away the secret."""
    secrets, publics = keys(group, 2)
    table = group.fixed_base(group.generator())
    stuck = sign_many(
        group, table, DOMAIN, group.concat_scalars([secrets, secrets]), publics * 2,  # type: ignore[list-item]
        [b"a", b"a", b"b", b"b"], lambda count: bytes(count),
    )  # fmt: skip
    assert len({signature[:32] for signature in stuck}) == 4
    assert holds(group, publics * 2, [b"a", b"a", b"b", b"b"], stuck)


def test_both_arithmetics_make_the_same_signature() -> None:
    from crypto.group import load_group, native_available

    if not native_available():
        pytest.skip("the native arithmetic is not built here")
    made = []
    for name in ("native", "portable"):
        group = load_group(name)
        table = group.fixed_base(group.generator())
        secrets = group.scalars([5, 6])
        element: ElementVector = table.mul(secrets)
        publics = [element.encode()[:32], element.encode()[32:]]
        made.append(
            sign_many(group, table, DOMAIN, secrets, publics, [b"a", b"b"], deterministic_entropy("signatures"))
        )
    assert made[0] == made[1]
