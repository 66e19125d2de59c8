"""The key ceremonies as the office sees them: what they are about, and what their transcripts give (section 4)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from crypto.dkg.audit import CeremonyOutcome, audit_ceremony
from crypto.dkg.driver import assemble
from crypto.dkg.parameters import CeremonyParameters, Role, issuer_ceremony, trustee_ceremony
from crypto.group import load_group, load_pairing_group
from evoting.definition import manifest_hash
from evoting.errors import RecordError
from evoting.files import read_limited
from evoting.record.election import ElectionView

Kind = Literal["trustee", "issuer"]
KINDS: tuple[Kind, ...] = ("trustee", "issuer")
_MAX_FILES = 10_000


def ceremony_parameters(view: ElectionView, kind: Kind) -> CeremonyParameters:
    """What the manifest says about a ceremony."""
    manifest = view.manifest
    digest = manifest_hash(view.manifest_bytes)
    roles = [Role(role.id, role.key) for role in manifest.roles_of(kind)]
    if kind == "trustee":
        return trustee_ceremony(load_group(), digest, roles, manifest.trustee_threshold)
    styles = [style.id for style in manifest.styles]
    return issuer_ceremony(load_group(), load_pairing_group(), digest, roles, manifest.issuer_threshold, styles)


def assemble_ceremony(view: ElectionView, kind: Kind, shared: Path) -> bytes:
    """The transcript of a finished ceremony, from the directory that its participants shared.

    Raises:
        RecordError: no such directory, or it holds something else.
        CryptoError: the ceremony is not finished, has failed, or a file is not what it should be.
    """
    if not shared.is_dir():
        raise RecordError(f"{shared} is no directory")
    paths = sorted(path for path in shared.glob("attempt-*/*") if path.suffix != ".tmp")
    if len(paths) > _MAX_FILES:
        raise RecordError(f"{shared} holds {len(paths)} files: no ceremony has so many")
    limit = view.manifest.limits.blob_bytes
    files = {path.relative_to(shared).as_posix(): read_limited(path, limit) for path in paths}
    return assemble(ceremony_parameters(view, kind), files)[0]


def ceremony_outcome(view: ElectionView, kind: Kind) -> CeremonyOutcome:
    """The keys that a ceremony gave, recomputed from the transcript in the record.

    Raises:
        RecordError: there is none yet.
        CryptoError: it does not hold.
    """
    transcript = view.blob(view.only(f"{kind}-ceremony"), "transcript")
    return audit_ceremony(ceremony_parameters(view, kind), transcript)
