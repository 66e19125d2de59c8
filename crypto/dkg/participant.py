"""One participant's way through an attempt: four rounds as four types, each consuming the one before.

docs/spec/04-ceremonies.md section 4.2. ``begin_attempt`` gives a ``Committed``; its ``receive`` takes everybody's
commits and gives a ``Revealed``, and so on to ``Completed``. Each holds the envelope to send. Where a round names
somebody, ``receive`` gives the failed ``Attempt`` instead, and the next one begins with it in the history.

Pure and deterministic: randomness is the seed, the signature is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from crypto.dkg.audit import CeremonyOutcome, derive_outcome, next_participants
from crypto.dkg.bodies import Commit, Reveal, SealedShares
from crypto.dkg.boxes import complain, open_shares, seal_shares, shared_point
from crypto.dkg.messages import (
    COMMIT,
    COMPLAINT,
    CONFIRM,
    REVEAL,
    SHARES,
    Envelope,
    Message,
    Signer,
    seal,
)
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.secrets import AttemptSecrets
from crypto.dkg.shamir import evaluate_polynomial
from crypto.dkg.transcript import (
    Attempt,
    encode_transcript,
    sort_round,
    transcript_hash,
)
from crypto.dkg.verdict import (
    AttemptContext,
    Judged,
    judge_commits,
    judge_confirmations,
    judge_reveals,
    judge_shares,
    possession_context,
    reveal_commitment,
    shares_fit,
)
from crypto.errors import CeremonyError, DecodeError
from crypto.hashing import u64
from crypto.proofs.schnorr import prove_possession


@dataclass(frozen=True)
class KeyShare:
    """One participant's secret share of one key."""

    label: str
    index: int
    secret: bytes = field(repr=False)
    verification_key: bytes
    joint_key: bytes


@dataclass(frozen=True)
class _Seat:
    """What stays the same through an attempt."""

    secrets: AttemptSecrets
    sign: Signer
    history: tuple[Attempt, ...]
    attempt: Attempt

    @property
    def parameters(self) -> CeremonyParameters:
        return self.secrets.parameters

    @property
    def context(self) -> AttemptContext:
        return AttemptContext(self.parameters, self.attempt.number, self.attempt.participants)

    def seal(self, message_type: str, body: Mapping[str, object]) -> Envelope:
        header: dict[str, object] = {
            "kind": self.parameters.kind,
            "attempt": self.attempt.number,
            "sender": self.secrets.index,
        }
        return seal(self.parameters, self.secrets.index, message_type, {**header, **body}, self.sign)

    def close_round(self, messages: Sequence[Message], judged: Judged[object], own: Envelope) -> _Seat | Attempt:
        """Append a judged round; the failed attempt if somebody was named."""
        if not any(message.envelope.body == own.body for message in messages):
            raise CeremonyError("this participant's own message is not among those of the round", self.secrets.index)
        envelopes = tuple(message.envelope for message in messages)
        attempt = replace(self.attempt, rounds=(*self.attempt.rounds, envelopes))
        if judged.culprits:
            return replace(attempt, culprits=judged.culprits)
        return replace(self, attempt=attempt)


@dataclass(frozen=True)
class Committed:
    """Round 1 sent; waits for everybody's commits."""

    seat: _Seat
    message: Envelope
    reveal: Envelope = field(repr=False)

    def receive(self, messages: Sequence[Message]) -> Revealed | Attempt:
        """Take all commits and disclose the polynomials' commitments."""
        messages = sort_round(messages)
        judged = judge_commits(self.seat.context, messages)
        seat = self.seat.close_round(messages, judged, self.message)
        if isinstance(seat, Attempt):
            return seat
        return Revealed(seat, self.reveal, judged.contents)


@dataclass(frozen=True)
class Revealed:
    """Round 2 sent; waits for everybody's reveals."""

    seat: _Seat
    message: Envelope
    commits: Mapping[int, Commit]

    def receive(self, messages: Sequence[Message]) -> Shared | Attempt:
        """Take all reveals and deal shares to everybody else."""
        messages = sort_round(messages)
        judged = judge_reveals(self.seat.context, messages, self.commits)
        seat = self.seat.close_round(messages, judged, self.message)
        if isinstance(seat, Attempt):
            return seat
        return Shared(seat, self._deal(seat), self.commits, judged.contents)

    def _deal(self, seat: _Seat) -> Envelope:
        parameters, secrets = seat.parameters, seat.secrets
        polynomials = [secrets.coefficients(label) for label in parameters.labels]
        items = []
        for receiver in seat.attempt.participants:
            if receiver == secrets.index:
                continue
            shares = [evaluate_polynomial(each, receiver, parameters.group.order) for each in polynomials]
            box = seat.context.box(secrets.index, receiver, self.commits)
            sealed = seal_shares(box, shares, secrets.ephemeral(receiver, box.receiver_key))
            items.append({"receiver": receiver, "point": sealed.point, "box": sealed.box})
        return seat.seal(SHARES, {"shares": items})


