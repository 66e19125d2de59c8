"""A machine-readable zone against the person that the register names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.documents.mrz import Mrz, MrzFormat
from biometric_idp.documents.names import NameStrictness, names_match
from biometric_idp.population.register import DocumentKind, IdentityDocument, Person


@dataclass(frozen=True, slots=True)
class DocumentPolicy:
    """What is asked of a document. One for the Kyrgyz Republic; not yet configuration.

    Attributes:
        issuers: issuing states as ICAO codes; empty accepts any.
        names: how names are compared.
        require_pin: the optional data must hold the PIN. Otherwise it is compared only where it is there.
        require_known: the register must list the document with number and expiry. Off where the register has no
            documents; then PIN, day of birth, sex and names decide, and the PIN has to be in the zone.
    """

    issuers: frozenset[str] = frozenset({"KGZ"})
    names: NameStrictness = NameStrictness.LENIENT
    require_pin: bool = False
    require_known: bool = True


def compare_with_person(zone: Mrz, person: Person, today: date, policy: DocumentPolicy) -> tuple[str, ...]:
    """Codes of everything in which zone and register differ; empty where the document is that person's and valid.

    ``document-issuer``, ``document-pin``, ``document-birth-date``, ``document-sex``, ``document-names``,
    ``document-unknown``, ``document-expiry`` (differs from the register), ``document-expired``.
    """
    return tuple(_differences(zone, person, today, policy))


def require_document_of(zone: Mrz, person: Person, today: date, policy: DocumentPolicy) -> None:
    """Refuse unless the zone is that of a valid document of this person.

    Raises:
        DocumentRefused: with the first code of ``compare_with_person``; the message has all of them.
    """
    differences = compare_with_person(zone, person, today, policy)
    if differences:
        raise DocumentRefused(differences[0], f"the document does not fit: {', '.join(differences)}")


def _differences(zone: Mrz, person: Person, today: date, policy: DocumentPolicy) -> Iterable[str]:
    if policy.issuers and zone.issuer not in policy.issuers:
        yield "document-issuer"
    pin_needed = policy.require_pin or not policy.require_known
    if (zone.pin is None and pin_needed) or (zone.pin is not None and zone.pin != person.pin):
        yield "document-pin"
    if zone.birth != f"{person.birth_date:%y%m%d}":
        yield "document-birth-date"
    if zone.sex not in ("X", person.sex):
        yield "document-sex"
    if not names_match(
        person.surname, person.given_names, zone.surname, zone.given_names, zone.names_truncated, policy.names
    ):
        yield "document-names"
    if policy.require_known:
        known = _find(zone, person.documents)
        if known is None:
            yield "document-unknown"
        elif known.expires is not None and f"{known.expires:%y%m%d}" != zone.expiry:
            yield "document-expiry"
    if zone.expiry_date(today) < today:
        yield "document-expired"


def _find(zone: Mrz, documents: Iterable[IdentityDocument]) -> IdentityDocument | None:
    kind = DocumentKind.PASSPORT if zone.format is MrzFormat.TD3 else DocumentKind.ID_CARD
    return next((item for item in documents if item.kind is kind and item.number == zone.number), None)
