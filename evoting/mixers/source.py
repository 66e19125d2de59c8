"""The list that a mixer is to mix, from a record that the mixer has checked under its own trust root.

Stage 1 is made from the ballots that the selection counts, in log order; every later stage is the output of the one
before (docs/spec/08-mixing.md). A mixer that took whatever list it is handed would prove a shuffle of something else,
which verifiers reject, but only when all mixers have worked.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from crypto.errors import CryptoError, DecodeError
from crypto.log.errors import LogError
from evoting.ballots.ballot import decode_ballot, decode_voter_entry
from evoting.ballots.dispositions import COUNTED
from evoting.ballots.shape import style_shapes
from evoting.board.audit import audit_log
from evoting.board.errors import BoardError
from evoting.definition import HomomorphicContest, MixedContest
from evoting.errors import EvotingError, RecordError
from evoting.office.groups import TallyGroup
from evoting.office.steps import published_groups
from evoting.record.election import ElectionView, PublishedCopy, member_bytes
from evoting.record.trust_root import read_trust_root
from mix_net.errors import InputError
from mix_net.keys import load_key
from mix_net.stage import MixJob, StageContext


class RecordSource:
    """Options of a command that takes its list from a record, and the job that they ask for."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--record", type=Path, metavar="DIR", help="instead: a copy of the election's record")
        parser.add_argument("--trust-root", type=Path, metavar="FILE", help="under which the record is checked")
        parser.add_argument("--contest", metavar="ID", help="the list's contest")
        parser.add_argument("--group", metavar="ID", help="the list's group")
        parser.add_argument("--stage", type=int, metavar="N", help="otherwise the one that is due")

    def job(self, options: argparse.Namespace) -> MixJob | None:
        if options.record is None:
            return None
        if None in (options.trust_root, options.contest, options.group):
            raise InputError("--record needs --trust-root, --contest and --group")
        if not (options.list is options.context is options.public_key is None):
            raise InputError("a list comes from --record or from --list, --context and --public-key, not from both")
        now = getattr(options, "now", None)
        try:
            view = trusted_view(options.record, options.trust_root, int(time.time()) if now is None else now)
            job = read_job(view, options.contest, options.group, options.stage)
        except (EvotingError, CryptoError) as error:
            raise InputError(str(error)) from None
        key = getattr(options, "key", None)
        if key is not None:
            _require_key(view, job, key)
        return job


def trusted_view(record: Path, trust_root: Path, now: int) -> ElectionView:
    """A record whose whole log was checked, of the election that the trust root names.

    Raises:
        EvotingError, CryptoError: says what is wrong with it.
    """
    trusted = read_trust_root(trust_root)
    try:
        audit_log(record, trusted.policy, now)
    except (LogError, BoardError) as error:
        raise RecordError(f"{record}: {error}") from None
    view = ElectionView(PublishedCopy(record))
    if view.fingerprint != trusted.fingerprint:
        raise RecordError(f"{record} is not the record of the election in {trust_root}")
    return view


def read_job(view: ElectionView, contest_id: str, group_id: str, stage: int | None) -> MixJob:
    """A stage of one list with its input.

    Args:
        stage: None takes the one that is due.

    Raises:
        RecordError: there is no such list, or the stage before is not on the board.
    """
    contest, group = _list(view, contest_id, group_id)
    done = [
        entry for entry in view.entries("mix") if (entry.body["contest"], entry.body["group"]) == (contest_id, group_id)
    ]
    where = f"list {contest_id}.{group_id}"
    number = len(done) + 1 if stage is None else stage
    if stage is None and number > view.manifest.mixers:
        raise RecordError(f"{where} has been through all {view.manifest.mixers} mixers")
    if not 1 <= number <= min(len(done) + 1, view.manifest.mixers):
        raise RecordError(f"{where}: stage {number} is not due; {len(done)} of {view.manifest.mixers} are on the board")
    inputs = counted_list(view, contest, group) if number == 1 else view.blob(done[number - 2], "output")
    if len(inputs) != 64 * contest.width * group.ballots:
        raise RecordError(f"{where}: the selection says {group.ballots} ballots, and stage {number} has another input")
    mixer = next(role for role in view.manifest.roles_of("mixer") if role.index == number)
    context = StageContext(view.fingerprint, contest_id, group_id, number, mixer.id, contest.width)
    return MixJob(context, member_bytes(view.only("opening"), "trustees", "key"), inputs)


def counted_list(view: ElectionView, contest: MixedContest, group: TallyGroup) -> bytes:
    """The ciphertexts of a contest in the counted ballots of a group, in log order.

    Raises:
        RecordError: what is counted is no ballot, or the selection does not fit the board.
    """
    dispositions = view.blob(view.only("selection"), "dispositions")
    if len(dispositions) != view.voter_count:
        raise RecordError("the selection has not one disposition for each ballot and challenge")
    shapes = style_shapes(view.manifest)
    place = {style.id: style.contests.index(contest.id) for style in view.manifest.styles if style.id in group.styles}
    parts: list[bytes] = []
    for (index, entry), fate in zip(view.indexed_voter_entries(), dispositions, strict=True):
        if fate != COUNTED:
            continue
        try:
            ballot = decode_ballot(decode_voter_entry(entry).body, view.fingerprint, shapes)
        except DecodeError as error:
            raise RecordError(f"entry {index} is counted and is no ballot of this election: {error}") from None
        if ballot.style in place:
            parts.append(ballot.contests[place[ballot.style]].ciphertexts)
    return b"".join(parts)


def _list(view: ElectionView, contest_id: str, group_id: str) -> tuple[MixedContest, TallyGroup]:
    groups = published_groups(view)
    lists = {
        (contest.id, group.id): (contest, group)
        for contest in view.manifest.contests
        if not isinstance(contest, HomomorphicContest)
        for group in groups[contest.id]
        if group.status == "tallied"
    }
    if (contest_id, group_id) not in lists:
        known = ", ".join(".".join(name) for name in lists) or "none"
        raise RecordError(f"the record has no list {contest_id}.{group_id} to mix; it has {known}")
    return lists[contest_id, group_id]


def _require_key(view: ElectionView, job: MixJob, path: Path) -> None:
    key = load_key(path)
    due = next(role for role in view.manifest.roles_of("mixer") if role.id == job.context.mixer)
    if bytes(key.verify_key) != due.key:
        raise InputError(f"stage {job.context.stage} is for {due.id}, and {path} is not its key")
