"""The trust root: what a verifier is given by another way than the record; docs/spec/02-record.md section 2.1."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verifier.record.errors import FormatError, UnreadableError
from verifier.record.policy import Policy, parse_policy

_MAX_BYTES = 1 << 20
_MAX_BRACKETS = 100
_HINT = "the trust root comes from the commission by another way than the record, as a JSON file"


@dataclass(frozen=True)
class TrustRoot:
    """Fingerprint of the opening entry, and the log's policy."""

    fingerprint: bytes
    policy: Policy


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise FormatError("a member is repeated")
    return members


def parse_trust_root(data: bytes) -> TrustRoot:
    """Read a trust root.

    Raises:
        FormatError: not exactly the members of section 2.1.
    """
    # The parser recurses, so nesting is bounded before it sees the text; a trust root has one brace.
    if data.count(b"[") + data.count(b"{") > _MAX_BRACKETS:
        raise FormatError("nested too deeply")
    try:
        members = json.loads(data.decode("utf-8"), object_pairs_hook=_distinct)
    except FormatError:
        raise
    except ValueError:
        raise FormatError("not JSON in UTF-8") from None
    if not isinstance(members, dict) or members.keys() != {"format", "fingerprint", "policy"}:
        raise FormatError("the members are not exactly format, fingerprint and policy")
    if members["format"] != "evoting-trust-root/v1":
        raise FormatError(f"the format {str(members['format'])[:60]!r} is not evoting-trust-root/v1")
    fingerprint, policy = members["fingerprint"], members["policy"]
    if not isinstance(fingerprint, str) or not re.fullmatch(r"[0-9a-f]{64}", fingerprint):
        raise FormatError("the fingerprint is not 64 hex digits in lower case")
    if not isinstance(policy, str):
        raise FormatError("the policy is not text")
    return TrustRoot(bytes.fromhex(fingerprint), parse_policy(policy))


def load_trust_root(path: Path) -> TrustRoot:
    """Read a trust-root file.

    Raises:
        UnreadableError: missing, unreadable, or of another format.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be read"
        raise UnreadableError(f"trust root {path}: {reason}", _HINT) from None
    if len(data) > _MAX_BYTES:
        raise UnreadableError(f"trust root {path}: too long", _HINT)
    try:
        return parse_trust_root(data)
    except FormatError as error:
        raise UnreadableError(f"trust root {path}: {error}", _HINT) from None
