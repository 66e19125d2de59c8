"""Public files that the office gives to issuers (docs/spec/05-credentials.md section 5.10)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from crypto.entry import RoleEntry
from evoting.definition import Manifest
from evoting.errors import RecordError


def write_ceremony_parameters(path: Path, manifest: Manifest, manifest_digest: bytes) -> None:
    """What the issuers' key ceremony is about."""
    _write(
        path,
        {
            "format": "evoting-issuer-ceremony/v1",
            "manifest": manifest_digest.hex(),
            "issuers": [{"role": role.id, "key": role.key.hex()} for role in manifest.roles_of("issuer")],
            "threshold": manifest.issuer_threshold,
            "styles": [style.id for style in manifest.styles],
        },
    )


def write_policy(
    path: Path,
    manifest: Manifest,
    fingerprint: bytes,
    origin: str,
    enrolment: RoleEntry,
    opened: int,
    officers: Sequence[Mapping[str, object]] = (),
) -> None:
    """The issuance policy of an opened election.

    Issuance begins with the election's opening, days before voting: who casts at once after a credential was issued
    can be guessed by time.

    Args:
        opened: time of the opening entry, seconds since 1970.
        officers: whose passkeys vouch for voters at terminals, as ``passkeys.read_passkeys`` gives them.

    Raises:
        RecordError: the manifest has no voting origin, so that nobody could check an assertion.
    """
    if manifest.voting_origin is None:
        raise RecordError("the manifest has no voting origin, so no passkey of a voter could be checked")
    keys = {role.id: role.key.hex() for role in manifest.roles}
    _write(
        path,
        {
            "format": "evoting-issuance-policy/v1",
            "fingerprint": fingerprint.hex(),
            "origin": origin,
            "voting-origin": manifest.voting_origin,
            "rp-id": urlsplit(manifest.voting_origin).hostname,
            "opens": min(manifest.opens, opened),
            "closes": manifest.closes,
            "issuers": [{"role": role.id, "key": role.key.hex()} for role in manifest.roles_of("issuer")],
            "threshold": manifest.issuer_threshold,
            "styles": [{"style": style.id, "size": style.roll} for style in manifest.styles],
            "identity-provider": keys["identity-provider"],
            "registrar": keys["registrar"],
            "officers": [dict(officer) for officer in officers],
            "enrolment": {"checkpoint": enrolment.body["checkpoint"], "time": enrolment.body["time"]},
        },
    )


def _write(path: Path, value: dict[str, object]) -> None:
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    unfinished.replace(path)
