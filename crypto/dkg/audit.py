"""Everything that follows from a ceremony's transcript, recomputed (docs/spec/04-ceremonies.md sections 4.4 to 4.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crypto.dkg.bodies import Reveal
from crypto.dkg.errors import InvalidCeremony
from crypto.dkg.key_group import Elements
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.shamir import evaluate_commitments
from crypto.dkg.transcript import (
    Attempt,
    decode_transcript,
    open_round,
    transcript_hash,
)
from crypto.dkg.verdict import (
    AttemptContext,
    Culprit,
    judge_commits,
    judge_confirmations,
    judge_reveals,
    judge_shares,
)
from crypto.errors import CeremonyError


@dataclass(frozen=True)
class InstanceKey:
    """One key that the ceremony made.

    Attributes:
        joint_key: the public key.
        verification_keys: by index; zero bytes where a participant was excluded.
    """

    label: str
    joint_key: bytes
    verification_keys: tuple[bytes, ...]


@dataclass(frozen=True)
class CeremonyOutcome:
    """What a successful ceremony gives everybody.

    Attributes:
        participants: indices that hold a key share.
        keys: one for each label, in order.
    """

    attempts: tuple[Attempt, ...]
    participants: tuple[int, ...]
    keys: tuple[InstanceKey, ...]

    @property
    def excluded(self) -> tuple[Culprit, ...]:
        """Everybody who was named in some attempt, in order of attempts."""
        return tuple(culprit for attempt in self.attempts for culprit in attempt.culprits)

    def key(self, label: str) -> InstanceKey:
        return next(key for key in self.keys if key.label == label)


def next_participants(parameters: CeremonyParameters, history: Sequence[Attempt]) -> tuple[int, ...]:
    """Who takes part in the attempt after these.

    Raises:
        CeremonyError: fewer than the threshold remain: the ceremony has failed.
    """
    participants = history[-1].remaining() if history else parameters.indices
    if len(participants) < parameters.threshold:
        raise CeremonyError(
            f"the ceremony has failed: {len(participants)} participants remain and it takes {parameters.threshold}"
        )
    return participants


def derive_outcome(
    parameters: CeremonyParameters, attempts: Sequence[Attempt], reveals: Mapping[int, Reveal]
) -> CeremonyOutcome:
    """Joint keys and verification keys of a successful last attempt.

    Raises:
        InvalidCeremony: rule ``joint-key`` or ``verification-keys``: one is the identity.
    """
    group, participants = parameters.group, attempts[-1].participants
    keys = []
    for position, label in enumerate(parameters.labels):
        joint = _sum([reveals[index].instances[position].elements for index in participants])
        joint_key = joint[0:1]
        if group.is_identity(joint_key):
            raise InvalidCeremony("joint-key", f"the joint key {label!r} is the identity")
        verification_keys = []
        for index in parameters.indices:
            if index not in participants:
                verification_keys.append(bytes(group.element_bytes))
                continue
            verification_key = evaluate_commitments(group, joint, index)
            if group.is_identity(verification_key):
                raise InvalidCeremony("verification-keys", f"the verification key {label!r} is the identity", index)
            verification_keys.append(verification_key.encode())
        keys.append(InstanceKey(label, joint_key.encode(), tuple(verification_keys)))
    return CeremonyOutcome(tuple(attempts), participants, tuple(keys))


def require_published_keys(key: InstanceKey, joint_key: bytes, verification_keys: bytes) -> None:
    """Check that published keys are those of the ceremony.

    Args:
        verification_keys: by index, concatenated.

    Raises:
        InvalidCeremony: rule ``joint-key`` or ``verification-keys``.
    """
    if joint_key != key.joint_key:
        raise InvalidCeremony("joint-key", f"the published key {key.label!r} is not that of the ceremony")
    if verification_keys != b"".join(key.verification_keys):
        raise InvalidCeremony(
            "verification-keys", f"the published verification keys {key.label!r} are not those of the ceremony"
        )


def _sum(vectors: Sequence[Elements]) -> Elements:
    total = vectors[0]
    for vector in vectors[1:]:
        total = total + vector
    return total


def audit_attempt(
    parameters: CeremonyParameters, history: Sequence[Attempt], attempt: Attempt
) -> dict[int, Reveal] | None:
    """Judge an attempt again and compare with the culprits it states.

    Returns:
        everybody's commitments where the attempt succeeded, None where it failed.

    Raises:
        InvalidCeremony: names the rule, and the participant where one is to blame.
    """
    number = len(history) + 1
    try:
        participants = next_participants(parameters, history)
    except CeremonyError as error:
        raise InvalidCeremony("attempts", str(error)) from None
    if attempt.number != number or attempt.participants != participants:
        raise InvalidCeremony("attempts", f"attempt {number} has another number or other participants")
    context = AttemptContext(parameters, number, participants)
    rounds = [
        open_round(parameters, number, participants, index, messages)
        for index, messages in enumerate(attempt.rounds, start=1)
    ]
    last = len(rounds)

    commits = judge_commits(context, rounds[0])
    if commits.culprits or last == 1:
        _compare(attempt, commits.culprits, 1)
        return None
    reveals = judge_reveals(context, rounds[1], commits.contents)
    if reveals.culprits or last == 2:
        _compare(attempt, reveals.culprits, 2)
        return None
    shares = judge_shares(context, rounds[2])
    if shares.culprits or last == 3:
        _compare(attempt, shares.culprits, 3)
        return None
    agreed = transcript_hash(parameters, history, attempt)
    confirmations = judge_confirmations(context, rounds[3], commits.contents, reveals.contents, shares.contents, agreed)
    _compare(attempt, confirmations.culprits, 4)
    return None if confirmations.culprits else dict(reveals.contents)


def _compare(attempt: Attempt, culprits: tuple[Culprit, ...], round_number: int) -> None:
    """Compare a verdict with the one recorded.

    Raises:
        InvalidCeremony: somebody is missing from it, is in it wrongly, or the attempt ends in another round.
    """
    where = f"attempt {attempt.number}, round {round_number}"
    stated = {culprit.participant for culprit in attempt.culprits}
    for culprit in culprits:
        if culprit.participant not in stated:
            raise InvalidCeremony(
                culprit.reason, f"{where}: participant {culprit.participant} is to blame", culprit.participant
            )
    if culprits != attempt.culprits:
        raise InvalidCeremony("verdict", f"{where}: the recorded culprits are not those of the messages")
    if len(attempt.rounds) != round_number:
        raise InvalidCeremony("attempts", f"{where}: the attempt goes on after somebody was named")
    if not culprits and round_number < 4:
        raise InvalidCeremony("attempts", f"{where}: the attempt ends although nobody was named")


def audit_ceremony(parameters: CeremonyParameters, transcript: bytes) -> CeremonyOutcome:
    """Recompute everything from the transcript blob.

    Raises:
        InvalidCeremony: names the rule of section 4.7 that is broken, and the participant where one is to blame.

    Cost: for c instances, n participants and threshold t, about c*n*(n*t + 2) multiplications.
    """
    history: list[Attempt] = []
    attempts = decode_transcript(parameters, transcript)
    for position, attempt in enumerate(attempts, start=1):
        reveals = audit_attempt(parameters, history, attempt)
        history.append(attempt)
        if reveals is not None:
            if position != len(attempts):
                raise InvalidCeremony("attempts", "the transcript goes on after the ceremony has succeeded")
            return derive_outcome(parameters, history, reveals)
    raise InvalidCeremony("attempts", "the last attempt did not succeed")
