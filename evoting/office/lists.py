"""Aggregates and mix inputs of the counted set (docs/spec/07-counting.md sections 7.3 and 7.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import cbor2

from crypto.elgamal import decode_ciphertexts
from crypto.group.interface import ElementVector
from crypto.proofs.disjunctive import ChoiceLayout
from evoting.ballots.check import BallotContext
from evoting.ballots.dispositions import COUNTED
from evoting.office.groups import TallyGroup

CHUNK = 8192

#: (contest id, group id)
ListName = tuple[str, str]


def write_lists(
    context: BallotContext,
    groups: Mapping[str, Sequence[TallyGroup]],
    entries: Iterable[bytes],
    dispositions: bytes,
    directory: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[ListName, bytes]:
    """Sum the homomorphic contests and write the mix inputs of the counted ballots, group by group.

    Args:
        groups: tally groups of every contest; only those with status tallied get a list.
        entries: ballots and challenges in log order, each with its byte of ``dispositions``.
        directory: where the mix inputs go, as ``<contest>.<group>.list``.

    Returns:
        The aggregates' ciphertexts (k * 64 bytes) by contest and group.
    """
    group = context.key.group
    member = {
        (contest, style): tally.id
        for contest, tallies in groups.items()
        for tally in tallies
        if tally.status == "tallied"
        for style in tally.styles
    }
    sums: dict[ListName, list[tuple[ElementVector, ElementVector]]] = {}
    with _Files(directory) as files:
        for contest, tallies in groups.items():
            if not isinstance(_layout(context, contest), ChoiceLayout):
                for tally in tallies:
                    if tally.status == "tallied":
                        files.open((contest, tally.id))
        source = (entry for entry, byte in zip(entries, dispositions, strict=True) if byte == COUNTED)
        while chunk := list(islice(source, CHUNK)):
            rows: dict[ListName, list[bytes]] = {}
            for entry in chunk:
                ballot = cbor2.loads(cbor2.loads(entry)["body"])
                style = ballot["style"]
                for shape, part in zip(context.styles[style].contests, ballot["contests"], strict=True):
                    name = member.get((shape.id, style))
                    if name is not None:
                        rows.setdefault((shape.id, name), []).append(part["ciphertexts"])
            for key, parts in rows.items():
                layout = _layout(context, key[0])
                if isinstance(layout, ChoiceLayout):
                    pairs = decode_ciphertexts(group, b"".join(parts))
                    k = layout.options
                    sums.setdefault(key, []).append(
                        (
                            group.concat_elements([pairs.pads[place::k].sum() for place in range(k)]),
                            group.concat_elements([pairs.data[place::k].sum() for place in range(k)]),
                        )
                    )
                else:
                    files.write(key, b"".join(parts))
            progress(len(chunk))
    aggregates = {}
    for key, partial in sums.items():
        pads, data = partial[0]
        for more_pads, more_data in partial[1:]:
            pads, data = pads + more_pads, data + more_data
        aggregates[key] = group.interleave_elements([pads, data]).encode()
    return aggregates


def list_path(directory: Path, name: ListName) -> Path:
    """Where the mix input of a contest and group lies."""
    return directory / f"{name[0]}.{name[1]}.list"


def _layout(context: BallotContext, contest: str) -> object:
    for shape in context.styles.values():
        for item in shape.contests:
            if item.id == contest:
                return item.layout
    raise KeyError(contest)


class _Files:
    """Mix inputs being written; they appear under their names only when all are complete."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[ListName, BinaryIO] = {}

    def __enter__(self) -> _Files:
        self._directory.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        for name, file in self._open.items():
            file.close()
            path = list_path(self._directory, name)
            unfinished = path.with_suffix(".tmp")
            if kind is None:
                unfinished.replace(path)
            else:
                unfinished.unlink()

    def open(self, name: ListName) -> None:
        self._open[name] = list_path(self._directory, name).with_suffix(".tmp").open("wb")

    def write(self, name: ListName, data: bytes) -> None:
        self._open[name].write(data)
