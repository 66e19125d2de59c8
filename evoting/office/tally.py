"""From decryption factors to the result (docs/spec/09-decryption.md sections 9.4 and 9.5, 10-results.md)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from crypto import cbor
from crypto.decryption import INVALID, combine_list, decode_exponents, look_up_codes, verify_factors
from crypto.entry import RoleEntry
from crypto.errors import DecodeError, InvalidProof
from crypto.group import load_group
from crypto.group.interface import Group
from evoting.definition import Contest, HomomorphicContest, RankedContest
from evoting.errors import RecordError
from evoting.office.groups import TallyGroup
from evoting.office.opening import blobref
from evoting.office.steps import published_groups
from evoting.record.election import ElectionRecord, read_blobref
from evoting.seats import GroupTally, Result, build_result, encode_result, is_ranking, is_regular_ranking


@dataclass(frozen=True)
class DecryptedList:
    """One list and what became of the posted factors."""

    contest: str
    group: str
    used: tuple[int, ...]
    left_out: tuple[int, ...]
    plaintexts: bytes | None


def list_bytes(record: ElectionRecord, contest: Contest, group: str) -> bytes:
    """What is decrypted for a contest and group: the aggregate, or the output of the last mix.

    Raises:
        RecordError: it is not on the board yet.
    """
    if isinstance(contest, HomomorphicContest):
        for entry in record.entries("aggregate"):
            if (entry.body["contest"], entry.body["group"]) == (contest.id, group):
                return cast(bytes, entry.body["ciphertexts"])
        raise RecordError(f"contest {contest.id}, group {group}: there is no aggregate yet")
    for entry in record.entries("mix"):
        place = (entry.body["contest"], entry.body["group"], entry.body["stage"])
        if place == (contest.id, group, record.manifest.mixers):
            return record.board.get_blob(read_blobref(entry.body["output"]))
    raise RecordError(f"contest {contest.id}, group {group}: the last of {record.manifest.mixers} mixes is missing")


def post_result(
    record: ElectionRecord,
    officers: Mapping[str, object],
    time: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Result:
    """Combine the posted factors of every list, count, allocate seats, and append the result.

    Raises:
        RecordError: a list has too few valid decryptions, or one of another list; names the trustees.
    """
    group = load_group()
    manifest = record.manifest
    groups = published_groups(record)
    tallies: dict[str, list[GroupTally]] = {}
    lists: list[DecryptedList] = []
    for contest in manifest.contests:
        tallies[contest.id] = []
        for one in groups[contest.id]:
            tally, decrypted = _tally_group(record, group, contest, one)
            tallies[contest.id].append(tally)
            if decrypted is not None:
                lists.append(decrypted)
            progress(one.ballots)
    withdrawn: dict[str, list[str]] = {}
    for entry in record.entries("withdrawal"):
        withdrawn.setdefault(str(entry.body["contest"]), []).append(str(entry.body["subject"]))
    result = build_result(manifest, record.fingerprint, tallies, withdrawn)
    encoded_lists = cbor.encode(
        [
            {
                "contest": one.contest,
                "group": one.group,
                "used": list(one.used),
                "left-out": list(one.left_out),
                "plaintexts": None if one.plaintexts is None else blobref(record.board.put_blob(one.plaintexts)),
            }
            for one in lists
        ]
    )
    record.post(
        "result",
        {
            "result": blobref(record.board.put_blob(encode_result(result))),
            "lists": blobref(record.board.put_blob(encoded_lists)),
            "time": time,
        },
        officers,  # type: ignore[arg-type]
    )
    return result


def _tally_group(
    record: ElectionRecord, group: Group, contest: Contest, one: TallyGroup
) -> tuple[GroupTally, DecryptedList | None]:
    if one.status != "tallied":
        return _without_list(contest, one), None
    data = list_bytes(record, contest, one.id)
    factors, left_out = _valid_factors(record, group, contest, one, data)
    used = tuple(sorted(factors))
    threshold = record.manifest.trustee_threshold
    if len(used) < threshold:
        blame = f"; the factors of trustee {', '.join(map(str, left_out))} do not hold" if left_out else ""
        raise RecordError(
            f"contest {contest.id}, group {one.id}: {len(used)} of {threshold} needed decryptions are there{blame}"
        )
    messages = combine_list(group, data, factors)
    if isinstance(contest, HomomorphicContest):
        counts = decode_exponents(group, group.elements_decode(messages, allow_identity=True), one.ballots)
        tally = GroupTally(one.id, one.styles, one.ballots, "tallied", tuple(counts), None, 0)
        return tally, DecryptedList(contest.id, one.id, used, left_out, None)
    plaintexts = look_up_codes(messages, record.code_books(group)[contest.id].encode())
    tally = count_codes(contest, one, plaintexts.indices)
    return tally, DecryptedList(contest.id, one.id, used, left_out, plaintexts.encode())


def _valid_factors(
    record: ElectionRecord, group: Group, contest: Contest, one: TallyGroup, data: bytes
) -> tuple[dict[int, bytes], tuple[int, ...]]:
    factors: dict[int, bytes] = {}
    left_out: list[int] = []
    for entry in record.entries("decryption"):
        if (entry.body["contest"], entry.body["group"]) != (contest.id, one.id):
            continue
        trustee = int(entry.body["trustee"])  # type: ignore[call-overload]
        require_own_list(entry, data)
        blob = record.board.get_blob(read_blobref(entry.body["factors"]))
        try:
            verify_decryption(record, group, entry, data, blob)
            factors[trustee] = blob
        except (InvalidProof, DecodeError):
            left_out.append(trustee)
    return factors, tuple(sorted(left_out))


def require_own_list(entry: RoleEntry, data: bytes) -> None:
    """A ``decryption`` entry is of the list that is due: a record must not hold the decryption of anything else.

    Raises:
        RecordError: it names another list.
    """
    if entry.body["list"] != hashlib.sha256(data).digest():
        raise RecordError(
            f"list {entry.body['contest']}.{entry.body['group']}: trustee {entry.body['trustee']} decrypts another list"
        )


def verify_decryption(record: ElectionRecord, group: Group, entry: RoleEntry, data: bytes, factors: bytes) -> None:
    """A ``decryption`` entry with its blob, against the list that is to be decrypted (section 9.4).

    Raises:
        InvalidProof, DecodeError: the entry is not valid.
    """
    body = entry.body
    contest, group_id, trustee = str(body["contest"]), str(body["group"]), cast(int, body["trustee"])
    keys = bytes(record.only("opening").body["trustees"]["verification-keys"])  # type: ignore[index]
    key, proof = keys[32 * (trustee - 1) : 32 * trustee], cast(bytes, body["proof"])
    verify_factors(group, record.fingerprint, contest, group_id, trustee, key, data, factors, proof)


def count_codes(contest: Contest, one: TallyGroup, indices: np.ndarray) -> GroupTally:
    """The tally of a mixed list."""
    assert not isinstance(contest, HomomorphicContest)
    if isinstance(contest, RankedContest) and is_ranking(contest):
        return _count_rankings(contest, one, indices)
    valid = indices[indices != INVALID]
    counts = np.bincount(valid, minlength=len(contest.codes)).tolist()
    return GroupTally(one.id, one.styles, one.ballots, "tallied", tuple(counts), None, len(indices) - len(valid))


def _count_rankings(contest: RankedContest, one: TallyGroup, indices: np.ndarray) -> GroupTally:
    tally: dict[tuple[int, ...], int] = {}
    invalid = 0
    for row in indices.reshape(-1, contest.width).tolist():
        if is_regular_ranking(contest, tuple(row)):
            tally[tuple(row)] = tally.get(tuple(row), 0) + 1
        else:
            invalid += 1
    return GroupTally(one.id, one.styles, one.ballots, "tallied", None, tuple(sorted(tally.items())), invalid)


def _without_list(contest: Contest, one: TallyGroup) -> GroupTally:
    if one.status == "withheld":
        return GroupTally(one.id, one.styles, one.ballots, "withheld", None, None, None)
    if is_ranking(contest):
        return GroupTally(one.id, one.styles, 0, "empty", None, (), 0)
    width = len(contest.options) if isinstance(contest, HomomorphicContest) else len(contest.codes)
    return GroupTally(one.id, one.styles, 0, "empty", (0,) * width, None, 0)
