"""Writes docs/spec/vectors/shuffle-*.json: ``python -m tests.mix_net.make_vectors``.

Deterministic, from seeded randomness; ``test_vectors.py`` checks that the files are what this writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from mix_net.proof.product import prove_product
from mix_net.shape import matrix_shape
from mix_net.shuffle import expected_product
from tests.mix_net import forgeries
from tests.mix_net.support import FINGERPRINT, Instance, TamperingTranscript, make_instance, prove

DIRECTORY = Path(__file__).parents[2] / "docs" / "spec" / "vectors"


@dataclass(frozen=True)
class Case:
    """One file: a statement, a proof, and the verdict."""

    instance: Instance
    proof: bytes
    what: str
    valid: bool = True
    check: str | None = None


def cases() -> dict[str, Case]:
    made: dict[str, Case] = {}
    for count, width in [(0, 1), (1, 1), (2, 1), (4, 2), (5, 1), (7, 3), (23, 1), (100, 1), (104, 2)]:
        instance = make_instance(count, width, seed="vector")
        made[f"{count:03}-{width}"] = Case(instance, prove(instance, seed="vector"), "an honest shuffle")
    instance = make_instance(6, seed="vector")
    other = prove(make_instance(6, seed="another vector"))
    made["invalid-other-list"] = Case(instance, other, "the proof of another list", False)
    longer = prove(instance) + bytes(32)
    made["invalid-size"] = Case(instance, longer, "a proof with 32 zero bytes at its end", False, "proof-size")
    spoiled = b"\xff" * 32 + prove(instance)[32:]
    made["invalid-encoding"] = Case(instance, spoiled, "c_A_1 is not canonical", False, "encoding")
    false = forgeries.false_shuffle(6)
    bent = {
        "hadamard.c_B1": forgeries.forge_product(false, forgeries.bend_chain_of_rows(1)),
        "zero.c_Dm+1": forgeries.forge_product(false, forgeries.bend_chain_of_rows(2)),
        "hadamard.c_Bm": forgeries.forge_product(false, forgeries.bend_chain_of_rows(0)),
        "single-value.b1": forgeries.forge_product(false, forgeries.bend_start_of_entries),
        "single-value.bn": forgeries.forge_product(false, prove_product),
        "multi-exponentiation.c_Bm": forgeries.forge_extra_message(false),
        "multi-exponentiation.E_m": forgeries.forge_combination(false),
        "multi-exponentiation.E": forgeries.forge_target(false),
    }
    for check, proof in bent.items():
        made[f"invalid-{check}"] = Case(false.instance, proof, "output 1 is replaced by the mixer", False, check)
    shifted = {
        "zero.A": "zero.r",
        "zero.B": "zero.s",
        "zero.D": "zero.t",
        "single-value.A": "single-value.r",
        "single-value.Delta": "single-value.s",
        "multi-exponentiation.A": "multi-exponentiation.r",
        "multi-exponentiation.B": "multi-exponentiation.s",
    }
    for check, response in shifted.items():
        proof = forgeries.shift_response(instance, response)
        made[f"invalid-{check}"] = Case(instance, proof, f"the response {response} is off by one", False, check)
    return made


def encode(case: Case) -> str:
    """The JSON of one case; section 8.10 of the specification describes the members."""
    instance, statement = case.instance, case.instance.statement
    shape = matrix_shape(statement.count) if statement.count else None
    record: dict[str, object] = {
        "what": case.what,
        "context": {
            "fingerprint": FINGERPRINT.hex(),
            "contest": "parliament",
            "group": "style-1",
            "stage": 1,
            "mixer": "mixer-1",
        },
        "count": statement.count,
        "width": statement.width,
        "rows": shape.rows if shape else 0,
        "columns": shape.columns if shape else 0,
        "public_key": statement.public_key.hex(),
        "inputs": statement.inputs.hex(),
        "outputs": statement.outputs.hex(),
        "proof": case.proof.hex(),
        "valid": case.valid,
    }
    if not case.valid:
        record["check"] = case.check
    elif shape:
        transcript = TamperingTranscript()
        assert prove(instance, transcript, seed="vector") == case.proof
        x, y, z = (transcript.challenges[f"shuffle.{name}"] for name in "xyz")
        product = expected_product(instance.group, shape.positions, x, y, z)
        record["challenges"] = {label: _scalar(value) for label, value in transcript.challenges.items()}
        record["b"] = _scalar(product)
        record["permutation"] = [source + 1 for source in instance.witness.permutation.tolist()]
        record["randomizers"] = [_scalar(value) for value in instance.witness.randomizers.to_ints()]
    return json.dumps(record, indent=1) + "\n"


def _scalar(value: int) -> str:
    return value.to_bytes(32, "little").hex()


def main() -> None:
    for name, case in cases().items():
        (DIRECTORY / f"shuffle-{name}.json").write_text(encode(case), encoding="utf-8")


if __name__ == "__main__":
    main()
