"""Identifiers of members, subsystems and services (X-Road Message Protocol for REST 1.0, sections 4.1, 4.2, 4.8)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from biometric_idp.errors import FormatError
from biometric_idp.population.text import is_plain

#: Section 4.8: what an identifier must not contain.
_FORBIDDEN = frozenset(":;/\\%")
_MAX_PART = 100


@dataclass(frozen=True, slots=True)
class XRoadId:
    """Instance, member class, member code, subsystem, and for a service its code."""

    parts: tuple[str, ...]

    def encoded(self) -> str:
        """Percent-encoded parts with ``/`` between."""
        return "/".join(quote(part, safe="") for part in self.parts)


def parse_client(text: object, what: str) -> XRoadId:
    """A client ``INSTANCE/CLASS/MEMBER[/SUBSYSTEM]``.

    Raises:
        FormatError: names the member of the configuration.
    """
    return _parse(text, what, (3, 4))


def parse_service(text: object, what: str) -> XRoadId:
    """A service ``INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE``.

    Raises:
        FormatError: names the member of the configuration.
    """
    return _parse(text, what, (5,))


def _parse(text: object, what: str, counts: tuple[int, ...]) -> XRoadId:
    parts = tuple(text.split("/")) if type(text) is str else ()
    if len(parts) not in counts:
        raise FormatError(f"{what} is no X-Road identifier of {' or '.join(map(str, counts))} parts")
    for part in parts:
        if not is_plain(part, _MAX_PART) or _FORBIDDEN & set(part) or part in (".", ".."):
            raise FormatError(f"{what} has a part that X-Road forbids")
    return XRoadId(parts)
