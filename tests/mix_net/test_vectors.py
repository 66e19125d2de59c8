"""The published vectors are what this implementation makes, and both arithmetics give their verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crypto.errors import InvalidProof
from crypto.group import load_group
from mix_net.context import mix_transcript
from mix_net.shuffle import ShuffleStatement, commitment_key_length, verify_shuffle
from tests.mix_net import make_vectors
from tests.mix_net.support import SeededRandomness, commitment_key

FILES = sorted(make_vectors.DIRECTORY.glob("shuffle-*.json"))


def test_files_are_complete_and_reproducible() -> None:
    made = {f"shuffle-{name}.json": make_vectors.encode(case) for name, case in make_vectors.cases().items()}
    assert {path.name: path.read_text(encoding="utf-8") for path in FILES} == made


@pytest.mark.parametrize("arithmetic", ["native", "portable"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_verdict(path: Path, arithmetic: str) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    context = vector["context"]
    transcript = mix_transcript(
        bytes.fromhex(context["fingerprint"]), context["contest"], context["group"], context["stage"], context["mixer"]
    )
    inputs, outputs = bytes.fromhex(vector["inputs"]), bytes.fromhex(vector["outputs"])
    statement = ShuffleStatement(bytes.fromhex(vector["public_key"]), inputs, outputs, vector["width"])
    key = commitment_key(arithmetic, commitment_key_length(vector["count"], vector["width"]))
    proof, weights = bytes.fromhex(vector["proof"]), SeededRandomness("weights")
    assert load_group(arithmetic).name == arithmetic
    if vector["valid"]:
        verify_shuffle(statement, proof, transcript, weights, key)
        return
    with pytest.raises(InvalidProof) as caught:
        verify_shuffle(statement, proof, transcript, weights, key)
    if vector["check"] is not None:
        assert caught.value.check == "shuffle." + vector["check"]
