"""What can be wrong with a ceremony's public record."""

from __future__ import annotations

from crypto.errors import CeremonyError, DecodeError


class InvalidCeremony(CeremonyError):
    """A transcript breaks a rule of docs/spec/04-ceremonies.md section 4.7.

    Attributes:
        rule: the rule's name there.
        culprit: index of the participant to blame, where there is one.
    """

    def __init__(self, rule: str, message: str, culprit: int | None = None) -> None:
        super().__init__(f"{rule}: {message}", culprit)
        self.rule = rule


class NotAMessage(DecodeError):
    """Bytes that are nobody's message of the round in question (section 4.2).

    Attributes:
        rule: ``envelope`` or ``signature``.
    """

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
