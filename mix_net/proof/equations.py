"""Equations between group elements as linear forms, and their batch verification (section 8.6, "Batching").

A verifier of an argument writes each of its equations as a linear form that must vanish. Forms are symbolic: they hold
coefficients, not elements, so that all of them are evaluated by one multi-scalar multiplication at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crypto.errors import DecodeError, InvalidProof
from crypto.group.interface import ELEMENT_BYTES, ORDER, ElementVector, Group, ScalarVector
from mix_net.commitment import CommitmentKey

#: Encoding of O = com(0; 0).
IDENTITY = bytes(ELEMENT_BYTES)

#: Terms of a multi-scalar multiplication over a list that are held at once, a multiple of the kernel's chunk.
_BLOCK_TERMS = 16 * 8192

Coefficients = Mapping[int, int]


@dataclass(frozen=True, eq=False)
class ListCombination:
    """For each component c of a list of ciphertexts, the sum over i of scalars[i] * list[i][c].

    Attributes:
        name: of the list, for errors: "inputs" or "outputs".
        encoded: the list; components in the order pad, data, pad, data, ...
        scalars: one for each ciphertext.
        components: 2 * width.
    """

    group: Group
    name: str
    encoded: bytes
    scalars: ScalarVector
    components: int

    def evaluate(self, coefficients: Coefficients) -> ElementVector:
        """Sum over c of coefficients[c] times component c's sum, decoding block by block to bound memory.

        Raises:
            InvalidProof: a component is not canonical or is the identity; names the ciphertext.
        """
        parts = []
        size = self.components * ELEMENT_BYTES
        step = max(1, _BLOCK_TERMS // self.components)
        for first in range(0, len(self.scalars), step):
            scalars = self.scalars[first : first + step]
            weighted = [scalars * coefficients.get(component, 0) for component in range(self.components)]
            data = self.encoded[first * size : (first + step) * size]
            try:
                part = self.group.msm_decode(self.group.interleave_scalars(weighted), data, allow_identity=False)
            except DecodeError as error:
                index = None if error.index is None else first + error.index // self.components
                message = f"ciphertext {index} of the {self.name} is not valid: {error}"
                raise InvalidProof(f"shuffle.{self.name}", message, index) from None
            parts.append(part)
        return self.group.concat_elements(parts).sum()


@dataclass(frozen=True)
class Form:
    """A linear combination of known elements.

    Attributes:
        elements: coefficient of each element of the proof, by its number in the batch.
        generators: coefficients of G_1, G_2, ...; shorter vectors stand for trailing zeros.
        all_generators: coefficient of G_1 + ... + G_n.
        blinding: coefficient of H.
        base: coefficient of G.
        key: coefficient of K.
        lists: for combinations of a whole list of ciphertexts, the coefficient of each component's sum.
    """

    elements: Coefficients = field(default_factory=dict)
    generators: Sequence[tuple[int, ScalarVector]] = ()
    all_generators: int = 0
    blinding: int = 0
    base: int = 0
    key: int = 0
    lists: Mapping[ListCombination, Coefficients] = field(default_factory=dict)

    def __add__(self, other: Form) -> Form:
        return Form(
            _add(self.elements, other.elements),
            (*self.generators, *other.generators),
            (self.all_generators + other.all_generators) % ORDER,
            (self.blinding + other.blinding) % ORDER,
            (self.base + other.base) % ORDER,
            (self.key + other.key) % ORDER,
            {
                each: _add(self.lists.get(each, {}), other.lists.get(each, {}))
                for each in [*self.lists, *[each for each in other.lists if each not in self.lists]]
            },
        )

    def __mul__(self, factor: int) -> Form:
        return Form(
            _scale(self.elements, factor),
            tuple((factor * weight % ORDER, vector) for weight, vector in self.generators),
            factor * self.all_generators % ORDER,
            factor * self.blinding % ORDER,
            factor * self.base % ORDER,
            factor * self.key % ORDER,
            {each: _scale(coefficients, factor) for each, coefficients in self.lists.items()},
        )

    def __sub__(self, other: Form) -> Form:
        return self + other * -1

    def __neg__(self) -> Form:
        return self * -1


def _add(left: Coefficients, right: Coefficients) -> Coefficients:
    total = dict(left)
    for position, coefficient in right.items():
        total[position] = (total.get(position, 0) + coefficient) % ORDER
    return total


def _scale(coefficients: Coefficients, factor: int) -> Coefficients:
    return {position: factor * coefficient % ORDER for position, coefficient in coefficients.items()}


def commitment_form(message: ScalarVector, blinding: int) -> Form:
    """com(message; blinding)."""
    return Form(generators=((1, message),), blinding=blinding)


def polynomial_form(coefficients: Sequence[Form], point: int) -> Form:
    """coefficients[0] + point * coefficients[1] + point^2 * coefficients[2] + ..., by Horner's rule."""
    total = Form()
    for coefficient in reversed(coefficients):
        total = total * point + coefficient
    return total


