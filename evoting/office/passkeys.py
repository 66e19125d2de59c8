"""An officer's passkey for voters at terminals, signed by the officer's role key (docs/spec/05-credentials.md)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from crypto.hashing import frames
from evoting.definition import Manifest
from evoting.errors import RecordError
from evoting.files import read_limited

FORMAT = "evoting-officer-passkey/v1"
DOMAIN = "evoting/v1/officer-passkey"
#: COSE algorithms of passkeys, ES256 and EdDSA, and the length of the one encoding of such a key.
_KEY_BYTES = {-7: 77, -8: 42}
_MAX_FILE_BYTES = 1 << 14
_MAX_CREDENTIAL_BYTES = 1023


def sign_passkey(
    key: SigningKey, fingerprint: bytes, role: str, credential: bytes, algorithm: int, public: bytes
) -> dict[str, object]:
    """The members of an officer in policy and configuration.

    Args:
        credential: id of the passkey.
        public: its COSE key.

    Raises:
        RecordError: this is no passkey.
    """
    _require_passkey(credential, algorithm, public)
    message = frames(DOMAIN, (fingerprint, role.encode(), credential, public))
    return {
        "role": role,
        "credential": credential.hex(),
        "algorithm": algorithm,
        "key": public.hex(),
        "signature": key.sign(message).signature.hex(),
    }


def read_passkeys(paths: Sequence[Path], manifest: Manifest, fingerprint: bytes) -> list[dict[str, object]]:
    """Officers for the issuance policy, from the files that ``sign-passkey`` wrote.

    Raises:
        RecordError: a file is none, its officer is none of the election, or the signature does not hold for it; or two
            files are of one officer or one passkey.
    """
    officers = [_read(path, manifest, fingerprint) for path in paths]
    for member in ("role", "credential"):
        if len({officer[member] for officer in officers}) != len(officers):
            raise RecordError(f"two officers have the same {'passkey' if member == 'credential' else member}")
    return sorted(officers, key=lambda officer: str(officer["role"]))


def _read(path: Path, manifest: Manifest, fingerprint: bytes) -> dict[str, object]:
    try:
        value: Any = json.loads(read_limited(path, _MAX_FILE_BYTES))
        if value.keys() != {"format", "role", "credential", "algorithm", "key", "signature"}:
            raise ValueError
        if value["format"] != FORMAT:
            raise ValueError
        role, algorithm = str(value["role"]), int(value["algorithm"])
        credential, public, signature = (bytes.fromhex(value[name]) for name in ("credential", "key", "signature"))
    except (ValueError, TypeError, AttributeError):
        raise RecordError(f"{path} is no officer's passkey, as sign-passkey writes it") from None
    _require_passkey(credential, algorithm, public)
    keys = {officer.id: officer.key for officer in manifest.roles_of("officer")}
    if role not in keys:
        raise RecordError(f"{path}: {role!a} is no officer of this election")
    try:
        VerifyKey(keys[role]).verify(frames(DOMAIN, (fingerprint, role.encode(), credential, public)), signature)
    except (BadSignatureError, ValueError):
        raise RecordError(f"{path}: {role} did not sign this passkey for this election") from None
    return {name: member for name, member in value.items() if name != "format"}


def _require_passkey(credential: bytes, algorithm: int, public: bytes) -> None:
    if not 1 <= len(credential) <= _MAX_CREDENTIAL_BYTES:
        raise RecordError(f"the id of a passkey has 1 to {_MAX_CREDENTIAL_BYTES} bytes")
    if algorithm not in _KEY_BYTES:
        raise RecordError(f"algorithm {algorithm}: a passkey has -7 (ES256) or -8 (EdDSA)")
    if len(public) != _KEY_BYTES[algorithm]:
        raise RecordError(f"the COSE key of algorithm {algorithm} has {_KEY_BYTES[algorithm]} bytes, not {len(public)}")
