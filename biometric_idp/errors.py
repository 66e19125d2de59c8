"""The one tree of exceptions of this package."""

from __future__ import annotations


class IdpError(Exception):
    """Root of every error that ``biometric_idp`` raises on purpose."""


class FormatError(IdpError, ValueError):
    """A file or message is not in its format; the text says what is wrong and where."""


class StateError(IdpError):
    """The step does not fit the state it meets: another election, a missing key, something done twice."""


class Refused(IdpError):
    """An issuer refuses a request (docs/spec/05-credentials.md section 5.5).

    Attributes:
        code: the refusal's code in that table.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
