"""Trust policies: C2SP tlog-policy, and their evaluation; docs/spec/02-log.md section 8."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from crypto.log.checkpoint import Checkpoint, decode_checkpoint_text, is_origin
from crypto.log.cosignature import verify_cosignature
from crypto.log.errors import LogFormatError, QuorumNotReached, UnknownLog
from crypto.log.note import (
    COSIGNATURE_KEY,
    NOTE_KEY,
    Note,
    VerifierKey,
    decode_decimal,
    decode_vkey,
    verify_note_signature,
)

#: How far the clock of a log witness may run ahead of the evaluation, in seconds.
MAX_FUTURE_SKEW = 300
MAX_POLICY_BYTES = 65_536
#: Bounds the depth of the evaluation; tlog-policy recommends to support at least 32.
MAX_GROUPS = 128
NO_QUORUM = "none"

_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses a checkpoint when at least ``threshold`` of its members do."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Trusted logs, witnesses and groups by policy name, and the name that makes the quorum."""

    logs: tuple[VerifierKey, ...]
    witnesses: dict[str, VerifierKey]
    groups: dict[str, Group]
    quorum: str

    def is_satisfied(self, cosigned: set[str]) -> bool:
        """Whether these witnesses (policy names) make the quorum."""

        def holds(name: str) -> bool:
            group = self.groups.get(name)
            if group is None:
                return name in cosigned
            return sum(map(holds, group.members)) >= group.threshold

        return self.quorum == NO_QUORUM or holds(self.quorum)

    def quorums_intersect(self) -> bool:
        """Whether any two sets of witnesses that make the quorum share one, so that no two views can both have one.

        Each name is member of one group at most, hence the quorum is a formula in which every witness occurs once, and
        for each part of it, it is enough to know whether a set and its complement can satisfy it at the same time.
        """

        def both_sides(name: str) -> bool:
            group = self.groups.get(name)
            if group is None:
                return False
            double = sum(map(both_sides, group.members))
            single = len(group.members) - double
            return 2 * group.threshold <= 2 * double + single

        return self.quorum != NO_QUORUM and not both_sides(self.quorum)


@dataclass(frozen=True, slots=True)
class TrustedCheckpoint:
    """A checkpoint that fulfils a policy.

    Attributes:
        checkpoint: origin, size, root.
        log: the key under which it was accepted.
        times: timestamp of each cosignature that counted, by the witness's policy name.
        future: policy names of witnesses whose cosignature was dated too far ahead and did not count.
    """

    checkpoint: Checkpoint
    log: VerifierKey
    times: dict[str, int]
    future: tuple[str, ...]


def verify_checkpoint(
    note: Note, policy: Policy, now: int, *, max_future_skew: int = MAX_FUTURE_SKEW
) -> TrustedCheckpoint:
    """Check a signed checkpoint against a policy.

    The log must have signed. A signature line of an unknown key is ignored; one of a known key must verify, else the
    note is refused. A cosignature dated later than ``now + max_future_skew`` does not count.

    Args:
        now: time of the evaluation, seconds since the epoch.

    Raises:
        LogFormatError: the note's text is no checkpoint.
        UnknownLog: no log of the policy has this origin and signed it.
        InvalidNoteSignature: a signature of a known log or witness does not verify.
        QuorumNotReached: names the witnesses that did count.
    """
    checkpoint = decode_checkpoint_text(note.text)
    log: VerifierKey | None = None
    for key in policy.logs:
        line = note.signature_by(key)
        if line is not None:
            verify_note_signature(note.text, line, key)
            if log is None and key.name == checkpoint.origin:
                log = key
    if log is None:
        raise UnknownLog(f"checkpoint of {checkpoint.origin!r} is not signed by that log under the policy")
    times: dict[str, int] = {}
    future: list[str] = []
    for name, key in policy.witnesses.items():
        line = note.signature_by(key)
        if line is None:
            continue
        timestamp = verify_cosignature(note.text, line, key)
        if timestamp > now + max_future_skew:
            future.append(name)
        else:
            times[name] = timestamp
    if not policy.is_satisfied(set(times)):
        dated = f"; dated in the future: {', '.join(future)}" if future else ""
        raise QuorumNotReached(
            f"cosigned by {', '.join(times) or 'nobody'}, which is no quorum ({policy.quorum}){dated}",
            tuple(times),
            tuple(future),
        )
    return TrustedCheckpoint(checkpoint, log, times, tuple(future))


