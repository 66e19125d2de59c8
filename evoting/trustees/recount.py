"""A trustee counts again before it decrypts, so that nobody can slip it a list of another make.

Without this, an office could name as input of the mixes a single ballot among ciphertexts of its own making: honest
mixers would mix it, and the decryption would show that one vote. Rule ``decrypt.counted`` of docs/spec/09-decryption.md
section 9.3; ballots, selection and lists are judged by sections 6 and 7, shuffles by section 8.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from crypto.errors import CryptoError, DecodeError
from crypto.group.interface import Group
from evoting.board.errors import BoardError
from evoting.board.layout import BlobRef
from evoting.board.reader import RecordReader
from evoting.board.store import Board
from evoting.definition import HomomorphicContest
from evoting.office.lists import list_path, write_lists
from evoting.office.selection import select
from evoting.office.steps import tally_groups
from evoting.record.election import ElectionRecord
from evoting.trustees.errors import DecryptionRefused
from evoting.trustees.record import decode_blobref
from evoting.trustees.refusal import ClosedElection
from mix_net.stage import MixJob, StageContext, verify_stage

RULE = "decrypt.counted"


class _ReadOnlyBoard:
    """What ``ElectionRecord`` reads of a board, over a record that has been found authentic."""

    def __init__(self, reader: RecordReader, size: int) -> None:
        self._reader = reader
        self.size = size

    def read_entries(self, start: int, stop: int) -> Iterator[bytes]:
        return self._reader.entries(start, stop, self.size)

    def get_blob(self, ref: BlobRef) -> bytes:
        return self._reader.blob(ref)


def require_counted(
    group: Group, reader: RecordReader, size: int, election: ClosedElection, randomness: Callable[[int], bytes]
) -> None:
    """Compute selection, aggregates and mix inputs again, and verify every shuffle.

    Args:
        size: of the log, under a checkpoint that the trustee's policy accepts.
        randomness: of the weights in batch verification.

    Raises:
        DecryptionRefused: rule ``decrypt.counted``.

    Cost: that of verifying the record up to here. Memory grows with the longest mixed list, not with the log.
    """
    record = ElectionRecord(cast(Board, _ReadOnlyBoard(reader, size)))
    manifest = election.manifest
    context = record.ballot_context()
    styles = [style.id for style in manifest.styles]
    selection = select(context, record.voter_entries, styles, manifest.limits.challenges)
    groups = tally_groups(manifest, selection)
    posted = election.of_type("selection")[0].body
    dispositions = _blob(reader, posted.get("dispositions"))
    if dispositions != selection.dispositions:
        at = next((i for i, (a, b) in enumerate(zip(dispositions, selection.dispositions, strict=False)) if a != b), 0)
        raise DecryptionRefused(RULE, f"the selection judges ballots otherwise than this trustee, first ballot {at}")
    expected = [
        {
            "contest": contest,
            "groups": [
                {"group": one.id, "styles": list(one.styles), "ballots": one.ballots, "status": one.status}
                for one in members
            ],
        }
        for contest, members in groups.items()
    ]
    if posted.get("groups") != expected:
        raise DecryptionRefused(RULE, "the selection's tally groups are not those of the counted ballots")

    with tempfile.TemporaryDirectory(prefix="evoting-trustee-") as directory:
        aggregates = write_lists(context, groups, record.voter_entries(), dispositions, Path(directory))
        for contest, group_id in election.lists:
            if isinstance(manifest.contest_by_id[contest], HomomorphicContest):
                entries = [e for e in election.of_type("aggregate") if _is_about(e.body, contest, group_id)]
                if [e.body.get("ciphertexts") for e in entries] not in ([], [aggregates[contest, group_id]]):
                    raise DecryptionRefused(RULE, f"{contest}, {group_id}: the aggregate is not the ballots' sum")
            else:
                inputs = list_path(Path(directory), (contest, group_id)).read_bytes()
                key = context.key.element.encode()
                _require_shuffles(group, reader, election, key, contest, group_id, inputs, randomness)


def _require_shuffles(
    group: Group,
    reader: RecordReader,
    election: ClosedElection,
    key: bytes,
    contest: str,
    group_id: str,
    inputs: bytes,
    randomness: Callable[[int], bytes],
) -> None:
    mixed = election.manifest.contest_by_id[contest]
    assert not isinstance(mixed, HomomorphicContest)
    mixers = election.manifest.roles_of("mixer")
    entries = [entry for entry in election.of_type("mix") if _is_about(entry.body, contest, group_id)]
    for mixer, entry in zip(mixers, entries, strict=False):
        where = f"{contest}, {group_id}: stage {mixer.index}"
        if entry.body.get("input") != hashlib.sha256(inputs).digest():
            source = "counted ballots" if mixer.index == 1 else "stage before"
            raise DecryptionRefused(RULE, f"{where} did not mix the {source}")
        outputs, proof = _blob(reader, entry.body.get("output")), _blob(reader, entry.body.get("proof"))
        place = StageContext(election.fingerprint, contest, group_id, mixer.index, mixer.id, mixed.width)
        try:
            verify_stage(group, MixJob(place, key, inputs), outputs, proof, randomness)
        except (CryptoError, ValueError) as error:
            raise DecryptionRefused(RULE, f"{where}: {error}") from None
        inputs = outputs


def _blob(reader: RecordReader, reference: object) -> bytes:
    try:
        return reader.blob(decode_blobref(reference))
    except (BoardError, DecodeError) as error:
        raise DecryptionRefused(RULE, str(error)) from None


def _is_about(body: dict[str, object], contest: str, group: str) -> bool:
    return (body.get("contest"), body.get("group")) == (contest, group)
