"""Verification of a shuffle by the argument of Bayer and Groth (Eurocrypt 2012); docs/spec/08-mixing.md section 8.6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.errors import DecodeError
from crypto.group import ORDER
from verifier.equations import shuffle_equations as equations
from verifier.equations.shuffle_equations import CHUNK, Shuffle, Total
from verifier.equations.shuffle_proof import (
    MAX_COUNT,
    ShuffleStatement,
    context_transcript,
    decode_proof,
    shape_of,
    shuffle_challenges,
    unusable_challenges,
)
from verifier.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crypto.group import ElementVector, Group, ScalarVector
    from verifier.equations.interface import Buffer, Randomness


def verify_shuffle(
    *,
    fingerprint: bytes,
    contest: str,
    group_id: str,
    stage: int,
    mixer: str,
    public_key: bytes,
    width: int,
    inputs: Buffer,
    outputs: Buffer,
    proof: bytes,
    group: Group,
    randomness: Randomness,
) -> list[Failure]:
    """Everything that does not hold about "the outputs are a permutation and re-encryption of the inputs".

    The context enters the transcript before all else, so a proof for another stage, mixer, group, contest or election
    fails. Cost: one multi-scalar multiplication of 4Nw + n + O(mw) terms with as many decodings; memory beyond the
    arguments is some tens of megabytes. Variable time; everything is public.
    """
    defect = statement_defect(public_key, width, inputs, outputs, group)
    if defect is not None:
        return [_failure("statement", defect)]
    count = len(inputs) // (64 * width)
    expected = shape_of(count, width).proof_bytes if count else 0
    if not proof_size(proof, expected):
        return [_failure("proof-size", f"the proof has {len(proof)} bytes; {count} ciphertexts need {expected}")]
    if count == 0:
        return []
    statement = ShuffleStatement(shape_of(count, width), public_key, inputs, outputs)
    try:
        decoded = decode_proof(statement.shape, proof, group)
    except DecodeError as error:
        return [_failure("encoding", f"an item of the proof is not canonical: {error}")]
    transcript = context_transcript(fingerprint, contest, group_id, stage, mixer)
    challenges = shuffle_challenges(transcript, statement, decoded, group)
    unusable = unusable_challenges(challenges)
    if unusable:
        return [_failure("challenge", f"unusable challenges: {', '.join(unusable)}")]
    shuffle = Shuffle(statement, decoded, challenges, group)
    failed = [name for name, holds in _comparisons() if not holds(shuffle)]
    total = Total(shuffle, randomness)
    for _, equation in _group_equations():
        equation(total, shuffle)
    lists: list[ElementVector] = []
    for name, multiply in (("inputs", _input_part), ("outputs", _output_part)):
        try:
            lists.append(multiply(shuffle, total))
        except DecodeError as error:
            return [_failure(name, f"a component of the {name} is not a canonical element other than O: {error}")]
    if not bool((total.small_part() + lists[0] + lists[1]).identity_mask()[0]):
        failed += _failing_group_equations(shuffle, randomness) or ["batch"]
    return [_failure(name, f"the equation shuffle.{name} does not hold") for name in failed]


def _failure(name: str, sentence: str) -> Failure:
    return Failure(sentence, equation=f"shuffle.{name}")


def statement_defect(public_key: bytes, width: int, inputs: Buffer, outputs: Buffer, group: Group) -> str | None:
    """``shuffle.statement``: what is wrong with the form of the statement."""
    if width < 1:
        return "the width is below 1"
    if len(inputs) != len(outputs) or len(inputs) % (64 * width):
        return f"lists of {len(inputs)} and {len(outputs)} bytes are not two lists of one number of ciphertexts"
    if len(inputs) // (64 * width) > MAX_COUNT:
        return "the lists are too long"
    try:
        group.elements_decode(public_key, allow_identity=False)
    except DecodeError as error:
        return f"the public key: {error}"
    return None


def proof_size(proof: bytes, expected: int) -> bool:
    """``shuffle.proof-size``: the size is exactly that of the shape, which the count alone decides."""
    return len(proof) == expected


def _comparisons() -> list[tuple[str, Callable[[Shuffle], bool]]]:
    return [
        ("hadamard.c_Bm", equations.hadamard_c_Bm),
        ("zero.c_Dm+1", equations.zero_c_Dm_1),
        ("single-value.b1", equations.single_value_b1),
        ("single-value.bn", equations.single_value_bn),
        ("multi-exponentiation.c_Bm", equations.multi_exponentiation_c_Bm),
    ]


def _group_equations() -> list[tuple[str, Callable[[Total, Shuffle], None]]]:
    return [
        ("hadamard.c_B1", equations.hadamard_c_B1),
        ("zero.A", equations.zero_A),
        ("zero.B", equations.zero_B),
        ("zero.D", equations.zero_D),
        ("single-value.A", equations.single_value_A),
        ("single-value.Delta", equations.single_value_Delta),
        ("multi-exponentiation.A", equations.multi_exponentiation_A),
        ("multi-exponentiation.B", equations.multi_exponentiation_B),
        ("multi-exponentiation.E_m", equations.multi_exponentiation_E_m),
        ("multi-exponentiation.E", equations.multi_exponentiation_E),
    ]


def _failing_group_equations(shuffle: Shuffle, randomness: Randomness) -> list[str]:
    """The equations that do not hold by themselves; the lists are known to be canonical."""
    failed = []
    for name, equation in _group_equations():
        total = Total(shuffle, randomness)
        equation(total, shuffle)
        value = total.small_part()
        if any(total.inputs):
            value = value + _input_part(shuffle, total)
        if any(total.outputs):
            value = value + _output_part(shuffle, total)
        if not bool(value.identity_mask()[0]):
            failed.append(name)
    return failed


def _row_chunks(shuffle: Shuffle) -> Iterator[tuple[int, int]]:
    """Ranges of whole rows, numbered from 0, that hold about ``CHUNK`` ciphertexts."""
    shape = shuffle.statement.shape
    step = max(1, CHUNK // shape.n)
    for first in range(0, -(-shape.count // shape.n), step):
        yield first, min(first + step, shape.m)


def _input_part(shuffle: Shuffle, total: Total) -> ElementVector:
    """Sum over i and places of ``weight * x^(i) * inputs_i``."""
    x = shuffle.challenges["shuffle.x"]

    def coefficients(first: int, end: int) -> ScalarVector:
        n = shuffle.statement.shape.n
        return shuffle.group.powers(x, (end - first) * n, first * n + 1)

    return _list_part(shuffle, shuffle.statement.inputs, coefficients, total.inputs)


def _output_part(shuffle: Shuffle, total: Total) -> ElementVector:
    """Sum over i and places of ``weight * xe^(m-row(i)) * ae_(col(i)) * outputs_i``."""
    x, m = shuffle.challenges["multi-exponentiation.x"], shuffle.statement.shape.m
    responses = shuffle.proof.scalars["ae"]

    def coefficients(first: int, end: int) -> ScalarVector:
        return shuffle.group.concat_scalars([responses * pow(x, m - row, ORDER) for row in range(first + 1, end + 1)])

    return _list_part(shuffle, shuffle.statement.outputs, coefficients, total.outputs)


def _list_part(
    shuffle: Shuffle, data: Buffer, coefficients: Callable[[int, int], ScalarVector], weights: Sequence[int]
) -> ElementVector:
    """Multiply and decode a list chunk by chunk.

    Raises:
        DecodeError: names the first component (of all the list) that is not canonical or is the identity.
    """
    group, shape = shuffle.group, shuffle.statement.shape
    result = group.identity()
    for first, end in _row_chunks(shuffle):
        start, stop = first * shape.n, min(end * shape.n, shape.count)
        scalars = coefficients(first, end)[: stop - start]
        interleaved = group.interleave_scalars([scalars * (weight % ORDER) for weight in weights])
        size = 64 * shape.width
        try:
            part = group.msm_decode(interleaved, bytes(data[size * start : size * stop]), allow_identity=False)
        except DecodeError as error:
            index = None if error.index is None else error.index + 2 * shape.width * start
            raise DecodeError(f"component {index}", index) from None
        result = result + part
    return result
