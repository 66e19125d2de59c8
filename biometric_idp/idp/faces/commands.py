"""``evoting-idp master-key``: the key above all templates, made and replaced."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from sqlalchemy import Engine

from biometric_idp.biometrics.master_key import generate_master_key
from biometric_idp.idp.config import BiometricsConfig
from biometric_idp.idp.faces.component import key_addresses, open_vault


def new_master_key(config: BiometricsConfig, base: Path) -> str:
    """Make the key that the configuration names; gives its id.

    Raises:
        StateError: one is there; it is never overwritten.
    """
    return generate_master_key(key_addresses(config, base)[0]).id


def rotate_master_key(config: BiometricsConfig, base: Path, engine: Engine) -> tuple[str, int]:
    """Wrap what retired keys hold under the present one; gives its id, and how many templates were concerned.

    Services may go on meanwhile, and an interrupted run is run again.

    Raises:
        VaultError: a key that holds a template was not given.
    """
    vault = open_vault(config, base, engine)
    return vault.master_key, vault.rotate()


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the command, besides ``--config``."""
    about = "new: make the key that the configuration names; rotate: wrap under it what the retired ones hold"
    parser.add_argument("action", choices=("new", "rotate"), help=about)
