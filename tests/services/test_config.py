"""A configuration file that cannot be used is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.config import Config, read_config
from services.errors import ConfigError


class Sample(Config):
    number: int


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"number = ", "not TOML"),
        (b"number = '\xff'", "not TOML"),
        (b"number = 'x'", "number"),
        (b"other = 1", "number"),
        (b"number = " + b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_config(path, Sample)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
