"""Text out of foreign files and services: what is accepted, and how it is shown where it is not (attack A6)."""

from __future__ import annotations

import unicodedata

#: Control, format (direction marks among them), surrogate, private, unassigned; line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def is_plain(text: str, most: int) -> bool:
    """Whether a text has 1 to ``most`` characters, is NFC, without control or direction characters or outer blanks."""
    return (
        0 < len(text) <= most
        and text == text.strip()
        and unicodedata.is_normalized("NFC", text)
        and not any(unicodedata.category(character) in _UNSAFE for character in text)
    )


def escape(value: object, most: int = 80) -> str:
    """A foreign value for a report or an error: one line; nothing moves the cursor or turns the direction round."""
    text = value if isinstance(value, str) else repr(value)
    shown = "".join(
        f"\\u{{{ord(character):x}}}" if unicodedata.category(character) in _UNSAFE else character
        for character in text[:most]
    )
    return shown + ("…" if len(text) > most else "")
