"""The manifest as a value, and its code books; docs/spec/03-manifest.md."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from verifier.record.errors import FormatError
from verifier.record.manifest_schema import MANIFEST, MAX_MANIFEST_BYTES
from verifier.record.schema import decode_as


@dataclass(frozen=True)
class Role:
    """A party with an Ed25519 key."""

    id: str
    kind: str
    index: int
    key: bytes


@dataclass(frozen=True)
class Manifest:
    """A manifest that has the schema; its consistency (3.7) is a check of its own.

    ``raw`` is the decoded map, of which this class only names the parts that many checks use.
    """

    raw: Mapping[str, Any]
    hash: bytes

    @property
    def is_model(self) -> bool:
        """Whether this is a MODEL election."""
        return bool(self.raw["model"])

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Roles by id."""
        return {role["id"]: Role(role["id"], role["kind"], role["index"], role["key"]) for role in self.raw["roles"]}

    def roles_of(self, kind: str) -> list[Role]:
        """Roles of one kind, by index."""
        return sorted((role for role in self.roles.values() if role.kind == kind), key=lambda role: role.index)

    @cached_property
    def contests(self) -> dict[str, Mapping[str, Any]]:
        """Contests by id, in ballot order."""
        return {contest["id"]: contest for contest in self.raw["contests"]}

    @cached_property
    def styles(self) -> dict[str, Mapping[str, Any]]:
        """Ballot styles by id, in order."""
        return {style["id"]: style for style in self.raw["styles"]}

    def contests_of(self, style: str) -> list[Mapping[str, Any]]:
        """The contests of a style, in the style's order."""
        return [self.contests[contest] for contest in self.styles[style]["contests"]]

    def styles_of(self, contest: str) -> list[str]:
        """The styles that have a contest, in order."""
        return [style for style, entry in self.styles.items() if contest in entry["contests"]]

    def minimum(self, contest: str) -> int:
        """The smallest tally group of a contest's kind."""
        return int(self.raw["unit-minimum"][self.contests[contest]["kind"]])

    @property
    def limits(self) -> Mapping[str, int]:
        """Sizes that nothing exceeds."""
        limits: Mapping[str, int] = self.raw["limits"]
        return limits


def decode_manifest(data: bytes) -> Manifest:
    """Decode a manifest against its schema.

    Raises:
        FormatError: names the field by its path.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise FormatError(f"manifest: {len(data)} bytes are too many")
    return Manifest(decode_as(data, MANIFEST, "manifest"), hashlib.sha256(data).digest())


def codes_of(contest: Mapping[str, Any]) -> list[str]:
    """The codes of a mixed contest in the order of their indices (section 3.5)."""
    against = [] if contest["against-all"] is None else ["against-all"]
    if contest["ballot"] == "ranked":
        return [candidate["id"] for candidate in contest["candidates"]] + against + ["none"]
    codes: list[str] = []
    for party in contest["parties"]:
        codes.append(party["id"])
        codes += [f"{party['id']}/{candidate['id']}" for candidate in party["candidates"]]
    return codes + against + ["blank"]
