"""Equal pads and commitments among tens of millions; docs/spec/06-ballots.md section 6.5, ``duplicate``.

Every 32-byte value is reduced to a keyed 64-bit hash (the keys are drawn after the record is fixed) and spilled, with
the number of its ballot, into one of 64 bucket files. Each bucket is sorted; what has an equal hash is read again from
the log and compared in full, so the hash only selects.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BUCKETS = 64
_RECORD = np.dtype([("hash", "<u8"), ("ordinal", "<u4")])


def value_hashes(values: bytes, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A multilinear hash of every 32-byte value."""
    words = np.frombuffer(values, dtype="<u8").reshape(-1, 4)
    mixed = words * keys  # wraps modulo 2^64
    sums = mixed.sum(axis=1, dtype=np.uint64)
    return np.asarray(sums ^ (sums >> np.uint64(29)))


def spill(directory: Path, values: list[tuple[bytes, NDArray[np.uint32]]], keys: NDArray[np.uint64]) -> None:
    """Append hashes to this process's bucket files.

    Args:
        directory: where the files of this run live.
        values: concatenated 32-byte values, with the ordinals of their entries (one entry has equally many values,
            next to each other).
        keys: four random words.
    """
    pieces = []
    for data, ordinals in values:
        count = len(data) // 32
        if count:
            piece = np.empty(count, dtype=_RECORD)
            piece["hash"] = value_hashes(data, keys)
            piece["ordinal"] = np.repeat(ordinals, count // len(ordinals))
            pieces.append(piece)
    if not pieces:
        return
    items = np.concatenate(pieces)
    bucket = (items["hash"] >> np.uint64(58)).astype(np.uint8)
    order = np.argsort(bucket, kind="stable")
    bounds = np.searchsorted(bucket[order], np.arange(BUCKETS + 1))
    items = items[order]
    for number in range(BUCKETS):
        part = items[bounds[number] : bounds[number + 1]]
        if len(part):
            with open(directory / f"values-{number:02d}-{os.getpid()}", "ab") as file:
                file.write(part.tobytes())


@dataclass(frozen=True)
class Suspects:
    """Entries of one bucket with values of equal hash: which values to look at, by entry."""

    hashes: NDArray[np.uint64]  # sorted, distinct
    ordinals: NDArray[np.uint32]  # sorted, distinct


def suspects(directory: Path) -> Iterator[Suspects]:
    """For every bucket that has equal hashes, the hashes and the entries concerned.

    Memory: one bucket, a sixty-fourth of all values.
    """
    for number in range(BUCKETS):
        parts = [np.fromfile(path, dtype=_RECORD) for path in sorted(directory.glob(f"values-{number:02d}-*"))]
        if not parts:
            continue
        items = np.concatenate(parts)
        hashes = np.sort(items["hash"])
        equal = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
        if len(equal):
            concerned = np.isin(items["hash"], equal)
            yield Suspects(equal, np.unique(items["ordinal"][concerned]))
