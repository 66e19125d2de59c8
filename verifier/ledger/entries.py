"""Judging ledger entries; docs/spec/05-credentials.md sections 5.4, 5.5 and 5.12.

One function for each check that looks at a single entry. They run in worker processes, chunk by chunk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from crypto.errors import DecodeError
from crypto.group import PairingGroup, load_pairing_group
from verifier.failure import Failure, Failures
from verifier.hashing import frames
from verifier.ledger.enrolments import ROW, passkey_of
from verifier.ledger.framed import Chunk, Framed
from verifier.ledger.inputs import Officer, Roll
from verifier.ledger.merkle import root_from_path
from verifier.ledger.passkeys import NO_PASSKEY, Passkey, RelyingParty, assertion_failures
from verifier.ledger.schemas import LEDGER_ENTRY, MAX_REQUEST_BYTES, REQUEST
from verifier.record import ed25519
from verifier.record.cbor import encode
from verifier.record.errors import FormatError
from verifier.record.merkle import leaf_hash
from verifier.record.schema import decode_as

#: Trees of tickets whose signature held are remembered, up to this many.
_MAX_REMEMBERED = 4096


@dataclass(frozen=True)
class LedgerContext:
    """What workers need to judge the entries of one ledger."""

    file: Framed
    role: str  # id of the issuer's role, to blame
    fingerprint: bytes
    roll: Roll
    table: str  # file of ``enrolments.ROW``
    earlier: Mapping[int, Sequence[Passkey]]
    boundary: int
    officers: Mapping[bytes, Officer] | None  # by SHA-256 of the credential id; None: not given
    party: RelyingParty
    identity_provider: bytes
    dates: tuple[int, int]  # first and last day of issuance
    arithmetic: str


@dataclass(frozen=True)
class Item:
    """An entry of the schema whose request is of the schema too."""

    terminal: bool  # the class that the entry states
    date: int
    stated_hash: bytes
    request: Mapping[str, Any]
    hash: bytes  # of the request, computed


@dataclass
class LedgerChunk:
    """What a chunk of a ledger gives."""

    failures: dict[str, Failures] = field(default_factory=dict)
    entries: list[int] = field(default_factory=list)  # index of every readable entry, and in the same order:
    positions: list[int] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    terminals: list[bool] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)

    def add(self, check: str, failure: Failure) -> None:
        """One more failure of a check."""
        self.failures.setdefault(check, Failures()).add(failure)


def request_hash(fingerprint: bytes, request: Mapping[str, Any]) -> bytes:
    """What passkeys sign as the challenge (section 5.4)."""
    bound = [request["style"], request["position"], request["credential"], request["blinded"]]
    return hashlib.sha256(encode(["issue-v1", fingerprint, *bound])).digest()


class Judge:
    """What entries of one ledger are judged by."""

    def __init__(self, context: LedgerContext) -> None:
        self.context = context
        self.styles = context.roll.indices()
        self._table: Any = np.memmap(context.table, dtype=ROW, mode="r")
        self._signed: set[tuple[int, int, bytes, bytes]] = set()

    def is_on_roll(self, position: int) -> bool:
        """Whether there is such a position."""
        return position < self.context.roll.size

    def enrolled(self, position: int) -> list[Passkey]:
        """Passkeys that count for a position, or did at an earlier checkpoint of the record."""
        row = self._table[position]
        return [*([] if row["kind"] == NO_PASSKEY else [passkey_of(row)]), *self.context.earlier.get(position, ())]

    def was_without(self, position: int) -> bool:
        """Whether a position has no passkey, or had none at the first checkpoint of the record."""
        row = self._table[position]
        return bool(row["kind"] == NO_PASSKEY or row["since"] >= self.context.boundary)

    def is_ticket(self, date: int, size: int, root: bytes, signature: bytes) -> bool:
        """Whether the identity provider signed a tree of request hashes."""
        key = (date, size, root, signature)
        if key not in self._signed:
            message = frames(("evoting/v1/ticket", self.context.fingerprint, date, size, root))
            if not ed25519.verify(self.context.identity_provider, message, signature):
                return False
            if len(self._signed) >= _MAX_REMEMBERED:
                self._signed.clear()
            self._signed.add(key)
        return True


EntryRule: TypeAlias = Callable[[Judge, Item], Iterator[Failure]]


def _request(judge: Judge, item: Item) -> Iterator[Failure]:
    if item.stated_hash != item.hash:
        yield Failure("the hash is not that of the request")
    if item.terminal != (item.request["credential"] == b""):
        yield Failure("the class is not that of the request: only terminal voters have no passkey")


def _roll(judge: Judge, item: Item) -> Iterator[Failure]:
    position, style = item.request["position"], item.request["style"]
    if not judge.is_on_roll(position):
        yield Failure(f"position {position} is not on the roll")
    elif judge.context.roll.styles[int(judge.styles[position])] != style:
        yield Failure(f"the roll has another ballot style at position {position} than {style}")


def _dates(judge: Judge, item: Item) -> Iterator[Failure]:
    first, last = judge.context.dates
    if item.date < first:
        yield Failure(f"day {item.date} is before issuance opened on day {first}")
    if item.date > last:
        yield Failure(f"day {item.date} is after issuance ended on day {last}")


def _assertion(judge: Judge, item: Item) -> Iterator[Failure]:
    if not judge.is_on_roll(item.request["position"]):
        return
    by_officers = item.request["credential"] == b""
    yield from (_by_officers if by_officers else _by_voter)(judge, item)
    for assertion, passkey in (_officers if by_officers else _voters)(judge, item):
        yield from assertion_failures(assertion, passkey, judge.context.party, item.hash)


def _voters(judge: Judge, item: Item) -> list[tuple[Mapping[str, Any], Passkey]]:
    """Assertions with the passkey of the voter that must have made them."""
    wanted = hashlib.sha256(item.request["credential"]).digest()
    found = [passkey for passkey in judge.enrolled(item.request["position"]) if passkey.credential == wanted]
    return [(assertion, found[0]) for assertion in item.request["assertions"] if found]


def _by_voter(judge: Judge, item: Item) -> Iterator[Failure]:
    """Row 5 for a voter with a passkey."""
    request = item.request
    if not _voters(judge, item):
        sentence = f"the enrolment log has no such passkey for position {request['position']}"
        yield Failure(sentence, equation="enrolment")
    if [assertion["credential"] for assertion in request["assertions"]] != [request["credential"]]:
        yield Failure("there is not exactly one assertion, by the voter's passkey", equation="enrolment")


def _officers_of(judge: Judge, item: Item) -> list[tuple[Mapping[str, Any], Officer]]:
    known = judge.context.officers or {}
    digests = [(item_, hashlib.sha256(item_["credential"]).digest()) for item_ in item.request["assertions"]]
    return [(assertion, known[digest]) for assertion, digest in digests if digest in known]


def _officers(judge: Judge, item: Item) -> list[tuple[Mapping[str, Any], Passkey]]:
    """Assertions with the passkey of the officer that made them."""
    return [(assertion, officer.passkey) for assertion, officer in _officers_of(judge, item)]


def _by_officers(judge: Judge, item: Item) -> Iterator[Failure]:
    """Row 5 for a terminal voter."""
    position = item.request["position"]
    if not judge.was_without(position):
        yield Failure(f"position {position} has a passkey; officers cannot act in its place", equation="enrolment")
    if judge.context.officers is None:
        yield Failure("issued by officers, whose passkeys were not given (--officers)", equation="enrolment")
    elif len({officer.role for _, officer in _officers_of(judge, item)}) != 2:
        yield Failure("there are not two assertions by two different officers", equation="enrolment")


def _ticket(judge: Judge, item: Item) -> Iterator[Failure]:
    ticket = item.request["ticket"]
    if abs(ticket["date"] - item.date) > 1:
        yield Failure(f"the ticket is of day {ticket['date']}, the entry of day {item.date}")
    root = root_from_path(leaf_hash(item.hash), ticket["index"], ticket["size"], ticket["path"])
    if root is None or not judge.is_ticket(ticket["date"], ticket["size"], root, ticket["signature"]):
        yield Failure("the identity provider did not sign a ticket for this request")


def entry_rules() -> list[tuple[str, EntryRule]]:
    """The checks that look at one entry, each by itself."""
    return [
        ("audit.request", _request),
        ("audit.roll", _roll),
        ("audit.dates", _dates),
        ("audit.assertion", _assertion),
        ("audit.ticket", _ticket),
    ]


def judge_chunk(context: LedgerContext, chunk: Chunk) -> LedgerChunk:
    """Judge the entries of a chunk; hostile bytes become failures."""
    judge, result, rules = Judge(context), LedgerChunk(), entry_rules()
    blinded: list[bytes] = []
    for index, raw in enumerate(context.file.items(chunk), chunk.first):
        item = _decode(context, raw, index, result)
        if item is None:
            continue
        for check, rule in rules:
            for failure in rule(judge, item):
                result.add(check, replace(failure, entry=index, role=context.role))
        result.entries.append(index)
        result.positions.append(item.request["position"])
        result.styles.append(item.request["style"])
        result.terminals.append(item.terminal)
        result.hashes.append(item.hash)
        blinded.append(item.request["blinded"])
    for row in unusable_points(blinded, load_pairing_group(context.arithmetic)) if blinded else []:
        sentence = "the blinded point is not canonical, not in the subgroup, or the identity"
        result.add("audit.blinded", Failure(sentence, entry=result.entries[row], role=context.role))
    return result


def _decode(context: LedgerContext, raw: bytes, index: int, result: LedgerChunk) -> Item | None:
    try:
        entry = decode_as(raw, LEDGER_ENTRY, "entry")
    except FormatError as error:
        result.add("audit.ledger-format", Failure(str(error), entry=index, role=context.role))
        return None
    data: bytes = entry["request"]
    try:
        if len(data) > MAX_REQUEST_BYTES:
            raise FormatError(f"request: {len(data)} bytes are more than {MAX_REQUEST_BYTES}")
        request = decode_as(data, REQUEST, "request")
    except FormatError as error:
        result.add("audit.request", Failure(str(error), entry=index, role=context.role))
        return None
    hash_ = request_hash(context.fingerprint, request)
    return Item(entry["class"] == "terminal", entry["date"], entry["hash"], request, hash_)


def unusable_points(points: Sequence[bytes], pairing: PairingGroup) -> list[int]:
    """Which of some encodings are not canonical, not in the subgroup, or the identity; halving finds them."""
    try:
        pairing.g1_decode(b"".join(points))
    except DecodeError:
        if len(points) == 1:
            return [0]
        middle = len(points) // 2
        right = unusable_points(points[middle:], pairing)
        return unusable_points(points[:middle], pairing) + [middle + row for row in right]
    return []
