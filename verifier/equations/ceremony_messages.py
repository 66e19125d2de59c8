"""A ceremony's transcript and messages; docs/spec/04-ceremonies.md sections 4.2, 4.5 and ``malformed`` of 4.4."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crypto.errors import DecodeError
from verifier.equations.ceremony_groups import BlsCeremony, CeremonyGroup, RistrettoCeremony
from verifier.hashing import sha
from verifier.record import cbor, schema
from verifier.record.errors import FormatError
from verifier.record.schema import array, identifier, octets, one_of, record, text, uint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.group import Group, PairingGroup

MAX_TRANSCRIPT_BYTES = 64 << 20
MAX_ENVELOPE_BYTES = 4 << 20
#: Types of the messages of rounds 1 to 4.
ROUND_TYPES = (("commit",), ("reveal",), ("shares",), ("confirm", "complaint"))
TAG_BYTES = 16

ENVELOPE = record(
    {
        "type": one_of(*[name for names in ROUND_TYPES for name in names]),
        "body": octets(),
        "role": identifier,
        "signature": octets(64),
    }
)
TRANSCRIPT = record(
    {
        "format": one_of("evoting-ceremony/v1"),
        "kind": one_of("trustees", "issuers"),
        "manifest": octets(32),
        "attempts": array(
            record(
                {
                    "number": uint,
                    "participants": array(uint, minimum=1),
                    "rounds": array(array(ENVELOPE), minimum=1, maximum=4),
                    "culprits": array(record({"participant": uint, "reason": text})),
                }
            ),
            minimum=1,
        ),
    }
)


def _body(**fields: schema.Schema) -> schema.Schema:
    header = {"kind": one_of("trustees", "issuers"), "attempt": uint, "sender": uint}
    return record(header | {name.replace("_", "-"): check for name, check in fields.items()})


_INSTANCE = record({"label": identifier, "commitments": octets(), "possession": octets(64)})
_SHARE = record({"receiver": uint, "point": octets(32), "box": octets()})
_COMPLAINT = record({"dealer": uint, "point": octets(32), "proof": octets(64)})
BODIES = {
    "commit": _body(commitment=octets(32), receiver_key=octets(32), possession=octets(64)),
    "reveal": _body(instances=array(_INSTANCE, minimum=1)),
    "shares": _body(shares=array(_SHARE)),
    "confirm": _body(transcript=octets(32)),
    "complaint": _body(complaints=array(_COMPLAINT, minimum=1)),
}


@dataclass(frozen=True)
class Ceremony:
    """Parameters of section 4.1."""

    kind: str
    manifest_hash: bytes
    roles: Sequence[tuple[str, bytes]]  # by index - 1: role id, Ed25519 key
    threshold: int
    labels: Sequence[str]
    receivers: CeremonyGroup  # of receiver keys
    group: CeremonyGroup  # of the instances

    def role(self, index: int) -> str | None:
        """Role id of a participant."""
        return self.roles[index - 1][0] if 1 <= index <= len(self.roles) else None


def make_ceremony(
    kind: str,
    manifest_hash: bytes,
    roles: Sequence[tuple[str, bytes]],
    threshold: int,
    labels: Sequence[str],
    group: Group,
    pairing: PairingGroup,
) -> Ceremony:
    """Choose the groups by the kind."""
    receivers = RistrettoCeremony(group)
    instances = receivers if kind == "trustees" else BlsCeremony(pairing)
    return Ceremony(kind, manifest_hash, roles, threshold, labels, receivers, instances)


@dataclass
class Attempt:
    """One attempt: the messages by round and sender. ``bodies`` holds what is well-formed, decoded."""

    ceremony: Ceremony
    number: int
    participants: list[int]
    before: bytes  # hash that every participant must confirm in round 4
    messages: list[dict[int, list[tuple[str, bytes]]]] = field(default_factory=list)  # type, body
    bodies: list[dict[int, dict[str, Any]]] = field(default_factory=list)
    upheld: dict[tuple[int, int], bool] = field(default_factory=dict)  # complaints by receiver and dealer

    @property
    def context(self) -> tuple[bytes, str, int]:
        """The three values that every hash of the attempt is bound to."""
        return self.ceremony.manifest_hash, self.ceremony.kind, self.number


def confirmed_hash(transcript: dict[str, Any], attempt: int) -> bytes:
    """``transcript`` of round 4 in the attempt at this position: the hash of everything before the round."""
    attempts = transcript["attempts"][: attempt + 1]
    last = attempts[attempt] | {"rounds": attempts[attempt]["rounds"][:3], "culprits": []}
    shortened = transcript | {"attempts": [*attempts[:attempt], last]}
    return sha("evoting/v1/ceremony-transcript", cbor.encode(shortened))


def decode_body(attempt: Attempt, sender: int, kind: str, body: bytes) -> dict[str, Any] | None:
    """The decoded body, or None where it is malformed in the sense of section 4.4."""
    checks = {
        "commit": _commit_formed,
        "reveal": _reveal_formed,
        "shares": _shares_formed,
        "confirm": lambda *_: True,
        "complaint": _complaint_formed,
    }
    try:
        decoded: dict[str, Any] = schema.decode_as(body, BODIES[kind], kind)
        return decoded if checks[kind](attempt, sender, decoded) else None
    except (FormatError, DecodeError):
        return None


def _proof_formed(group: CeremonyGroup, proof: bytes) -> bool:
    """Both scalars canonical, c not zero."""
    return group.decode_scalars(proof)[0] != 0


def _commit_formed(attempt: Attempt, sender: int, body: dict[str, Any]) -> bool:
    receivers = attempt.ceremony.receivers
    receivers.check_elements(body["receiver-key"])
    return _proof_formed(receivers, body["possession"])


def _reveal_formed(attempt: Attempt, sender: int, body: dict[str, Any]) -> bool:
    group = attempt.ceremony.group
    if [instance["label"] for instance in body["instances"]] != list(attempt.ceremony.labels):
        return False
    for instance in body["instances"]:
        group.check_elements(instance["commitments"])
    return all(_proof_formed(group, instance["possession"]) for instance in body["instances"])


def _shares_formed(attempt: Attempt, sender: int, body: dict[str, Any]) -> bool:
    others = [participant for participant in attempt.participants if participant != sender]
    if [share["receiver"] for share in body["shares"]] != others:
        return False
    attempt.ceremony.receivers.check_elements(b"".join([share["point"] for share in body["shares"]]))
    size = 32 * len(attempt.ceremony.labels) + TAG_BYTES
    return all(len(share["box"]) == size for share in body["shares"])


def _complaint_formed(attempt: Attempt, sender: int, body: dict[str, Any]) -> bool:
    receivers = attempt.ceremony.receivers
    dealers = [complaint["dealer"] for complaint in body["complaints"]]
    if dealers != sorted(set(dealers)) or sender in dealers or not set(dealers) <= set(attempt.participants):
        return False
    receivers.check_elements(b"".join([complaint["point"] for complaint in body["complaints"]]))
    return all(_proof_formed(receivers, complaint["proof"]) for complaint in body["complaints"])
