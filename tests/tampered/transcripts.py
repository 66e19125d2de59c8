"""Editing a ceremony's transcript: everybody whose message changes signs it again, so that only the rule is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nacl.signing import SigningKey

from crypto import cbor
from crypto.dkg.messages import signing_input
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.transcript import Attempt, decode_transcript, encode_transcript, transcript_hash
from crypto.dkg.verdict import reveal_commitment
from tests.support.loose import decode

Body = dict[str, Any]
#: (round from 1, sender) -> what to do with the body.
Edits = Mapping[tuple[int, int], Callable[[Body], None]]


def edit_transcript(
    parameters: CeremonyParameters, keys: Mapping[str, SigningKey], blob: bytes, edits: Edits, *, recommit: bool = True
) -> bytes:
    """A transcript with some bodies edited.

    Args:
        recommit: commitments to edited reveals are made anew, as somebody would who planned it from the start.
    """
    (attempt,) = decode_transcript(parameters, blob)
    value = attempt.to_value()
    rounds = value["rounds"]
    for (number, sender), edit in edits.items():
        _edit(parameters, keys, rounds, number, sender, edit)
    if recommit:
        for number, sender in edits:
            if number == 2:
                commitment = reveal_commitment(parameters, _envelope(rounds, 2, sender)["body"])

                def commit(body: Body, commitment: bytes = commitment) -> None:
                    body["commitment"] = commitment

                _edit(parameters, keys, rounds, 1, sender, commit)
    agreed = transcript_hash(parameters, (), Attempt.from_value(value))
    for sender in range(1, len(parameters.roles) + 1):
        if _envelope(rounds, 4, sender)["type"] == "confirm":

            def confirm(body: Body) -> None:
                body["transcript"] = agreed

            _edit(parameters, keys, rounds, 4, sender, confirm)
    return encode_transcript(parameters, (Attempt.from_value(value),))


def _envelope(rounds: object, number: int, sender: int) -> dict[str, bytes]:
    for envelope in rounds[number - 1]:
        body = decode(envelope["body"])
        if body["sender"] == sender:
            return envelope
    raise AssertionError(f"no message of {sender} in round {number}")


def _edit(
    parameters: CeremonyParameters,
    keys: Mapping[str, SigningKey],
    rounds: list[list[dict[str, Any]]],
    number: int,
    sender: int,
    edit: Callable[[Body], None],
) -> None:
    envelope = _envelope(rounds, number, sender)
    body = decode(envelope["body"])
    edit(body)
    envelope["body"] = cbor.encode(body)
    message = signing_input(parameters, str(envelope["type"]), envelope["body"])
    envelope["signature"] = keys[str(envelope["role"])].sign(message).signature
