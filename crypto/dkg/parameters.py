"""What a ceremony is about: everything here comes from the manifest (docs/spec/04-ceremonies.md section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crypto.dkg.key_group import G2KeyGroup, KeyGroup, RistrettoKeyGroup
from crypto.group.interface import Group, PairingGroup
from crypto.hashing import u64

TRUSTEES = "trustees"
ISSUERS = "issuers"
ELECTION_KEY = "election-key"
MAX_PARTICIPANTS = 255


@dataclass(frozen=True)
class Role:
    """A participant as the manifest names it."""

    id: str
    key: bytes


@dataclass(frozen=True)
class CeremonyParameters:
    """One ceremony. Participant i is ``roles[i - 1]``; indices start at 1.

    Attributes:
        threshold: how many shares it takes; polynomials have exactly so many coefficients.
        labels: one key is made for each.
        group: where the keys live.
        transport: ristretto255, for receiver keys and boxes.
    """

    kind: str
    manifest_hash: bytes
    roles: tuple[Role, ...]
    threshold: int
    labels: tuple[str, ...]
    group: KeyGroup
    transport: RistrettoKeyGroup

    def __post_init__(self) -> None:
        if len(self.manifest_hash) != 32:
            raise ValueError("a manifest hash has 32 bytes")
        if not 1 <= self.threshold <= len(self.roles) <= MAX_PARTICIPANTS:
            raise ValueError(f"a threshold of {self.threshold} among {len(self.roles)} participants is impossible")
        if len({role.id for role in self.roles}) != len(self.roles):
            raise ValueError("two participants have the same role")
        if len({role.key for role in self.roles}) != len(self.roles):
            raise ValueError("two participants have the same role key")
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError("a ceremony needs instances with different labels")

    @property
    def indices(self) -> tuple[int, ...]:
        return tuple(range(1, len(self.roles) + 1))

    def index_of(self, role_id: str) -> int | None:
        """The index of a role, or None for somebody else."""
        for index, role in enumerate(self.roles, start=1):
            if role.id == role_id:
                return index
        return None

    def context(self, attempt: int) -> tuple[bytes, bytes, bytes]:
        """The three frames that bind every proof and key to its attempt."""
        return self.manifest_hash, self.kind.encode(), u64(attempt)


def trustee_ceremony(group: Group, manifest_hash: bytes, roles: Sequence[Role], threshold: int) -> CeremonyParameters:
    """The ceremony that makes the election key."""
    adapter = RistrettoKeyGroup(group)
    return CeremonyParameters(TRUSTEES, manifest_hash, tuple(roles), threshold, (ELECTION_KEY,), adapter, adapter)


def issuer_ceremony(
    group: Group,
    pairing: PairingGroup,
    manifest_hash: bytes,
    roles: Sequence[Role],
    threshold: int,
    styles: Sequence[str],
) -> CeremonyParameters:
    """The ceremony that makes one issuance key for each ballot style.

    Raises:
        ValueError: 2k <= m, so that one corrupt issuer could serve two requests of one voter; or as the class.
    """
    if 2 * threshold <= len(roles):
        raise ValueError(f"{threshold} of {len(roles)} issuers: the threshold must exceed half of the issuers")
    return CeremonyParameters(
        ISSUERS,
        manifest_hash,
        tuple(roles),
        threshold,
        tuple(styles),
        G2KeyGroup(pairing),
        RistrettoKeyGroup(group),
    )
