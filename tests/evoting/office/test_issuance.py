"""What the office hands out to issuers."""

from __future__ import annotations

from pathlib import Path

from biometric_idp.issuer.record_check import require_policy_of_record
from biometric_idp.policy import read_policy
from evoting.office.issuance import write_policy
from evoting.record.election import read_blobref
from tests.support.small_election import ORIGIN, SmallElection


def test_issuance_begins_with_the_opening_before_voting_does(tmp_path: Path) -> None:
    election = SmallElection(tmp_path)
    election.setup()
    election.open()
    election.publish()
    opening, manifest = election.record.only("opening"), election.manifest
    opened = int(str(opening.body["time"]))
    write_policy(
        tmp_path / "policy.json", manifest, election.fingerprint, ORIGIN, election.record.only("enrolment"), opened
    )
    policy = read_policy(tmp_path / "policy.json")
    assert policy.opens == opened < manifest.opens
    assert policy.closes == manifest.closes
    keys = election.board.get_blob(read_blobref(opening.body["issuers"]["keys"]))  # type: ignore[index]
    require_policy_of_record(policy, keys, election.record_path, election.fingerprint)
