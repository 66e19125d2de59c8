"""Finding equal elements among tens of millions without keeping them (docs/spec/06-ballots.md section 6.5).

Eight bytes of every element are kept and sorted; only entries that share such a prefix with another one, or within
themselves, are looked at again in full. Encodings of random elements are as good as uniform, so false alarms are rare.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class PrefixIndex:
    """Collects the elements of entries in order and names the entries that may hold a repeated one."""

    def __init__(self) -> None:
        self._prefixes: list[NDArray[np.uint64]] = []
        self._counts: list[int] = []

    def add(self, elements: bytes) -> None:
        """The next entry's elements, 32 bytes each; none for an entry that does not take part."""
        self._prefixes.append(np.frombuffer(elements, dtype="<u8")[::4].copy())
        self._counts.append(len(elements) // 32)

    def suspects(self) -> Iterator[int]:
        """Ordinals of the entries that share a prefix with another or within themselves."""
        if not self._prefixes:
            return
        prefixes = np.concatenate(self._prefixes)
        ordered = np.sort(prefixes)
        repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        owners = np.repeat(np.arange(len(self._counts)), self._counts)
        yield from np.unique(owners[np.isin(prefixes, repeated)]).tolist()