def decode_policy(data: bytes) -> Policy:
    """Parse a policy file.

    Stricter than the C2SP text: log names are origins, and the size is limited.

    Raises:
        LogFormatError: names the line and what is wrong with it.
    """
    if len(data) > MAX_POLICY_BYTES:
        raise LogFormatError(f"policy has {len(data)} bytes, more than {MAX_POLICY_BYTES}")
    if not data.endswith(b"\n"):
        raise LogFormatError("policy does not end with a newline")
    if _FORBIDDEN.search(data):
        raise LogFormatError("policy contains a control character")
    parser = _PolicyParser()
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        # Octets that are no UTF-8 stay distinct (surrogates), so names compare as the octet strings they are.
        items = [item for item in re.split("[ \t]+", line.decode("utf-8", "surrogateescape")) if item]
        if not items or items[0].startswith("#"):
            continue
        try:
            parser.line(items)
        except LogFormatError as error:
            raise LogFormatError(f"policy line {number}: {error}", number) from error
    return parser.result()


def encode_policy(policy: Policy) -> bytes:
    """A policy file with this meaning: logs, witnesses, groups in their order of definition, quorum."""
    lines = [f"log {key.encode()}" for key in policy.logs]
    lines += [f"witness {name} {key.encode()}" for name, key in policy.witnesses.items()]
    lines += [f"group {name} {group.threshold} {' '.join(group.members)}" for name, group in policy.groups.items()]
    lines.append(f"quorum {policy.quorum}")
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


class _PolicyParser:
    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()

    def line(self, items: list[str]) -> None:
        handlers: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        handler = handlers.get(items[0])
        if handler is None:
            raise LogFormatError(f"unknown keyword {items[0]!r}")
        handler(items[1:])

    def result(self) -> Policy:
        if self.quorum is None:
            raise LogFormatError("policy has no quorum line")
        return Policy(tuple(self.logs), self.witnesses, self.groups, self.quorum)

    def _log(self, items: list[str]) -> None:
        if len(items) not in (1, 2):
            raise LogFormatError("expected: log <vkey> [<url>]")
        key = self._key(items[0], NOTE_KEY, "log")
        if not is_origin(key.name):
            raise LogFormatError(f"the name of log {key.name!r} is no origin")
        self.logs.append(key)

    def _witness(self, items: list[str]) -> None:
        if len(items) not in (2, 3):
            raise LogFormatError("expected: witness <name> <vkey> [<url>]")
        self._new_name(items[0])
        self.witnesses[items[0]] = self._key(items[1], COSIGNATURE_KEY, "witness")

    def _group(self, items: list[str]) -> None:
        if len(items) < 3:
            raise LogFormatError("expected: group <name> <k>|any|all <name>...")
        name, threshold, *members = items
        self._new_name(name)
        for member in members:
            self._defined(member)
            if member in self._members:
                raise LogFormatError(f"{member!r} is a member already")
            self._members.add(member)
        if threshold == "all":
            needed = len(members)
        elif threshold == "any":
            needed = 1
        else:
            needed = decode_decimal(threshold, "threshold", len(members))
        if needed < 1:
            raise LogFormatError("a threshold is at least 1")
        if len(self.groups) == MAX_GROUPS:
            raise LogFormatError(f"more than {MAX_GROUPS} groups")
        self.groups[name] = Group(needed, tuple(members))

    def _quorum(self, items: list[str]) -> None:
        if len(items) != 1:
            raise LogFormatError("expected: quorum <name>")
        if self.quorum is not None:
            raise LogFormatError("second quorum line")
        if items[0] != NO_QUORUM:
            self._defined(items[0])
        self.quorum = items[0]

    def _key(self, vkey: str, key_type: int, role: str) -> VerifierKey:
        key = decode_vkey(vkey)
        if key.key_type != key_type:
            raise LogFormatError(f"key {key.name!r} has type 0x{key.key_type:02x}, which no {role} has")
        if any(key.public_key == other.public_key for other in (*self.logs, *self.witnesses.values())):
            raise LogFormatError(f"key {key.name!r} occurs twice")
        return key

    def _new_name(self, name: str) -> None:
        if name == NO_QUORUM or name in self.witnesses or name in self.groups:
            raise LogFormatError(f"the name {name!r} is taken")

    def _defined(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise LogFormatError(f"{name!r} is not defined on an earlier line")
