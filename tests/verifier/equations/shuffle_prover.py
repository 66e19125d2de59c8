"""A prover of shuffles after docs/spec/08-mixing.md section 8.7: single integers, quadratic, for lists of a few dozen.

``defect`` names the check of section 8.6 that the proof shall violate, and no other: the prover deviates where it makes
the value in question, before the challenges that follow.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from crypto.group import ORDER, Group
from tests.verifier.equations.provers import Randomness, components, encode_scalars, generator, linear
from verifier.equations.parameters import commitment_generators
from verifier.equations.shuffle_proof import Shape, shape_of
from verifier.hashing import Transcript

IDENTITY = bytes(32)


@dataclass(frozen=True)
class Case:
    """A statement with its context and proof, as ``verify_shuffle`` takes them."""

    fingerprint: bytes
    contest: str
    group_id: str
    stage: int
    mixer: str
    public_key: bytes
    width: int
    inputs: bytes
    outputs: bytes
    proof: bytes

    def with_(self, **changes: object) -> Case:
        return replace(self, **changes)  # type: ignore[arg-type]


def random_list(group: Group, rng: Randomness, count: int, width: int) -> bytes:
    base = generator(group)
    return b"".join(linear(group, (rng.scalar(), base)) for _ in range(2 * count * width))


def shuffle_list(
    group: Group, key: bytes, inputs: bytes, width: int, permutation: list[int], randomizers: list[list[int]]
) -> bytes:
    """Outputs for a permutation from 0 and randomizers by output and position."""
    base, pairs, out = generator(group), components(inputs), b""
    for place, source in enumerate(permutation):
        for position in range(width):
            pad, data = pairs[source * width + position]
            rho = randomizers[place][position]
            out += linear(group, (1, pad), (rho, base)) + linear(group, (1, data), (rho, key))
    return out


def make_case(
    group: Group,
    count: int,
    width: int,
    *,
    seed: str = "shuffle",
    defect: str | None = None,
    inputs: bytes | None = None,
    randomizers: list[list[int]] | None = None,
) -> Case:
    rng = Randomness(f"{seed}/{count}/{width}")
    key = linear(group, (rng.scalar(), generator(group)))
    permutation = sorted(range(count), key=lambda _: rng(8))
    listed = inputs if inputs is not None else random_list(group, rng, count, width)
    rho = randomizers if randomizers is not None else [rng.scalars(width) for _ in range(count)]
    outputs = shuffle_list(group, key, listed, width, permutation, rho)
    case = Case(rng(32), "parliament", "north", 2, "mixer-2", key, width, listed, outputs, b"")
    proof = Prover(group, rng, case, permutation, rho, defect).prove() if count else b""
    return case.with_(proof=proof)


class Prover:
    """Messages are written to the proof and the transcript as they are made."""

    def __init__(
        self,
        group: Group,
        rng: Randomness,
        case: Case,
        permutation: list[int],
        rho: list[list[int]],
        defect: str | None,
    ) -> None:
        self.group, self.rng, self.case, self.defect = group, rng, case, defect
        count = len(permutation)
        self.shape: Shape = shape_of(count, case.width)
        total = self.shape.m * self.shape.n
        self.permutation = permutation + list(range(count, total))
        self.rho = rho + [[0] * case.width for _ in range(total - count)]
        padded = case.outputs + IDENTITY * (2 * case.width * (total - count))
        self.outputs = components(padded)
        generators = commitment_generators(group, self.shape.generators)
        self.h = generators[:32]
        self.generators = [generators[at : at + 32] for at in range(32, len(generators), 32)]
        self.proof = b""
        self.transcript = Transcript("evoting/v1/mix")
        self.transcript.append("fingerprint", case.fingerprint)
        self.transcript.append("contest", case.contest)
        self.transcript.append("group", case.group_id)
        self.transcript.append("stage", case.stage)
        self.transcript.append("mixer", case.mixer)
        self.transcript.append("count", count)
        self.transcript.append("width", case.width)
        self.transcript.append("rows", self.shape.m)
        self.transcript.append("columns", self.shape.n)
        self.transcript.append("public-key", case.public_key)
        self.transcript.append("generators", hashlib.sha512(generators).digest())
        self.transcript.append("inputs", hashlib.sha512(case.inputs).digest())
        self.transcript.append("outputs", hashlib.sha512(case.outputs).digest())

    def wrong(self, name: str) -> int:
        """1 where the value at hand shall be off."""
        return int(self.defect == name)

    def com(self, values: list[int], blinding: int) -> bytes:
        return linear(self.group, (blinding, self.h), *zip(values, self.generators, strict=False))

    def send(self, label: str, *items: bytes | int) -> None:
        data = b"".join(item if isinstance(item, bytes) else encode_scalars([item]) for item in items)
        self.proof += data
        self.transcript.append(label, data)

    def rows(self, values: list[int]) -> list[list[int]]:
        n = self.shape.n
        return [values[k * n : (k + 1) * n] for k in range(self.shape.m)]

    def prove(self) -> bytes:
        rng, m, n = self.rng, self.shape.m, self.shape.n
        a = [source + 1 for source in self.permutation]
        blind_a, blind_b = rng.scalars(m), rng.scalars(m)
        self.send("shuffle.c_A", *map(self.com, self.rows(a), blind_a))
        x = self.transcript.challenge("shuffle.x")
        b = [pow(x, value, ORDER) for value in a]
        commitments_b = list(map(self.com, self.rows(b), blind_b))
        self.send("shuffle.c_B", *commitments_b)
        y, z = self.transcript.challenge("shuffle.y"), self.transcript.challenge("shuffle.z")
        rows = self.rows([(y * i + value - z) % ORDER for i, value in zip(a, b, strict=True)])
        blind_rows = [(y * r + s) % ORDER for r, s in zip(blind_a, blind_b, strict=True)]
        products = [rows[0]]
        for row in rows[1:]:
            products.append([p * q % ORDER for p, q in zip(products[-1], row, strict=True)])
        blind_product = rng.scalar()
        self.send("product.c_b", self.com(products[-1], blind_product))
        blind_u = [
            blind_rows[0] + self.wrong("hadamard.c_B1"),
            *rng.scalars(m - 2),
            blind_product + self.wrong("hadamard.c_Bm"),
        ]
        self.send("hadamard.c_B", *map(self.com, products, blind_u))
        self.zero_argument(rows, blind_rows, products, blind_u)
        self.single_value(products[-1], blind_product)
        self.multi_exponentiation(x, b, blind_b)
        assert len(self.proof) == 32 * (7 * m + 4 * m * self.case.width + 5 * n + 2 * self.case.width + 15)
        return self.proof

    def zero_argument(
        self, rows: list[list[int]], blind_rows: list[int], products: list[list[int]], blind_u: list[int]
    ) -> None:
        rng, m, n = self.rng, self.shape.m, self.shape.n
        xh, yh = self.transcript.challenge("hadamard.x"), self.transcript.challenge("hadamard.y")
        powers = [pow(xh, k, ORDER) for k in range(m + 1)]
        left = [rng.scalars(n), *rows[1:], [-1] * n]
        blind_left = [rng.scalar(), *blind_rows[1:], 0]
        right = [[powers[k + 1] * value for value in products[k]] for k in range(m - 1)]
        right.append([sum(powers[k] * products[k][j] for k in range(1, m)) % ORDER for j in range(n)])
        right.append(rng.scalars(n))
        blind_right = [powers[k + 1] * blind_u[k] for k in range(m - 1)]
        blind_right += [sum(powers[k] * blind_u[k] for k in range(1, m)), rng.scalar()]
        self.send("zero.c_A0", self.com(left[0], blind_left[0]))
        self.send("zero.c_Bm+1", self.com(right[m], blind_right[m]))
        bil = [
            [sum(u * v * pow(yh, j + 1, ORDER) for j, (u, v) in enumerate(zip(p, q, strict=True))) for q in right]
            for p in left
        ]
        diagonals = [0] * (2 * m + 1)
        for i in range(m + 1):
            for j in range(1, m + 2):
                diagonals[i + m + 1 - j] += bil[i][j - 1]
        blind_d = rng.scalars(2 * m + 1)
        blind_d[m + 1] = self.wrong("zero.c_Dm+1")
        self.send("zero.c_D", *(self.com([value], t) for value, t in zip(diagonals, blind_d, strict=True)))
        xo = self.transcript.challenge("zero.x")

        def combine(vectors: list[list[int]], exponents: list[int]) -> list[int]:
            return [
                sum(pow(xo, e, ORDER) * v[j] for v, e in zip(vectors, exponents, strict=True))
                for j in range(len(vectors[0]))
            ]

        up, down = list(range(m + 1)), list(range(m, -1, -1))
        self.send("zero.a", encode_scalars(combine(left, up)))
        self.send("zero.b", encode_scalars(combine(right, down)))
        self.send("zero.r", combine([[r] for r in blind_left], up)[0] + self.wrong("zero.A"))
        self.send("zero.s", combine([[s] for s in blind_right], down)[0] + self.wrong("zero.B"))
        self.send("zero.t", combine([[t] for t in blind_d], list(range(2 * m + 1)))[0] + self.wrong("zero.D"))

    def single_value(self, values: list[int], blinding: int) -> None:
        rng, n = self.rng, self.shape.n
        partial = [values[0]]
        for value in values[1:]:
            partial.append(partial[-1] * value % ORDER)
        d = rng.scalars(n)
        delta = [d[0] + self.wrong("single-value.b1"), *rng.scalars(n - 2), self.wrong("single-value.bn")]
        blind_d, blind_1, blind_x = rng.scalars(3)
        small = [-delta[j] * d[j + 1] for j in range(n - 1)]
        large = [delta[j + 1] - values[j + 1] * delta[j] - partial[j] * d[j + 1] for j in range(n - 1)]
        self.send("single-value.c_d", self.com(d, blind_d))
        self.send("single-value.c_delta", self.com(small, blind_1))
        self.send("single-value.c_Delta", self.com(large, blind_x))
        xs = self.transcript.challenge("single-value.x")
        self.send("single-value.a", encode_scalars([xs * u + v for u, v in zip(values, d, strict=True)]))
        self.send("single-value.b", encode_scalars([xs * u + v for u, v in zip(partial, delta, strict=True)]))
        self.send("single-value.r", xs * blinding + blind_d + self.wrong("single-value.A"))
        self.send("single-value.s", xs * blind_x + blind_1 + self.wrong("single-value.Delta"))

    def multi_exponentiation(self, x: int, b: list[int], blind_b: list[int]) -> None:
        rng, m, n, w = self.rng, self.shape.m, self.shape.n, self.case.width
        base, key = generator(self.group), self.case.public_key
        vectors = [rng.scalars(n), *self.rows(b)]
        blindings = [rng.scalar(), *blind_b]
        self.send("multi-exponentiation.c_A0", self.com(vectors[0], blindings[0]))
        beta = [rng.scalars(w) for _ in range(2 * m)]
        beta[m] = [0] * w
        blind_n = rng.scalars(2 * m)
        blind_n[m] = self.wrong("multi-exponentiation.c_Bm")
        tau = [rng.scalars(w) for _ in range(2 * m)]
        tau[m] = [
            -sum(value * rho[position] for value, rho in zip(b, self.rho, strict=True)) % ORDER
            + self.wrong("multi-exponentiation.E_m")
            for position in range(w)
        ]
        self.send("multi-exponentiation.c_B", *map(self.com, beta, blind_n))
        encrypted = []
        for k in range(2 * m):
            for position in range(w):
                terms: list[list[tuple[int, bytes]]] = [[], []]
                for i in range(1, m + 1):
                    j = k - m + i
                    if 0 <= j <= m:
                        for column in range(n):
                            pair = self.outputs[((i - 1) * n + column) * w + position]
                            for component in (0, 1):
                                terms[component].append((vectors[j][column], pair[component]))
                t = tau[k][position]
                encrypted.append(linear(self.group, (t, base), *terms[0]))
                encrypted.append(linear(self.group, (beta[k][position], base), (t, key), *terms[1]))
        self.send("multi-exponentiation.E", *encrypted)
        xe = self.transcript.challenge("multi-exponentiation.x")
        powers = [pow(xe, k, ORDER) for k in range(2 * m)]
        ae = [sum(p * v[j] for p, v in zip(powers, vectors, strict=False)) for j in range(n)]
        re = sum(p * r for p, r in zip(powers, blindings, strict=False)) + self.wrong("multi-exponentiation.A")
        be = [sum(p * v[position] for p, v in zip(powers, beta, strict=True)) for position in range(w)]
        se = sum(p * s for p, s in zip(powers, blind_n, strict=True)) + self.wrong("multi-exponentiation.B")
        te = [sum(p * v[position] for p, v in zip(powers, tau, strict=True)) for position in range(w)]
        te[-1] += self.wrong("multi-exponentiation.E")
        self.proof += encode_scalars([*ae, re, *be, se, *te])
