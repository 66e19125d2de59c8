"""Re-encryption shuffle of ElGamal ciphertexts with the argument of Bayer and Groth.

Bayer-Groth (Eurocrypt 2012) section 3; docs/spec/08-mixing.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from crypto.errors import DecodeError, InvalidProof
from crypto.group.interface import ELEMENT_BYTES, ORDER, ElementVector, FixedBase, Group, Indices, ScalarVector
from crypto.hashing import u64
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.context import power_challenge
from mix_net.proof.equations import EquationBatch, Form, ListCombination
from mix_net.proof.layout import ProofReader
from mix_net.proof.multi_exponentiation import (
    MultiExponentiationProof,
    MultiExponentiationStatement,
    MultiExponentiationWitness,
    prove_multi_exponentiation,
    verify_multi_exponentiation,
)
from mix_net.proof.product import ProductProof, ProductStatement, ProductWitness, prove_product, verify_product
from mix_net.randomness import Randomness, random_permutation, random_scalars
from mix_net.shape import MAX_COUNT, Shape, matrix_shape, proof_size

#: Told what has been done, for people who wait.
Progress = Callable[[str], None]


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class ShuffleStatement:
    """The outputs are a permutation and re-encryption of the inputs.

    Attributes:
        public_key: K, encoded.
        inputs: N ciphertexts, each ``width`` pairs of 32 + 32 bytes.
        outputs: as many.
        width: w.
    """

    public_key: bytes
    inputs: bytes
    outputs: bytes
    width: int = 1

    @property
    def count(self) -> int:
        """N."""
        return ciphertext_count(self.inputs, self.width)


@dataclass(frozen=True)
class ShuffleWitness:
    """The secret of a shuffle; used for one proof and forgotten.

    Attributes:
        permutation: output i stems from input permutation[i], counted from 0.
        randomizers: of output i and position l at i * width + l.
        outputs: in native form, component by component (pad 1, data 1, pad 2, ...); None: they are decoded again.
    """

    permutation: Indices
    randomizers: ScalarVector
    outputs: Sequence[ElementVector] | None = None


@dataclass(frozen=True)
class ReencryptionPairs:
    """Encryptions of zero that were made ahead: randomizers r, and r*G and r*K."""

    randomizers: ScalarVector
    pads: ElementVector
    datas: ElementVector


@dataclass(frozen=True)
class ShuffleProof:
    """c_A, c_B, the product argument and the multi-exponentiation argument (section 8.5)."""

    positions: bytes
    powers: bytes
    product: ProductProof
    multi_exponentiation: MultiExponentiationProof

    def encode(self) -> bytes:
        return self.positions + self.powers + self.product.encode() + self.multi_exponentiation.encode()

    @classmethod
    def decode(cls, group: Group, data: bytes, shape: Shape, width: int) -> ShuffleProof:
        """Read a proof of this shape.

        Raises:
            InvalidProof: ``shuffle.proof-size`` or ``shuffle.encoding``.
        """
        if len(data) != proof_size(shape, width):
            message = (
                f"the proof has {len(data)} bytes, {proof_size(shape, width)} are expected for shape {tuple(shape)}"
            )
            raise InvalidProof("shuffle.proof-size", message)
        reader = ProofReader(group, data)
        return cls(
            reader.elements(shape.rows),
            reader.elements(shape.rows),
            ProductProof.decode(reader, *shape),
            MultiExponentiationProof.decode(reader, *shape, width),
        )


def ciphertext_count(encoded: bytes, width: int) -> int:
    """How many ciphertexts of ``width`` pairs a list holds.

    Raises:
        InvalidProof: ``shuffle.statement``: the length is not a multiple of 64 * width, or the list is too long.
    """
    if width < 1:
        raise InvalidProof("shuffle.statement", f"a ciphertext cannot be {width} pairs wide")
    count, rest = divmod(len(encoded), 2 * ELEMENT_BYTES * width)
    if rest or count > MAX_COUNT:
        raise InvalidProof("shuffle.statement", f"{len(encoded)} bytes are no list of ciphertexts of {width} pairs")
    return count


def commitment_key_length(count: int, width: int) -> int:
    """How many message generators a proof for ``count`` ciphertexts needs."""
    return max(matrix_shape(count).columns, width) if count else 0


def generate_shuffle(
    group: Group,
    public_key: bytes,
    inputs: bytes,
    width: int,
    randomness: Randomness,
    *,
    pairs: ReencryptionPairs | None = None,
    bases: tuple[FixedBase, FixedBase] | None = None,
) -> tuple[bytes, ShuffleWitness]:
    """Permute and re-encrypt a list.

    Args:
        pairs: N * width pairs made ahead; the caller sees to it that each is used once.
        bases: tables for G and K, made here if they are missing.

    Returns:
        The outputs and the witness for their proof.

    Raises:
        InvalidProof: the list or the key is not valid.

    Cost: 2Nw decodings, encodings, and fixed-base multiplications (unless made ahead). Variable time (ADR 0003).
    """
    count, components = ciphertext_count(inputs, width), 2 * width
    permutation = random_permutation(randomness, count)
    generator, key = bases or fixed_bases(group, public_key)
    decoded = decode_list(group, "inputs", inputs, components)
    sources = permutation * np.uint32(components)
    permuted = [decoded.gather(sources + np.uint32(component)) for component in range(components)]
    del decoded
    if pairs is None:
        randomizers = random_scalars(group, randomness, count * width)
        outputs = [
            (key if component % 2 else generator).mul_add_vartime(randomizers[component // 2 :: width], elements)
            for component, elements in enumerate(permuted)
        ]
    else:
        randomizers, masks = pairs.randomizers, (pairs.pads, pairs.datas)
        if len(randomizers) != count * width:
            raise ValueError("one re-encryption pair for each position is needed")
        outputs = [
            elements + masks[component % 2][component // 2 :: width] for component, elements in enumerate(permuted)
        ]
    return _interleaved_encodings(outputs), ShuffleWitness(permutation, randomizers, outputs)


def _interleaved_encodings(components: Sequence[ElementVector]) -> bytes:
    """A list from its components; encodings are interleaved, since they are a fifth of the elements' size."""
    columns = [np.frombuffer(component.encode(), dtype=np.uint8).reshape(-1, ELEMENT_BYTES) for component in components]
    return np.stack(columns, axis=1).tobytes()


