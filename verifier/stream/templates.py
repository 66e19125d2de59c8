"""Ballot entries read by comparison with a template.

A ballot of one style has one length and the same bytes everywhere but in its fields, because its encoding is
deterministic. So a batch of entries is compared with that template column by column, and its fields are slices.
Whatever does not match goes through the general decoder, so that a template never decides that something is malformed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verifier.equations.interface import ContestColumns, StyleShape
from verifier.record.cbor import encode

Rows = NDArray[np.uint8]
Field = tuple[int, int]  # first column and first column after it

#: (bytes of the encoding, head, smallest value, first value beyond) of each width of an unsigned integer.
_WIDTHS = ((1, b"", 0, 24), (2, b"\x18", 24, 2**8), (3, b"\x19", 2**8, 2**16), (5, b"\x1a", 2**16, 2**32),
           (9, b"\x1b", 2**32, 2**53))  # fmt: skip


@dataclass(frozen=True)
class Template:
    """Where everything is in an entry of one style with one width of the sequence number."""

    style: StyleShape
    length: int
    constant_columns: NDArray[np.intp]
    constants: Rows
    body: Field
    signature: Field
    pseudonym: Field
    credential: Field
    sequence: Field
    sequence_bounds: tuple[int, int]
    contests: tuple[tuple[Field, Field, Field], ...]  # ciphertexts, commitments, scalars

    def matches(self, rows: Rows) -> NDArray[np.bool_]:
        """Which rows are ballots of this form."""
        fits = (rows[:, self.constant_columns] == self.constants).all(axis=1)
        numbers = self.sequences(rows)
        low, high = self.sequence_bounds
        return np.asarray(fits & (numbers >= low) & (numbers < high))

    def sequences(self, rows: Rows) -> NDArray[np.uint64]:
        """The sequence numbers."""
        numbers = np.zeros(len(rows), dtype=np.uint64)
        for column in range(*self.sequence):
            numbers = (numbers << np.uint64(8)) | rows[:, column].astype(np.uint64)
        return numbers

    def columns(self, rows: Rows) -> tuple[ContestColumns, ...]:
        """The contests' fields."""
        return tuple(
            ContestColumns(cut(rows, ciphertexts), cut(rows, commitments), cut(rows, scalars))
            for ciphertexts, commitments, scalars in self.contests
        )


def cut(rows: Rows, field: Field) -> bytes:
    """One field of all rows, row after row."""
    return rows[:, field[0] : field[1]].tobytes()


class _Layout:
    def __init__(self) -> None:
        self.data = bytearray()
        self.fields: dict[str, Field] = {}

    def constant(self, data: bytes) -> None:
        self.data += data

    def field(self, name: str, size: int) -> None:
        self.fields[name] = (len(self.data), len(self.data) + size)
        self.data += bytes(size)

    def octets(self, name: str, size: int) -> None:
        self.data += encode(bytes(size))[: -size or None]
        self.field(name, size)


def ballot_templates(style: StyleShape, fingerprint: bytes) -> list[Template]:
    """A template for each width of the sequence number."""
    return [_template(style, fingerprint, *width) for width in _WIDTHS]


def _template(style: StyleShape, fingerprint: bytes, size: int, head: bytes, low: int, high: int) -> Template:
    body = _Layout()
    body.constant(b"\xa6" + encode("style") + encode(style.id) + encode("contests"))
    body.constant(encode([0] * len(style.contests))[: -len(style.contests) or None])
    for number, contest in enumerate(style.contests):
        body.constant(b"\xa3" + encode("scalars"))
        body.octets(f"scalars-{number}", contest.scalars * 32)
        body.constant(encode("ciphertexts"))
        body.octets(f"ciphertexts-{number}", contest.ciphertexts * 64)
        body.constant(encode("commitments"))
        body.octets(f"commitments-{number}", contest.commitments * 32)
    body.constant(encode("election") + encode(fingerprint) + encode("sequence") + head)
    body.field("sequence", size - len(head))
    body.constant(encode("pseudonym"))
    body.octets("pseudonym", 32)
    body.constant(encode("credential"))
    body.octets("credential", 48)

    entry = _Layout()
    entry.constant(b"\xa3" + encode("body") + encode(bytes(body.data))[: -len(body.data)])
    shift = len(entry.data)
    entry.constant(bytes(body.data))
    entry.constant(encode("type") + encode("ballot") + encode("signature"))
    entry.octets("signature", 64)

    fields = {name: (first + shift, end + shift) for name, (first, end) in body.fields.items()}
    is_constant = np.ones(len(entry.data), dtype=np.bool_)
    for first, end in (*fields.values(), entry.fields["signature"]):
        is_constant[first:end] = False
    columns = np.flatnonzero(is_constant)
    return Template(
        style=style,
        length=len(entry.data),
        constant_columns=columns,
        constants=np.frombuffer(bytes(entry.data), dtype=np.uint8)[columns],
        body=(shift, shift + len(body.data)),
        signature=entry.fields["signature"],
        pseudonym=fields["pseudonym"],
        credential=fields["credential"],
        sequence=fields["sequence"],
        sequence_bounds=(low, high),
        contests=tuple(
            (fields[f"ciphertexts-{number}"], fields[f"commitments-{number}"], fields[f"scalars-{number}"])
            for number in range(len(style.contests))
        ),
    )
