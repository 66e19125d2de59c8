"""Encrypting, proving and verifying choices and credentials, against the arithmetic floor."""

from __future__ import annotations

import os

import numpy as np

from crypto.batch import Accumulator
from crypto.blind_bls import (
    StyleCredentials,
    encode_message,
    find_invalid_credentials,
    hash_credential_message,
    sign_partial,
)
from crypto.elgamal import EncryptionKey, decode_ciphertexts
from crypto.group import load_group, load_pairing_group
from crypto.group.interface import ScalarVector
from crypto.proofs.disjunctive import ChoiceLayout, accumulate_choices, prove_choices
from evoting.ballots.ballot import contest_challenges
from evoting.ballots.shape import ContestShape, StyleShape
from loadtests.bench.kernel import random_elements, random_scalars
from loadtests.bench.measure import cpu_seconds, wall_seconds

OPTIONS = 50
BALLOTS = 400


def measure_choices() -> dict[str, float]:
    """Zero-or-one proofs: 400 ballots of 50 options, transcript hashing included."""
    group = load_group()
    layout = ChoiceLayout(OPTIONS, 0, 1)
    style = StyleShape("style", (ContestShape("contest", layout),))
    key = EncryptionKey.from_element(group, random_elements(group, 1))
    encoded_key = key.element.encode()
    election = os.urandom(32)
    pseudonyms = [os.urandom(32) for _ in range(BALLOTS)]
    selections = np.zeros((BALLOTS, OPTIONS), dtype=np.uint8)
    selections[np.arange(BALLOTS), np.arange(BALLOTS) % OPTIONS] = 1

    def challenges(ciphertexts: bytes, commitments: bytes) -> ScalarVector:
        first, second = len(ciphertexts) // BALLOTS, len(commitments) // BALLOTS
        return contest_challenges(
            group,
            election,
            style,
            0,
            encoded_key,
            pseudonyms,
            [ciphertexts[i * first : (i + 1) * first] for i in range(BALLOTS)],
            [commitments[i * second : (i + 1) * second] for i in range(BALLOTS)],
        )

    randomizers = random_scalars(group, BALLOTS * OPTIONS)
    prove, proofs = wall_seconds(lambda: prove_choices(key, layout, selections, randomizers, challenges, os.urandom), 2)

    def verify() -> bool:
        accumulator = Accumulator(group, key.element)
        accumulate_choices(
            accumulator,
            group,
            layout,
            decode_ciphertexts(group, proofs.ciphertexts),
            group.elements_decode(proofs.commitments, allow_identity=False),
            group.scalars_decode(proofs.scalars),
            challenges(proofs.ciphertexts, proofs.commitments),
            lambda count: group.scalars_short(os.urandom(16 * count)),
        )
        return accumulator.holds()

    seconds, held = cpu_seconds(verify, 5)
    assert held
    choices = BALLOTS * OPTIONS
    terms = 6 * choices
    scalars, elements = random_scalars(group, terms), random_elements(group, terms)
    encoded = elements.encode()
    floor = (
        cpu_seconds(lambda: group.msm(scalars, elements), 5)[0]
        + cpu_seconds(lambda: group.elements_decode(encoded, allow_identity=False), 5)[0]
    )
    return {
        "choice_prove_us": prove / choices * 1e6,
        "choice_verify_us": seconds / choices * 1e6,
        "choice_floor_us": floor / choices * 1e6,
        "choice_verify_over_floor": seconds / floor,
    }


def measure_credentials() -> dict[str, float]:
    """Credential verification in batches of 4,000, one ballot style."""
    pairing = load_pairing_group()
    count, share = 4000, 123456789
    fingerprint = os.urandom(32)
    messages = [encode_message(fingerprint, "style", os.urandom(32)) for _ in range(count)]
    hashed = hash_credential_message(pairing, messages)
    sign, signatures = wall_seconds(lambda: sign_partial(hashed, share), 2)
    batch = StyleCredentials(pairing.g2_generator().mul([share]), messages, signatures.encode())
    verify, failures = cpu_seconds(lambda: find_invalid_credentials(pairing, [batch], os.urandom), 3)
    assert not failures
    return {"credential_sign_us": sign / count * 1e6, "credential_verify_us": verify / count * 1e6}


def measure_ballots() -> dict[str, float]:
    """Both."""
    return measure_choices() | measure_credentials()
