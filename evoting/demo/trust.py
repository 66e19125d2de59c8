"""The trust root of the demonstration: what reaches a verifier by another way than the record."""

from __future__ import annotations

from crypto.log.note import NOTE_KEY, VerifierKey
from crypto.log.policy import Policy
from evoting.board.keys import load_key
from evoting.demo.places import Places, write_whole
from evoting.office.trust_root import encode_trust_root, witness_policy
from evoting.record.election import ElectionRecord


def log_policy(record: ElectionRecord, places: Places) -> Policy:
    """The policy of the demonstration's log and witnesses."""
    names = {role.id: f"{role.id}.example" for role in record.manifest.roles_of("witness")}
    return witness_policy(record, load_key(places.secrets("log") / "key", NOTE_KEY).verifier, names)


def witness_keys(record: ElectionRecord, places: Places) -> list[VerifierKey]:
    """Verifier keys of the log witnesses."""
    return list(log_policy(record, places).witnesses.values())


def write_trust_root(record: ElectionRecord, places: Places) -> None:
    """Write fingerprint and log policy."""
    write_whole(places.trust_root, encode_trust_root(record, log_policy(record, places)))
