"""Audit of a key ceremony's transcript; docs/spec/04-ceremonies.md section 4.7."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from verifier.equations.ceremony_messages import (
    MAX_ENVELOPE_BYTES,
    MAX_TRANSCRIPT_BYTES,
    ROUND_TYPES,
    TRANSCRIPT,
    Attempt,
    Ceremony,
    confirmed_hash,
    make_ceremony,
)
from verifier.equations.ceremony_rules import REVEAL, judge_round
from verifier.equations.interface import CeremonyResult
from verifier.failure import Failure
from verifier.hashing import frames
from verifier.record import cbor, ed25519
from verifier.record.errors import FormatError
from verifier.record.schema import decode_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.group import Group, PairingGroup


#: Failures that are reported of a transcript with more attempts than there can be.
MAX_FAILURES = 8


def check_ceremony(
    transcript: bytes,
    *,
    kind: str,
    manifest_hash: bytes,
    roles: Sequence[tuple[str, bytes]],
    threshold: int,
    labels: Sequence[str],
    group: Group,
    pairing: PairingGroup,
) -> CeremonyResult:
    """Rules 8.1 to 8.8, but for the comparison with published keys: every failure, and the keys that follow."""
    ceremony = make_ceremony(kind, manifest_hash, roles, threshold, labels, group, pairing)
    try:
        decoded = decode_transcript(ceremony, transcript)
    except FormatError as error:
        return CeremonyResult((_failure("format", str(error)),))
    failures = attempts_failures(ceremony, decoded)
    if len(decoded["attempts"]) > len(roles):
        # Every attempt but the last excludes somebody, and what each confirms contains all before: a bound on the work.
        return CeremonyResult(
            (*failures[:MAX_FAILURES], _failure("attempts", "there are more attempts than participants"))
        )
    last = None
    for position, content in enumerate(decoded["attempts"]):
        if not _are_indices(ceremony, content["participants"]):
            return CeremonyResult(tuple(failures))
        last, found = _audit_attempt(ceremony, decoded, position, content)
        failures += found
    if last is None or len(last.bodies) <= REVEAL or set(last.bodies[REVEAL]) != set(last.participants):
        return CeremonyResult(tuple(failures))
    joint, shares = _keys(ceremony, last)
    failures += joint_key_failures(ceremony, joint) + verification_key_failures(ceremony, shares)
    return CeremonyResult(tuple(failures), joint, _by_index(ceremony, shares), frozenset(last.participants))


def _are_indices(ceremony: Ceremony, participants: list[int]) -> bool:
    """Whether an attempt's participants are indices in order; otherwise there is nothing to audit (rule 8.2 fails)."""
    return participants == sorted(set(participants) & set(range(1, len(ceremony.roles) + 1)))


def _failure(rule: str, sentence: str, role: str | None = None) -> Failure:
    return Failure(sentence, role=role, equation=f"ceremony.{rule}")


def decode_transcript(ceremony: Ceremony, transcript: bytes) -> dict[str, Any]:
    """Rule 8.1, ``format``.

    Raises:
        FormatError: the blob is not a transcript of this kind for this manifest.
    """
    if len(transcript) > MAX_TRANSCRIPT_BYTES:
        raise FormatError(f"transcript: {len(transcript)} bytes are too many")
    decoded: dict[str, Any] = decode_as(transcript, TRANSCRIPT, "transcript")
    if decoded["kind"] != ceremony.kind:
        raise FormatError(f"transcript.kind: {decoded['kind']} instead of {ceremony.kind}")
    if decoded["manifest"] != ceremony.manifest_hash:
        raise FormatError("transcript.manifest: the hash of another manifest")
    return decoded


