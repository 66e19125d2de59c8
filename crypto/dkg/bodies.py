"""The bodies of the five message types, decoded so far that only their mathematics is left to judge.

docs/spec/04-ceremonies.md section 4.2. Every ``decode_*`` raises ``DecodeError`` for what the specification calls
``malformed``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crypto import cbor
from crypto.dkg.key_group import Elements
from crypto.dkg.messages import Message, as_map, field
from crypto.dkg.parameters import CeremonyParameters
from crypto.errors import DecodeError
from crypto.proofs import schnorr

_HEADER = {"kind", "attempt", "sender"}
BOX_OVERHEAD = 16


@dataclass(frozen=True)
class Commit:
    """Round 1: the hash of the next message, and the key to which shares are encrypted."""

    commitment: bytes
    receiver_key: bytes
    possession: bytes


@dataclass(frozen=True)
class Instance:
    """One polynomial's public part: commitments to its coefficients."""

    label: str
    commitments: bytes
    elements: Elements
    possession: bytes


@dataclass(frozen=True)
class Reveal:
    """Round 2: an instance for every key."""

    body: bytes
    instances: tuple[Instance, ...]


@dataclass(frozen=True)
class SealedShares:
    """What a dealer sends to one receiver."""

    point: bytes
    box: bytes


@dataclass(frozen=True)
class Confirmation:
    """Round 4: the hash of the transcript that the receiver agrees to."""

    transcript: bytes


@dataclass(frozen=True)
class Complaint:
    """Round 4: a receiver's accusation of one dealer, with the key to the box."""

    dealer: int
    point: bytes
    proof: bytes


def _sized(fields: dict[str, object], name: str, size: int) -> bytes:
    value = field(fields, name, bytes)
    if len(value) != size:
        raise DecodeError(f"{name!r} has {len(value)} bytes, not {size}")
    return value


def _open_body(message: Message, keys: set[str]) -> dict[str, object]:
    body = cbor.decode(message.envelope.body)
    return as_map(body, f"the body of a {message.envelope.type}", _HEADER | keys)


def decode_commit(parameters: CeremonyParameters, message: Message) -> Commit:
    """The content of a ``commit``."""
    fields = _open_body(message, {"commitment", "receiver-key", "possession"})
    receiver_key = _sized(fields, "receiver-key", parameters.transport.element_bytes)
    parameters.transport.decode(receiver_key)
    possession = field(fields, "possession", bytes)
    schnorr.decode_proof(parameters.transport, possession)
    return Commit(_sized(fields, "commitment", 32), receiver_key, possession)


def decode_reveal(parameters: CeremonyParameters, message: Message) -> Reveal:
    """The content of a ``reveal``; the number of commitments is not looked at."""
    items = field(_open_body(message, {"instances"}), "instances", list)
    if len(items) != len(parameters.labels):
        raise DecodeError(f"{len(items)} instances, not {len(parameters.labels)}")
    instances = []
    for item, label in zip(items, parameters.labels, strict=True):
        fields = as_map(item, "an instance", {"label", "commitments", "possession"})
        if field(fields, "label", str) != label:
            raise DecodeError(f"the instance is not labelled {label!r}")
        commitments = field(fields, "commitments", bytes)
        if not commitments or len(commitments) % parameters.group.element_bytes:
            raise DecodeError("commitments are not a whole number of elements")
        possession = field(fields, "possession", bytes)
        schnorr.decode_proof(parameters.group, possession)
        instances.append(Instance(label, commitments, parameters.group.decode(commitments), possession))
    return Reveal(message.envelope.body, tuple(instances))


def decode_shares(
    parameters: CeremonyParameters, message: Message, participants: Sequence[int]
) -> dict[int, SealedShares]:
    """The content of a ``shares``: what every other participant gets."""
    items = field(_open_body(message, {"shares"}), "shares", list)
    receivers = [index for index in participants if index != message.sender]
    if len(items) != len(receivers):
        raise DecodeError(f"{len(items)} boxes for {len(receivers)} receivers")
    shares = {}
    for item, receiver in zip(items, receivers, strict=True):
        fields = as_map(item, "a share", {"receiver", "point", "box"})
        if field(fields, "receiver", int) != receiver:
            raise DecodeError("receivers are not the other participants in order")
        point = _sized(fields, "point", parameters.transport.element_bytes)
        parameters.transport.decode(point)
        box = _sized(fields, "box", 32 * len(parameters.labels) + BOX_OVERHEAD)
        shares[receiver] = SealedShares(point, box)
    return shares


def decode_confirmation(message: Message) -> Confirmation:
    """The content of a ``confirm``."""
    return Confirmation(_sized(_open_body(message, {"transcript"}), "transcript", 32))


def decode_complaints(
    parameters: CeremonyParameters, message: Message, participants: Sequence[int]
) -> tuple[Complaint, ...]:
    """The content of a ``complaint``: one item or more."""
    items = field(_open_body(message, {"complaints"}), "complaints", list)
    complaints: list[Complaint] = []
    for item in items:
        fields = as_map(item, "a complaint", {"dealer", "point", "proof"})
        dealer = field(fields, "dealer", int)
        if dealer not in participants or dealer == message.sender:
            raise DecodeError("a complaint is not about another participant")
        if complaints and complaints[-1].dealer >= dealer:
            raise DecodeError("dealers are not ascending")
        point = _sized(fields, "point", parameters.transport.element_bytes)
        parameters.transport.decode(point)
        proof = field(fields, "proof", bytes)
        schnorr.decode_proof(parameters.transport, proof)
        complaints.append(Complaint(dealer, point, proof))
    if not complaints:
        raise DecodeError("a complaint about nobody")
    return tuple(complaints)
