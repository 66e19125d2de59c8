"""Who is to blame after a round (docs/spec/04-ceremonies.md section 4.4), from public messages alone.

Participants, observers and the office all run this and come to the same verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from crypto.dkg.bodies import (
    Commit,
    Complaint,
    Confirmation,
    Reveal,
    SealedShares,
    decode_commit,
    decode_complaints,
    decode_confirmation,
    decode_reveal,
    decode_shares,
)
from crypto.dkg.boxes import BoxContext, open_shares, verify_complaint
from crypto.dkg.messages import CONFIRM, Message
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.shamir import evaluate_commitments
from crypto.errors import DecodeError, InvalidProof
from crypto.hashing import sha, u64
from crypto.proofs.schnorr import verify_possession

MISSING = "missing"
EQUIVOCATION = "equivocation"
MALFORMED = "malformed"
DEGREE = "degree"
COMMITMENT = "commitment"
RECEIVER_KEY = "receiver-key"
POSSESSION = "possession"
TRANSCRIPT = "transcript"
FALSE_COMPLAINT = "false-complaint"
BAD_SHARE = "bad-share"

REASONS = (
    MISSING,
    EQUIVOCATION,
    MALFORMED,
    DEGREE,
    COMMITMENT,
    RECEIVER_KEY,
    POSSESSION,
    TRANSCRIPT,
    FALSE_COMPLAINT,
    BAD_SHARE,
)

_Content_co = TypeVar("_Content_co", covariant=True)


@dataclass(frozen=True, order=True)
class Culprit:
    """A participant who is excluded, and why."""

    participant: int
    reason: str


@dataclass(frozen=True)
class Judged(Generic[_Content_co]):
    """A round: the content of every message in order, by sender, and whoever is to blame."""

    contents: Mapping[int, _Content_co]
    culprits: tuple[Culprit, ...]


@dataclass(frozen=True)
class AttemptContext:
    """Which attempt is judged, and who takes part."""

    parameters: CeremonyParameters
    number: int
    participants: tuple[int, ...]

    def box(self, dealer: int, receiver: int, commits: Mapping[int, Commit]) -> BoxContext:
        return BoxContext(self.parameters, self.number, dealer, receiver, commits[receiver].receiver_key)


def _judge(
    context: AttemptContext, messages: Sequence[Message], read: Callable[[Message], _Content_co | str]
) -> tuple[dict[int, _Content_co], dict[int, str]]:
    """Contents by sender, and reasons by culprit; ``read`` returns the content or the reason against its sender."""
    contents: dict[int, _Content_co] = {}
    reasons: dict[int, str] = {}
    for participant in context.participants:
        own = [message for message in messages if message.sender == participant]
        if len(own) != 1:
            reasons[participant] = EQUIVOCATION if own else MISSING
            continue
        try:
            content = read(own[0])
        except DecodeError:
            reasons[participant] = MALFORMED
            continue
        if isinstance(content, str):
            reasons[participant] = content
        else:
            contents[participant] = content
    return contents, reasons


def _culprits(reasons: Mapping[int, str]) -> tuple[Culprit, ...]:
    return tuple(Culprit(participant, reasons[participant]) for participant in sorted(reasons))


def judge_commits(context: AttemptContext, messages: Sequence[Message]) -> Judged[Commit]:
    """Round 1: everybody has a receiver key and knows its secret."""
    parameters = context.parameters

    def read(message: Message) -> Commit | str:
        commit = decode_commit(parameters, message)
        try:
            verify_possession(
                parameters.transport,
                "evoting/v1/ceremony-receiver-key",
                (*parameters.context(context.number), u64(message.sender)),
                commit.receiver_key,
                commit.possession,
            )
        except InvalidProof:
            return RECEIVER_KEY
        return commit

    contents, reasons = _judge(context, messages, read)
    return Judged(contents, _culprits(reasons))


def reveal_commitment(parameters: CeremonyParameters, body: bytes) -> bytes:
    """What a ``commit`` has to hold for this body of a ``reveal``."""
    return sha("evoting/v1/ceremony-commitment", parameters.manifest_hash, body)


def possession_context(parameters: CeremonyParameters, attempt: int, label: str, participant: int) -> tuple[bytes, ...]:
    """The frames before the commitments in the hash of an instance's proof of possession."""
    return (*parameters.context(attempt), label.encode(), u64(participant))


