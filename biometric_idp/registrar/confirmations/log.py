"""The registrar's look at the whole enrolment log before it signs that this is the one that counts."""

from __future__ import annotations

from collections.abc import Iterable

from biometric_idp.enrolment.log import EnrolmentSource, read_enrolment_log
from biometric_idp.errors import StateError


def missing_enrolments(source: EnrolmentSource, entries: Iterable[bytes], confirmed: set[bytes]) -> int:
    """How many confirmed passkeys are not in the log of the identity provider's checkpoint.

    Args:
        confirmed: ids of the passkeys that this registrar confirmed for the election.

    Raises:
        FormatError: the entries are not those of the checkpoint, or one was not signed by both.
        StateError: the log holds a passkey that this registrar did not confirm, although its signature is there.
    """
    logged = {one.passkey.credential for enrolments in read_enrolment_log(source, entries) for one in enrolments}
    if strange := logged - confirmed:
        raise StateError(
            f"{len(strange)} enrolments in the log bear this registrar's signature and are not in its database: "
            "the database is an old copy, or the key is in other hands"
        )
    return len(confirmed - logged)
