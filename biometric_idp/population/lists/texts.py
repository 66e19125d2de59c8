"""Sentences for the people who keep the list, by code of a reject and language."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("ky", "ru", "en")
_FILE = Path(__file__).parent / "rejects.toml"


@lru_cache(maxsize=1)
def reject_texts() -> dict[str, dict[str, str]]:
    """Sentence by code and language."""
    return tomllib.loads(_FILE.read_text())


def reject_text(code: str, language: str) -> str:
    return reject_texts()[code][language]