def judge_reveals(
    context: AttemptContext, messages: Sequence[Message], commits: Mapping[int, Commit]
) -> Judged[Reveal]:
    """Round 2: polynomials of the right degree, as committed to, by people who know their constant terms."""
    parameters = context.parameters

    def read(message: Message) -> Reveal | str:
        reveal = decode_reveal(parameters, message)
        if any(len(instance.elements) != parameters.threshold for instance in reveal.instances):
            return DEGREE
        if reveal_commitment(parameters, reveal.body) != commits[message.sender].commitment:
            return COMMITMENT
        try:
            for instance in reveal.instances:
                verify_possession(
                    parameters.group,
                    "evoting/v1/ceremony-possession",
                    possession_context(parameters, context.number, instance.label, message.sender),
                    instance.commitments,
                    instance.possession,
                )
        except InvalidProof:
            return POSSESSION
        return reveal

    contents, reasons = _judge(context, messages, read)
    return Judged(contents, _culprits(reasons))


def judge_shares(context: AttemptContext, messages: Sequence[Message]) -> Judged[dict[int, SealedShares]]:
    """Round 3: boxes for everybody. What is in them is for their receivers to say."""
    contents, reasons = _judge(
        context, messages, lambda message: decode_shares(context.parameters, message, context.participants)
    )
    return Judged(contents, _culprits(reasons))


def shares_fit(parameters: CeremonyParameters, reveal: Reveal, receiver: int, shares: Sequence[int]) -> bool:
    """The share equation in every instance."""
    return all(
        parameters.group.generate([share]).encode()
        == evaluate_commitments(parameters.group, instance.elements, receiver).encode()
        for share, instance in zip(shares, reveal.instances, strict=True)
    )


def judge_confirmations(
    context: AttemptContext,
    messages: Sequence[Message],
    commits: Mapping[int, Commit],
    reveals: Mapping[int, Reveal],
    shares: Mapping[int, Mapping[int, SealedShares]],
    transcript_hash: bytes,
) -> Judged[Confirmation | tuple[Complaint, ...]]:
    """Round 4: everybody agrees, or somebody complains and anyone can see who is right."""
    parameters = context.parameters

    def read(message: Message) -> Confirmation | tuple[Complaint, ...] | str:
        if message.envelope.type != CONFIRM:
            return decode_complaints(parameters, message, context.participants)
        confirmation = decode_confirmation(message)
        return confirmation if confirmation.transcript == transcript_hash else TRANSCRIPT

    contents: dict[int, Confirmation | tuple[Complaint, ...]]
    contents, reasons = _judge(context, messages, read)
    named: dict[int, str] = {}
    for receiver, content in contents.items():
        for complaint in content if isinstance(content, tuple) else ():
            dealer = complaint.dealer
            if dealer in reasons:
                continue
            box = context.box(dealer, receiver, commits)
            if _is_upheld(box, shares[dealer][receiver], complaint, reveals[dealer]):
                named.setdefault(dealer, BAD_SHARE)
            else:
                named[receiver] = FALSE_COMPLAINT
    return Judged(contents, _culprits(named | reasons))


def _is_upheld(box: BoxContext, sealed: SealedShares, complaint: Complaint, reveal: Reveal) -> bool:
    try:
        verify_complaint(box, sealed, complaint)
    except InvalidProof:
        return False
    try:
        values = open_shares(box, sealed, complaint.point)
    except DecodeError:
        return True
    return not shares_fit(box.parameters, reveal, box.receiver, values)
