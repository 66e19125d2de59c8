"""A trustee's own look at an election record: under its own trust root, whatever the record itself says."""

from __future__ import annotations

from pathlib import Path

from crypto.dkg.files import KeyShareFile
from crypto.entry import RoleEntry, decode_role_entry
from crypto.errors import DecodeError
from crypto.log.errors import LogError
from evoting.board.audit import audit_log
from evoting.board.errors import BoardError
from evoting.board.layout import BlobRef
from evoting.board.reader import RecordReader
from evoting.definition import HomomorphicContest
from evoting.record.election import is_voter_entry
from evoting.record.trust_root import TrustRoot
from evoting.trustees.errors import DecryptionRefused
from evoting.trustees.refusal import ClosedElection, require_closed


class TrusteeRecord:
    """A record that has been found complete under the trust root, and the election in it ready for decryption.

    Attributes:
        size: of the log that was checked.
        election: closed, and of this trustee's key.
    """

    def __init__(self, root: Path, trust_root: TrustRoot, share: KeyShareFile, now: int) -> None:
        """Check the whole log, then that the election may be decrypted.

        Args:
            now: the present, seconds since the epoch.

        Raises:
            DecryptionRefused: names the rule of docs/spec/09-decryption.md section 9.3.
        """
        self.reader = RecordReader(root)
        try:
            self.size = audit_log(root, trust_root.policy, now).checkpoint.size
            entries = self._role_entries()
            manifest = self.reader.blob(_manifest_ref(entries))
        except (LogError, BoardError, DecodeError, OSError) as error:
            raise DecryptionRefused("decrypt.root", f"the record cannot be trusted: {error}") from None
        self.election: ClosedElection = require_closed(entries, manifest, trust_root.fingerprint, share)

    def _role_entries(self) -> tuple[RoleEntry, ...]:
        entries: list[RoleEntry] = []
        closed = False
        for raw in self.reader.entries(0, self.size, self.size):
            if not is_voter_entry(raw):
                entries.append(decode_role_entry(raw))
                closed = closed or entries[-1].type == "close"
            elif closed:
                raise DecryptionRefused("decrypt.closed", "the log has a ballot after the close")
        return tuple(entries)

    def list_bytes(self, contest: str, group: str) -> bytes:
        """The list that the log offers for a contest and group; whether it is the right one is still to be checked.

        Raises:
            DecryptionRefused: there is none yet.
        """
        homomorphic = isinstance(self.election.manifest.contest_by_id.get(contest), HomomorphicContest)
        rule = "decrypt.aggregate" if homomorphic else "decrypt.mixed"
        entries = [
            entry
            for entry in self.election.of_type("aggregate" if homomorphic else "mix")
            if (entry.body.get("contest"), entry.body.get("group")) == (contest, group)
        ]
        if not entries:
            raise DecryptionRefused(rule, f"{contest}, {group}: the log has no list to decrypt yet")
        try:
            if not homomorphic:
                return self.reader.blob(decode_blobref(entries[-1].body.get("output")))
        except (BoardError, OSError) as error:
            raise DecryptionRefused(rule, str(error)) from None
        ciphertexts = entries[-1].body.get("ciphertexts")
        if not isinstance(ciphertexts, bytes):
            raise DecryptionRefused(rule, f"{contest}, {group}: the aggregate entry has no ciphertexts")
        return ciphertexts


def _manifest_ref(entries: tuple[RoleEntry, ...]) -> BlobRef:
    if not entries or entries[0].type != "manifest":
        raise DecodeError("entry 0 is not the manifest")
    return decode_blobref(entries[0].body.get("manifest"))


def decode_blobref(value: object) -> BlobRef:
    """The blob reference in an entry.

    Raises:
        DecodeError: it is none.
    """
    if not isinstance(value, dict):
        raise DecodeError("not a reference to a blob")
    digest, length = value.get("hash"), value.get("length")
    if not isinstance(digest, bytes) or len(digest) != 32 or not isinstance(length, int):
        raise DecodeError("not a reference to a blob")
    return BlobRef(digest, length)
