"""The ballot box by files: which of the entries that are handed in go into the next epoch (docs/spec/06-ballots.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crypto.errors import DecodeError
from evoting.ballots.ballot import decode_voter_entry
from evoting.ballots.check import judge_entries
from evoting.record.election import ElectionView


@dataclass(frozen=True)
class Intake:
    """What came of the entries, by the names under which they were handed in.

    Attributes:
        taken: entries for the next epoch.
        known: names of entries that are on the board already, or handed in twice.
        refused: reason by name; see section 6.5.
    """

    taken: tuple[bytes, ...]
    known: tuple[str, ...]
    refused: Mapping[str, str]


def take_in(record: ElectionView, entries: Mapping[str, bytes]) -> Intake:
    """Judge entries by themselves. Duplicates of ciphertexts and sequence numbers are for the selection.

    Cost: a pass over the board, and what judging the entries costs.
    """
    board = set(record.voter_entries())
    fresh: dict[str, bytes] = {}
    known: list[str] = []
    refused: dict[str, str] = {}
    for name, entry in entries.items():
        try:
            decode_voter_entry(entry)
        except DecodeError:
            refused[name] = "no ballot or challenge"
            continue
        if entry in board:
            known.append(name)
            continue
        board.add(entry)
        fresh[name] = entry
    taken = []
    for (name, entry), judged in zip(
        fresh.items(), judge_entries(record.ballot_context(), list(fresh.values())), strict=True
    ):
        if judged.reason is None and judged.opens:
            taken.append(entry)
        else:
            refused[name] = judged.reason or "opening"
    return Intake(tuple(taken), tuple(known), refused)
