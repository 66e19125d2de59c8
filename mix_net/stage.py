"""One mixer's stage: read the job, mix once, publish the same bytes for ever.

The mixer's own directory is where "once" is kept. All of a stage's bytes are written there first, in one directory that
appears by a rename; only then are they copied to where others read them. A crash before the rename has published
nothing, and the next run starts afresh with a new permutation, new randomizers and new masks. After it, every run
copies what is there. So no two outputs of one stage are ever published, and no randomness serves twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nacl.signing import SigningKey

from crypto import cbor
from crypto.entry import Binding, sign_entry
from crypto.errors import InvalidProof
from crypto.group.interface import Group
from crypto.hashing import sha
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.context import mix_transcript
from mix_net.errors import AlreadyMixed, InputError
from mix_net.files import read_file, sync_directory, write_atomic
from mix_net.pairs import take_pairs
from mix_net.randomness import Randomness
from mix_net.shuffle import (
    ShuffleStatement,
    ciphertext_count,
    commitment_key_length,
    fixed_bases,
    generate_shuffle,
    prove_shuffle,
    verify_shuffle,
)

OUTPUT, PROOF, ENTRY = "mixed.list", "proof.bin", "entry.cbor"
_INPUT = "input.sha256"
_MAX_CONTEXT_BYTES = 65_536
_MEMBERS = {"fingerprint": str, "contest": str, "group": str, "stage": int, "mixer": str, "width": int}


@dataclass(frozen=True)
class StageContext:
    """What a stage's transcript is bound to, and the width of its ciphertexts."""

    fingerprint: bytes
    contest: str
    group: str
    stage: int
    mixer: str
    width: int

    def transcript(self) -> Transcript:
        """A fresh transcript bound to this place in the election."""
        return mix_transcript(self.fingerprint, self.contest, self.group, self.stage, self.mixer)

    @property
    def identifier(self) -> str:
        """Names the stage in the mixer's directory."""
        place: list[object] = [self.fingerprint, self.contest, self.group, self.stage, self.mixer]
        return sha("evoting/v1/mixer-stage", cbor.encode(place)).hex()


@dataclass(frozen=True)
class MixJob:
    """A stage with its input and the key it is encrypted under, wherever these came from."""

    context: StageContext
    public_key: bytes
    inputs: bytes


@dataclass(frozen=True)
class Mixed:
    """What a stage publishes: the list, its proof, and the signed ``mix`` entry where a role key was given."""

    files: Mapping[str, bytes]

    @property
    def outputs(self) -> bytes:
        return self.files[OUTPUT]

    @property
    def proof(self) -> bytes:
        return self.files[PROOF]


def read_context(path: Path) -> StageContext:
    """A JSON object with exactly the members fingerprint (hex), contest, group, stage, mixer and width.

    Raises:
        InputError: names the member.
    """
    try:
        value = json.loads(read_file(path, _MAX_CONTEXT_BYTES).decode())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from None
    if not isinstance(value, dict) or value.keys() != _MEMBERS.keys():
        raise InputError(f"{path}: an object with the members {', '.join(_MEMBERS)} is expected")
    for name, kind in _MEMBERS.items():
        if type(value[name]) is not kind:
            raise InputError(f"{path}: {name} must be {'text' if kind is str else 'a whole number'}")
    try:
        fingerprint = bytes.fromhex(value["fingerprint"])
    except ValueError:
        fingerprint = b""
    if len(fingerprint) != 32 or value["fingerprint"] != fingerprint.hex():
        raise InputError(f"{path}: fingerprint must be 64 lower-case hex digits")
    if not 1 <= value["stage"] < 2**32 or not 1 <= value["width"] <= 1024:
        raise InputError(f"{path}: stage counts from 1, and width is 1 to 1024")
    return StageContext(fingerprint, value["contest"], value["group"], value["stage"], value["mixer"], value["width"])


