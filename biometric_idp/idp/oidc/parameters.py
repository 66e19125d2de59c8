"""Parameters of OAuth requests, parsed once and strictly: each at most once, in printable ASCII (attack A6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

_MOST = 40
_NAME = re.compile(r"[a-z_]{1,60}", re.ASCII)
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: RFC 6749 appendix A: VSCHAR. State and nonce are opaque, so nothing is lost by demanding printable ASCII of all.
_VALUE = re.compile(r"[\x20-\x7e]*", re.ASCII)
_MOST_BYTES = 8192


@dataclass(frozen=True)
class Parameters:
    """Parameters of one request.

    Attributes:
        values: those that came once, in order, and are well-formed; an empty one counts as left out (RFC 6749 3.1).
        repeated: names that came more than once.
        damaged: names whose value is not UTF-8, too long, or holds characters that do not belong there.
        is_broken: the whole is not urlencoded, or has too many or misnamed parameters.
    """

    values: Mapping[str, str] = field(repr=False)
    repeated: frozenset[str]
    damaged: frozenset[str]
    is_broken: bool

    def has_flaws(self) -> bool:
        return self.is_broken or bool(self.repeated or self.damaged)


def parse_parameters(data: bytes) -> Parameters:
    """``application/x-www-form-urlencoded`` of a query or a body. Flaws are recorded: some are told by redirect."""
    values: dict[str, str] = {}
    repeated: set[str] = set()
    damaged: set[str] = set()
    parts = [part for part in data.split(b"&") if part]
    is_broken = len(parts) > _MOST
    for part in parts[:_MOST]:
        name_bytes, _, value_bytes = part.partition(b"=")
        name = name_bytes.decode("latin-1")
        if not _NAME.fullmatch(name):
            # Unknown parameters are ignored (RFC 6749 3.1); but others would know one that is spelt %63lient_id.
            is_broken = is_broken or "%" in name
            continue
        if name in values or name in repeated or name in damaged:
            repeated.add(name)
            values.pop(name, None)
            continue
        value = _decode(value_bytes)
        if value is None:
            damaged.add(name)
        elif value:
            values[name] = value
        else:
            # Left out, but it came: once more would be a repetition.
            values[name] = ""
    filled = {name: value for name, value in values.items() if value}
    return Parameters(filled, frozenset(repeated), frozenset(damaged), is_broken)


def _decode(data: bytes) -> str | None:
    if len(data) > _MOST_BYTES or _PERCENT.search(data.decode("latin-1")):
        return None
    try:
        text = unquote_to_bytes(data.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        return None
    return text if _VALUE.fullmatch(text) else None