@dataclass(frozen=True)
class Shared:
    """Round 3 sent; waits for everybody's shares."""

    seat: _Seat
    message: Envelope
    commits: Mapping[int, Commit]
    reveals: Mapping[int, Reveal]

    def receive(self, messages: Sequence[Message]) -> Confirmed | Attempt:
        """Take all shares; confirm, or complain about every dealer whose share is not right."""
        messages = sort_round(messages)
        judged = judge_shares(self.seat.context, messages)
        seat = self.seat.close_round(messages, judged, self.message)
        if isinstance(seat, Attempt):
            return seat
        received: dict[int, list[int]] = {}
        complaints: list[dict[str, object]] = []
        for dealer, boxes in judged.contents.items():
            if dealer == seat.secrets.index:
                received[dealer] = self._own_shares(seat)
                continue
            shares = self._open(seat, dealer, boxes[seat.secrets.index])
            if shares is not None:
                received[dealer] = shares
                continue
            complaints.append(self._complain(seat, dealer, boxes[seat.secrets.index]))
        if complaints:
            message = seat.seal(COMPLAINT, {"complaints": complaints})
        else:
            agreed = transcript_hash(seat.parameters, seat.history, seat.attempt)
            message = seat.seal(CONFIRM, {"transcript": agreed})
        return Confirmed(seat, message, self.commits, self.reveals, judged.contents, received)

    def _own_shares(self, seat: _Seat) -> list[int]:
        parameters, secrets = seat.parameters, seat.secrets
        return [
            evaluate_polynomial(secrets.coefficients(label), secrets.index, parameters.group.order)
            for label in parameters.labels
        ]

    def _open(self, seat: _Seat, dealer: int, sealed: SealedShares) -> list[int] | None:
        """The shares from one dealer, or None where there is reason to complain."""
        box = seat.context.box(dealer, seat.secrets.index, self.commits)
        try:
            shares = open_shares(box, sealed, shared_point(box, sealed, seat.secrets.receiver_secret()))
        except DecodeError:
            return None
        return shares if shares_fit(seat.parameters, self.reveals[dealer], seat.secrets.index, shares) else None

    def _complain(self, seat: _Seat, dealer: int, sealed: SealedShares) -> dict[str, object]:
        box = seat.context.box(dealer, seat.secrets.index, self.commits)
        nonce = seat.secrets.complaint_nonce(dealer, sealed.point)
        complaint = complain(box, sealed, seat.secrets.receiver_secret(), nonce)
        return {"dealer": dealer, "point": complaint.point, "proof": complaint.proof}


@dataclass(frozen=True)
class Confirmed:
    """Round 4 sent; waits for everybody's confirmations or complaints."""

    seat: _Seat
    message: Envelope
    commits: Mapping[int, Commit]
    reveals: Mapping[int, Reveal]
    shares: Mapping[int, Mapping[int, SealedShares]]
    received: Mapping[int, list[int]] = field(repr=False)

    def receive(self, messages: Sequence[Message]) -> Completed | Attempt:
        """Take all confirmations and add up the key shares."""
        messages = sort_round(messages)
        agreed = transcript_hash(self.seat.parameters, self.seat.history, self.seat.attempt)
        judged = judge_confirmations(self.seat.context, messages, self.commits, self.reveals, self.shares, agreed)
        seat = self.seat.close_round(messages, judged, self.message)
        if isinstance(seat, Attempt):
            return seat
        outcome = derive_outcome(seat.parameters, (*seat.history, seat.attempt), self.reveals)
        return Completed(outcome, encode_transcript(seat.parameters, outcome.attempts), self._key_shares(seat, outcome))

    def _key_shares(self, seat: _Seat, outcome: CeremonyOutcome) -> tuple[KeyShare, ...]:
        group, index = seat.parameters.group, seat.secrets.index
        shares = []
        for position, key in enumerate(outcome.keys):
            secret = sum(values[position] for values in self.received.values()) % group.order
            verification_key = key.verification_keys[index - 1]
            if group.generate([secret]).encode() != verification_key:
                raise CeremonyError("the key share does not belong to its verification key", index)
            shares.append(KeyShare(key.label, index, group.encode_scalars([secret]), verification_key, key.joint_key))
        return tuple(shares)


@dataclass(frozen=True)
class Completed:
    """The ceremony is over: the public outcome, the transcript blob, and this participant's key shares."""

    outcome: CeremonyOutcome
    transcript: bytes
    key_shares: tuple[KeyShare, ...] = field(repr=False)


def begin_attempt(
    parameters: CeremonyParameters, history: Sequence[Attempt], index: int, seed: bytes, sign: Signer
) -> Committed:
    """Enter the next attempt as participant ``index``.

    Args:
        history: the failed attempts so far, judged by this participant itself or audited.
        seed: 64 fresh random bytes, for this attempt alone.
        sign: Ed25519 with the role's key.

    Raises:
        CeremonyError: too few participants remain, or this one was excluded.
    """
    number = len(history) + 1
    participants = next_participants(parameters, history)
    if index not in participants:
        raise CeremonyError(f"participant {index} does not take part in attempt {number}", index)
    secrets = AttemptSecrets(parameters, number, index, seed)
    seat = _Seat(secrets, sign, tuple(history), Attempt(number, participants, ()))
    reveal = seat.seal(REVEAL, {"instances": [_instance(secrets, label) for label in parameters.labels]})
    receiver_key = parameters.transport.generate([secrets.receiver_secret()]).encode()
    possession = prove_possession(
        parameters.transport,
        "evoting/v1/ceremony-receiver-key",
        (*parameters.context(number), u64(index)),
        receiver_key,
        secrets.receiver_secret(),
        secrets.receiver_nonce(receiver_key),
    )
    body = {
        "commitment": reveal_commitment(parameters, reveal.body),
        "receiver-key": receiver_key,
        "possession": possession,
    }
    return Committed(seat, seat.seal(COMMIT, body), reveal)


def _instance(secrets: AttemptSecrets, label: str) -> dict[str, object]:
    parameters = secrets.parameters
    coefficients = secrets.coefficients(label)
    commitments = parameters.group.generate(coefficients).encode()
    possession = prove_possession(
        parameters.group,
        "evoting/v1/ceremony-possession",
        possession_context(parameters, secrets.attempt, label, secrets.index),
        commitments,
        coefficients[0],
        secrets.possession_nonce(label, commitments),
    )
    return {"label": label, "commitments": commitments, "possession": possession}
