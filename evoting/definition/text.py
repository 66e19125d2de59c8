"""What a text or an identifier in a definition may contain; docs/spec/03-manifest.md section 3.

The forbidden characters are a fixed list, not a Unicode category, so that two readers with different Unicode tables
agree.
"""

from __future__ import annotations

import re
import unicodedata

ID_PATTERN = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
LANGUAGE_PATTERN = re.compile(r"[a-z]{2,3}", re.ASCII)
MAX_TEXT = 500

#: Controls, direction overrides and isolates, zero-width and other invisible characters, line and paragraph
#: separators, surrogates, private use, specials and tags.
FORBIDDEN = (
    (0x0000, 0x001F),
    (0x007F, 0x009F),
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xD800, 0xF8FF),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFF),
    (0xE0000, 0x10FFFF),
)
_FORBIDDEN_PATTERN = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in FORBIDDEN) + "]")


def text_defect(text: str) -> str | None:
    """What is wrong with a text that people will read, or None."""
    if not text:
        return "text is empty"
    if len(text) > MAX_TEXT:
        return f"text has {len(text)} characters, at most {MAX_TEXT} are allowed"
    found = _FORBIDDEN_PATTERN.search(text)
    if found:
        return f"character U+{ord(found.group()):04X} at position {found.start()} is not allowed"
    if text != text.strip(" "):
        return "text begins or ends with a space"
    if not unicodedata.is_normalized("NFC", text):
        return "text is not in Unicode normalization form C"
    return None


def id_defect(text: str) -> str | None:
    """What is wrong with an identifier, or None."""
    if ID_PATTERN.fullmatch(text):
        return None
    return f"expected an identifier of 1 to 64 characters a-z, 0-9 or '-', found {shown(text)}"


def file_label(name: str) -> str:
    """A file's name as it may appear in a message: escaped unless it is plain printable ASCII."""
    return name if name.isascii() and name.isprintable() and len(name) <= 80 else shown(name)


def shown(value: object) -> str:
    """A value as it may appear in an error message: ASCII only, short."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
