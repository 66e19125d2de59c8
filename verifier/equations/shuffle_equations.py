"""The equations of the shuffle argument, each a function of its own; docs/spec/08-mixing.md section 8.6.

A function ``f(total, shuffle)`` adds the terms of its equation, times a fresh weight, and returns nothing. Names of
messages are those of the specification: c_U for the Hadamard commitments, vo, wo, as, bs, ae, ... for the responses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from crypto.group import ORDER
from verifier.equations.combination import WEIGHT_BYTES
from verifier.equations.parameters import commitment_generators

if TYPE_CHECKING:
    from crypto.group import ElementVector, Group, ScalarVector
    from verifier.equations.shuffle_proof import ShuffleProof, ShuffleStatement

#: Ciphertexts that are decoded and multiplied at a time; memory beyond the lists is about 1 KB for each.
CHUNK = 1 << 15
IDENTITY = bytes(32)


@dataclass(frozen=True)
class Shuffle:
    """A statement with a decoded proof and its challenges."""

    statement: ShuffleStatement
    proof: ShuffleProof
    challenges: dict[str, int]
    group: Group

    def scalar(self, name: str) -> int:
        """A response that is one scalar."""
        return self.proof.scalars[name].to_ints()[0]

    @cached_property
    def product(self) -> int:
        """``b``: the product over i = 1..mn of y*i + x^(i) - z."""
        x, y, z = (self.challenges[f"shuffle.{name}"] for name in "xyz")
        result, total = 1, self.statement.shape.m * self.statement.shape.n
        for first in range(1, total + 1, CHUNK):
            count = min(CHUNK, total + 1 - first)
            factors = self.group.powers(x, count, first) + integers(self.group, first, count) * y - z
            result = result * factors.prefix_products()[count - 1 :].to_ints()[0] % ORDER
        return result


def integers(group: Group, first: int, count: int) -> ScalarVector:
    """first, first + 1, ... as scalars."""
    words = np.zeros((count, 2), dtype="<u8")
    words[:, 0] = np.arange(first, first + count, dtype=np.uint64)
    return group.scalars_short(words.tobytes())


class Total:
    """A linear combination of the proof's elements, the generators, G, K and both lists."""

    def __init__(self, shuffle: Shuffle, randomness: Callable[[int], bytes]) -> None:
        self._shuffle = shuffle
        self._randomness = randomness
        self._elements = {
            name: [0] * (len(encodings) // 32) for name, encodings in shuffle.proof.elements.items() if encodings
        }
        self._messages: list[ScalarVector] = []  # coefficients of G_1, G_2, ..., of any length
        self._all_messages = 0  # coefficient of G_1 + ... + G_n
        self._blinding = self._base = self._key = 0
        self.inputs = [0] * (2 * shuffle.statement.shape.width)
        self.outputs = [0] * (2 * shuffle.statement.shape.width)

    def weight(self) -> int:
        """A fresh weight for one equation."""
        return int.from_bytes(self._randomness(WEIGHT_BYTES), "little")

    def add(self, name: str, index: int, factor: int) -> None:
        """A multiple of one element of the proof."""
        self._elements[name][index] += factor

    def add_row(self, k: int, factor: int) -> None:
        """A multiple of ``c_A'_k = y*c_A_k + c_B_k - z*(G_1 + ... + G_n)``."""
        self.add("c_A", k - 1, factor * self._shuffle.challenges["shuffle.y"] % ORDER)
        self.add("c_B", k - 1, factor)
        self.add_ones(-factor * self._shuffle.challenges["shuffle.z"])

    def add_ones(self, factor: int) -> None:
        """A multiple of ``G_1 + ... + G_n``, which is com(1, ..., 1; 0)."""
        self._all_messages += factor

    def subtract_commitment(self, factor: int, messages: ScalarVector, blinding: int) -> None:
        """A multiple of ``com(messages; blinding)`` with the opposite sign."""
        self._messages.append(messages * (-factor % ORDER))
        self._blinding -= factor * blinding

    def subtract_encryption(self, factor: int, component: int, message: int, randomizer: int) -> None:
        """One component of ``(randomizer*G, message*G + randomizer*K)`` with the opposite sign."""
        if component == 0:
            self._base -= factor * randomizer
        else:
            self._base -= factor * message
            self._key -= factor * randomizer

    def small_part(self) -> ElementVector:
        """Everything but the lists."""
        group, statement = self._shuffle.group, self._shuffle.statement
        shape = statement.shape
        generators = commitment_generators(group, shape.generators)
        coefficients = group.scalars([0] * shape.generators)
        for messages in self._messages:
            padding = group.scalars([0] * (shape.generators - len(messages)))
            coefficients = coefficients + group.concat_scalars([messages, padding])
        ones = group.scalars([self._all_messages] * shape.n + [0] * (shape.generators - shape.n))
        head = [self._base, self._key, self._blinding]
        names = list(self._elements)
        tail = [factor for name in names for factor in self._elements[name]]
        data = [group.generator().encode(), statement.public_key, generators]
        data += [self._shuffle.proof.elements[name] for name in names]
        scalars = group.concat_scalars([group.scalars(head), coefficients + ones, group.scalars(tail)])
        return group.msm_decode(scalars, b"".join(data), allow_identity=True)


# Equations between group elements (fused).


def hadamard_c_B1(total: Total, s: Shuffle) -> None:
    """c_U_1 = c_A'_1."""
    weight = total.weight()
    total.add("c_U", 0, weight)
    total.add_row(1, -weight)


def zero_A(total: Total, s: Shuffle) -> None:
    """Sum over k = 0..m of xo^(k) * c_V_k = com(vo; ro)."""
    weight, m, x = total.weight(), s.statement.shape.m, s.challenges["zero.x"]
    total.add("c_V0", 0, weight)
    for k in range(1, m):
        total.add_row(k + 1, weight * pow(x, k, ORDER))
    total.add_ones(-weight * pow(x, m, ORDER))
    total.subtract_commitment(weight, s.proof.scalars["vo"], s.scalar("ro"))


def zero_B(total: Total, s: Shuffle) -> None:
    """Sum over k = 1..m+1 of xo^(m+1-k) * c_W_k = com(wo; so)."""
    weight, m, x, xh = total.weight(), s.statement.shape.m, s.challenges["zero.x"], s.challenges["hadamard.x"]
    for k in range(1, m):
        total.add("c_U", k - 1, weight * pow(x, m + 1 - k, ORDER) * pow(xh, k, ORDER))
        total.add("c_U", k, weight * x * pow(xh, k, ORDER))
    total.add("c_Wm+1", 0, weight)
    total.subtract_commitment(weight, s.proof.scalars["wo"], s.scalar("so"))


def zero_D(total: Total, s: Shuffle) -> None:
    """Sum over k = 0..2m of xo^(k) * c_D_k = com(f; to) with f = sum of vo_j * wo_j * yh^(j)."""
    weight, shape, x = total.weight(), s.statement.shape, s.challenges["zero.x"]
    for k in range(2 * shape.m + 1):
        total.add("c_D", k, weight * pow(x, k, ORDER))
    powers = s.group.powers(s.challenges["hadamard.y"], shape.n, 1)
    f = (s.proof.scalars["vo"] * s.proof.scalars["wo"]).inner(powers)
    total.subtract_commitment(weight, s.group.scalars([f]), s.scalar("to"))


def single_value_A(total: Total, s: Shuffle) -> None:
    """xs*c_b + c_d = com(as; rs)."""
    weight = total.weight()
    total.add("c_b", 0, weight * s.challenges["single-value.x"])
    total.add("c_d", 0, weight)
    total.subtract_commitment(weight, s.proof.scalars["as"], s.scalar("rs"))


def single_value_Delta(total: Total, s: Shuffle) -> None:
    """xs*c_Delta + c_delta = com(g_1, ..., g_(n-1); ss) with g_j = xs*bs_(j+1) - bs_j*as_(j+1)."""
    weight, x = total.weight(), s.challenges["single-value.x"]
    total.add("c_Delta", 0, weight * x)
    total.add("c_delta", 0, weight)
    a, b = s.proof.scalars["as"], s.proof.scalars["bs"]
    total.subtract_commitment(weight, b[1:] * x - b[: len(b) - 1] * a[1:], s.scalar("ss"))


def multi_exponentiation_A(total: Total, s: Shuffle) -> None:
    """c_M_0 + sum over k = 1..m of xe^(k) * c_B_k = com(ae; re)."""
    weight, x = total.weight(), s.challenges["multi-exponentiation.x"]
    total.add("c_M0", 0, weight)
    for k in range(1, s.statement.shape.m + 1):
        total.add("c_B", k - 1, weight * pow(x, k, ORDER))
    total.subtract_commitment(weight, s.proof.scalars["ae"], s.scalar("re"))


def multi_exponentiation_B(total: Total, s: Shuffle) -> None:
    """Sum over k = 0..2m-1 of xe^(k) * c_N_k = com(be_1, ..., be_w; se)."""
    weight, x = total.weight(), s.challenges["multi-exponentiation.x"]
    for k in range(2 * s.statement.shape.m):
        total.add("c_N", k, weight * pow(x, k, ORDER))
    total.subtract_commitment(weight, s.proof.scalars["be"], s.scalar("se"))


def multi_exponentiation_E_m(total: Total, s: Shuffle) -> None:
    """E_(m,l) = sum over i = 1..N of x^(i) * inputs_(i,l), for every l and component."""
    shape = s.statement.shape
    for place in range(2 * shape.width):
        weight = total.weight()
        total.inputs[place] += weight
        total.add("E", 2 * shape.m * shape.width + place, -weight)


def multi_exponentiation_E(total: Total, s: Shuffle) -> None:
    """Sum over k of xe^(k) * E_(k,l) = (te_l*G, be_l*G + te_l*K) + the outputs' powers, for every l and component."""
    shape, x = s.statement.shape, s.challenges["multi-exponentiation.x"]
    powers = [pow(x, k, ORDER) for k in range(2 * shape.m)]
    messages, randomizers = s.proof.scalars["be"].to_ints(), s.proof.scalars["te"].to_ints()
    for place in range(2 * shape.width):
        weight, (position, component) = total.weight(), divmod(place, 2)
        for k, power in enumerate(powers):
            total.add("E", 2 * shape.width * k + place, weight * power)
        total.subtract_encryption(weight, component, messages[position], randomizers[position])
        total.outputs[place] -= weight


# Comparisons.


def hadamard_c_Bm(s: Shuffle) -> bool:
    """c_U_m = c_b."""
    return s.proof.item("c_U", s.statement.shape.m - 1) == s.proof.elements["c_b"]


def zero_c_Dm_1(s: Shuffle) -> bool:
    """c_D_(m+1) = O."""
    return s.proof.item("c_D", s.statement.shape.m + 1) == IDENTITY


def single_value_b1(s: Shuffle) -> bool:
    """bs_1 = as_1."""
    return s.proof.encodings["bs"][:32] == s.proof.encodings["as"][:32]


def single_value_bn(s: Shuffle) -> bool:
    """bs_n = xs*b."""
    last = int.from_bytes(s.proof.encodings["bs"][-32:], "little")
    return last == s.challenges["single-value.x"] * s.product % ORDER


def multi_exponentiation_c_Bm(s: Shuffle) -> bool:
    """c_N_m = O."""
    return s.proof.item("c_N", s.statement.shape.m) == IDENTITY