def attempts_failures(ceremony: Ceremony, transcript: dict[str, Any]) -> list[Failure]:
    """Rule 8.2, ``attempts``: numbers, participants, and who is excluded."""
    failures = []
    expected = list(range(1, len(ceremony.roles) + 1))
    attempts = transcript["attempts"]
    for position, attempt in enumerate(attempts):
        if attempt["number"] != position + 1:
            failures.append(_failure("attempts", f"attempt {position + 1} has the number {attempt['number']}"))
        if attempt["participants"] != expected or len(expected) < ceremony.threshold:
            failures.append(_failure("attempts", f"the participants of attempt {position + 1} are not those left"))
        culprits = [culprit["participant"] for culprit in attempt["culprits"]]
        if culprits != sorted(set(culprits)) or not set(culprits) <= set(attempt["participants"]):
            failures.append(_failure("attempts", f"culprits of attempt {position + 1} are not participants in order"))
        is_last = position == len(attempts) - 1
        if is_last != (not culprits) or (is_last and len(attempt["rounds"]) != len(ROUND_TYPES)):
            sentence = "every attempt but the last names culprits; the last names nobody and has four rounds"
            failures.append(_failure("attempts", sentence))
        expected = [participant for participant in attempt["participants"] if participant not in culprits]
    return failures


def _audit_attempt(
    ceremony: Ceremony, transcript: dict[str, Any], position: int, content: dict[str, Any]
) -> tuple[Attempt, list[Failure]]:
    """Rules 8.3 to 8.6 for one attempt."""
    rounds = content["rounds"]
    before = confirmed_hash(transcript, position) if len(rounds) == len(ROUND_TYPES) else b""
    attempt = Attempt(ceremony, content["number"], content["participants"], before)
    failures: list[Failure] = []
    culprits: dict[int, str] = {}
    for number, envelopes in enumerate(rounds):
        where = f"attempt {content['number']}, round {number + 1}"
        failures += envelope_failures(attempt, number, envelopes, where)
        failures += signature_failures(attempt, envelopes, where)
        attempt.messages.append(_messages(attempt, number, envelopes))
        culprits = judge_round(attempt, number)
        if culprits:
            if content["culprits"] and number != len(rounds) - 1:
                failures.append(_failure("attempts", f"{where} decides the attempt, but it goes on"))
            break
    return attempt, failures + verdict_failures(attempt, culprits, content["culprits"])


def _header(body: bytes) -> tuple[Any, Any, Any]:
    """kind, attempt and sender of a body; Nones where it is no deterministic map."""
    try:
        decoded = cbor.decode(body)
    except FormatError:
        return None, None, None
    if not isinstance(decoded, dict):
        return None, None, None
    return decoded.get("kind"), decoded.get("attempt"), decoded.get("sender")


def _sender(attempt: Attempt, number: int, envelope: dict[str, Any]) -> int | None:
    """Whose message an envelope is (4.2), signature apart; None: nobody's."""
    kind, attempt_number, sender = _header(envelope["body"])
    if type(sender) is not int or sender not in attempt.participants or type(attempt_number) is not int:
        return None
    fits = (
        envelope["type"] in ROUND_TYPES[number]
        and kind == attempt.ceremony.kind
        and attempt_number == attempt.number
        and envelope["role"] == attempt.ceremony.role(sender)
    )
    return sender if fits else None


def envelope_failures(attempt: Attempt, number: int, envelopes: list[dict[str, Any]], where: str) -> list[Failure]:
    """Rule 8.3, ``envelope``: every one is a message of its round, in order, at most two different of one sender."""
    failures = []
    order: list[tuple[int, bytes]] = []
    for envelope in envelopes:
        sender = _sender(attempt, number, envelope)
        if sender is None or len(cbor.encode(envelope)) > MAX_ENVELOPE_BYTES:
            failures.append(_failure("envelope", f"{where}: an envelope is no message of the round"))
        else:
            order.append((sender, envelope["body"]))
    counts = Counter(sender for sender, _ in order)
    if order != sorted(set(order)) or any(count > 2 for count in counts.values()):
        failures.append(_failure("envelope", f"{where}: envelopes repeat or are out of order"))
    return failures


def signature_failures(attempt: Attempt, envelopes: list[dict[str, Any]], where: str) -> list[Failure]:
    """Rule 8.4, ``signature``: the role's signature on every envelope."""
    keys = dict(attempt.ceremony.roles)
    return [
        _failure("signature", f"{where}: the signature of {envelope['role']} does not hold", envelope["role"])
        for envelope in envelopes
        if not envelope_signature(attempt.ceremony, keys.get(envelope["role"]), envelope)
    ]


