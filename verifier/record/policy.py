"""The log's policy (C2SP tlog-policy): its key, the log witnesses and the quorum."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from verifier.record.errors import FormatError
from verifier.record.note import ED25519_COSIGNATURE, ED25519_NOTE, VerifierKey, is_origin, parse_vkey

MAX_POLICY_BYTES = 65_536
#: Groups nest by definition order, so their number bounds the depth of evaluation.
MAX_GROUPS = 128


@dataclass(frozen=True)
class Group:
    """A named group: at least ``threshold`` of its members."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Logs, witnesses by name, groups by name, and the name of the quorum (None: no cosignature needed)."""

    logs: tuple[VerifierKey, ...]
    witnesses: dict[str, VerifierKey]
    groups: dict[str, Group]
    quorum: str | None

    def is_satisfied(self, cosigned: Collection[str]) -> bool:
        """Whether the named witnesses reach the quorum."""
        return self.quorum is None or self._holds(self.quorum, cosigned)

    def is_split(self) -> bool:
        """Whether two disjoint sets of witnesses could both reach the quorum, so that two views could be cosigned."""
        return self.quorum is None or self._split(self.quorum)

    def _split(self, name: str) -> bool:
        group = self.groups.get(name)
        if group is None:
            return False
        split = sum(self._split(member) for member in group.members)
        return 2 * group.threshold <= 2 * split + (len(group.members) - split)

    def _holds(self, name: str, cosigned: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._holds(member, cosigned) for member in group.members) >= group.threshold


class _Parser:
    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, VerifierKey] = {}
        self.groups: dict[str, Group] = {}
        self.members: set[str] = set()
        self.quorum: list[str] = []

    def defined(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def define(self, name: str) -> None:
        if name == "none" or self.defined(name):
            raise FormatError(f"the name {name!r} is defined twice or reserved")

    def line(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self.log(vkey)
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self.witness(name, vkey)
            case ["group", name, threshold, *members] if members:
                self.group(name, threshold, members)
            case ["quorum", name]:
                if name != "none" and not self.defined(name):
                    raise FormatError(f"the quorum {name!r} is not defined before it is used")
                self.quorum.append(name)
            case _:
                raise FormatError(f"unknown line {' '.join(words)[:80]!r}")

    def log(self, vkey: str) -> None:
        key = parse_vkey(vkey)
        if key.algorithm != ED25519_NOTE:
            raise FormatError(f"the log key of {key.name!r} has the wrong type")
        if not is_origin(key.name):
            raise FormatError(f"the name {key.name!r} of a log key is not an origin")
        self.once(key)
        self.logs.append(key)

    def once(self, key: VerifierKey) -> None:
        """No key stands in two lines, under whatever names."""
        if any(other.public_key == key.public_key for other in (*self.logs, *self.witnesses.values())):
            raise FormatError(f"the key of {key.name!r} is repeated")

    def witness(self, name: str, vkey: str) -> None:
        self.define(name)
        key = parse_vkey(vkey)
        if key.algorithm != ED25519_COSIGNATURE:
            raise FormatError(f"the witness key of {name!r} has the wrong type")
        self.once(key)
        self.witnesses[name] = key

    def group(self, name: str, threshold: str, members: list[str]) -> None:
        self.define(name)
        for member in members:
            if not self.defined(member) or member in self.members:
                raise FormatError(f"the member {member!r} of {name!r} is not defined before, or is in a group already")
            self.members.add(member)
        named = {"any": "1", "all": str(len(members))}.get(threshold, threshold)
        if not re.fullmatch(r"[1-9][0-9]{0,8}", named) or int(named) > len(members):
            raise FormatError(f"the threshold {threshold!r} of {name!r} is not within 1..{len(members)}")
        if len(self.groups) >= MAX_GROUPS:
            raise FormatError(f"more than {MAX_GROUPS} groups")
        self.groups[name] = Group(int(named), tuple(members))


def parse_policy(text: str) -> Policy:
    """Read a policy.

    Raises:
        FormatError: names the line.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_POLICY_BYTES:
        raise FormatError("the policy is too long")
    if not text.endswith("\n") or any("\ud800" <= char <= "\udfff" for char in text):
        raise FormatError("the policy must be text that ends with a newline")
    parser = _Parser()
    for number, line in enumerate(text[:-1].split("\n"), 1):
        if any((ord(char) < 32 and char != "\t") or ord(char) == 127 for char in line):
            raise FormatError(f"policy line {number}: control character")
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            parser.line(words)
        except FormatError as error:
            raise FormatError(f"policy line {number}: {error}") from None
    if len(parser.quorum) != 1:
        raise FormatError("a policy has exactly one quorum line")
    quorum = None if parser.quorum[0] == "none" else parser.quorum[0]
    return Policy(tuple(parser.logs), parser.witnesses, parser.groups, quorum)
