"""Entries at their turn and rightly signed, whose contents would spoil the record all the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from crypto.entry import RoleEntry
from evoting.definition import Manifest
from evoting.errors import RecordError
from evoting.record.bodies import BODIES
from evoting.record.contents import require_contents
from tests.evoting.record.test_bodies import example
from tests.support.small_manifest import ROLES, small_manifest

MANIFEST = small_manifest({name: bytes([number]) * 32 for number, (name, _, _) in enumerate(ROLES)})


_numbers = count()


def entry(kind: str, size: int = 1000, **changes: Any) -> RoleEntry:
    """An entry of so many bytes, which are no other entry's."""
    return RoleEntry(kind, {**example(BODIES[kind]), **changes}, (), b"", next(_numbers).to_bytes(size))


def selection(statuses: Mapping[str, str]) -> RoleEntry:
    """One group called all in every contest."""
    group = {"group": "all", "styles": ["east", "west"], "ballots": 12}
    return entry(
        "selection",
        groups=[{"contest": name, "groups": [{**group, "status": status}]} for name, status in statuses.items()],
    )


COUNTED = [selection({"question": "tallied", "list": "tallied", "ranking": "withheld"})]
AGGREGATE = entry("aggregate", contest="question", group="all")
MIX_1, MIX_2 = (entry("mix", contest="list", group="all", stage=stage) for stage in (1, 2))
DECRYPTION = entry("decryption", contest="question", group="all")
OPENED = [entry("terminal-opening", terminal="terminal-1", unit="west-1")]


def refused(before: list[RoleEntry], after: RoleEntry, words: str, manifest: Manifest = MANIFEST) -> None:
    with pytest.raises(RecordError, match=words):
        require_contents(before, after, manifest)


def test_lists_are_added_up_then_mixed_then_decrypted() -> None:
    """Nothing of an earlier phase could follow: a decryption that comes early would end the mixing for ever."""
    for before, after in (
        (COUNTED, AGGREGATE),
        ([*COUNTED, AGGREGATE], MIX_1),
        ([*COUNTED, AGGREGATE, MIX_1], MIX_2),
        ([*COUNTED, AGGREGATE, MIX_1, MIX_2], DECRYPTION),
    ):
        require_contents(before, after, MANIFEST)
    refused(COUNTED, MIX_1, "aggregate of question.all comes before any mix")
    refused(COUNTED, DECRYPTION, "aggregate of question.all comes before any decryption")
    refused([*COUNTED, AGGREGATE], DECRYPTION, "last mix of list.all")
    refused([*COUNTED, AGGREGATE, MIX_1], DECRYPTION, "last mix of list.all")


@pytest.mark.parametrize(
    "after",
    [
        entry("mix", contest="question", group="all"),
        entry("mix", contest="list", group="east"),
        entry("mix", contest="ranking", group="all"),
        entry("aggregate", contest="list", group="all"),
        entry("decryption", contest="ranking", group="all"),
    ],
)
def test_only_lists_that_are_tallied_are_mixed_and_decrypted(after: RoleEntry) -> None:
    refused([*COUNTED, AGGREGATE, MIX_1, MIX_2], after, "the selection has no list")


def test_terminals_open_for_a_unit_and_close_what_is_open() -> None:
    require_contents([], OPENED[0], MANIFEST)
    refused([], entry("terminal-opening", terminal="terminal-1", unit="north-1"), "unit that does not exist")
    for kind in ("terminal-closing", "terminal-exclusion"):
        after = entry(kind, terminal="terminal-1")
        require_contents(OPENED, after, MANIFEST)
        refused([], after, "never opened")


def test_the_manifests_limits_hold_for_entries_of_roles_and_their_blobs() -> None:
    """It may allow less than a log can hold; record.encoding fails beyond it."""
    tight = replace(MANIFEST, limits=replace(MANIFEST.limits, entry_bytes=2000, blob_bytes=1 << 20))
    require_contents([], entry("vote-page", size=2000), tight)
    refused([], entry("vote-page", size=2001), "2001 bytes; the manifest allows 2000", tight)
    document = {"hash": bytes(32), "length": (1 << 20) + 1}
    require_contents([], entry("complaint", document=document), MANIFEST)
    refused([], entry("complaint", document=document), "a blob of 1048577 bytes", tight)


def test_an_extension_comes_before_the_end_and_is_to_a_later_time() -> None:
    ends = MANIFEST.closes
    first = entry("extension", closes=ends + 100, time=ends)
    require_contents([], first, MANIFEST)
    require_contents([first], entry("extension", closes=ends + 101, time=ends + 100), MANIFEST)
    refused([], entry("extension", closes=ends, time=ends - 1), f"voting ends at {ends}")
    refused([], entry("extension", closes=ends + 100, time=ends + 1), f"voting ends at {ends}")
    refused([first], entry("extension", closes=ends + 100, time=ends), f"voting ends at {ends + 100}")


def test_an_entry_that_is_there_is_not_appended_again() -> None:
    complaint = entry("complaint")
    require_contents([complaint], entry("complaint"), MANIFEST)
    refused([complaint], complaint, "this very complaint entry already")
