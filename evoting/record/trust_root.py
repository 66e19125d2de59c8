"""Reading a trust root: what reached somebody by another way than the record (docs/spec/02-record.md section 2.1)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from crypto.log.errors import LogError
from crypto.log.policy import Policy, decode_policy
from evoting.errors import RecordError

FORMAT = "evoting-trust-root/v1"
_MAX_BYTES = 1 << 18


@dataclass(frozen=True)
class TrustRoot:
    """Which election, and whose log and witnesses."""

    fingerprint: bytes
    policy: Policy


def read_trust_root(path: Path) -> TrustRoot:
    """The trust root in a file.

    Raises:
        RecordError: not a trust root.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    try:
        if len(data) > _MAX_BYTES:
            raise ValueError(f"longer than {_MAX_BYTES} bytes")
        value = json.loads(data)
        if not isinstance(value, dict) or value.keys() != {"format", "fingerprint", "policy"}:
            raise ValueError("not exactly format, fingerprint and policy")
        if value["format"] != FORMAT:
            raise ValueError("an unknown format")
        fingerprint, policy = value["fingerprint"], value["policy"]
        if not isinstance(fingerprint, str) or not isinstance(policy, str) or len(bytes.fromhex(fingerprint)) != 32:
            raise ValueError("fingerprint or policy is not what it should be")
        return TrustRoot(bytes.fromhex(fingerprint), decode_policy(policy.encode()))
    except (ValueError, RecursionError, LogError) as error:
        raise RecordError(f"{path}: not a trust root: {error}") from None
