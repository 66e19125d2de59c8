"""The trust root: fingerprint and log policy, which reach a verifier by another way than the record (section 2.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from crypto.log.note import COSIGNATURE_KEY, NOTE_KEY, VerifierKey
from crypto.log.policy import Group, Policy, encode_policy
from evoting.errors import RecordError
from evoting.record.election import ElectionView, member
from evoting.record.trust_root import FORMAT

_GROUP = "witnesses"


def witness_policy(record: ElectionView, log: VerifierKey, names: Mapping[str, str]) -> Policy:
    """The policy of the manifest's witnesses and quorum.

    Args:
        log: the log's key; its name is the origin line.
        names: key name under which each witness cosigns, by role id.

    Raises:
        RecordError: other witnesses than the manifest's.
    """
    roles = record.manifest.roles_of("witness")
    if names.keys() != {role.id for role in roles}:
        raise RecordError(f"the manifest's witnesses are {', '.join(role.id for role in roles)}")
    witnesses = {role.id: VerifierKey(names[role.id], COSIGNATURE_KEY, role.key) for role in roles}
    return Policy((log,), witnesses, {_GROUP: Group(record.manifest.witness_quorum, tuple(witnesses))}, _GROUP)


def encode_trust_root(record: ElectionView, policy: Policy) -> str:
    """The trust-root file of an opened election.

    Raises:
        RecordError: the policy's log is not the one that the opening names, a witness has another key than the
            manifest gives it, or its quorums need not have an honest witness in common.
    """
    origin = member(record.only("opening"), "origin")
    if not any(key.name == origin and key.key_type == NOTE_KEY for key in policy.logs):
        raise RecordError(f"the policy does not name the log {origin!a}, which the opening entry names as its own")
    keys = {role.key for role in record.manifest.roles_of("witness")}
    strangers = [name for name, key in policy.witnesses.items() if key.public_key not in keys]
    if strangers:
        raise RecordError(f"witness {strangers[0]!a} of the policy does not have the key of a witness of the manifest")
    if not policy.quorums_intersect():
        raise RecordError("two quorums of the policy need not share a witness, so two roots of one size could pass")
    value = {"format": FORMAT, "fingerprint": record.fingerprint.hex(), "policy": encode_policy(policy).decode()}
    return json.dumps(value, indent=2) + "\n"