def fixed_bases(group: Group, public_key: bytes) -> tuple[FixedBase, FixedBase]:
    """Tables for G and K."""
    return group.fixed_base(group.generator()), group.fixed_base(decode_public_key(group, public_key))


def decode_public_key(group: Group, public_key: bytes) -> ElementVector:
    """K as a vector of length one.

    Raises:
        InvalidProof: ``shuffle.statement``.
    """
    try:
        if len(public_key) != ELEMENT_BYTES:
            raise DecodeError(f"{len(public_key)} bytes instead of {ELEMENT_BYTES}")
        return group.elements_decode(public_key, allow_identity=False)
    except DecodeError as error:
        raise InvalidProof("shuffle.statement", f"the public key is not valid: {error}") from None


def decode_list(group: Group, name: str, encoded: bytes, components: int) -> ElementVector:
    """All components of a list in order.

    Raises:
        InvalidProof: ``shuffle.inputs`` or ``shuffle.outputs``, with the index of the ciphertext.
    """
    try:
        return group.elements_decode(encoded, allow_identity=False)
    except DecodeError as error:
        index = None if error.index is None else error.index // components
        raise InvalidProof(
            f"shuffle.{name}", f"ciphertext {index} of the {name} is not valid: {error}", index
        ) from None


def prove_shuffle(
    statement: ShuffleStatement,
    witness: ShuffleWitness,
    transcript: Transcript,
    randomness: Randomness,
    key: CommitmentKey,
    *,
    bases: tuple[FixedBase, FixedBase] | None = None,
    progress: Progress = _silent,
) -> bytes:
    """Prove a shuffle.

    Args:
        transcript: owned by the caller, already bound to election and stage (``mix_transcript``).
        randomness: fresh for every call, also when a proof is repeated.
        key: commitment key of at least ``commitment_key_length`` generators.

    Returns:
        The proof's encoding, empty for an empty list.

    Cost: with m = 15 about 8.4Nw terms of multi-scalar multiplication and 15Nw additions for the diagonals, and 3N
    terms for commitments. Variable time (ADR 0003).
    """
    group, count, width = key.group, statement.count, statement.width
    if count == 0:
        return b""
    shape = matrix_shape(count)
    bases = bases or fixed_bases(group, statement.public_key)
    permutation = np.concatenate([witness.permutation, np.arange(count, shape.positions, dtype=np.uint32)])
    bind_statement(statement, shape, key, transcript)

    progress("committing to the permutation")
    positions = _small_scalars(group, permutation + np.uint32(1))
    position_blindings = random_scalars(group, randomness, shape.rows).to_ints()
    c_positions = _commit_rows(key, positions, shape, position_blindings)
    transcript.append("shuffle.c_A", c_positions)
    x = power_challenge(transcript, "shuffle.x")
    powers = group.powers(x, shape.positions, 1).gather(permutation)
    power_blindings = random_scalars(group, randomness, shape.rows).to_ints()
    c_powers = _commit_rows(key, powers, shape, power_blindings)
    transcript.append("shuffle.c_B", c_powers)
    y = transcript.challenge("shuffle.y")
    z = transcript.challenge("shuffle.z")

    progress("proving the product")
    product = ProductWitness(
        rows_of(positions * y + powers - z, shape),
        [(y * a + b) % ORDER for a, b in zip(position_blindings, power_blindings, strict=True)],
    )
    product_proof = prove_product(product, key, transcript, randomness)

    progress("proving the multi-exponentiation")
    outputs = witness.outputs
    if outputs is None:
        decoded = decode_list(group, "outputs", statement.outputs, 2 * width)
        outputs = [decoded[component :: 2 * width] for component in range(2 * width)]
    listed = powers[:count]
    multi_exponentiation = MultiExponentiationWitness(
        powers,
        power_blindings,
        [-listed.inner(witness.randomizers[position::width]) % ORDER for position in range(width)],
        outputs,
    )
    multi_exponentiation_proof = prove_multi_exponentiation(
        multi_exponentiation, shape, bases, key, transcript, randomness
    )
    return ShuffleProof(c_positions, c_powers, product_proof, multi_exponentiation_proof).encode()


