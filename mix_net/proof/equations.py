"""Equations between group elements as linear forms, and their batch verification (section 8.6, "Batching").

A verifier of an argument writes each of its equations as a linear form that must vanish. Forms are symbolic: they hold
coefficients, not elements, so that all of them are evaluated by one multi-scalar multiplication at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from crypto.errors import InvalidProof
from crypto.group.interface import ELEMENT_BYTES, ORDER, ElementVector, Group, ScalarVector
from mix_net.commitment import CommitmentKey

#: Encoding of O = com(0; 0).
IDENTITY = bytes(ELEMENT_BYTES)

Coefficients = Mapping[int, int]


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
        inputs: by component, the factor of the combination of inputs that the statement fixes.
        outputs: the same for the outputs.
    """

    elements: Coefficients = field(default_factory=dict)
    generators: Sequence[tuple[int, ScalarVector]] = ()
    all_generators: int = 0
    blinding: int = 0
    base: int = 0
    key: int = 0
    inputs: Coefficients = field(default_factory=dict)
    outputs: Coefficients = field(default_factory=dict)

    def __add__(self, other: Form) -> Form:
        return Form(
            _add(self.elements, other.elements),
            (*self.generators, *other.generators),
            (self.all_generators + other.all_generators) % ORDER,
            (self.blinding + other.blinding) % ORDER,
            (self.base + other.base) % ORDER,
            (self.key + other.key) % ORDER,
            _add(self.inputs, other.inputs),
            _add(self.outputs, other.outputs),
        )

    def __mul__(self, factor: int) -> Form:
        return Form(
            _scale(self.elements, factor),
            tuple((factor * weight % ORDER, vector) for weight, vector in self.generators),
            factor * self.all_generators % ORDER,
            factor * self.blinding % ORDER,
            factor * self.base % ORDER,
            factor * self.key % ORDER,
            _scale(self.inputs, factor),
            _scale(self.outputs, factor),
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


#: Evaluates the two lists: given the factor of each component, the weighted sum of all their terms.
ListTerms = Callable[[Coefficients], ElementVector]


class EquationBatch:
    """The elements of one proof and the equations they must satisfy.

    Args:
        key: commitment key with at least ``columns`` generators.
        columns: n.
        public_key: K.
        inputs: evaluates the statement's combination of inputs, component by component.
        outputs: the same for the outputs.
    """

    def __init__(
        self, key: CommitmentKey, columns: int, public_key: ElementVector, inputs: ListTerms, outputs: ListTerms
    ) -> None:
        self.group: Group = key.group
        self._key = key
        self._columns = columns
        self._public_key = public_key
        self._inputs = inputs
        self._outputs = outputs
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
        parts = [self._inputs(form.inputs)] if form.inputs else []
        parts += [self._outputs(form.outputs)] if form.outputs else []
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
