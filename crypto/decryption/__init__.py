"""Threshold decryption of whole lists (docs/spec/09-decryption.md).

- ``factors``: a trustee's decryption factors and their one batched proof;
- ``combine``: Lagrange over the used set, and the choice of that set;
- ``plaintexts``: the published plaintexts of a mixed contest, and checking them;
- ``totals``: the exponents of a homomorphic aggregate, and checking them.
"""
