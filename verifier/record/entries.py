"""Log entries: outer form, types and bodies; docs/spec/02-record.md sections 2.2 to 2.4 and 07-counting.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verifier.record import schema
from verifier.record.errors import FormatError
from verifier.record.schema import BLOBREF, Schema, array, identifier, nullable, octets, one_of, record, uint

#: An entry of a tlog-tiles bundle has a length of two bytes.
MAX_ENTRY_BYTES = 65_535

_OFFICER, _OFFICERS = ("officer",), ("officer", "officer")

_STYLE_SIZES = array(record({"style": identifier, "size": uint}), minimum=1)
_FILES = record({"path": schema.text, "hash": octets(32)})
_LIST = {"contest": identifier, "group": identifier}
_CEREMONY = record({"transcript": BLOBREF, "time": uint})

_OPENING = record(
    {
        "manifest": BLOBREF,
        "roll": record({"commitment": octets(32), "size": uint, "styles": _STYLE_SIZES}),
        "enrolment": octets(32),
        "trustees": record({"transcript": BLOBREF, "key": octets(32), "verification-keys": octets()}),
        "issuers": record({"transcript": BLOBREF, "keys": BLOBREF}),
        "code-books": array(record({"contest": identifier, "blob": BLOBREF})),
        "partition": array(record({"style": identifier, "units": array(identifier, minimum=1)}), minimum=1),
        "vote-page": array(_FILES),
        "parameters": octets(32),
        "origin": schema.text,
        "time": uint,
    }
)
_SELECTION = record(
    {
        "dispositions": BLOBREF,
        "accounting": array(
            record(
                {
                    "style": identifier,
                    "appended": uint,
                    "counted": uint,
                    "superseded": uint,
                    "challenged": uint,
                    "rejected": array(record({"reason": schema.text, "count": uint})),
                }
            ),
            minimum=1,
        ),
        "malformed": uint,
        "groups": array(
            record(
                {
                    "contest": identifier,
                    "groups": array(
                        record(
                            {
                                "group": identifier,
                                "styles": array(identifier, minimum=1),
                                "ballots": uint,
                                "status": one_of("tallied", "withheld", "empty"),
                            }
                        ),
                        minimum=1,
                    ),
                }
            ),
            minimum=1,
        ),
        "time": uint,
    }
)

#: Schema of the body of every type that roles sign.
BODIES: dict[str, Schema] = {
    "manifest": record({"format": one_of("evoting-record/v1"), "manifest": BLOBREF}),
    "roll": record({"commitment": octets(32), "size": uint, "styles": _STYLE_SIZES, "time": uint}),
    "enrolment": record({"checkpoint": schema.text, "time": uint}),
    "trustee-ceremony": _CEREMONY,
    "issuer-ceremony": _CEREMONY,
    "opening": _OPENING,
    "epoch": record({"number": uint, "time": uint, "entries": uint}),
    "terminal-opening": record({"terminal": identifier, "unit": identifier, "time": uint}),
    "terminal-closing": record({"terminal": identifier, "head": octets(32), "count": uint, "time": uint}),
    "terminal-exclusion": record({"terminal": identifier, "count": uint, "reason": schema.text, "time": uint}),
    "extension": record({"closes": uint, "reason": schema.text, "time": uint}),
    "vote-page": record({"files": array(_FILES, minimum=1), "reason": schema.text, "time": uint}),
    "withdrawal": record({"contest": identifier, "subject": schema.text, "reason": schema.text, "time": uint}),
    "annulment": record({"scope": schema.text, "reason": schema.text, "time": uint}),
    "complaint": record({"number": schema.text, "subject": schema.text, "document": nullable(BLOBREF), "time": uint}),
    "close": record({"ballots": uint, "challenges": uint, "epochs": uint, "time": uint}),
    "ledger": record(
        {
            "issuer": uint,
            "checkpoint": schema.text,
            "issued": array(record({"style": identifier, "count": uint, "terminal": uint})),
            "tree": record({"root": octets(32), "size": uint}),
            "time": uint,
        }
    ),
    "selection": _SELECTION,
    "aggregate": record({**_LIST, "ballots": uint, "ciphertexts": octets()}),
    "mix": record(
        {
            **_LIST,
            "stage": uint,
            "count": uint,
            "input": octets(32),
            "output": BLOBREF,
            "proof": BLOBREF,
            "time": uint,
        }
    ),
    "decryption": record(
        {**_LIST, "trustee": uint, "list": octets(32), "factors": BLOBREF, "proof": octets(64), "time": uint}
    ),
    "result": record({"result": BLOBREF, "lists": BLOBREF, "time": uint}),
}

#: Kinds of the signers that a type asks for (section 2.3). Terminals, issuers, mixers and trustees that a body names
#: are compared with the signer as well.
SIGNERS: dict[str, tuple[str, ...]] = {
    "manifest": _OFFICERS,
    "roll": ("registrar", "officer"),
    "enrolment": ("identity-provider", "registrar"),
    "trustee-ceremony": _OFFICER,
    "issuer-ceremony": _OFFICER,
    "opening": _OFFICERS,
    "epoch": ("ballot-box",),
    "terminal-opening": ("terminal",),
    "terminal-closing": ("terminal",),
    "terminal-exclusion": _OFFICERS,
    "extension": _OFFICERS,
    "vote-page": _OFFICERS,
    "withdrawal": _OFFICERS,
    "annulment": _OFFICERS,
    "complaint": _OFFICER,
    "close": _OFFICERS,
    "ledger": ("issuer",),
    "selection": _OFFICERS,
    "aggregate": _OFFICER,
    "mix": ("mixer",),
    "decryption": ("trustee",),
    "result": _OFFICERS,
}

#: Types whose signatures bind the manifest hash; ``manifest`` binds zeros, every other type the fingerprint.
MANIFEST_BOUND = frozenset({"roll", "enrolment", "trustee-ceremony", "issuer-ceremony", "opening"})

_ROLE_ENTRY = record(
    {
        "type": one_of(*BODIES),
        "body": octets(),
        "signatures": array(record({"role": identifier, "signature": octets(64)}), minimum=1, maximum=16),
    }
)
_BALLOT_ENTRY = record({"type": one_of("ballot"), "body": octets(), "signature": octets(64)})
_CHALLENGE_ENTRY = record({"type": one_of("challenge"), "body": octets(), "signature": octets(64), "opening": octets()})
_ENTRY = schema.one_schema_of(
    "type", {**dict.fromkeys(BODIES, _ROLE_ENTRY), "ballot": _BALLOT_ENTRY, "challenge": _CHALLENGE_ENTRY}
)

_LISTS = array(
    record(
        {
            **_LIST,
            "used": array(uint, minimum=1),
            "left-out": array(uint),
            "plaintexts": nullable(BLOBREF),
        }
    )
)


@dataclass(frozen=True)
class RoleEntry:
    """An entry that roles signed; ``fields`` is the decoded body, of the schema of its type."""

    index: int
    type: str
    body: bytes
    fields: Mapping[str, Any]
    signatures: tuple[tuple[str, bytes], ...]
    raw: bytes

    @property
    def time(self) -> int | None:
        """The time that the body states, for types that state one."""
        time = self.fields.get("time")
        return int(time) if time is not None else None


@dataclass(frozen=True)
class VoterEntry:
    """A ballot or a published challenge: still undecoded inside."""

    type: str
    body: bytes
    signature: bytes
    opening: bytes | None


def decode_entry(data: bytes, index: int) -> RoleEntry | VoterEntry:
    """Decode an entry, and the body of one that roles signed.

    Raises:
        FormatError: says what is not as the schema wants it.
    """
    outer = schema.decode_as(data, _ENTRY, "entry")
    if outer["type"] in ("ballot", "challenge"):
        return VoterEntry(outer["type"], outer["body"], outer["signature"], outer.get("opening"))
    fields = schema.decode_as(outer["body"], BODIES[outer["type"]], outer["type"])
    signatures = tuple((item["role"], item["signature"]) for item in outer["signatures"])
    return RoleEntry(index, outer["type"], outer["body"], fields, signatures, data)


_BODY_KEY = b"\x64body"
_BALLOT_TAIL = b"\x64type\x66ballot\x69signature\x58\x40"
_CHALLENGE_MIDDLE = b"\x64type\x69challenge\x67opening"
_SIGNATURE_KEY = b"\x69signature\x58\x40"


def _octets_at(data: bytes, at: int) -> tuple[int, int] | None:
    """Bounds of a byte string whose head is at ``at``, if it is in its shortest form; they may lie beyond the end."""
    head = data[at] if at < len(data) else 0
    if 0x40 <= head <= 0x57:
        start, length = at + 1, head - 0x40
    elif head == 0x58:
        start, length = at + 2, data[at + 1] if at + 1 < len(data) else 0
        if length < 24:
            return None
    elif head == 0x59:
        start, length = at + 3, int.from_bytes(data[at + 1 : at + 3], "big")
        if length < 256:
            return None
    else:
        return None
    return start, start + length


def split_voter_entry(data: bytes) -> VoterEntry | None:
    """The same as ``decode_entry`` for ballots and challenges, at a tenth of the cost; None for everything else.

    The two keep to one form because every byte but the contents of the byte strings is compared here. What follows the
    last byte string of variable length is compared from its end to the 64 bytes of the signature, so it also has its
    length, and an end beyond the entry leaves nothing that could be equal.
    """
    if data[:1] not in (b"\xa3", b"\xa4") or data[1:6] != _BODY_KEY:
        return None
    body = _octets_at(data, 6)
    if body is None:
        return None
    end = body[1]
    if data[0] == 0xA3:
        if data[end:-64] != _BALLOT_TAIL:
            return None
        return VoterEntry("ballot", data[body[0] : end], data[-64:], None)
    if data[end : end + len(_CHALLENGE_MIDDLE)] != _CHALLENGE_MIDDLE:
        return None
    opening = _octets_at(data, end + len(_CHALLENGE_MIDDLE))
    if opening is None or data[opening[1] : -64] != _SIGNATURE_KEY:
        return None
    return VoterEntry("challenge", data[body[0] : end], data[-64:], data[opening[0] : opening[1]])


def decode_lists(data: bytes) -> list[dict[str, Any]]:
    """The blob ``lists`` of the result entry (section 2.4).

    Raises:
        FormatError: not of the schema.
    """
    lists: list[dict[str, Any]] = schema.decode_as(data, _LISTS, "lists")
    return lists


def blobrefs(value: Any) -> list[tuple[bytes, int]]:
    """Hash and length of every blob that a decoded body names."""
    if isinstance(value, list):
        return [ref for item in value for ref in blobrefs(item)]
    if not isinstance(value, dict):
        return []
    if value.keys() == {"hash", "length"}:
        return [(value["hash"], value["length"])]
    return [ref for item in value.values() for ref in blobrefs(item)]


__all__ = [
    "BODIES",
    "MANIFEST_BOUND",
    "MAX_ENTRY_BYTES",
    "SIGNERS",
    "FormatError",
    "RoleEntry",
    "VoterEntry",
    "blobrefs",
    "decode_entry",
    "decode_lists",
    "split_voter_entry",
]
