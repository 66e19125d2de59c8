"""The elements that stand for the codes of mixed contests (docs/spec/02-record.md section 2.5)."""

from __future__ import annotations

from crypto.group.interface import ElementVector, Group
from crypto.hashing import frame, hash_to_group
from evoting.definition import Manifest, MixedContest, OpenListContest, RankedContest


def code_book(group: Group, manifest_hash: bytes, contest: MixedContest) -> ElementVector:
    """The elements of a contest's codes, in order."""
    prefix = frame(manifest_hash) + frame(contest.id.encode())
    return hash_to_group(group, "evoting/v1/code", *[prefix + frame(code.encode()) for code in contest.codes])


def code_books(group: Group, manifest_hash: bytes, manifest: Manifest) -> dict[str, ElementVector]:
    """The code books of all mixed contests, in the manifest's order."""
    return {
        contest.id: code_book(group, manifest_hash, contest)
        for contest in manifest.contests
        if isinstance(contest, OpenListContest | RankedContest)
    }
