"""Refusals of voter lists as a whole."""

from __future__ import annotations

from biometric_idp.errors import IdpError


class ListRefused(IdpError):
    """A list is refused as a whole and nothing of it is stored.

    Attributes:
        code: ``list-form``, ``list-signature``, ``list-election``, ``list-number``, ``list-order``, ``list-closed``,
            ``list-follows`` or ``list-changed``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
