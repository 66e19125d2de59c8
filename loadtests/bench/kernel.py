"""Raw costs of the vector kernel, in microseconds of elapsed time per item."""

from __future__ import annotations

import os
from functools import partial

from crypto.group import load_group, load_pairing_group
from crypto.group.interface import ElementVector, Group, ScalarVector
from loadtests.bench.measure import wall_seconds

COUNT = 20_000


def random_scalars(group: Group, count: int) -> ScalarVector:
    """Uniform scalars."""
    return group.scalars_wide(os.urandom(64 * count))


def random_elements(group: Group, count: int) -> ElementVector:
    """Uniform elements with known logarithms, which timing does not depend on."""
    return group.fixed_base(group.generator()).mul_vartime(random_scalars(group, count))


def measure_kernel(full: bool) -> dict[str, float]:
    """Costs of single operations, and of multi-scalar multiplications of 10^3 to 10^6 terms."""
    group = load_group()
    scalars, elements = random_scalars(group, COUNT), random_elements(group, COUNT)
    encoded = elements.encode()
    table = group.fixed_base(group.generator())
    actions = {
        "variable_base": lambda: elements.mul(scalars),
        "variable_base_vartime": lambda: elements.mul_vartime(scalars),
        "fixed_base": lambda: table.mul(scalars),
        "fixed_base_vartime": lambda: table.mul_vartime(scalars),
        "decode": lambda: group.elements_decode(encoded, allow_identity=False),
        # A vector keeps its encoding once it is known, so a fresh one is made each time and its cost taken off below.
        "encode": lambda: (elements + elements).encode(),
        "add": lambda: elements + elements,
        "scalar_multiply": lambda: scalars * scalars,
        "hash_to_group": lambda: group.elements_from_uniform(bytes(64) * COUNT),
    }
    result = {f"{name}_us": wall_seconds(action)[0] / COUNT * 1e6 for name, action in actions.items()}
    result["encode_us"] -= result["add_us"]
    for exponent in (3, 4, 5, 6) if full else (3, 4, 5):
        count = 10**exponent
        terms = (random_scalars(group, count), random_elements(group, count))
        seconds, _ = wall_seconds(partial(group.msm, *terms), 3 if exponent < 6 else 1)
        result[f"msm_term_1e{exponent}_us"] = seconds / count * 1e6
    return result | measure_pairing()


def measure_pairing() -> dict[str, float]:
    """Costs of BLS12-381 for credentials."""
    pairing = load_pairing_group()
    count = 2000
    messages = [os.urandom(32) for _ in range(count)]
    dst = b"evoting/v1/benchmark"
    points = pairing.hash_to_g1(messages, dst)
    encoded = points.encode()
    secrets = [int.from_bytes(os.urandom(31), "big") for _ in range(count)]
    weights = os.urandom(16 * count)
    pair = (pairing.g1_generator(), pairing.g2_generator())
    return {
        "g1_hash_us": wall_seconds(lambda: pairing.hash_to_g1(messages, dst))[0] / count * 1e6,
        "g1_decode_us": wall_seconds(lambda: pairing.g1_decode(encoded))[0] / count * 1e6,
        "g1_multiply_us": wall_seconds(lambda: points.mul(secrets))[0] / count * 1e6,
        "g1_msm_term_us": wall_seconds(lambda: pairing.g1_msm(weights, points))[0] / count * 1e6,
        "pairing_us": wall_seconds(lambda: pairing.pairing_product_is_one(*pair))[0] * 1e6,
    }
