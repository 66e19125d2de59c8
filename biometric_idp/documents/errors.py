"""Refusals of identity documents."""

from __future__ import annotations

from biometric_idp.errors import IdpError


class DocumentRefused(IdpError):
    """A document does not hold. The message says which rule and where, and nothing about the person.

    Attributes:
        code: an entry of ``problems.toml`` of this package.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class MrzRefused(DocumentRefused):
    """A machine-readable zone does not hold.

    Attributes:
        line: 1-based line of the zone, or None where it is the zone as a whole.
        field: name of the field in that line, or None.
    """

    def __init__(self, code: str, message: str, line: int | None = None, field: str | None = None) -> None:
        where = ", ".join(part for part in (f"line {line}" if line else "", field or "") if part)
        super().__init__(code, f"{where}: {message}" if where else message)
        self.line = line
        self.field = field
