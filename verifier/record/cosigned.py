"""Who cosigned a checkpoint of the enrolment log or of a ledger; docs/spec/02-log.md section 7."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.record.note import Note, lines_of, read_cosignature
from verifier.record.policy import Policy


@dataclass(frozen=True)
class Cosigned:
    """What log witnesses of a policy say of one checkpoint.

    Attributes:
        by: names of the witnesses whose cosignature holds.
        wrong: names of those with a line that does not hold.
        witnesses: how many the policy has.
        is_quorum: whether ``by`` reaches the policy's quorum.
    """

    by: tuple[str, ...]
    wrong: tuple[str, ...]
    witnesses: int
    is_quorum: bool

    @property
    def is_bare(self) -> bool:
        """Whether no witness of the policy has a line at all, as where a checkpoint goes by files."""
        return not self.by and not self.wrong

    def sentence(self) -> str:
        """What a reader of a report is told."""
        if self.is_bare:
            return "not cosigned, as where issuance goes by files, without services"
        quorum = "" if self.is_quorum else ", which is no quorum"
        return f"checkpoint cosigned by {len(self.by)} of {self.witnesses} log witnesses{quorum}"


def read_cosigned(note: Note, policy: Policy) -> Cosigned:
    """Look at every line of a witness of the policy; lines of others count for nothing."""
    named = [name for name, key in policy.witnesses.items() if lines_of(note, key)]
    by = tuple(name for name in named if read_cosignature(note, policy.witnesses[name]) is not None)
    wrong = tuple(name for name in named if name not in by)
    return Cosigned(by, wrong, len(policy.witnesses), policy.is_satisfied(by))
