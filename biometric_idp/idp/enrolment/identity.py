"""Is this the document of the person with this PIN? One answer, whatever did not fit, after the same work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from biometric_idp.documents.compare import DocumentPolicy, compare_with_person
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.documents.mrz import parse_mrz
from biometric_idp.population.pin import Sex
from biometric_idp.population.register import DocumentKind, IdentityDocument, Person, Register

#: Stands in for a person whom the register does not know, so that the comparison is made all the same.
_NOBODY = Person(
    "00000000000000",
    "NOBODY",
    "NOBODY",
    date(1900, 1, 1),
    Sex.FEMALE,
    (IdentityDocument(DocumentKind.ID_CARD, "0", None),),
)


def find_person(register: Register, pin: str) -> Person | None:
    return register.person(pin)


def is_identified(person: Person | None, mrz: Sequence[str], now: int, policy: DocumentPolicy) -> bool:
    """Whether the zone is that of a valid document of this living person."""
    today = datetime.fromtimestamp(now, UTC).date()
    try:
        zone = parse_mrz("\n".join(mrz))
        differences = compare_with_person(zone, _NOBODY if person is None else person, today, policy)
    except DocumentRefused:
        return False
    return person is not None and not differences and not person.deceased
