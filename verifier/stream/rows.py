"""Entries of a chunk sorted into batches by kind, style and claim."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from verifier.equations.interface import BallotBatch, ContestColumns, ContestOpening, StyleShape
from verifier.hashing import frame
from verifier.record.ballots import BallotBody, decode_ballot, decode_opening, style_of
from verifier.record.entries import VoterEntry, split_voter_entry
from verifier.record.errors import FormatError
from verifier.stream.claims import DEFECTIVE
from verifier.stream.templates import Template, ballot_templates, cut


@dataclass(frozen=True)
class RowSet:
    """A batch for the equations, with what the framework knows of each row."""

    batch: BallotBatch
    defective: bool  # claimed malformed, or with an invalid credential, signature or proof
    entries: NDArray[np.int64]
    ordinals: NDArray[np.uint32]
    claims: NDArray[np.uint8]
    sequences: NDArray[np.uint64]
    openings: tuple[tuple[ContestOpening, ...], ...] = ()  # of challenges whose openings are well-formed
    opening_defects: tuple[str, ...] = ()  # of challenges whose openings are not

    def components(self) -> Iterator[tuple[bytes, NDArray[np.uint32]]]:
        """Pads and commitments, with the ordinals of their rows."""
        for contest in self.batch.contests:
            yield np.frombuffer(contest.ciphertexts, dtype="V32")[::2].tobytes(), self.ordinals
            yield contest.commitments, self.ordinals


@dataclass(frozen=True)
class MalformedRow:
    """An entry whose body is not well-formed."""

    entry: int
    claim: int
    style: str | None  # where it can be told
    sentence: str


@dataclass(frozen=True)
class Located:
    """A raw entry with its place and claim."""

    raw: bytes
    entry: int
    ordinal: int
    claim: int


@lru_cache(maxsize=4096)
def _templates(style: StyleShape, fingerprint: bytes) -> dict[int, Template]:
    return {template.length: template for template in ballot_templates(style, fingerprint)}


def _named_style(raw: bytes) -> bytes | None:
    """The bytes of the style id of a ballot entry whose body starts as a well-formed one does."""
    head = raw[6]
    at = 9 if head == 0x59 else 8 if head == 0x58 else 7
    if raw[at : at + 7] != b"\xa6\x65style":
        return None
    length = raw[at + 7]
    if 0x60 <= length <= 0x77:
        return raw[at + 8 : at + 8 + length - 0x60]
    return raw[at + 9 : at + 9 + raw[at + 8]] if length == 0x78 else None


def read_rows(
    located: Sequence[Located], fingerprint: bytes, styles: Mapping[str, StyleShape]
) -> tuple[list[RowSet], list[MalformedRow]]:
    """Sort entries into batches; what is malformed comes back with the reason."""
    by_form: dict[tuple[bytes, int, bool], list[Located]] = defaultdict(list)
    general: list[Located] = []
    for item in located:
        name = _named_style(item.raw) if item.raw[0] == 0xA3 else None
        if name is None:
            general.append(item)
        else:
            by_form[name, len(item.raw), item.claim in DEFECTIVE].append(item)
    sets = []
    for (name, length, defective), items in by_form.items():
        style = styles.get(name.decode("utf-8", "replace"))
        template = _templates(style, fingerprint).get(length) if style else None
        if template is None:
            general += items
            continue
        rows = np.frombuffer(b"".join(item.raw for item in items), dtype=np.uint8).reshape(-1, length)
        fits = template.matches(rows)
        if not fits.all():
            general += [item for item, fit in zip(items, fits, strict=True) if not fit]
            items, rows = [item for item, fit in zip(items, fits, strict=True) if fit], rows[fits]
        if items:
            sets.append(_template_rows(template, items, rows, defective))
    general_sets, malformed = _general_rows(general, fingerprint, styles)
    return sets + general_sets, malformed


def _numbers(items: Sequence[Located]) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint8]]:
    return (
        np.array([item.entry for item in items], dtype=np.int64),
        np.array([item.ordinal for item in items], dtype=np.uint32),
        np.array([item.claim for item in items], dtype=np.uint8),
    )


def _template_rows(template: Template, items: Sequence[Located], rows: NDArray[np.uint8], defective: bool) -> RowSet:
    start, end = template.body
    batch = BallotBatch(
        kind="ballot",
        style=template.style,
        pseudonyms=cut(rows, template.pseudonym),
        credentials=cut(rows, template.credential),
        signatures=cut(rows, template.signature),
        messages=[item.raw[start:end] for item in items],
        contests=template.columns(rows),
    )
    return RowSet(batch, defective, *_numbers(items), template.sequences(rows))


@dataclass(frozen=True)
class _Decoded:
    item: Located
    entry: VoterEntry
    body: BallotBody
    opening: tuple[ContestOpening, ...]
    opening_defect: str = ""


def _decode_row(item: Located, fingerprint: bytes, styles: Mapping[str, StyleShape]) -> _Decoded | MalformedRow:
    entry = split_voter_entry(item.raw)
    if entry is None:
        raise AssertionError("only ballots and challenges are read as rows")
    try:
        body = decode_ballot(entry.body, fingerprint, styles)
    except FormatError as error:
        return MalformedRow(item.entry, item.claim, style_of(entry.body, styles), str(error))
    if entry.opening is None:
        return _Decoded(item, entry, body, ())
    try:
        return _Decoded(item, entry, body, decode_opening(entry.opening, body.style))
    except FormatError as error:
        return _Decoded(item, entry, body, (), str(error))


def _general_rows(
    items: Sequence[Located], fingerprint: bytes, styles: Mapping[str, StyleShape]
) -> tuple[list[RowSet], list[MalformedRow]]:
    # A challenge whose opening is not well-formed is judged by everything else first, so it is a row as well.
    groups: dict[tuple[str, str, bool, bool], list[_Decoded]] = defaultdict(list)
    malformed = []
    for item in items:
        row = _decode_row(item, fingerprint, styles)
        if isinstance(row, MalformedRow):
            malformed.append(row)
        else:
            key = (row.entry.type, row.body.style.id, item.claim in DEFECTIVE, bool(row.opening_defect))
            groups[key].append(row)
    return [_decoded_rows(rows, key[2]) for key, rows in groups.items()], malformed


def _decoded_rows(rows: Sequence[_Decoded], defective: bool) -> RowSet:
    first = rows[0]
    is_ballot = first.entry.opening is None
    batch = BallotBatch(
        kind="ballot" if is_ballot else "challenge",
        style=first.body.style,
        pseudonyms=b"".join(row.body.pseudonym for row in rows),
        credentials=b"".join(row.body.credential for row in rows),
        signatures=b"".join(row.entry.signature for row in rows),
        messages=[
            row.entry.body if row.entry.opening is None else frame(row.entry.body) + frame(row.entry.opening)
            for row in rows
        ],
        contests=tuple(
            ContestColumns(*(b"".join(row.body.contests[number][part] for row in rows) for part in range(3)))
            for number in range(len(first.body.style.contests))
        ),
    )
    return RowSet(
        batch,
        defective,
        *_numbers([row.item for row in rows]),
        np.array([row.body.sequence for row in rows], dtype=np.uint64),
        tuple(row.opening for row in rows if row.opening),
        tuple(row.opening_defect for row in rows if row.opening_defect),
    )
