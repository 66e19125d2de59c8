"""Errors of a trustee's tool."""

from __future__ import annotations

from evoting.errors import EvotingError


class TrusteeError(EvotingError):
    """A file, or an argument, that the tool cannot work with."""


class DecryptionRefused(EvotingError):
    """The trustee does not decrypt this list (docs/spec/09-decryption.md section 9.3).

    Attributes:
        rule: the rule's name there.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule
