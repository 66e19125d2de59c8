"""What other roles signed and hand in, looked at before it goes on the board for ever.

Turn, signers, schema and place are checked by ``ElectionRecord.require_next``; here is what only its contents show.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from crypto.entry import RoleEntry
from crypto.errors import CryptoError
from crypto.group import load_group
from crypto.log.checkpoint import verify_log_signature
from crypto.log.note import NOTE_KEY, VerifierKey, decode_note
from evoting.definition import HomomorphicContest
from evoting.errors import RecordError
from evoting.office.lists import list_path
from evoting.office.steps import published_groups
from evoting.office.tally import list_bytes, require_own_list, verify_decryption
from evoting.record.election import ElectionRecord, member_bytes, read_blobref
from mix_net.stage import MixJob, StageContext, verify_stage

#: By so much a role's clock may be ahead; verifiers allow witnesses' clocks as much (docs/spec/02-log.md).
ALLOWANCE_SECONDS = 300


def require_possible_time(entry: RoleEntry, now: int) -> None:
    """An entry of the future makes every cosignature before that time an outdated one: ``checkpoint.times``.

    Raises:
        RecordError: the entry's time is ahead of the clock.
    """
    stated = entry.body.get("time")
    if isinstance(stated, int) and stated > now + ALLOWANCE_SECONDS:
        raise RecordError(
            f"the {entry.type} entry states the time {stated}, and it is {now}: one of two clocks is wrong"
        )


def require_statement(record: ElectionRecord, entry: RoleEntry) -> None:
    """An issuer's ``ledger`` entry by itself: checks ``ledger.statements`` and the first half of ``ledger.bounds``.

    Raises:
        RecordError: it contradicts the manifest, the roll, or itself, or the issuer did not sign the checkpoint.
    """
    body: dict[str, Any] = entry.body
    manifest = record.manifest
    who = f"issuer {body['issuer']}"
    if [item["style"] for item in body["issued"]] != [style.id for style in manifest.styles]:
        raise RecordError(f"{who} states other styles than the manifest's, in its order")
    for item, style in zip(body["issued"], manifest.styles, strict=True):
        if not item["terminal"] <= item["count"] <= style.roll:
            raise RecordError(
                f"{who} states {item['count']} credentials of style {style.id}, {item['terminal']} of them at "
                f"terminals, with a roll of {style.roll}"
            )
    if body["tree"]["size"] != record.only("roll").body["size"]:
        raise RecordError(f"the tree of {who} has not one leaf for each roll position")
    origin = f"{record.only('opening').body['origin']}/ledger/{body['issuer']}"
    key = next(role.key for role in manifest.roles_of("issuer") if role.index == body["issuer"])
    try:
        checkpoint = verify_log_signature(decode_note(body["checkpoint"].encode()), VerifierKey(origin, NOTE_KEY, key))
    except (CryptoError, ValueError) as error:
        raise RecordError(f"the ledger checkpoint of {who} cannot be used: {error}") from None
    if checkpoint.size != sum(item["count"] for item in body["issued"]):
        raise RecordError(f"the ledger of {who} has {checkpoint.size} entries, which is not the sum of its counts")


def require_mix(record: ElectionRecord, entry: RoleEntry, lists: Path | None, output: bytes, proof: bytes) -> None:
    """A ``mix`` entry mixed what was due, and proves it: checks ``mix.input``, ``mix.chain``, ``mix.proof``.

    Args:
        lists: where ``write_lists`` put the counted ballots; only stage 1 needs it.
        output, proof: the blobs that the entry names.

    Raises:
        RecordError: says what does not hold. The stage is still to be mixed.

    Cost: that of verifying the shuffle.
    """
    body: dict[str, Any] = entry.body
    contest, group_id, stage = body["contest"], body["group"], body["stage"]
    where = f"list {contest}.{group_id}, stage {stage}"
    mixed = record.manifest.contest_by_id[contest]
    assert not isinstance(mixed, HomomorphicContest)
    if stage == 1:
        if lists is None:
            raise RecordError(f"{where}: give the folder that `aggregate` wrote by --lists")
        inputs = list_path(lists, (contest, group_id)).read_bytes()
    else:
        before = next(
            other
            for other in record.entries("mix")
            if (other.body["contest"], other.body["group"], other.body["stage"]) == (contest, group_id, stage - 1)
        )
        inputs = record.board.get_blob(read_blobref(before.body["output"]))
    if body["input"] != hashlib.sha256(inputs).digest():
        raise RecordError(f"{where} did not mix {'the counted ballots' if stage == 1 else 'the output before'}")
    count = next(one.ballots for one in published_groups(record)[contest] if one.id == group_id)
    if body["count"] != count or len(output) != count * mixed.width * 64:
        raise RecordError(f"{where} has not the {count} rows of the list")
    place = StageContext(record.fingerprint, contest, group_id, stage, entry.signatures[0][0], mixed.width)
    job = MixJob(place, member_bytes(record.only("opening"), "trustees", "key"), inputs)
    try:
        verify_stage(load_group(), job, output, proof, os.urandom)
    except (CryptoError, ValueError) as error:
        raise RecordError(f"{where} is not proved: {error}") from None


def require_decryption(record: ElectionRecord, entry: RoleEntry, factors: bytes, *, wrong: bool) -> None:
    """A ``decryption`` entry is valid, so that a trustee who erred can hand in another one.

    Args:
        factors: the blob that the entry names.
        wrong: whether it may be invalid; but it is of the list that is due in any case.

    Raises:
        RecordError: it is of another list, or would be left out (docs/spec/09-decryption.md section 9.4).

    Cost: that of verifying one list's factors.
    """
    body: dict[str, Any] = entry.body
    where = f"list {body['contest']}.{body['group']}"
    data = list_bytes(record, record.manifest.contest_by_id[body["contest"]], body["group"])
    require_own_list(entry, data)
    if wrong:
        return
    try:
        verify_decryption(record, load_group(), entry, data, factors)
    except (CryptoError, ValueError) as error:
        raise RecordError(
            f"{where}: the decryption of trustee {body['trustee']} does not hold ({error}); ask for another one, or "
            "append it with --wrong, and the result names it as left out"
        ) from None
