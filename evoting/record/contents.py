"""What an entry may say at its place, beyond turn and signers (docs/spec/02-record.md sections 2.3 and 2.6).

Cheap checks of what could not be taken back. Proofs are not looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crypto.entry import RoleEntry
from evoting.definition import HomomorphicContest, Manifest
from evoting.errors import RecordError
from evoting.record.bodies import require_body

#: (contest id, group id)
_List = tuple[str, str]


def require_contents(entries: Sequence[RoleEntry], entry: RoleEntry, manifest: Manifest) -> None:
    """Check an entry that comes after ``entries``.

    Raises:
        RecordError: it is there already, byte for byte; it is beyond the manifest's limits, not of its schema, an
            extension to no later time, of a terminal that is not open or of a reporting unit that does not exist, or of
            a list that is not due: lists are added up before any is mixed, and all are mixed before any is decrypted,
            since nothing of an earlier phase can follow.
    """
    require_body(entry.type, entry.body)
    limits = manifest.limits
    if len(entry.raw) > limits.entry_bytes:
        raise RecordError(
            f"the {entry.type} entry has {len(entry.raw)} bytes; the manifest allows {limits.entry_bytes}"
        )
    for length in _blob_lengths(entry.body):
        if length > limits.blob_bytes:
            raise RecordError(
                f"the {entry.type} entry names a blob of {length} bytes; the manifest allows {limits.blob_bytes}"
            )
    if any(other.raw == entry.raw for other in entries):
        raise RecordError(f"the record has this very {entry.type} entry already")
    if entry.type == "extension":
        _require_later(entries, entry, manifest)
    if entry.type == "terminal-opening" and entry.body["unit"] not in {unit.id for unit in manifest.units}:
        raise RecordError(f"terminal {entry.body['terminal']} opens for a reporting unit that does not exist")
    if entry.type in ("terminal-closing", "terminal-exclusion"):
        opened = {other.body["terminal"] for other in entries if other.type == "terminal-opening"}
        if entry.body["terminal"] not in opened:
            raise RecordError(f"terminal {entry.body['terminal']} was never opened")
    if entry.type in ("aggregate", "mix", "decryption"):
        _require_due(entries, entry, manifest)


def _require_later(entries: Sequence[RoleEntry], entry: RoleEntry, manifest: Manifest) -> None:
    earlier = [other.body["closes"] for other in entries if other.type == "extension"]
    ends = earlier[-1] if earlier else manifest.closes
    if not entry.body["time"] <= ends < entry.body["closes"]:  # type: ignore[operator]
        raise RecordError(f"voting ends at {ends}: an extension comes before, and names a later time")


def _require_due(entries: Sequence[RoleEntry], entry: RoleEntry, manifest: Manifest) -> None:
    summed, mixed = _lists(entries, manifest)
    name = _name(entry)
    known = {"aggregate": summed, "mix": mixed}.get(entry.type, [*summed, *mixed])
    if name not in known:
        raise RecordError(f"the selection has no list {'.'.join(name)} for the {entry.type} entry")
    if entry.type == "aggregate":
        return
    missing = set(summed) - {_name(other) for other in entries if other.type == "aggregate"}
    if missing:
        raise RecordError(f"the aggregate of {_first(missing)} comes before any {entry.type} entry")
    if entry.type == "decryption":
        last = [other for other in entries if other.type == "mix" and other.body["stage"] == manifest.mixers]
        missing = set(mixed) - {_name(other) for other in last}
        if missing:
            raise RecordError(f"the last mix of {_first(missing)} comes before any decryption entry")


def _lists(entries: Sequence[RoleEntry], manifest: Manifest) -> tuple[list[_List], list[_List]]:
    """Lists that are added up, and lists that are mixed."""
    selection = next(other for other in entries if other.type == "selection")
    summed: list[_List] = []
    mixed: list[_List] = []
    for item in selection.body["groups"]:  # type: ignore[attr-defined]
        contest = manifest.contest_by_id[item["contest"]]
        names = [(contest.id, one["group"]) for one in item["groups"] if one["status"] == "tallied"]
        (summed if isinstance(contest, HomomorphicContest) else mixed).extend(names)
    return summed, mixed


def _name(entry: RoleEntry) -> _List:
    return str(entry.body["contest"]), str(entry.body["group"])


def _first(names: set[_List]) -> str:
    return ".".join(min(names))


def _blob_lengths(value: object) -> Iterator[int]:
    if isinstance(value, dict) and value.keys() == {"hash", "length"}:
        yield int(value["length"])
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _blob_lengths(item)
