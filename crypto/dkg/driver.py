"""The ceremony as a pure function of a participant's state and the files that everybody shares.

Trustees and issuers put a thin file layer around ``advance``: read the shared directory into a mapping, call, store the
new state durably, and only then write what is outgoing. A crash between the two loses nothing: the state remembers what
was published, and the same step gives the same bytes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from crypto.dkg.audit import (
    CeremonyOutcome,
    audit_attempt,
    audit_ceremony,
    next_participants,
)
from crypto.dkg.errors import InvalidCeremony
from crypto.dkg.files import (
    TRANSCRIPT_FILE,
    KeyShareFile,
    ParticipantState,
    failed_file,
    message_file,
    round_prefix,
)
from crypto.dkg.messages import (
    COMMIT,
    REVEAL,
    SHARES,
    Envelope,
    Message,
    Signer,
    open_message,
)
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.participant import (
    Committed,
    Completed,
    Confirmed,
    Revealed,
    Shared,
    begin_attempt,
)
from crypto.dkg.transcript import (
    Attempt,
    Round,
    decode_attempt,
    encode_attempt,
    encode_transcript,
    sort_round,
)
from crypto.dkg.verdict import EQUIVOCATION
from crypto.errors import CeremonyError, DecodeError

#: The steps in order: the first four send a round's message, the last makes the key share.
STEPS = ("commit", "reveal", "share", "confirm", "finish")
_ROUND_NAMES = (COMMIT, REVEAL, SHARES, "confirm or complaint")

Files = Mapping[str, bytes]


class WaitingForMessages(CeremonyError):
    """Not everybody has sent the message of a round.

    Attributes:
        missing: indices of those who have not.
    """

    def __init__(self, message: str, missing: tuple[int, ...]) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True)
class Progress:
    """What a step gives.

    Attributes:
        state: to be stored before anything else is done.
        outgoing: files to be written into the shared directory, by name; those that are there already are identical.
        key_share: after ``finish``: to be stored in secret before the state.
        failed: the attempt that this step found to have failed; the next step is ``commit``.
    """

    state: ParticipantState
    outgoing: Files
    key_share: KeyShareFile | None = field(default=None, repr=False)
    outcome: CeremonyOutcome | None = None
    failed: Attempt | None = None


def advance(
    parameters: CeremonyParameters,
    state: ParticipantState,
    files: Files,
    step: str,
    sign: Signer,
    entropy: bytes,
    *,
    exclude_missing: bool = False,
) -> Progress:
    """Do one step of the ceremony, or do it again.

    Args:
        files: everything in the shared directory, by relative name with ``/``.
        step: one of ``STEPS``.
        sign: Ed25519 with the role's key.
        entropy: 64 fresh random bytes; used only where a new attempt begins, otherwise ignored.
        exclude_missing: name whoever has not sent the message of the round before, instead of waiting.

    Raises:
        WaitingForMessages: somebody has not sent its message yet.
        CeremonyError: the step does not come now, this participant was excluded, a file is not what it should be, or
            the ceremony has failed.
    """
    if (state.kind, state.manifest_hash) != (parameters.kind, parameters.manifest_hash):
        raise CeremonyError("the state belongs to another ceremony")
    history = read_history(parameters, files)
    _require_agreement(parameters, state, history)
    number = len(history) + 1
    if state.index not in next_participants(parameters, history):
        raise CeremonyError(f"participant {state.index} was excluded from this ceremony", state.index)
    target = STEPS.index(step) + 1

    if target <= 4:
        published = state.published_in(number, target)
        if published is not None:
            return Progress(state, dict([published]))
    if state.finished:
        raise CeremonyError("this participant has finished the ceremony")
    if target == 1:
        state = state.with_seed(number, entropy) if number not in state.seeds else state
    elif state.published_in(number, target - 1) is None:
        raise CeremonyError(f"the step before {step!r}, {STEPS[target - 2]!r}, has not been done in attempt {number}")

    seat: Committed | Revealed | Shared | Confirmed | Completed | Attempt
    seat = begin_attempt(parameters, history, state.index, state.seeds[number], sign)
    for round_number in range(1, target):
        _require_unchanged(state, number, round_number, seat.message)
        excluding = exclude_missing and round_number == target - 1
        messages = collect_round(parameters, files, history, round_number, exclude_missing=excluding)
        seat = seat.receive(messages)
        if isinstance(seat, Attempt):
            return Progress(state, {failed_file(number): encode_attempt(seat)}, failed=seat)
        if isinstance(seat, Completed):
            digest = hashlib.sha256(seat.transcript).digest()
            share = KeyShareFile.of(parameters, seat, digest)
            return Progress(
                state.without_seeds(), {TRANSCRIPT_FILE: seat.transcript}, key_share=share, outcome=seat.outcome
            )
    name = message_file(number, seat.message.type, seat.message.role)
    return Progress(state.with_published(name, seat.message.encode()), {name: seat.message.encode()})


def assemble(parameters: CeremonyParameters, files: Files) -> tuple[bytes, CeremonyOutcome]:
    """The transcript blob of a finished ceremony, from its message files alone.

    Raises:
        WaitingForMessages: somebody has not sent its last message yet.
        CeremonyError: a file is not what it should be, or the ceremony has not succeeded.
    """
    history = read_history(parameters, files)
    rounds: list[Round] = []
    for round_number in range(1, 5):
        messages = collect_round(parameters, files, history, round_number)
        rounds.append(tuple(message.envelope for message in messages))
    last = Attempt(len(history) + 1, next_participants(parameters, history), tuple(rounds))
    transcript = encode_transcript(parameters, (*history, last))
    return transcript, audit_ceremony(parameters, transcript)


def read_history(parameters: CeremonyParameters, files: Files) -> tuple[Attempt, ...]:
    """The failed attempts that lie in the shared directory, judged again.

    Raises:
        CeremonyError: one of them is damaged, or does not show that it failed.
    """
    history: list[Attempt] = []
    while (name := failed_file(len(history) + 1)) in files:
        try:
            attempt = decode_attempt(files[name])
            if audit_attempt(parameters, history, attempt) is not None:
                raise InvalidCeremony("verdict", "the attempt did not fail")
        except (DecodeError, InvalidCeremony) as error:
            raise CeremonyError(f"{name}: {error}") from None
        history.append(attempt)
    return tuple(history)


def collect_round(
    parameters: CeremonyParameters,
    files: Files,
    history: tuple[Attempt, ...],
    round_number: int,
    *,
    exclude_missing: bool = False,
) -> tuple[Message, ...]:
    """The messages of a round of the current attempt, in order.

    Raises:
        WaitingForMessages: some are missing.
        CeremonyError: a file in the place of a message is none.
    """
    number = len(history) + 1
    participants = next_participants(parameters, history)
    prefix = round_prefix(number, round_number)
    messages = []
    for name in sorted(files):
        if not name.startswith(prefix):
            continue
        try:
            envelope = Envelope.decode(files[name])
            message = open_message(parameters, envelope, attempt=number, round_number=round_number)
        except DecodeError as error:
            raise CeremonyError(f"{name}: {error}") from None
        if message.sender not in participants:
            raise CeremonyError(f"{name}: participant {message.sender} was excluded in an earlier attempt")
        messages.append(message)
    senders = {message.sender for message in messages}
    missing = tuple(index for index in participants if index not in senders)
    if missing and not exclude_missing:
        names = ", ".join(parameters.roles[index - 1].id for index in missing)
        raise WaitingForMessages(
            f"attempt {number}, round {round_number}: no {_ROUND_NAMES[round_number - 1]} yet from {names}", missing
        )
    return sort_round(messages)


def _require_unchanged(state: ParticipantState, number: int, round_number: int, message: Envelope) -> None:
    """Refuse where the files of earlier rounds, which a message depends on, are not those it was made from."""
    published = state.published_in(number, round_number)
    if published is None or published[1] != message.encode():
        raise CeremonyError(
            f"attempt {number}: messages of a round before {round_number} have changed since this participant "
            "published its own; stop and compare the copies"
        )


def _require_agreement(parameters: CeremonyParameters, state: ParticipantState, history: tuple[Attempt, ...]) -> None:
    """Refuse a recorded failure that contradicts what this participant has seen itself.

    Who sent nothing cannot be proved to outsiders, so those who were there must not accept it unseen.
    """
    for attempt in history:
        last = len(attempt.rounds)
        named = {culprit.participant: culprit.reason for culprit in attempt.culprits}
        own = state.published_in(attempt.number, last)
        sent = {envelope.encode() for envelope in attempt.rounds[last - 1]}
        if own is not None and own[1] not in sent and named.get(state.index) != EQUIVOCATION:
            raise CeremonyError(
                f"{failed_file(attempt.number)} leaves out the {_ROUND_NAMES[last - 1]} that this participant sent; "
                "stop and compare the copies"
            )
        went_on = state.published_in(attempt.number, last + 1) is not None
        if went_on and any(reason != EQUIVOCATION for reason in named.values()):
            raise CeremonyError(
                f"{failed_file(attempt.number)} ends the attempt in round {last}, which this participant found in "
                "order; stop and compare the copies"
            )
