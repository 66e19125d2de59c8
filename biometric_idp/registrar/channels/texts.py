"""Texts of messages, by kind and language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGES = ("ky", "ru", "en")


@cache
def texts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return tomllib.loads((Path(__file__).parent / "texts.toml").read_text())


def compose(kind: str, language: str, **values: str) -> tuple[str, str]:
    """Subject and text."""
    entry = texts()[kind][language]
    return entry["subject"], entry["text"].format(**values)
