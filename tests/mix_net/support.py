"""What the shuffle tests share: reproducible randomness, lists with known plaintexts, and tampering transcripts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from crypto.group import load_group
from crypto.group.interface import ORDER, Group
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.context import mix_transcript
from mix_net.shuffle import (
    ShuffleStatement,
    ShuffleWitness,
    commitment_key_length,
    generate_shuffle,
    prove_shuffle,
    verify_shuffle,
)

FINGERPRINT = hashlib.sha256(b"an election").digest()
STATEMENT_LABELS = ("count", "width", "rows", "columns", "public-key", "generators", "inputs", "outputs")
CONTEXT_LABELS = ("fingerprint", "contest", "group", "stage", "mixer")


class SeededRandomness:
    """A reproducible source of fresh bytes: SHAKE256 over a seed and a counter."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._calls = 0

    def __call__(self, length: int) -> bytes:
        self._calls += 1
        return hashlib.shake_256(self._seed + self._calls.to_bytes(8, "big")).digest(length)


@dataclass(frozen=True)
class Instance:
    """A list whose plaintexts are known multiples of G, and a shuffle of it."""

    group: Group
    secret: int
    values: tuple[int, ...]
    input_randomizers: tuple[int, ...]
    statement: ShuffleStatement
    witness: ShuffleWitness
    key: CommitmentKey

    @property
    def count(self) -> int:
        return self.statement.count

    def with_statement(self, statement: ShuffleStatement) -> Instance:
        return replace(self, statement=statement)


@cache
def commitment_key(arithmetic: str, length: int) -> CommitmentKey:
    return CommitmentKey.derive(load_group(arithmetic), length)


def encrypt(group: Group, secret: int, values: list[int], randomizers: list[int]) -> bytes:
    """Encryptions of values[i] * G under secret * G, one pair each."""
    generator = group.generator()
    pads = generator.mul(group.scalars(randomizers))
    datas = generator.mul(group.scalars([v + secret * r for v, r in zip(values, randomizers, strict=True)]))
    return group.interleave_elements([pads, datas]).encode()


def make_instance(count: int, width: int = 1, *, arithmetic: str = "native", seed: str = "instance") -> Instance:
    group = load_group(arithmetic)
    randomness = SeededRandomness(f"{seed} {count} {width}")
    secret = int.from_bytes(randomness(64), "little") % ORDER
    public_key = group.generator().mul(group.scalars([secret])).encode()
    values = [int.from_bytes(randomness(16), "little") + 1 for _ in range(count * width)]
    randomizers = [int.from_bytes(randomness(64), "little") % ORDER for _ in range(count * width)]
    inputs = encrypt(group, secret, values, randomizers)
    outputs, witness = generate_shuffle(group, public_key, inputs, width, randomness)
    key = commitment_key(arithmetic, commitment_key_length(count, width))
    statement = ShuffleStatement(public_key, inputs, outputs, width)
    return Instance(group, secret, tuple(values), tuple(randomizers), statement, witness, key)


def context(**changes: object) -> Transcript:
    values: dict[str, object] = {
        "fingerprint": FINGERPRINT,
        "contest": "parliament",
        "group": "style-1",
        "stage": 1,
        "mixer": "mixer-1",
    }
    return mix_transcript(**{**values, **changes})  # type: ignore[arg-type]


def prove(instance: Instance, transcript: Transcript | None = None, seed: str = "prover") -> bytes:
    return prove_shuffle(
        instance.statement,
        instance.witness,
        context() if transcript is None else transcript,
        SeededRandomness(seed),
        instance.key,
    )


def verify(instance: Instance, proof: bytes, transcript: Transcript | None = None) -> None:
    verify_shuffle(
        instance.statement,
        proof,
        context() if transcript is None else transcript,
        SeededRandomness("weights"),
        instance.key,
    )


class WeakTranscript(Transcript):
    """The transcript of a prover or verifier that forgets to hash some messages."""

    def __init__(self, *forgotten: str) -> None:
        super().__init__("evoting/v1/mix")
        self._forgotten = frozenset(forgotten)
        for label, data in _context_messages():
            self.append(label, data)

    def append(self, label: str, data: bytes) -> None:
        if label not in self._forgotten:
            super().append(label, data)


class TamperingTranscript(Transcript):
    """A cheating prover's transcript: replaces messages on their way out, and knows all messages and challenges."""

    def __init__(self, changes: dict[str, Callable[[bytes], bytes]] | None = None) -> None:
        super().__init__("evoting/v1/mix")
        self.messages: dict[str, bytes] = {}
        self.challenges: dict[str, int] = {}
        self._changes = changes or {}
        for label, data in _context_messages():
            self.append(label, data)

    def append(self, label: str, data: bytes) -> None:
        sent = self._changes[label](data) if label in self._changes else data
        self.messages[label] = sent
        super().append(label, sent)

    def challenge(self, label: str) -> int:
        value = super().challenge(label)
        self.challenges[label] = value
        return value

    def proof(self, honest: bytes) -> bytes:
        """The proof that consists of the messages as sent, and the last responses of ``honest``."""
        prefix = (*CONTEXT_LABELS, *STATEMENT_LABELS)
        sent = b"".join([data for label, data in self.messages.items() if label not in prefix])
        return sent + honest[len(sent) :]


def _context_messages() -> list[tuple[str, bytes]]:
    return [
        ("fingerprint", FINGERPRINT),
        ("contest", b"parliament"),
        ("group", b"style-1"),
        ("stage", (1).to_bytes(8, "big")),
        ("mixer", b"mixer-1"),
    ]


def plus_one(scalar: bytes) -> bytes:
    """The next scalar."""
    return ((int.from_bytes(scalar, "little") + 1) % ORDER).to_bytes(32, "little")
