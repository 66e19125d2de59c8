"""From the manifest to the opening: what registrar, identity provider and both ceremonies hand in, and the opening.

Nothing here can be taken back, and an opening that a verifier rejects is the end of an election: so whatever the check
``opening.roll`` finds later is refused before it is appended.
"""

from __future__ import annotations

from collections.abc import Sequence

from crypto.entry import RoleEntry
from crypto.errors import CryptoError
from crypto.log.checkpoint import verify_log_signature
from crypto.log.note import NOTE_KEY, VerifierKey, decode_note
from evoting.errors import RecordError
from evoting.office.ceremonies import ceremony_outcome
from evoting.office.steps import Officers, open_election
from evoting.record.election import ElectionRecord, member, member_integer


def require_roll(record: ElectionRecord, entry: RoleEntry) -> None:
    """A ``roll`` entry has the manifest's styles and sizes.

    Raises:
        RecordError: says which differ. Sizes in the manifest are those of the final list, so one of both is not.
    """
    stated = [(item["style"], item["size"]) for item in member(entry, "styles")]
    expected = [(style.id, style.roll) for style in record.manifest.styles]
    if [style for style, _ in stated] != [style for style, _ in expected]:
        raise RecordError("the roll has other ballot styles than the manifest, or in another order")
    for (style, size), (_, wanted) in zip(stated, expected, strict=True):
        if size != wanted:
            raise RecordError(f"the roll has {size} voters of style {style}, the manifest {wanted}")
    if member_integer(entry, "size") != sum(size for _, size in stated):
        raise RecordError("the sizes of the styles do not add up to the roll's size")


def require_enrolment(record: ElectionRecord, entry: RoleEntry) -> None:
    """An ``enrolment`` entry holds a checkpoint of this election's enrolment log.

    Raises:
        RecordError: the identity provider did not sign it, it is another log's, or shorter than one before.
    """
    size = _enrolment_size(record, entry)
    for other in record.entries("enrolment"):
        if size < _enrolment_size(record, other):
            raise RecordError("the enrolment log became shorter")


def _enrolment_size(record: ElectionRecord, entry: RoleEntry) -> int:
    origin = f"{record.board.origin}/enrolment"
    (role,) = record.manifest.roles_of("identity-provider")
    try:
        note = decode_note(str(member(entry, "checkpoint")).encode())
        return verify_log_signature(note, VerifierKey(origin, NOTE_KEY, role.key)).size
    except (CryptoError, ValueError) as error:
        raise RecordError(f"the enrolment checkpoint is none of {origin}: {error}") from None


def require_enrolment_age(record: ElectionRecord, time: int) -> None:
    """A passkey that somebody enrolled for another person can be reported for a while before it counts.

    Raises:
        RecordError: not enough time has passed since the enrolment entry; a MODEL election need not wait.
    """
    manifest = record.manifest
    due = member_integer(record.only("enrolment"), "time") + manifest.enrolment_age
    if time < due and not manifest.model:
        raise RecordError(
            f"the enrolment entry must be {manifest.enrolment_age} s old at the opening: wait until {due}, it is {time}"
        )


def open_with_ceremonies(
    record: ElectionRecord, officers: Officers, vote_page: Sequence[tuple[str, bytes]], time: int
) -> bytes:
    """Append the opening entry with the keys that the transcripts in the record give; returns the fingerprint.

    Args:
        vote_page: path and hash of every file; empty where there is none.

    Raises:
        RecordError: something is missing, or a verifier would reject the opening.
        CryptoError: a transcript does not hold.
    """
    require_roll(record, record.only("roll"))
    require_enrolment(record, record.only("enrolment"))
    require_enrolment_age(record, time)
    (election,) = ceremony_outcome(record, "trustee").keys
    return open_election(
        record,
        officers,
        key=election.joint_key,
        verification_keys=b"".join(election.verification_keys),
        issuance_keys=[
            (one.label, one.joint_key, b"".join(one.verification_keys))
            for one in ceremony_outcome(record, "issuer").keys
        ],
        vote_page=vote_page,
        time=time,
    )
