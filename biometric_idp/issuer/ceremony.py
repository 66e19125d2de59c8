"""The issuers' key ceremony as files that can be carried on a stick (docs/spec/04-ceremonies.md).

A thin layer around ``crypto.dkg.driver``: read the shared directory, take a step, keep the new state, write what is
outgoing. In this order a crash loses nothing: a repeated step gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from biometric_idp.client.keys import encode_issuance_keys
from biometric_idp.errors import FormatError, StateError
from biometric_idp.files import read_json, require_private, write_atomic, write_json
from biometric_idp.issuer.keys import IssuerDirectory
from biometric_idp.schema import require_hex, require_id, require_list, require_map, require_uint
from crypto.dkg.audit import CeremonyOutcome
from crypto.dkg.driver import Progress, advance, assemble
from crypto.dkg.files import TRANSCRIPT_FILE, ParticipantState
from crypto.dkg.messages import MAX_ENVELOPE_BYTES
from crypto.dkg.parameters import MAX_PARTICIPANTS, CeremonyParameters, Role, issuer_ceremony
from crypto.dkg.secrets import SEED_BYTES
from crypto.errors import DecodeError
from crypto.group.interface import Group, PairingGroup

PARAMETERS_FORMAT = "evoting-issuer-ceremony/v1"
_MEMBERS = frozenset({"format", "manifest", "issuers", "threshold", "styles"})
_MAX_FILES = 4096


def write_ceremony_parameters(path: Path, parameters: CeremonyParameters) -> None:
    """The public file that tells every issuer what the ceremony is about."""
    write_json(
        path,
        {
            "format": PARAMETERS_FORMAT,
            "manifest": parameters.manifest_hash.hex(),
            "issuers": [{"role": role.id, "key": role.key.hex()} for role in parameters.roles],
            "threshold": parameters.threshold,
            "styles": list(parameters.labels),
        },
    )


def read_ceremony_parameters(path: Path, group: Group, pairing: PairingGroup) -> CeremonyParameters:
    """Strict inverse of ``write_ceremony_parameters``.

    Raises:
        FormatError: names the file and what is wrong with it, 2k <= m included.
    """
    members = read_json(path, PARAMETERS_FORMAT)
    what = str(path)
    require_map(members, _MEMBERS, what)
    roles: list[Role] = []
    for item in require_list(members["issuers"], f"{what}: issuers", 1, MAX_PARTICIPANTS):
        issuer = require_map(item, frozenset({"role", "key"}), f"{what}: issuer")
        roles.append(Role(require_id(issuer["role"], f"{what}: role"), require_hex(issuer, "key", 32, what)))
    styles = [require_id(item, f"{what}: style") for item in require_list(members["styles"], what, 1, 4096)]
    threshold = require_uint(members["threshold"], f"{what}: threshold")
    try:
        return issuer_ceremony(group, pairing, require_hex(members, "manifest", 32, what), roles, threshold, styles)
    except ValueError as error:
        raise FormatError(f"{path}: {error}") from None


def take_step(
    directory: IssuerDirectory,
    parameters: CeremonyParameters,
    shared: Path,
    step: str,
    entropy: Callable[[int], bytes],
    *,
    exclude_missing: bool = False,
) -> Progress:
    """Do one step of the ceremony, or do it again.

    Raises:
        CeremonyError: as ``advance``.
        StateError: the role key is none of the ceremony's, or the state belongs to another one.
    """
    signing = directory.read_key().signing
    index = next((i for i, role in enumerate(parameters.roles, start=1) if role.key == bytes(signing.verify_key)), None)
    if index is None:
        raise StateError("the ceremony names no issuer with this role key")
    state = _read_state(directory, parameters, index)
    if step == "finish" and state.finished:
        return _finished_again(directory, parameters, state, shared)
    progress = advance(
        parameters,
        state,
        read_shared(shared),
        step,
        lambda message: signing.sign(message).signature,
        entropy(SEED_BYTES),
        exclude_missing=exclude_missing,
    )
    if progress.key_share is not None:
        directory.write_share(progress.key_share)
    write_atomic(directory.ceremony, progress.state.encode(), secret=True)
    for name, data in progress.outgoing.items():
        target = shared / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, data, shared=True)
    return progress


def _finished_again(
    directory: IssuerDirectory, parameters: CeremonyParameters, state: ParticipantState, shared: Path
) -> Progress:
    """The last step repeated: the same transcript, if it is still the one that the key share was made from."""
    transcript, outcome = assemble(parameters, read_shared(shared))
    if sha256(transcript).digest() != directory.read_share().transcript_hash:
        raise StateError(f"{shared}: the shared files have changed since the key share was made")
    write_atomic(shared / TRANSCRIPT_FILE, transcript, shared=True)
    return Progress(state, {TRANSCRIPT_FILE: transcript}, outcome=outcome)


def read_shared(shared: Path) -> dict[str, bytes]:
    """All files of the shared directory, by relative name.

    Raises:
        FormatError: more or larger files than any ceremony has.
    """
    paths = sorted(path for path in shared.rglob("*.cbor") if not path.name.startswith("."))
    if len(paths) > _MAX_FILES:
        raise FormatError(f"{shared}: {len(paths)} files are too many")
    files: dict[str, bytes] = {}
    for path in paths:
        name = path.relative_to(shared).as_posix()
        if name.count("/") == 1 and "failed" not in name and path.stat().st_size > MAX_ENVELOPE_BYTES:
            raise FormatError(f"{path}: too long for a message")
        files[name] = path.read_bytes()
    return files


def issuance_keys_blob(outcome: CeremonyOutcome) -> bytes:
    """The issuance keys that the opening entry names (docs/spec/02-record.md section 2.5)."""
    return encode_issuance_keys([(key.label, key.joint_key, key.verification_keys) for key in outcome.keys])


def _read_state(directory: IssuerDirectory, parameters: CeremonyParameters, index: int) -> ParticipantState:
    if not directory.ceremony.exists():
        return ParticipantState.new(parameters, index)
    require_private(directory.ceremony)
    try:
        state = ParticipantState.decode(directory.ceremony.read_bytes())
    except DecodeError as error:
        raise FormatError(f"{directory.ceremony}: {error}") from None
    if state.index != index:
        raise StateError(f"{directory.ceremony}: the state is of participant {state.index}, not {index}")
    return state
