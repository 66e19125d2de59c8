"""Bodies of ballots and challenges, decoded one at a time; docs/spec/06-ballots.md sections 6.1 and 6.6.

The general way; ``verifier.stream.templates`` is the fast one for what is well-formed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifier.equations.interface import ContestOpening, StyleShape
from verifier.record import schema
from verifier.record.cbor import decode
from verifier.record.errors import FormatError
from verifier.record.schema import array, identifier, octets, record, uint

_BALLOT = record(
    {
        "election": octets(32),
        "style": identifier,
        "pseudonym": octets(32),
        "credential": octets(48),
        "sequence": uint,
        "contests": array(record({"ciphertexts": octets(), "commitments": octets(), "scalars": octets()}), minimum=1),
    }
)
_OPENING = record({"contests": array(record({"selections": array(uint), "randomizers": octets()}), minimum=1)})


@dataclass(frozen=True)
class BallotBody:
    """A well-formed ballot of this election."""

    style: StyleShape
    pseudonym: bytes
    credential: bytes
    sequence: int
    contests: tuple[tuple[bytes, bytes, bytes], ...]  # ciphertexts, commitments, scalars


def decode_ballot(body: bytes, fingerprint: bytes, styles: Mapping[str, StyleShape]) -> BallotBody:
    """Decode a ballot.

    Raises:
        FormatError: it is ``malformed`` for its form (points and scalars are not looked at here).
    """
    fields = schema.decode_as(body, _BALLOT, "ballot")
    if fields["election"] != fingerprint:
        raise FormatError("ballot.election: another election")
    style = styles.get(fields["style"])
    if style is None:
        raise FormatError("ballot.style: no such ballot style")
    if len(fields["contests"]) != len(style.contests):
        raise FormatError("ballot.contests: not the number of the style's contests")
    contests = []
    for shape, contest in zip(style.contests, fields["contests"], strict=True):
        for name, size in (
            ("ciphertexts", shape.ciphertexts * 64),
            ("commitments", shape.commitments * 32),
            ("scalars", shape.scalars * 32),
        ):
            if len(contest[name]) != size:
                raise FormatError(f"ballot.contests {shape.id}: {name} of another length")
        contests.append((contest["ciphertexts"], contest["commitments"], contest["scalars"]))
    return BallotBody(style, fields["pseudonym"], fields["credential"], fields["sequence"], tuple(contests))


def style_of(body: bytes, styles: Mapping[str, StyleShape]) -> str | None:
    """The style that even a malformed body names, if it decodes to a map with a known one (section 7.1)."""
    try:
        value = decode(body)
    except FormatError:
        return None
    style = value.get("style") if isinstance(value, dict) else None
    return style if isinstance(style, str) and style in styles else None


def decode_opening(data: bytes, style: StyleShape) -> tuple[ContestOpening, ...]:
    """Decode an opening.

    Raises:
        FormatError: not of the schema, or of other counts or lengths than the style's (reason ``opening``).
    """
    fields = schema.decode_as(data, _OPENING, "opening")
    if len(fields["contests"]) != len(style.contests):
        raise FormatError("opening.contests: not the number of the style's contests")
    openings = []
    for shape, contest in zip(style.contests, fields["contests"], strict=True):
        if len(contest["selections"]) != shape.ciphertexts or len(contest["randomizers"]) != 32 * shape.ciphertexts:
            raise FormatError(f"opening.contests {shape.id}: not one selection and randomizer for each ciphertext")
        openings.append(ContestOpening(tuple(contest["selections"]), contest["randomizers"]))
    return tuple(openings)
