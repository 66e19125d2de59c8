"""The configured policy for authenticators, with its roots read."""

from __future__ import annotations

from pathlib import Path

from biometric_idp.idp.config import PasskeyConfig
from biometric_idp.idp.passkeys.verify import AuthenticatorPolicy
from services.errors import ConfigError


def read_policy(config: PasskeyConfig, base: Path) -> AuthenticatorPolicy:
    """Read the roots.

    Raises:
        ConfigError: a root cannot be read, or is no certificate.
    """
    roots: dict[str, list[bytes]] = {}
    for name, paths in config.roots.items():
        for path in paths:
            try:
                pem = (base / path).read_bytes()
            except OSError as error:
                raise ConfigError(f"{base / path}: {error.strerror}") from None
            if b"-----BEGIN CERTIFICATE-----" not in pem:
                raise ConfigError(f"{base / path}: no certificate in PEM")
            roots.setdefault(name, []).append(pem)
    return AuthenticatorPolicy(config.attestation == "required", roots, frozenset(config.aaguids))
