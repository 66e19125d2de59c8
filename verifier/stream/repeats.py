"""Full comparison of the values that the hashes of ``duplicates`` selected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from verifier.equations.interface import StyleShape
from verifier.record.ballots import decode_ballot
from verifier.record.entries import split_voter_entry
from verifier.record.errors import FormatError
from verifier.record.files import TILE_WIDTH, LogFiles
from verifier.stream import claims
from verifier.stream.duplicates import suspects, value_hashes


@dataclass(frozen=True)
class Repeat:
    """An entry with a pad or commitment that occurs before it, or twice in it."""

    ordinal: int
    other: int  # ordinal of the earlier entry; its own where the repetition is within


class _Reader:
    """Reads entries in ascending order, keeping one bundle."""

    def __init__(self, log: LogFiles) -> None:
        self.log = log
        self.bundle = -1
        self.entries: list[bytes] = []

    def __call__(self, index: int) -> bytes:
        if index // TILE_WIDTH != self.bundle:
            self.bundle = index // TILE_WIDTH
            self.entries = self.log.read_bundle(self.bundle)
        return self.entries[index % TILE_WIDTH]


def _values(raw: bytes, fingerprint: bytes, styles: Mapping[str, StyleShape]) -> bytes:
    entry = split_voter_entry(raw)
    if entry is None:
        return b""
    try:
        body = decode_ballot(entry.body, fingerprint, styles)
    except FormatError:
        return b""
    return b"".join(_pads(ciphertexts) + commitments for ciphertexts, commitments, _ in body.contests)


def _pads(ciphertexts: bytes) -> bytes:
    return b"".join(ciphertexts[at : at + 32] for at in range(0, len(ciphertexts), 64))


def find_repeats(
    directory: Path,
    keys: NDArray[np.uint64],
    log: LogFiles,
    indices: NDArray[np.int64],
    claimed: bytes,
    fingerprint: bytes,
    styles: Mapping[str, StyleShape],
) -> dict[int, Repeat]:
    """Every entry that repeats a pad or commitment of an earlier one that counts for this, or of itself; by ordinal.

    Args:
        directory, keys: where and how ``duplicates.spill`` wrote.
        log: to read the entries again.
        indices: log index of every ballot and challenge.
        claimed: their dispositions.
        fingerprint, styles: to decode them.
    """
    found: dict[int, Repeat] = {}
    for suspect in suspects(directory):
        reader = _Reader(log)
        seen: dict[bytes, int] = {}
        for ordinal in suspect.ordinals.tolist():
            values = _values(reader(int(indices[ordinal])), fingerprint, styles)
            own = list(_suspicious(values, keys, suspect.hashes))
            for value in own:
                if value in seen:
                    found.setdefault(ordinal, Repeat(ordinal, seen[value]))
            if len(set(own)) < len(own):
                found.setdefault(ordinal, Repeat(ordinal, ordinal))
            if claimed[ordinal] in claims.RESERVING:
                for value in own:
                    seen.setdefault(value, ordinal)
    return found


def _suspicious(values: bytes, keys: NDArray[np.uint64], hashes: NDArray[np.uint64]) -> Iterator[bytes]:
    for number in np.flatnonzero(np.isin(value_hashes(values, keys), hashes)):
        yield values[32 * int(number) : 32 * int(number) + 32]
