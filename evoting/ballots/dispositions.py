"""What becomes of a ballot or challenge, as one byte (docs/spec/07-counting.md section 7.1)."""

from __future__ import annotations

COUNTED, SUPERSEDED, CHALLENGED = 0, 1, 2
#: Disposition byte of each reason of rejection.
REASONS = {
    "malformed": 16,
    "credential": 17,
    "signature": 18,
    "proof": 19,
    "duplicate": 20,
    "sequence": 21,
    "opening": 22,
    "excess": 23,
}
REASON_NAMES = {value: name for name, value in REASONS.items()}
_ACCEPTED = {COUNTED: "counted", SUPERSEDED: "superseded", CHALLENGED: "challenged"}


def describe_disposition(byte: int) -> str:
    """In words for people: ``counted``, ``superseded``, ``challenged`` or ``rejected: <reason>``.

    Raises:
        ValueError: no such disposition.
    """
    if byte in _ACCEPTED:
        return _ACCEPTED[byte]
    if byte in REASON_NAMES:
        return f"rejected: {REASON_NAMES[byte]}"
    raise ValueError(f"{byte} is no disposition")