def envelope_signature(ceremony: Ceremony, key: bytes | None, envelope: dict[str, Any]) -> bool:
    """Ed25519 over the frames of section 4.2."""
    message = frames(("evoting/v1/ceremony", ceremony.manifest_hash, envelope["type"], envelope["body"]))
    return key is not None and ed25519.verify(key, message, envelope["signature"])


def _messages(attempt: Attempt, number: int, envelopes: list[dict[str, Any]]) -> dict[int, list[tuple[str, bytes]]]:
    """The messages of a round by sender; whether signatures hold is rule 8.4's."""
    messages: dict[int, list[tuple[str, bytes]]] = {}
    for envelope in envelopes:
        sender = _sender(attempt, number, envelope)
        if sender is not None:
            messages.setdefault(sender, []).append((envelope["type"], envelope["body"]))
    return messages


def verdict_failures(attempt: Attempt, culprits: dict[int, str], named: list[dict[str, Any]]) -> list[Failure]:
    """Rules 8.5 and 8.6: everybody to whom a reason applies is named, and nobody else, with the right reason."""
    published = {culprit["participant"]: culprit["reason"] for culprit in named}
    failures = []
    for participant, reason in culprits.items():
        role = attempt.ceremony.role(participant)
        if participant not in published:
            sentence = f"attempt {attempt.number}: participant {participant} is to blame ({reason}), but is not named"
            failures.append(_failure(reason, sentence, role))
    for participant, reason in published.items():
        if culprits.get(participant) != reason:
            sentence = f"participant {participant} is named for {reason[:40]!r} without ground"
            failures.append(_failure("verdict", f"attempt {attempt.number}: {sentence}"))
    return failures


# Keys (4.6).


def _keys(ceremony: Ceremony, attempt: Attempt) -> tuple[dict[str, bytes], dict[str, dict[int, bytes]]]:
    """Joint key by label, and verification keys by label and index."""
    group = ceremony.group
    size = group.element_bytes
    joint: dict[str, bytes] = {}
    shares: dict[str, dict[int, bytes]] = {}
    for place, label in enumerate(ceremony.labels):
        dealt = [body["instances"][place]["commitments"] for body in attempt.bodies[REVEAL].values()]
        length = max(len(commitments) for commitments in dealt) // size
        columns = [[c[size * k : size * (k + 1)] for c in dealt if len(c) >= size * (k + 1)] for k in range(length)]
        summed = b"".join([group.linear([1] * len(column), b"".join(column)) for column in columns])
        joint[label] = summed[:size]
        shares[label] = {
            j: group.linear([pow(j, k, group.order) for k in range(length)], summed, allow_identity=True)
            for j in attempt.participants
        }
    return joint, shares


def _by_index(ceremony: Ceremony, shares: dict[str, dict[int, bytes]]) -> dict[str, bytes]:
    """Verification keys by index, zero bytes where somebody was excluded."""
    none = bytes(ceremony.group.element_bytes)
    indices = range(1, len(ceremony.roles) + 1)
    return {label: b"".join([keys.get(index, none) for index in indices]) for label, keys in shares.items()}


def joint_key_failures(ceremony: Ceremony, joint: dict[str, bytes]) -> list[Failure]:
    """Rule 8.7, ``joint-key``: none is the identity."""
    return [
        _failure("joint-key", f"the joint key of {label} is the identity")
        for label, key in joint.items()
        if key == ceremony.group.identity
    ]


def verification_key_failures(ceremony: Ceremony, shares: dict[str, dict[int, bytes]]) -> list[Failure]:
    """Rule 8.8, ``verification-keys``: none is the identity."""
    return [
        _failure("verification-keys", f"the verification key {j} of {label} is the identity", ceremony.role(j))
        for label, keys in shares.items()
        for j, key in keys.items()
        if key == ceremony.group.identity
    ]
