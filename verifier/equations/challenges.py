"""Openings of challenged ballots; docs/spec/06-ballots.md section 6.6."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crypto.errors import DecodeError
from verifier.equations.combination import Combination
from verifier.failure import RowFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.group import Group
    from verifier.equations.interface import BallotBatch, ContestOpening, ContestShape, Election, Randomness

#: Index of a value that is in no code book.
NO_CODE = 2**32 - 1


def verify_openings(
    batch: BallotBatch,
    openings: Sequence[Sequence[ContestOpening]],
    election: Election,
    group: Group,
    randomness: Randomness,
) -> list[RowFailure]:
    """Rows whose selections and randomizers do not encrypt to exactly their ciphertexts.

    Challenges are few, so that each contest is one small combination.
    """
    failures: list[RowFailure] = []
    for row, contests in enumerate(openings):
        for shape, columns, opening in zip(batch.style.contests, batch.contests, contests, strict=True):
            size = 64 * shape.ciphertexts
            failure = _open_contest(
                row, shape, columns.ciphertexts[size * row : size * (row + 1)], opening, election, group, randomness
            )
            if failure is not None:
                failures.append(failure)
                break
    return failures


def _open_contest(
    row: int,
    shape: ContestShape,
    ciphertexts: bytes,
    opening: ContestOpening,
    election: Election,
    group: Group,
    randomness: Randomness,
) -> RowFailure | None:
    """The first defect of one contest."""

    def failure(equation: str, sentence: str) -> RowFailure:
        return RowFailure(row, "opening", equation, f"contest {shape.id}: {sentence}")

    try:
        group.scalars_decode(opening.randomizers)
    except DecodeError as error:
        return failure("opening.randomizers", str(error))
    if not selections_known(shape, opening.selections):
        return failure("opening.selections", "a selection is the index of no code")
    for name, equation in (("opening.pad", opening_pad), ("opening.data", opening_data)):
        combination = Combination(group, randomness)
        equation(combination, shape, ciphertexts, opening, election.public_key)
        if not combination.vanishes():
            return failure(name, "selections and randomizers do not encrypt to the ciphertexts")
    return None


def selections_known(shape: ContestShape, selections: Sequence[int]) -> bool:
    """Whether every selection of a mixed contest is the index of a code, or stands for none."""
    codes = len(shape.code_book) // 32
    return shape.kind == "homomorphic" or all(index < codes or index == NO_CODE for index in selections)


def _component(ciphertexts: bytes, component: int) -> bytes:
    return np.frombuffer(ciphertexts, dtype=np.uint8).reshape(-1, 2, 32)[:, component].tobytes()


def opening_pad(
    combination: Combination, shape: ContestShape, ciphertexts: bytes, opening: ContestOpening, public_key: bytes
) -> None:
    """``pad = r*G`` for every ciphertext."""
    weights = combination.weights(shape.ciphertexts)
    combination.declare("pad", _component(ciphertexts, 0))
    combination.add("pad", weights)
    combination.add_generator(-weights.inner(combination.group.scalars_decode(opening.randomizers)))


def opening_data(
    combination: Combination, shape: ContestShape, ciphertexts: bytes, opening: ContestOpening, public_key: bytes
) -> None:
    """``data = v*G + r*K``, or ``element(code) + r*K`` where the value is in the code book."""
    group = combination.group
    randomizers = group.scalars_decode(opening.randomizers).to_ints()
    weights = combination.weights(shape.ciphertexts).to_ints()
    mixed = shape.kind == "mixed"
    checked = [i for i, selection in enumerate(opening.selections) if not (mixed and selection == NO_CODE)]
    data, codes = _component(ciphertexts, 1), []
    for i in checked:
        if mixed:
            codes.append(shape.code_book[32 * opening.selections[i] : 32 * opening.selections[i] + 32])
        else:
            combination.add_generator(-weights[i] * opening.selections[i])
    chosen = group.scalars([weights[i] for i in checked])
    combination.declare("data", b"".join([data[32 * i : 32 * i + 32] for i in checked]))
    combination.add("data", chosen)
    if mixed:
        combination.declare("code", b"".join(codes))
        combination.add("code", -chosen)
    combination.declare("K", public_key)
    combination.add("K", group.scalars([-sum(weights[i] * randomizers[i] for i in checked)]))
