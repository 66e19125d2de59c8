"""Decryption factors of a list and the check of their one proof."""

from __future__ import annotations

import os

from crypto.decryption import generate_factors, prove_factors, verify_factors
from crypto.group import load_group
from loadtests.bench.kernel import random_elements, random_scalars
from loadtests.bench.measure import cpu_seconds, peak_megabytes

COUNT = 20_000


def measure_decryption() -> dict[str, float]:
    """One trustee, one list of 20,000 ciphertexts; CPU microseconds per ciphertext."""
    group = load_group()
    share = random_scalars(group, 1)
    key = group.generator().mul(share).encode()
    ciphertexts = random_elements(group, 2 * COUNT).encode()
    fingerprint, secret = os.urandom(32), share.encode()
    make, factors = cpu_seconds(lambda: generate_factors(group, ciphertexts, secret), 2)
    prove, proof = cpu_seconds(
        lambda: prove_factors(
            group, fingerprint, "contest", "group", 1, key, ciphertexts, factors, secret, os.urandom(64)
        ),
        2,
    )
    verify, _ = cpu_seconds(
        lambda: verify_factors(group, fingerprint, "contest", "group", 1, key, ciphertexts, factors, proof), 3
    )
    return {
        "decrypt_us": (make + prove) / COUNT * 1e6,
        "decrypt_verify_us": verify / COUNT * 1e6,
        "decrypt_peak_mb": peak_megabytes(),
    }
