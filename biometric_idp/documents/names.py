"""Names of a machine-readable zone against names of the register.

A zone has Latin capitals only, transliterated by the issuing state and cut to the length of the field (ICAO Doc 9303
part 3, sections 4.6 and 6); the register may hold Cyrillic. States did not always transliterate by the same table, so
the usual comparison folds spellings that stand for one letter (``ZH`` and ``J``, ``KH`` and ``H``, ``IU`` and ``YU``).
A match of names proves little and a mismatch rarely fraud: number, dates and PIN carry the check.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum

# ICAO Doc 9303 part 3 section 6 B, and the letters that Kyrgyz adds.
_CYRILLIC = {
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ё": "E", "Ж": "ZH", "З": "Z", "И": "I", "Й": "I",
    "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T", "У": "U", "Ф": "F",
    "Х": "KH", "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SHCH", "Ъ": "IE", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "IU",
    "Я": "IA", "Ө": "O", "Ү": "U", "Ң": "N", "Ұ": "U", "Қ": "K", "Ғ": "G", "Ҳ": "H", "Ҷ": "CH", "Ә": "A", "І": "I",
    "Һ": "H", "Ӣ": "I", "Ӯ": "U", "Ў": "U", "Ї": "I", "Є": "IE", "Ґ": "G", "Ј": "J",
}  # fmt: skip
# Latin letters that do not fall apart into a letter and a mark (part 3 section 6 A).
_LATIN = {
    "Æ": "AE", "Ø": "OE", "Œ": "OE", "ẞ": "SS", "ß": "SS", "Þ": "TH", "Ð": "D", "Đ": "D", "Ł": "L", "Ħ": "H",
    "ı": "I", "Ə": "A", "Ŋ": "N",
}  # fmt: skip
_SPELLINGS = (
    ("SHCH", "S"), ("SCH", "S"), ("SH", "S"), ("CH", "C"), ("TS", "C"), ("DJ", "J"), ("DZH", "J"), ("ZH", "J"),
    ("KH", "H"), ("GH", "G"), ("NG", "N"), ("PH", "F"), ("OE", "O"), ("UE", "U"), ("AE", "A"), ("X", "H"), ("W", "V"),
    ("Q", "K"),
)  # fmt: skip
_VOWEL = re.compile("[IY]+([AEOU])")


class NameStrictness(StrEnum):
    """How names are compared: ``exact`` by ICAO's table, ``lenient`` with spellings folded, ``off`` not at all."""

    EXACT = "exact"
    LENIENT = "lenient"
    OFF = "off"


def transliterate(name: str) -> str:
    """Words of A-Z with single blanks, by ICAO's recommended table; apostrophes fall out, hyphens part words."""
    letters = []
    for character in unicodedata.normalize("NFC", name).upper():
        if character in _CYRILLIC:
            letters.append(_CYRILLIC[character])
        elif character in _LATIN:
            letters.append(_LATIN[character])
        else:
            base = unicodedata.normalize("NFD", character)[0]
            if base.isascii() and base.isalpha():
                letters.append(base)
            elif character.isspace() or unicodedata.category(character) == "Pd":
                letters.append(" ")
            elif base in _CYRILLIC:
                letters.append(_CYRILLIC[base])
    return " ".join("".join(letters).split())


def fold(name: str) -> str:
    """A transliterated name with different spellings of one sound made one; blanks fall out."""
    text = name.replace(" ", "")
    for spelling, sound in _SPELLINGS:
        text = text.replace(spelling, sound)
    text = _VOWEL.sub(r"\1", text).replace("Y", "I")
    return re.sub(r"(.)\1+", r"\1", text)


def names_match(
    surname: str,
    given_names: str,
    printed_surname: str,
    printed_given: str,
    truncated: bool,
    strictness: NameStrictness,
) -> bool:
    """Whether the names of the register may have been printed like that.

    Args:
        surname, given_names: the register's, in Cyrillic or Latin letters.
        printed_surname, printed_given: the zone's, blanks for single fillers.
        truncated: the zone's name field is full. Then names may end early: each printed word begins a word of the
            register, in order, and words may be missing at the end.
    """
    if strictness is NameStrictness.OFF:
        return True
    pairs = ((transliterate(surname), printed_surname), (transliterate(given_names), printed_given))
    if strictness is NameStrictness.LENIENT:
        if truncated:
            return all(_may_be_cut(known.split(), printed.split(), fold) for known, printed in pairs)
        return all(fold(known) == fold(printed) for known, printed in pairs)
    if truncated:
        return all(_may_be_cut(known.split(), printed.split(), str) for known, printed in pairs)
    return all(known == printed for known, printed in pairs)


def _may_be_cut(known: list[str], printed: list[str], normal: Callable[[str], str]) -> bool:
    if len(printed) > len(known):
        return False
    for index, (word, part) in enumerate(zip(known, printed, strict=False)):
        # The last word may have been cut in the middle of two letters that stand for one.
        cut = [part, part[:-1]] if index + 1 == len(printed) and len(part) > 1 else [part]
        if not any(normal(word).startswith(normal(begin)) for begin in cut):
            return False
    return True