class EquationBatch:
    """The elements of one proof and the equations they must satisfy.

    Args:
        key: commitment key with at least ``columns`` generators.
        columns: n.
        public_key: K.
    """

    def __init__(self, key: CommitmentKey, columns: int, public_key: ElementVector) -> None:
        self.group: Group = key.group
        self._key = key
        self._columns = columns
        self._public_key = public_key
        self._encodings: list[bytes] = []
        self._equations: list[tuple[str, Form]] = []

    def elements(self, encodings: bytes) -> list[Form]:
        """Take encoded elements of the proof into the batch; one form for each."""
        first = len(self._encodings)
        self._encodings += [encodings[at : at + ELEMENT_BYTES] for at in range(0, len(encodings), ELEMENT_BYTES)]
        return [Form(elements={position: 1}) for position in range(first, len(self._encodings))]

    def require(self, name: str, form: Form) -> None:
        """Add the equation ``form = O``; it is checked by ``verify``."""
        self._equations.append((name, form))

    def __len__(self) -> int:
        return len(self._equations)

    def verify(self, weights: bytes) -> None:
        """Check all equations at once, and one by one if that fails, so that the error names the culprit.

        Args:
            weights: 16 bytes for each equation, fresh and unpredictable for the prover.

        Raises:
            InvalidProof: the first equation that does not hold.
        """
        if len(weights) != 16 * len(self._equations):
            raise ValueError("one 16-byte weight for each equation is needed")
        total = Form()
        for position, (_, form) in enumerate(self._equations):
            total = total + form * int.from_bytes(weights[16 * position : 16 * position + 16], "little")
        if self._vanishes(total):
            return
        for name, form in self._equations:
            if not self._vanishes(form):
                raise InvalidProof(name, f"equation {name} of the shuffle proof does not hold")
        raise InvalidProof("shuffle.batch", "the batched equations of the shuffle proof do not hold")

    def _vanishes(self, form: Form) -> bool:
        group = self.group
        parts = [combination.evaluate(coefficients) for combination, coefficients in form.lists.items()]
        if form.elements:
            scalars = group.scalars(list(form.elements.values()))
            encodings = b"".join([self._encodings[position] for position in form.elements])
            parts.append(group.msm_decode(scalars, encodings, allow_identity=True))
        parts.append(group.msm(*self._generator_terms(form)))
        parts.append(group.msm(group.scalars([form.base, form.key]), self._bases()))
        return bool(group.concat_elements(parts).sum().identity_mask()[0])

    def _bases(self) -> ElementVector:
        return self.group.concat_elements([self.group.generator(), self._public_key])

    def _generator_terms(self, form: Form) -> tuple[ScalarVector, ElementVector]:
        group = self.group
        length = max([self._columns] + [len(vector) for _, vector in form.generators])
        total = group.powers(1, self._columns) * form.all_generators
        total = _pad(group, total, length)
        for weight, vector in form.generators:
            total = total + _pad(group, vector * weight, length)
        return group.concat_scalars([group.scalars([form.blinding]), total]), self._key.bases(length)


def _pad(group: Group, vector: ScalarVector, length: int) -> ScalarVector:
    missing = length - len(vector)
    return vector if missing == 0 else group.concat_scalars([vector, group.scalars([0] * missing)])
