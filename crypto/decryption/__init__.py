"""Threshold decryption of whole lists (docs/spec/09-decryption.md).

- ``factors``: a trustee's decryption factors and their one batched proof;
- ``combine``: Lagrange over the used set;
- ``plaintexts``: the published plaintexts of a mixed contest, and checking them;
- ``totals``: the exponents of a homomorphic aggregate, and checking them.
"""

from __future__ import annotations

from crypto.decryption.combine import combine_factors, combine_list, lagrange_coefficients
from crypto.decryption.factors import generate_factors, prove_factors, verify_factors
from crypto.decryption.plaintexts import (
    INVALID,
    Plaintexts,
    decode_plaintexts,
    look_up_codes,
    verify_plaintexts,
)
from crypto.decryption.totals import ExponentOutOfRange, decode_exponents, verify_totals

__all__ = [
    "INVALID",
    "ExponentOutOfRange",
    "Plaintexts",
    "combine_factors",
    "combine_list",
    "decode_exponents",
    "decode_plaintexts",
    "generate_factors",
    "lagrange_coefficients",
    "look_up_codes",
    "prove_factors",
    "verify_factors",
    "verify_plaintexts",
    "verify_totals",
]
