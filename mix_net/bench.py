"""Measures a shuffle against the arithmetic floor, in one run: ``python -m mix_net.bench --count 100000``.

The floor is what no verifier of inputs and outputs can avoid: decoding 4N elements, and a multi-scalar multiplication
of 4N terms in chunks of the best size. All figures are CPU seconds of this process, the best of a few rounds.
"""

from __future__ import annotations

import argparse
import json
import resource
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from crypto.group import load_group, set_threads
from crypto.group.interface import ElementVector, Group, ScalarVector
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.context import mix_transcript
from mix_net.randomness import random_scalars
from mix_net.shuffle import (
    ReencryptionPairs,
    ShuffleStatement,
    commitment_key_length,
    fixed_bases,
    generate_shuffle,
    prove_shuffle,
    verify_shuffle,
)

_CHUNKS = (4096, 8192, 16384)


def bench_shuffle(count: int = 100_000, *, threads: int = 1, rounds: int = 3) -> dict[str, float]:
    """Run ``measure_shuffle`` in a process of its own, so that peak memory is the shuffle's.

    Returns:
        Flat figures: ``shuffle_verify_over_floor``, ``shuffle_prove_over_floor`` (making the re-encryption pairs,
        shuffling, proving and encoding), ``shuffle_prove_pairs_ahead_over_floor`` (the same with pairs that were made
        before and are in memory), ``shuffle_proof_bytes``, ``shuffle_peak_memory_mb``, and the times behind them.
    """
    arguments = ["--count", str(count), "--threads", str(threads), "--rounds", str(rounds)]
    command = [sys.executable, "-m", "mix_net.bench", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure_shuffle(count: int, rounds: int) -> dict[str, float]:
    """Shuffle, prove and verify ``count`` ciphertexts of width one, beside the floor."""
    group = load_group()
    randomness = secrets.token_bytes
    public_key = group.generator().mul(random_scalars(group, randomness, 1)).encode()
    inputs = _inputs(group, public_key, count)
    best: dict[str, float] = {}
    for _ in range(rounds):
        with _timed(best, "derive"):
            key = CommitmentKey.derive(group, commitment_key_length(count, 1))
        with _timed(best, "shuffle"):
            bases = fixed_bases(group, public_key)
            outputs, witness = generate_shuffle(group, public_key, inputs, 1, randomness, bases=bases)
        randomizers = random_scalars(group, randomness, count)
        pairs = ReencryptionPairs(randomizers, *[base.mul_vartime(randomizers) for base in bases])
        with _timed(best, "shuffle_pairs_ahead"):
            generate_shuffle(group, public_key, inputs, 1, randomness, pairs=pairs, bases=bases)
        del pairs
        statement = ShuffleStatement(public_key, inputs, outputs)
        with _timed(best, "prove"):
            proof = prove_shuffle(statement, witness, _transcript(), randomness, key, bases=bases)
        del witness, bases
        with _timed(best, "verify"):
            verify_shuffle(statement, proof, _transcript(), randomness, key)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    floor = _floor(group, inputs + outputs, rounds)
    return {
        "shuffle_count": count,
        "shuffle_floor_s": floor,
        "shuffle_derive_s": best["derive"],
        "shuffle_shuffle_s": best["shuffle"],
        "shuffle_prove_s": best["prove"],
        "shuffle_verify_s": best["verify"],
        "shuffle_prove_over_floor": (best["shuffle"] + best["prove"]) / floor,
        "shuffle_prove_pairs_ahead_over_floor": (best["shuffle_pairs_ahead"] + best["prove"]) / floor,
        "shuffle_verify_over_floor": best["verify"] / floor,
        "shuffle_verify_with_generators_over_floor": (best["verify"] + best["derive"]) / floor,
        "shuffle_proof_bytes": len(proof),
        "shuffle_peak_memory_mb": peak,
    }


def _floor(group: Group, encoded: bytes, rounds: int) -> float:
    best: dict[str, float] = {}
    scalars = random_scalars(group, secrets.token_bytes, len(encoded) // 32)
    for _ in range(rounds):
        with _timed(best, "decode"):
            elements = group.elements_decode(encoded, allow_identity=False)
        for chunk in _CHUNKS:
            with _timed(best, "msm"):
                _msm_in_chunks(group, scalars, elements, chunk)
    return best["decode"] + best["msm"]


def _msm_in_chunks(group: Group, scalars: ScalarVector, elements: ElementVector, chunk: int) -> ElementVector:
    parts = [
        group.msm(scalars[first : first + chunk], elements[first : first + chunk])
        for first in range(0, len(elements), chunk)
    ]
    return group.concat_elements(parts).sum()


def _inputs(group: Group, public_key: bytes, count: int) -> bytes:
    generator, key = fixed_bases(group, public_key)
    randomizers, values = (random_scalars(group, secrets.token_bytes, count) for _ in range(2))
    datas = generator.mul_vartime(values) + key.mul_vartime(randomizers)
    return group.interleave_elements([generator.mul_vartime(randomizers), datas]).encode()


def _transcript() -> Transcript:
    return mix_transcript(bytes(32), "benchmark", "benchmark", 1, "mixer-1")


@contextmanager
def _timed(best: dict[str, float], name: str) -> Iterator[None]:
    started = time.process_time()
    yield
    best[name] = min(best.get(name, float("inf")), time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    set_threads(options.threads)
    print(json.dumps(measure_shuffle(options.count, options.rounds), indent=1))


if __name__ == "__main__":
    main()
