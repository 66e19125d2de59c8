"""Transcripts of a mix: what they are bound to, and the challenges drawn from them (section 8.4)."""

from __future__ import annotations

from crypto.errors import InvalidProof
from crypto.group.interface import ORDER
from crypto.hashing import u64
from crypto.transcript import Transcript

#: The only multiplicative orders below 2^107 are divisors of this: ORDER - 1 = 2^2 * 3 * 11 * p * q, p > 2^107.
_SMALL_ORDERS = 132


def mix_transcript(fingerprint: bytes, contest: str, group: str, stage: int, mixer: str) -> Transcript:
    """The transcript of one stage, bound to its place in the election; the statement is bound by prover and verifier.

    Args:
        fingerprint: the election's, 32 bytes.
        contest: contest id.
        group: id of the tallied group.
        stage: 1 for the first mixer.
        mixer: role id of the mixer.
    """
    if len(fingerprint) != 32:
        raise ValueError("an election fingerprint has 32 bytes")
    if stage < 1:
        raise ValueError("mix stages count from 1")
    transcript = Transcript("evoting/v1/mix")
    transcript.append("fingerprint", fingerprint)
    transcript.append("contest", contest.encode())
    transcript.append("group", group.encode())
    transcript.append("stage", u64(stage))
    transcript.append("mixer", mixer.encode())
    return transcript


def power_challenge(transcript: Transcript, label: str) -> int:
    """A challenge whose powers serve as a challenge vector.

    Raises:
        InvalidProof: it is zero or has a small order, so that entries of the vector would be zero or repeat.
    """
    value = transcript.challenge(label)
    if value == 0 or pow(value, _SMALL_ORDERS, ORDER) == 1:
        raise InvalidProof("shuffle.challenge", f"the powers of challenge {label!r} are zero or repeat")
    return value
