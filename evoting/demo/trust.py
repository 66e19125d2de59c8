"""The trust root of the demonstration: what reaches a verifier by another way than the record."""

from __future__ import annotations

import json

from crypto.log.note import COSIGNATURE_KEY, NOTE_KEY, VerifierKey
from crypto.log.policy import Group as WitnessGroup
from crypto.log.policy import Policy, encode_policy
from evoting.board.keys import load_key
from evoting.demo.places import Places
from evoting.errors import RecordError
from evoting.record.election import ElectionRecord


def witness_keys(record: ElectionRecord) -> dict[str, VerifierKey]:
    """Verifier keys of the log witnesses, by role."""
    return {
        role.id: VerifierKey(f"{role.id}.example", COSIGNATURE_KEY, role.key)
        for role in record.manifest.roles_of("witness")
    }


def write_trust_root(record: ElectionRecord, places: Places) -> None:
    """Write fingerprint and log policy."""
    witnesses = witness_keys(record)
    policy = Policy(
        (load_key(places.secrets("log") / "key", NOTE_KEY).verifier,),
        witnesses,
        {"witnesses": WitnessGroup(record.manifest.witness_quorum, tuple(witnesses))},
        "witnesses",
    )
    if not policy.quorums_intersect():
        raise RecordError("two disjoint sets of log witnesses could each make a quorum; ask for more of them")
    value = {
        "format": "evoting-trust-root/v1",
        "fingerprint": record.fingerprint.hex(),
        "policy": encode_policy(policy).decode(),
    }
    places.trust_root.write_text(json.dumps(value, indent=2) + "\n")
