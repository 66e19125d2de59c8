"""The population register as the identity provider and the registrar see it: one interface, several adapters.

Values in here are valid: adapters decode strictly at their edge. No ``repr`` shows anything about a person, because
representations end up in logs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from biometric_idp.errors import IdpError
from biometric_idp.population.pin import Sex


class RegisterError(IdpError):
    """The register gave no usable answer. The message says what failed and holds nothing about a person.

    Attributes:
        code: an entry of ``problems.toml`` of this package.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RegisterUnavailable(RegisterError):
    """The register cannot be reached, or fails on its own; trying again later makes sense."""

    def __init__(self, message: str, code: str = "register-unavailable") -> None:
        super().__init__(code, message)


class DocumentKind(StrEnum):
    ID_CARD = "id-card"
    PASSPORT = "passport"


@dataclass(frozen=True, slots=True, repr=False)
class IdentityDocument:
    """A document as the register knows it; ``expires`` is the last valid day, None where it never ends."""

    kind: DocumentKind
    number: str
    expires: date | None


@dataclass(frozen=True, slots=True, repr=False)
class Contacts:
    """Where the registrar reaches a person: out of its own copy of the register, never out of a request."""

    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class FingerprintTemplate:
    """A template of one finger.

    Attributes:
        finger: ISO/IEC 19794-2 position: 1 right thumb ... 5 right little, 6 left thumb ... 10 left little; 0 unknown.
        format: what a matcher needs to know to read it, such as ``nbis-xyt`` or ``iso-19794-2``.
    """

    finger: int
    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the register knows them.

    ``portrait`` and ``fingerprints`` are set only where the register sent them along; otherwise ask the register for
    them by PIN. ``unit`` is the reporting unit or ballot style that the person votes in.
    """

    pin: str = field(repr=False)
    surname: str = field(repr=False)
    given_names: str = field(repr=False)
    birth_date: date = field(repr=False)
    sex: Sex = field(repr=False)
    documents: tuple[IdentityDocument, ...] = field(repr=False, default=())
    contacts: Contacts = field(repr=False, default_factory=Contacts)
    unit: str | None = field(repr=False, default=None)
    deceased: bool = field(repr=False, default=False)
    portrait: bytes | None = field(repr=False, default=None)
    fingerprints: tuple[FingerprintTemplate, ...] | None = field(repr=False, default=None)


class Register(Protocol):
    """A population register. Methods may be called from several threads at once."""

    def person(self, pin: str) -> Person | None:
        """The person with this PIN, or None where the register says that there is none.

        Raises:
            RegisterUnavailable: no answer; later there may be one.
            RegisterError: an answer that must not be used.
        """
        ...

    def portrait(self, pin: str) -> bytes | None:
        """The face image of that person in its file format (JPEG, PNG or JPEG 2000), or None."""
        ...

    def fingerprints(self, pin: str) -> tuple[FingerprintTemplate, ...]:
        """The fingerprint templates of that person; empty where there are none."""
        ...

    def purge(self, before: int, most: int) -> list[str]:
        """Delete the oldest answers that are kept as evidence from before a time in seconds since 1970.

        Returns:
            Names of what was deleted, up to ``most``; empty where nothing is due, or where no answers are kept.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections. Nothing else may be called afterwards."""
        ...
