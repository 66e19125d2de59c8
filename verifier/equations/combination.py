"""Many equations in one multi-scalar multiplication; docs/spec/06-ballots.md section 6.4, batch verification.

Every equation moves its terms to one side, multiplies them by fresh independent 128-bit weights and adds them here. The
sum of all is the identity if every equation holds, and otherwise with probability at most 2^-128.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from crypto.errors import DecodeError
from crypto.group import ELEMENT_BYTES

if TYPE_CHECKING:
    from crypto.group import Group, ScalarVector

WEIGHT_BYTES = 16
#: Parts of a failing range. One bad row costs about two verifications of the batch, all rows bad about four.
FAN_OUT = 16


class Combination:
    """A weighted sum of encoded elements that must vanish.

    Elements are declared in named blocks, each of which is decoded exactly once, whether or not an equation uses it: a
    block that is declared is thereby checked to be canonical and without the identity.
    """

    def __init__(self, group: Group, randomness: Callable[[int], bytes]) -> None:
        self.group = group
        self._randomness = randomness
        self._blocks: dict[Hashable, bytes] = {}
        self._coefficients: dict[Hashable, ScalarVector] = {}
        self._generator = 0
        self._failed = False

    def declare(self, name: Hashable, encodings: bytes) -> None:
        """Elements of 32 bytes each. A block may be declared again, but not with other elements."""
        if self._blocks.setdefault(name, encodings) != encodings:
            raise ValueError(f"the block {name} is declared already")

    def weights(self, count: int) -> ScalarVector:
        """Fresh weights for ``count`` equations."""
        return self.group.scalars_short(self._randomness(WEIGHT_BYTES * count))

    def add(self, name: Hashable, scalars: ScalarVector) -> None:
        """Add these multiples of a block's elements."""
        if len(self._blocks[name]) != ELEMENT_BYTES * len(scalars):
            raise ValueError(f"{len(scalars)} scalars do not fit the block {name}")
        present = self._coefficients.get(name)
        self._coefficients[name] = scalars if present is None else present + scalars

    def add_generator(self, scalar: int) -> None:
        """Add a multiple of G."""
        self._generator += scalar

    def fail(self) -> None:
        """Something that is no equation of elements does not hold."""
        self._failed = True

    def vanishes(self) -> bool:
        """Whether all elements are canonical and not the identity, and the sum is the identity."""
        if self._failed:
            return False
        group = self.group
        names = sorted(self._blocks, key=lambda name: name not in self._coefficients)
        used = sum(name in self._coefficients for name in names)
        try:
            total = group.generator().mul_vartime(group.scalars([self._generator]))
            if used:
                scalars = group.concat_scalars([self._coefficients[name] for name in names[:used]])
                data = b"".join([self._blocks[name] for name in names[:used]])
                total += group.msm_decode(scalars, data, allow_identity=False)
            if used < len(names):
                group.elements_decode(b"".join([self._blocks[name] for name in names[used:]]), allow_identity=False)
        except DecodeError:
            return False
        return bool(total.identity_mask()[0])


def bad_rows(count: int, holds: Callable[[int, int], bool]) -> list[int]:
    """Rows that fail, by dividing: ``holds(a, b)`` says whether rows a..b-1 hold together."""
    found: list[int] = []
    ranges = [(0, count)] if count else []
    while ranges:
        first, end = ranges.pop()
        if holds(first, end):
            continue
        if end - first == 1:
            found.append(first)
            continue
        step = -(-(end - first) // FAN_OUT)
        ranges += [(start, min(start + step, end)) for start in range(first, end, step)]
    return sorted(found)