def verify_shuffle(
    statement: ShuffleStatement, proof: bytes, transcript: Transcript, randomness: Randomness, key: CommitmentKey
) -> None:
    """Check that the outputs are a permutation and re-encryption of the inputs.

    Args:
        transcript: owned by the caller, already bound to election and stage (``mix_transcript``).
        randomness: of the batch weights; must be unpredictable for whoever made the proof.
        key: commitment key of at least ``commitment_key_length`` generators.

    Raises:
        InvalidProof: names the equation or rule that does not hold (section 8.6).

    Cost: one multi-scalar multiplication of 4Nw + O(m + n) terms, decoding included. Variable time; all inputs public.
    """
    group, count, width = key.group, statement.count, statement.width
    if ciphertext_count(statement.outputs, width) != count:
        raise InvalidProof("shuffle.statement", "inputs and outputs are not equally long")
    public_key = decode_public_key(group, statement.public_key)
    if count == 0:
        if proof:
            raise InvalidProof("shuffle.proof-size", "the proof of an empty list is empty")
        return
    shape = matrix_shape(count)
    decoded = ShuffleProof.decode(group, proof, shape, width)
    bind_statement(statement, shape, key, transcript)
    transcript.append("shuffle.c_A", decoded.positions)
    x = power_challenge(transcript, "shuffle.x")
    transcript.append("shuffle.c_B", decoded.powers)
    y = transcript.challenge("shuffle.y")
    z = transcript.challenge("shuffle.z")

    batch = EquationBatch(key, shape.columns, public_key)
    c_positions, c_powers = batch.elements(decoded.positions), batch.elements(decoded.powers)
    product = ProductStatement(
        [a * y + b - Form(all_generators=z) for a, b in zip(c_positions, c_powers, strict=True)],
        expected_product(group, shape.positions, x, y, z),
    )
    verify_product(product, decoded.product, transcript, batch)
    target = ListCombination(group, "inputs", statement.inputs, group.powers(x, count, 1), 2 * width)
    multi_exponentiation = MultiExponentiationStatement(c_powers, target, statement.outputs, width)
    verify_multi_exponentiation(multi_exponentiation, decoded.multi_exponentiation, transcript, batch)
    batch.verify(randomness(16 * len(batch)))


def bind_statement(statement: ShuffleStatement, shape: Shape, key: CommitmentKey, transcript: Transcript) -> None:
    """Append the whole statement, before the first message (section 8.4)."""
    transcript.append("count", u64(statement.count))
    transcript.append("width", u64(statement.width))
    transcript.append("rows", u64(shape.rows))
    transcript.append("columns", u64(shape.columns))
    transcript.append("public-key", statement.public_key)
    transcript.append("generators", key.digest(max(shape.columns, statement.width)))
    transcript.append("inputs", hashlib.sha512(statement.inputs).digest())
    transcript.append("outputs", hashlib.sha512(statement.outputs).digest())


def expected_product(group: Group, positions: int, x: int, y: int, z: int) -> int:
    """The product over i = 1..positions of y*i + x^i - z."""
    numbers = _small_scalars(group, np.arange(1, positions + 1, dtype=np.uint32))
    factors = numbers * y + group.powers(x, positions, 1) - z
    return factors.prefix_products()[-1:].to_ints()[0]


def rows_of(vector: ScalarVector, shape: Shape) -> list[ScalarVector]:
    """The rows of a vector that is read as a matrix."""
    return [vector[at * shape.columns : (at + 1) * shape.columns] for at in range(shape.rows)]


def _commit_rows(key: CommitmentKey, vector: ScalarVector, shape: Shape, blindings: Sequence[int]) -> bytes:
    return key.commit_all(rows_of(vector, shape), blindings).encode()


def _small_scalars(group: Group, numbers: Indices) -> ScalarVector:
    words = np.zeros((len(numbers), 4), dtype="<u4")
    words[:, 0] = numbers
    return group.scalars_short(words.tobytes())
