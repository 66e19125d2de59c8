"""Matchers, vault and marks of a deployment that checks faces."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from biometric_idp.biometrics.face_dlib import FaceLimits
from biometric_idp.biometrics.liveness import LivenessSettings
from biometric_idp.biometrics.master_key import open_master_key
from biometric_idp.biometrics.sql_store import SqlMarks, SqlTemplateStore
from biometric_idp.biometrics.vault import Vault
from biometric_idp.biometrics.workers import MatcherPool, WorkerSettings
from biometric_idp.errors import StateError
from biometric_idp.idp.config import BiometricsConfig, IdpConfig
from biometric_idp.idp.tables import BIOMETRICS


@dataclass(frozen=True)
class Faces:
    """Everything that works on images and templates.

    Attributes:
        key: seals liveness states and keys the marks of frames.
    """

    pool: MatcherPool
    vault: Vault
    marks: SqlMarks
    settings: LivenessSettings
    key: bytes = field(repr=False)
    random: random.SystemRandom = field(default_factory=random.SystemRandom)


def open_faces(config: IdpConfig, base: Path, engine: Engine, key: bytes) -> Faces | None:
    """Start worker processes; None where this deployment checks no faces.

    Raises:
        IdpError: the master key or a matcher cannot be used.
    """
    biometrics, liveness = config.biometrics, config.liveness
    if not config.needs_faces or biometrics.master_key is None:
        return None
    settings = LivenessSettings(
        actions=liveness.actions,
        fixed_order=None if liveness.fixed_order is None else tuple(liveness.fixed_order),
        model_election=config.model,
    )
    vault = open_vault(biometrics, base, engine)
    limits = FaceLimits(threshold=biometrics.threshold)
    pool = MatcherPool(WorkerSettings(workers=biometrics.workers, queue=biometrics.queue, face=limits))
    return Faces(pool, vault, SqlMarks(engine, BIOMETRICS), settings, key)


def open_vault(config: BiometricsConfig, base: Path, engine: Engine) -> Vault:
    """The templates under their master keys.

    Raises:
        IdpError: a master key cannot be used.
    """
    master, *retired = [open_master_key(address) for address in key_addresses(config, base)]
    return Vault(SqlTemplateStore(engine, BIOMETRICS), config.deployment, master, retired)


def key_addresses(config: BiometricsConfig, base: Path) -> list[str]:
    """Addresses of the master key and of the retired ones; files are relative to ``base``.

    Raises:
        StateError: no master key is configured.
    """
    if config.master_key is None:
        raise StateError("the configuration names no master_key in [biometrics]")
    return [
        address if address.startswith("pkcs11:") else str(base / address.removeprefix("file:"))
        for address in (config.master_key, *config.retired)
    ]
