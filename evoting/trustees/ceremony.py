"""The trustees' key ceremony as files (docs/spec/04-ceremonies.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from crypto.dkg.audit import CeremonyOutcome
from crypto.dkg.driver import advance, assemble
from crypto.dkg.files import TRANSCRIPT_FILE, ParticipantState
from crypto.dkg.parameters import CeremonyParameters, Role, trustee_ceremony
from crypto.dkg.transcript import Attempt
from crypto.errors import CeremonyError
from crypto.group import load_group
from crypto.group.interface import Group
from crypto.log.note import NoteSigningKey
from evoting.definition import Manifest, decode_manifest, manifest_hash
from evoting.trustees.errors import TrusteeError
from evoting.trustees.shared import read_shared, write_shared
from evoting.trustees.store import TrusteeStore


@dataclass(frozen=True)
class StepResult:
    """What a step did: files that now lie in the shared directory, and what there is to tell."""

    written: list[Path]
    failed: Attempt | None = None
    outcome: CeremonyOutcome | None = None


def ceremony_parameters(manifest_bytes: bytes, group: Group | None = None) -> CeremonyParameters:
    """The trustees' ceremony of an election.

    Raises:
        DefinitionError: the manifest is not valid.
    """
    manifest = decode_manifest(manifest_bytes)
    roles = [Role(role.id, role.key) for role in manifest.roles_of("trustee")]
    return trustee_ceremony(group or load_group(), manifest_hash(manifest_bytes), roles, manifest.trustee_threshold)


def trustee_role(manifest: Manifest, key: NoteSigningKey) -> tuple[str, int]:
    """Role id and index of the trustee whose key this is.

    Raises:
        TrusteeError: the manifest names no trustee with this key.
    """
    for role in manifest.roles_of("trustee"):
        if role.key == key.verifier.public_key:
            return role.id, role.index
    raise TrusteeError(f"the manifest names no trustee with the key {key.name!r}")


def run_step(
    manifest_bytes: bytes,
    key: NoteSigningKey,
    shared: Path,
    store: TrusteeStore,
    step: str,
    entropy: bytes,
    *,
    exclude_missing: bool = False,
) -> StepResult:
    """Do one step of the ceremony, or do it again with the same result.

    Args:
        step: ``commit``, ``reveal``, ``share``, ``confirm`` or ``finish``.
        entropy: 64 fresh random bytes.
        exclude_missing: stop waiting for those who have not sent the message of the round before.

    Raises:
        TrusteeError, CeremonyError: names what is wrong; no file has been changed.
    """
    parameters = ceremony_parameters(manifest_bytes)
    _, index = trustee_role(decode_manifest(manifest_bytes), key)
    with store.locked():
        state = store.load_state() or ParticipantState.new(parameters, index)
        if state.index != index:
            raise TrusteeError(f"{store.root} belongs to trustee {state.index}, and the key to trustee {index}")
        files = read_shared(shared)
        if step == "finish" and state.finished:
            return _finished_again(parameters, store, shared, files)
        progress = advance(parameters, state, files, step, key.sign_message, entropy, exclude_missing=exclude_missing)
        # The share before the state, which forgets the seeds; the state before anything that others can see.
        if progress.key_share is not None:
            store.save_share(progress.key_share)
        if progress.state != state:
            store.save_state(progress.state)
        written = write_shared(shared, progress.outgoing)
        return StepResult(written, progress.failed, progress.outcome)


def _finished_again(
    parameters: CeremonyParameters, store: TrusteeStore, shared: Path, files: dict[str, bytes]
) -> StepResult:
    transcript, outcome = assemble(parameters, files)
    if hashlib.sha256(transcript).digest() != store.require_share().transcript_hash:
        raise CeremonyError("the shared files have changed since the key share was made")
    return StepResult(write_shared(shared, {TRANSCRIPT_FILE: transcript}), outcome=outcome)


def assemble_transcript(manifest_bytes: bytes, shared: Path) -> tuple[bytes, CeremonyOutcome]:
    """The transcript of a finished ceremony from the shared files; needs no secret.

    Raises:
        TrusteeError, CeremonyError: it is not finished, or names the file that is wrong.
    """
    return assemble(ceremony_parameters(manifest_bytes), read_shared(shared))