def mix_stage(
    group: Group,
    job: MixJob,
    private: Path,
    randomness: Randomness,
    *,
    pairs: Path | None = None,
    key: SigningKey | None = None,
    time: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Mixed:
    """Mix a stage, or return what was mixed before. The mixer's directory must be locked by the caller.

    Args:
        private: the mixer's own directory.
        pairs: a file of prepared pairs to use up.
        key: the mixer's role key; with it, a signed ``mix`` entry is made.
        time: of the entry.

    Raises:
        AlreadyMixed: this stage was mixed with another input.
        InputError: the list or the public key is not valid.
        PairsError: the pairs cannot be used.
    """
    place = private / "stages" / job.context.identifier
    digest = hashlib.sha256(job.inputs).digest()
    if place.is_dir():
        progress("this stage is mixed already; the same bytes are written again")
        return _load(place, digest)
    files = _mix(group, job, randomness, pairs, key, time, progress)
    _store(place, {_INPUT: digest, **files})
    return Mixed(files)


def publish(mixed: Mixed, directory: Path) -> None:
    """Copy a stage's files to where others read them; repeating it writes the same bytes.

    Raises:
        InputError: the directory holds another stage's files.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in mixed.files.items():
        path = directory / name
        if path.exists() and path.read_bytes() != data:
            raise InputError(f"{path} holds something else and is not overwritten", hint="choose another --out")
    for name, data in mixed.files.items():
        write_atomic(directory / name, data)


def verify_stage(group: Group, job: MixJob, outputs: bytes, proof: bytes, randomness: Randomness) -> None:
    """Verify a stage.

    Raises:
        InvalidProof: names the check that fails.
    """
    statement = ShuffleStatement(job.public_key, job.inputs, outputs, job.context.width)
    commitment_key = CommitmentKey.derive(group, commitment_key_length(statement.count, statement.width))
    verify_shuffle(statement, proof, job.context.transcript(), randomness, commitment_key)


def _mix(
    group: Group,
    job: MixJob,
    randomness: Randomness,
    pairs: Path | None,
    key: SigningKey | None,
    time: int,
    progress: Callable[[str], None],
) -> dict[str, bytes]:
    context, width = job.context, job.context.width
    try:
        count = ciphertext_count(job.inputs, width)
        bases = fixed_bases(group, job.public_key)
        taken = take_pairs(group, pairs, job.public_key, count * width) if pairs and count else None
        progress(f"shuffling {count} ciphertexts")
        outputs, witness = generate_shuffle(
            group, job.public_key, job.inputs, width, randomness, pairs=taken, bases=bases
        )
    except InvalidProof as error:
        raise InputError(str(error)) from None
    statement = ShuffleStatement(job.public_key, job.inputs, outputs, width)
    commitment_key = CommitmentKey.derive(group, commitment_key_length(count, width))
    proof = prove_shuffle(
        statement, witness, context.transcript(), randomness, commitment_key, bases=bases, progress=progress
    )
    progress("verifying the proof before it leaves this host")
    try:
        verify_shuffle(statement, proof, context.transcript(), randomness, commitment_key)
    except InvalidProof as error:
        raise InputError(
            f"the proof that was just made does not hold ({error.check}); nothing was published",
            hint="prepared pairs may be damaged: mix without --pairs",
        ) from None
    files = {OUTPUT: outputs, PROOF: proof}
    if key is not None:
        files[ENTRY] = _signed_entry(job, count, outputs, proof, key, time)
    return files


def _signed_entry(job: MixJob, count: int, outputs: bytes, proof: bytes, key: SigningKey, time: int) -> bytes:
    """The ``mix`` entry of docs/spec/02-record.md section 2.4."""
    context = job.context
    body: dict[str, object] = {
        "contest": context.contest,
        "group": context.group,
        "stage": context.stage,
        "count": count,
        "input": hashlib.sha256(job.inputs).digest(),
        "output": {"hash": hashlib.sha256(outputs).digest(), "length": len(outputs)},
        "proof": {"hash": hashlib.sha256(proof).digest(), "length": len(proof)},
        "time": time,
    }
    binding = Binding(manifest_hash=bytes(32), fingerprint=context.fingerprint)
    return sign_entry("mix", body, binding, {context.mixer: key})


def _store(place: Path, files: Mapping[str, bytes]) -> None:
    """Let the stage's directory appear with all its files, or not at all."""
    place.parent.mkdir(mode=0o700, exist_ok=True)
    making = place.with_name(place.name + ".unfinished")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    for name, data in files.items():
        write_atomic(making / name, data, secret=True)
    os.rename(making, place)
    sync_directory(place.parent)


def _load(place: Path, digest: bytes) -> Mixed:
    if read_file(place / _INPUT) != digest:
        raise AlreadyMixed(
            "this stage was mixed before, with another input list",
            hint="a mixer mixes one list per stage; ask the office which input is right",
        )
    names = [name for name in (OUTPUT, PROOF, ENTRY) if (place / name).exists()]
    if names[:2] != [OUTPUT, PROOF]:
        raise AlreadyMixed(f"this stage was mixed before, but its files are not in {place} any more")
    return Mixed({name: read_file(place / name) for name in names})
