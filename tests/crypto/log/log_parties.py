"""Keys of a small election log: one log, four witnesses of which three make the quorum."""

from __future__ import annotations

from hashlib import sha256

from crypto.log.checkpoint import Checkpoint
from crypto.log.cosignature import cosign
from crypto.log.note import COSIGNATURE_KEY, NOTE_KEY, Note, NoteSignature, NoteSigningKey
from crypto.log.policy import Policy, decode_policy

NOW = 1_900_000_000


def key(name: str, key_type: int = NOTE_KEY) -> NoteSigningKey:
    return NoteSigningKey(name, key_type, sha256(name.encode()).digest())


LOG = key("elections.example/2030/log")
WITNESSES = [key(f"witness{i}.example/w", COSIGNATURE_KEY) for i in range(1, 5)]
POLICY_TEXT = "\n".join(
    [
        "# three of four",
        f"log {LOG.verifier.encode()}",
        *(f"witness w{i} {witness.verifier.encode()}" for i, witness in enumerate(WITNESSES, start=1)),
        "group witnesses 3 w1 w2 w3 w4",
        "quorum witnesses",
        "",
    ]
)
POLICY: Policy = decode_policy(POLICY_TEXT.encode())


def cosigned(
    checkpoint: Checkpoint, witnesses: list[NoteSigningKey], *, time: int = NOW, log: NoteSigningKey = LOG
) -> Note:
    note = checkpoint.sign(log)
    return with_lines(note, [cosign(note.text, witness, time) for witness in witnesses])


def with_lines(note: Note, lines: list[NoteSignature]) -> Note:
    return Note(note.text, (*note.signatures, *lines))
