"""Statement, proof and challenges of a shuffle; docs/spec/08-mixing.md sections 8.1 to 8.5."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.group import ORDER
from verifier.equations.parameters import commitment_generators
from verifier.hashing import Transcript

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crypto.group import Group, ScalarVector
    from verifier.equations.interface import Buffer

MAX_COUNT = 2**31 - 64
#: An element of the scalars' unit group whose order is below 2^107 has an order that divides this (8.4).
SMALL_ORDERS = 132
POWER_CHALLENGES = ("shuffle.x", "hadamard.x", "hadamard.y", "zero.x", "multi-exponentiation.x")


@dataclass(frozen=True)
class Shape:
    """Rows m and columns n of the matrix for a list of ``count`` ciphertexts of ``width`` pairs."""

    count: int
    width: int
    m: int
    n: int

    @property
    def generators(self) -> int:
        """How many message generators are in use."""
        return max(self.n, self.width)

    @property
    def proof_bytes(self) -> int:
        """Size of a proof (8.5)."""
        return 32 * (7 * self.m + 4 * self.m * self.width + 5 * self.n + 2 * self.width + 15)


def shape_of(count: int, width: int) -> Shape:
    """The table of section 8.2, for a count of at least 1."""
    if count < 5:
        return Shape(count, width, 2, 2)
    m = 3 if count < 100 else 15 if count < 200_000 else 63
    return Shape(count, width, m, -(-count // m))


@dataclass(frozen=True)
class ShuffleStatement:
    """What is claimed, all lengths being right."""

    shape: Shape
    public_key: bytes
    inputs: Buffer
    outputs: Buffer


@dataclass(frozen=True)
class ShuffleProof:
    """The messages of section 8.5: elements and scalars by name. All are canonical."""

    elements: Mapping[str, bytes]
    scalars: Mapping[str, ScalarVector]
    encodings: Mapping[str, bytes]  # of the scalars, for the transcript

    def item(self, name: str, index: int) -> bytes:
        """Encoding of one element."""
        return self.elements[name][32 * index : 32 * index + 32]


def _layout(shape: Shape) -> list[tuple[str, int, bool]]:
    """Name, number of items, and whether they are elements, in the order of the proof."""
    m, n, w = shape.m, shape.n, shape.width
    return [
        ("c_A", m, True),
        ("c_B", m, True),
        ("c_b", 1, True),
        ("c_U", m, True),
        ("c_V0", 1, True),
        ("c_Wm+1", 1, True),
        ("c_D", 2 * m + 1, True),
        ("vo", n, False),
        ("wo", n, False),
        ("ro", 1, False),
        ("so", 1, False),
        ("to", 1, False),
        ("c_d", 1, True),
        ("c_delta", 1, True),
        ("c_Delta", 1, True),
        ("as", n, False),
        ("bs", n, False),
        ("rs", 1, False),
        ("ss", 1, False),
        ("c_M0", 1, True),
        ("c_N", 2 * m, True),
        ("E", 4 * m * w, True),
        ("ae", n, False),
        ("re", 1, False),
        ("be", w, False),
        ("se", 1, False),
        ("te", w, False),
    ]


def decode_proof(shape: Shape, proof: bytes, group: Group) -> ShuffleProof:
    """Cut a proof of the right size into its messages.

    Raises:
        DecodeError: an element or a scalar is not canonical.
    """
    elements: dict[str, bytes] = {}
    encodings: dict[str, bytes] = {}
    at = 0
    for name, count, is_element in _layout(shape):
        (elements if is_element else encodings)[name] = proof[at : at + 32 * count]
        at += 32 * count
    group.elements_decode(b"".join(elements.values()), allow_identity=True)
    scalars = {name: group.scalars_decode(encoding) for name, encoding in encodings.items()}
    return ShuffleProof(elements, scalars, encodings)


#: The transcript's steps (8.4): label and message of the proof, or label of a challenge.
_STEPS: tuple[tuple[str, str | None], ...] = (
    ("shuffle.c_A", "c_A"),
    ("shuffle.x", None),
    ("shuffle.c_B", "c_B"),
    ("shuffle.y", None),
    ("shuffle.z", None),
    ("product.c_b", "c_b"),
    ("hadamard.c_B", "c_U"),
    ("hadamard.x", None),
    ("hadamard.y", None),
    ("zero.c_A0", "c_V0"),
    ("zero.c_Bm+1", "c_Wm+1"),
    ("zero.c_D", "c_D"),
    ("zero.x", None),
    ("zero.a", "vo"),
    ("zero.b", "wo"),
    ("zero.r", "ro"),
    ("zero.s", "so"),
    ("zero.t", "to"),
    ("single-value.c_d", "c_d"),
    ("single-value.c_delta", "c_delta"),
    ("single-value.c_Delta", "c_Delta"),
    ("single-value.x", None),
    ("single-value.a", "as"),
    ("single-value.b", "bs"),
    ("single-value.r", "rs"),
    ("single-value.s", "ss"),
    ("multi-exponentiation.c_A0", "c_M0"),
    ("multi-exponentiation.c_B", "c_N"),
    ("multi-exponentiation.E", "E"),
    ("multi-exponentiation.x", None),
)


def context_transcript(fingerprint: bytes, contest: str, group_id: str, stage: int, mixer: str) -> Transcript:
    """The caller's part of the transcript (8.4)."""
    transcript = Transcript("evoting/v1/mix")
    transcript.append("fingerprint", fingerprint)
    transcript.append("contest", contest)
    transcript.append("group", group_id)
    transcript.append("stage", stage)
    transcript.append("mixer", mixer)
    return transcript


def shuffle_challenges(
    transcript: Transcript, statement: ShuffleStatement, proof: ShuffleProof, group: Group
) -> dict[str, int]:
    """Bind the statement, go through the messages and give the challenges by label."""
    shape = statement.shape
    generators = commitment_generators(group, shape.generators)
    transcript.append("count", shape.count)
    transcript.append("width", shape.width)
    transcript.append("rows", shape.m)
    transcript.append("columns", shape.n)
    transcript.append("public-key", statement.public_key)
    transcript.append("generators", hashlib.sha512(generators).digest())
    transcript.append("inputs", hashlib.sha512(statement.inputs).digest())
    transcript.append("outputs", hashlib.sha512(statement.outputs).digest())
    challenges: dict[str, int] = {}
    for label, name in _STEPS:
        if name is None:
            challenges[label] = transcript.challenge(label)
        else:
            transcript.append(label, proof.elements[name] if name in proof.elements else proof.encodings[name])
    return challenges


def unusable_challenges(challenges: Mapping[str, int]) -> list[str]:
    """Labels of challenges that are zero, or power challenges of small order (8.4)."""
    return [
        label
        for label, challenge in challenges.items()
        if challenge == 0 or (label in POWER_CHALLENGES and pow(challenge, SMALL_ORDERS, ORDER) == 1)
    ]
