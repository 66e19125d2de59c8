"""What commands print of other people's texts."""

from __future__ import annotations


def printable(text: object) -> str:
    """Text of other people's making on one line, without control or direction characters."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(str(text).split()))
