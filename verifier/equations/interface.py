"""What the framework (``verifier/checks``) hands to the equations and what it expects back.

Only data: no file, no clock. Every value of type ``bytes`` comes from the record and is hostile until an equation has
decoded it; lengths that a docstring states were checked by the framework. ``Buffer`` may be a memory map of a large
blob: slice it and copy pieces (``bytes(view[a:b])``), never the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from verifier.failure import Failure

Buffer: TypeAlias = bytes | memoryview
#: ``randomness(n)`` gives n fresh, unpredictable bytes (weights of batch verification).
Randomness: TypeAlias = Callable[[int], bytes]


@dataclass(frozen=True)
class ContestShape:
    """One contest of a ballot style, as far as equations need it."""

    id: str
    kind: Literal["homomorphic", "mixed"]
    position: int  # index in the style, from 0: it enters the challenge
    options: int = 0  # homomorphic: k
    minimum: int = 0  # homomorphic: fewest selections
    maximum: int = 0  # homomorphic: most selections
    width: int = 0  # mixed: ciphertexts per ballot
    code_book: bytes = b""  # mixed: elements of all codes in order; equal to the derived ones (checked before)

    @property
    def ciphertexts(self) -> int:
        """Ciphertexts of 64 bytes on one ballot."""
        return self.options if self.kind == "homomorphic" else self.width

    @property
    def commitments(self) -> int:
        """Commitments of 32 bytes (section 6.2: 2(2k + |V_S|); section 6.3: w)."""
        if self.kind == "mixed":
            return self.width
        return 2 * (2 * self.options + self.maximum - self.minimum + 1)

    @property
    def scalars(self) -> int:
        """Scalars of 32 bytes (section 6.2: 3k + 2|V_S| - 1; section 6.3: w)."""
        if self.kind == "mixed":
            return self.width
        return 3 * self.options + 2 * (self.maximum - self.minimum + 1) - 1


@dataclass(frozen=True)
class StyleShape:
    """One ballot style."""

    id: str
    contests: tuple[ContestShape, ...]
    issuance_key: bytes  # 96 bytes, G2


@dataclass(frozen=True)
class Election:
    """What every later equation is bound to."""

    fingerprint: bytes  # 32
    manifest_hash: bytes  # 32
    public_key: bytes  # 32, the trustees' joint key K; canonical and not the identity (checked before)


@dataclass(frozen=True)
class ContestColumns:
    """One contest of all rows of a batch, row after row."""

    ciphertexts: bytes  # rows * shape.ciphertexts * 64
    commitments: bytes  # rows * shape.commitments * 32
    scalars: bytes  # rows * shape.scalars * 32


@dataclass(frozen=True)
class BallotBatch:
    """Ballots, or challenges, of one style: well-formed CBOR with the right election, style, counts and lengths.

    What is *not* yet checked: canonical points and scalars, identities, credential, signature, proofs, openings.
    """

    kind: Literal["ballot", "challenge"]
    style: StyleShape
    pseudonyms: bytes  # rows * 32
    credentials: bytes  # rows * 48
    signatures: bytes  # rows * 64
    messages: Sequence[bytes]  # what the pseudonym signed: body, or frame(body) || frame(opening) for challenges
    contests: tuple[ContestColumns, ...]  # as style.contests

    def __len__(self) -> int:
        return len(self.messages)


@dataclass(frozen=True)
class ContestOpening:
    """One contest of an opening (section 6.6), all of it well-formed and of the right counts."""

    selections: tuple[int, ...]
    randomizers: bytes  # options * 32, or width * 32


@dataclass(frozen=True)
class CeremonyResult:
    """What a transcript gives, and all that is wrong with it."""

    failures: tuple[Failure, ...]
    joint_keys: Mapping[str, bytes] | None = None  # label -> 32 or 96 bytes; None where it could not be computed
    verification_keys: Mapping[str, bytes] | None = None  # label -> n * 32 or 96 bytes by index, zero bytes: excluded
    holders: frozenset[int] = field(default_factory=frozenset)  # indices that hold a key


@dataclass(frozen=True)
class PostedFactors:
    """A ``decryption`` entry with its blob."""

    trustee: int
    verification_key: bytes  # 32; all zero where the trustee holds none
    list_hash: bytes  # 32, as the entry states it
    factors: Buffer  # of any length
    proof: bytes  # 64
