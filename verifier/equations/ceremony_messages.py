"""Schemas of a ceremony's transcript and messages; docs/spec/04-ceremonies.md sections 4.2, 4.4 (``malformed``), 4.5."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crypto.errors import DecodeError
from verifier.record import cbor
from verifier.record.errors import FormatError

if TYPE_CHECKING:
    from verifier.equations.ceremony_groups import CeremonyGroup
