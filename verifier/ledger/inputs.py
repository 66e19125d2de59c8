"""What an auditor is given besides record and ledgers: the roll's styles by position, and the officers' passkeys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verifier.hashing import frames
from verifier.ledger.framed import open_regular, read_item, require_line
from verifier.ledger.passkeys import Passkey, read_passkey
from verifier.ledger.schemas import OFFICER, ROLL_HEADER
from verifier.record import ed25519
from verifier.record.errors import FormatError, UnreadableError
from verifier.record.files import read_file
from verifier.record.schema import array, decode_as, uint

ROLL_LINE = b"evoting-roll/v1\n"
OFFICERS_FORMAT = "evoting-officer-passkeys/v1"
#: The office's policy has the officers' passkeys in the same form, and the period of issuance.
POLICY_FORMAT = "evoting-issuance-policy/v1"
_MAX_HEADER_BYTES = 8 << 20
_MAX_JSON_BYTES = 16 << 20
_MAX_BRACKETS = 100_000
_STEP = 1 << 20


@dataclass(frozen=True)
class Roll:
    """The ballot style of every position; ``indices`` is a map of the file, read as it is used."""

    path: Path
    offset: int
    styles: tuple[str, ...]
    size: int

    def indices(self) -> NDArray[np.uint16]:
        """Style index by position."""
        return np.memmap(self.path, dtype=">u2", mode="r", offset=self.offset, shape=(self.size,))

    def counts(self) -> list[dict[str, Any]]:
        """Positions of each style, in the form of the record's ``styles``."""
        counts, indices = np.zeros(len(self.styles), dtype=np.int64), self.indices()
        for at in range(0, self.size, _STEP):
            counts += np.bincount(indices[at : at + _STEP], minlength=len(self.styles))
        return [{"style": name, "size": int(count)} for name, count in zip(self.styles, counts, strict=True)]


def read_roll(path: Path) -> Roll:
    """A roll file (section 5.10).

    Raises:
        UnreadableError: missing, truncated, with bytes after its end, or with a style that its header does not name.
    """
    with open_regular(path) as file:
        require_line(file, path, ROLL_LINE)
        header = read_item(file, path, "its header", _MAX_HEADER_BYTES)
        offset, end = file.tell(), file.seek(0, 2)
        try:
            fields = decode_as(header or b"", ROLL_HEADER, "header")
        except FormatError as error:
            raise UnreadableError(f"{path}: {error}") from None
    styles, size = tuple(fields["styles"]), fields["size"]
    if len(set(styles)) < len(styles):
        raise UnreadableError(f"{path}: a style is repeated")
    if end - offset != 2 * size:
        raise UnreadableError(f"{path}: {end - offset} bytes after the header are not {size} positions")
    roll = Roll(path, offset, styles, size)
    indices = roll.indices()
    if any(int(indices[at : at + _STEP].max()) >= len(styles) for at in range(0, size, _STEP)):
        raise UnreadableError(f"{path}: a position has a style that the header does not name")
    return roll


@dataclass(frozen=True)
class Officer:
    """An officer's passkey for terminal voters."""

    role: str
    passkey: Passkey
    signed: bytes  # what the role's key signed
    signature: bytes

    def is_signed(self, role_key: bytes) -> bool:
        """Whether the officer with this role key stands for the passkey, in this election."""
        return ed25519.verify(role_key, self.signed, self.signature)


@dataclass(frozen=True)
class Officers:
    """The officers' passkeys, and the period of issuance where the file is the office's policy."""

    officers: tuple[Officer, ...]
    period: tuple[int, int] | None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise FormatError("a member is repeated")
    return members


def read_json(path: Path, limit: int, brackets: int) -> Any:
    """A JSON file without repeated members.

    Raises:
        UnreadableError: missing, too long, nested too deeply, or not JSON in UTF-8.
    """
    try:
        data = read_file(path, limit)
        # The parser recurses in C, so nesting is bounded before it sees the text.
        if data.count(b"[") + data.count(b"{") > brackets:
            raise FormatError("nested too deeply")
        return json.loads(data.decode("utf-8"), object_pairs_hook=_distinct)
    except FormatError as error:
        raise UnreadableError(f"{path}: {error}") from None
    except (ValueError, RecursionError):
        raise UnreadableError(f"{path}: not JSON in UTF-8") from None


def read_officers(path: Path, fingerprint: bytes) -> Officers:
    """A file of officers' passkeys, or an issuance policy, of which only what an auditor needs is read.

    Raises:
        UnreadableError: of another format or election, or two officers with one role or passkey.
    """
    members = read_json(path, _MAX_JSON_BYTES, _MAX_BRACKETS)
    if type(members) is not dict or members.get("format") not in (OFFICERS_FORMAT, POLICY_FORMAT):
        raise UnreadableError(f"{path}: not a file of format {OFFICERS_FORMAT} or {POLICY_FORMAT}")
    if members.get("fingerprint") != fingerprint.hex():
        raise UnreadableError(f"{path}: for another election than the trust root's")
    try:
        items = array(OFFICER, maximum=1000)(members.get("officers"), "officers")
        officers = tuple(_officer(item, fingerprint, f"officers[{number}]") for number, item in enumerate(items))
        period = None
        if members["format"] == POLICY_FORMAT:
            period = uint(members.get("opens"), "opens"), uint(members.get("closes"), "closes")
    except FormatError as error:
        raise UnreadableError(f"{path}: {error}") from None
    if len({officer.role for officer in officers}) < len(officers):
        raise UnreadableError(f"{path}: two officers have one role")
    if len({officer.passkey.credential for officer in officers}) < len(officers):
        raise UnreadableError(f"{path}: two officers have one passkey")
    return Officers(officers, period)


def _officer(item: dict[str, Any], fingerprint: bytes, name: str) -> Officer:
    passkey = read_passkey(item["credential"], item["algorithm"], item["key"])
    if passkey is None:
        raise FormatError(f"{name}.key: not in one of the two encodings")
    parts = "evoting/v1/officer-passkey", fingerprint, item["role"], item["credential"], item["key"]
    return Officer(item["role"], passkey, frames(parts), item["signature"])
