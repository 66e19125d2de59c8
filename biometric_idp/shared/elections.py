"""Finding an election among those that a service is configured for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from services.problems import Problem


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def origin(self) -> str: ...


Election = TypeVar("Election", bound=_Named)


def with_origin(elections: Iterable[Election], origin: str) -> Election:
    """The election with this log origin.

    Raises:
        Problem: ``unknown-election``.
    """
    return _first(election for election in elections if election.origin == origin)


def with_id(elections: Iterable[Election], id_: str) -> Election:
    """The election with this id.

    Raises:
        Problem: ``unknown-election``.
    """
    return _first(election for election in elections if election.id == id_)


def _first(found: Iterable[Election]) -> Election:
    for election in found:
        return election
    raise Problem("unknown-election")
