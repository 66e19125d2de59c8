"""Configuration files: TOML, checked against a pydantic model; what is wrong is said in one line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from services.errors import ConfigError


class Config(BaseModel):
    """Base of configuration models: unknown names are refused, values do not change. Paths are relative to the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


Model = TypeVar("Model", bound=Config)


def read_config(path: Path, model: type[Model]) -> Model:
    """Read a file.

    Raises:
        ConfigError: names the file, the field and what is wrong with it.
    """
    try:
        members = tomllib.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply") from None
    try:
        return model.model_validate(members)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigError(f"{path}: {where}: {first['msg']}") from None
