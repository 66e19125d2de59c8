"""Entries with one defect each, properly signed by whoever makes them, and what must become of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from crypto import cbor
from crypto.elgamal import decode_ciphertexts
from crypto.group.interface import ORDER
from evoting.ballots.ballot import CHALLENGE_SIGNATURE, encode_challenge_entry
from evoting.ballots.build import build_ballots
from tests.evoting.ballots.polling import OpenElection
from tests.tampered.forged_ballots import add_to_scalar, with_weak_challenge

Body = dict[str, Any]


@dataclass(frozen=True)
class BallotCase:
    """What is sent to the ballot box, and the fate of every entry."""

    make: Callable[[OpenElection], list[bytes]]
    fates: tuple[str, ...]


CASES: dict[str, BallotCase] = {}


def case(name: str, *fates: str) -> Callable[[Callable[[OpenElection], list[bytes]]], None]:
    """Register a case."""

    def register(make: Callable[[OpenElection], list[bytes]]) -> None:
        assert name not in CASES
        CASES[name] = BallotCase(make, fates)

    return register


def edit(name: str, fate: str, change: Callable[[Body], object]) -> None:
    """Register a case of one ballot that is changed before it is signed."""
    case(name, fate)(lambda polling: [polling.edited(change)])


def first(body: Body, part: str, at: int, new: bytes, contest: int = 0) -> None:
    """Replace bytes in a part of a contest."""
    data = body["contests"][contest][part]
    body["contests"][contest][part] = data[:at] + new + data[at + len(new) :]


def shorten(body: Body, part: str, size: int) -> None:
    """Leave out the last bytes of a part of the first contest."""
    body["contests"][0][part] = body["contests"][0][part][:-size]


MALFORMED = "rejected: malformed"
FIELD = 2**255 - 19

case("a ballot", "counted")(lambda p: [p.ballot()])
case("a challenge", "challenged")(lambda p: [p.challenged()])
case("ballots of two styles, and a challenge", "counted", "counted", "challenged")(
    lambda p: [p.ballot("east"), p.ballot("west"), p.challenged("west", 1)]
)
edit("the first sequence number may be 65,536", "counted", lambda b: b.update(sequence=2**16))
edit("a first sequence number above", "rejected: sequence", lambda b: b.update(sequence=2**16 + 1))
edit(
    "the highest sequence number, which would lock the voter out",
    "rejected: sequence",
    lambda b: b.update(sequence=2**53 - 1),
)

# Malformed, of a style that can be told.
edit("another election", MALFORMED, lambda b: b.update(election=bytes(32)))
edit("an unknown style", MALFORMED, lambda b: b.update(style="north"))
edit("a style that is no text", MALFORMED, lambda b: b.update(style=5))
edit("a field missing", MALFORMED, lambda b: b.pop("sequence"))
edit("a field too many", MALFORMED, lambda b: b.update(note="x"))
edit("a negative sequence number", MALFORMED, lambda b: b.update(sequence=-1))
edit("a sequence number that is true", MALFORMED, lambda b: b.update(sequence=True))
edit("a pseudonym of 31 bytes", MALFORMED, lambda b: b.update(pseudonym=b["pseudonym"][:31]))
edit("a credential of 47 bytes", MALFORMED, lambda b: b.update(credential=b["credential"][:47]))
edit("a contest missing", MALFORMED, lambda b: b["contests"].pop())
edit("a contest too many", MALFORMED, lambda b: b["contests"].append(b["contests"][0]))
edit("contests in another order", MALFORMED, lambda b: b["contests"].reverse())
edit("a contest that is no map", MALFORMED, lambda b: b["contests"].__setitem__(0, 1))
edit("a part of a contest missing", MALFORMED, lambda b: b["contests"][0].pop("scalars"))
edit("a ciphertext too few", MALFORMED, lambda b: shorten(b, "ciphertexts", 64))
edit("a scalar too few", MALFORMED, lambda b: shorten(b, "scalars", 32))
edit("half a commitment too few", MALFORMED, lambda b: shorten(b, "commitments", 16))
edit("B9 a pad that is the identity", MALFORMED, lambda b: first(b, "ciphertexts", 0, bytes(32)))
edit("B9 a data component that is the identity", MALFORMED, lambda b: first(b, "ciphertexts", 32, bytes(32), 1))
edit("B9 a commitment that is the identity: nonce zero", MALFORMED, lambda b: first(b, "commitments", 0, bytes(32), 1))
edit("B9 a pseudonym that is the identity", MALFORMED, lambda b: b.update(pseudonym=bytes(32)))
edit("B10 zero, not reduced", MALFORMED, lambda b: first(b, "commitments", 0, FIELD.to_bytes(32, "little")))
edit("B10 a pseudonym that is no element", MALFORMED, lambda b: b.update(pseudonym=b"\xff" * 32))


@case("B10 a negative field element", MALFORMED)
def _negative(polling: OpenElection) -> list[bytes]:
    def negate(body: Body) -> None:
        value = int.from_bytes(body["contests"][0]["ciphertexts"][:32], "little")
        first(body, "ciphertexts", 0, (FIELD - value).to_bytes(32, "little"))

    return [polling.edited(negate)]


def _unreduced(contest: int) -> Callable[[Body], None]:
    def add_order(body: Body) -> None:
        value = int.from_bytes(body["contests"][contest]["scalars"][:32], "little") + ORDER
        first(body, "scalars", 0, value.to_bytes(32, "little"), contest)

    return add_order


for _number in range(3):
    edit(f"B10 a scalar plus the order, contest {_number}", MALFORMED, _unreduced(_number))


# Malformed encodings of the body (B12).


def _raw(name: str, change: Callable[[bytes], bytes]) -> None:
    case(name, MALFORMED)(lambda p: [p.sign_ballot("east", 0, change(p.body()[0]))])


_raw("B12 a key twice", lambda body: b"\xa7" + b"\x65style\x64east" + body[1:])
_raw("B12 a byte after the end", lambda body: body + b"\0")
_raw("B12 the first byte alone", lambda body: body[:1])
_raw("B12 a body that is empty", lambda body: b"")
_raw("B12 a body that is a list", lambda body: b"\x80")
_raw("B12 a length that is not shortest", lambda body: body.replace(b"\x65style", b"\x78\x05style", 1))
_raw("B12 an indefinite map", lambda body: b"\xbf" + body[1:] + b"\xff")
_raw("B12 a tag around the body", lambda body: b"\xd9\xd9\xf7" + body)


@case("B12 keys in another order", MALFORMED)
def _order(polling: OpenElection) -> list[bytes]:
    body = polling.body()[0]
    assert body.startswith(b"\xa6\x65style\x64east")
    moved = b"\xa6" + body[len(b"\xa6\x65style\x64east") :] + b"\x65style\x64east"
    return [polling.sign_ballot("east", 0, moved)]


@case("nesting of seventeen, its innermost list empty", MALFORMED)
def _nested(polling: OpenElection) -> list[bytes]:
    return [polling.sign_ballot("east", 0, b"\xa2\x61x" + b"\x81" * 15 + b"\x80" + b"\x65style\x64east")]


# Credentials.

CREDENTIAL = "rejected: credential"
edit("C15 a credential that is the identity", CREDENTIAL, lambda b: b.update(credential=b"\xc0" + bytes(47)))
edit("a credential that is no point", CREDENTIAL, lambda b: b.update(credential=b"\xff" * 48))
edit(
    "a credential on the curve, outside the subgroup",
    CREDENTIAL,
    lambda b: b.update(credential=b"\x80" + bytes(46) + b"\x04"),
)


@case("C6 a credential issued to another pseudonym", CREDENTIAL)
def _foreign_credential(polling: OpenElection) -> list[bytes]:
    other = polling.wallets["east"].credentials[1]
    return [polling.edited(lambda body: body.update(credential=other))]


@case("C5 a credential of another style", CREDENTIAL)
def _other_style(polling: OpenElection) -> list[bytes]:
    wallet = polling.wallets["east"]
    foreign = polling.credentials("west", [wallet.pseudonyms[0]])[0]
    return [polling.edited(lambda body: body.update(credential=foreign))]


# Signatures.

SIGNATURE = "rejected: signature"


def _outer(entry: bytes) -> dict[str, Any]:
    value = cbor.decode(entry)
    assert isinstance(value, dict)
    return value


@case("B4 a signature by another pseudonym", SIGNATURE)
def _other_signer(polling: OpenElection) -> list[bytes]:
    return [polling.sign_ballot("east", 1, polling.body("east", 0)[0])]


@case("B4 a challenge's signature on a ballot", SIGNATURE)
def _other_domain(polling: OpenElection) -> list[bytes]:
    return [polling.sign_ballot("east", 0, polling.body()[0], CHALLENGE_SIGNATURE)]


@case("B4 a body changed after signing", SIGNATURE)
def _changed(polling: OpenElection) -> list[bytes]:
    entry = _outer(polling.ballot())
    body = cbor.decode(entry["body"])
    assert isinstance(body, dict)
    return [cbor.encode({**entry, "body": cbor.encode({**body, "sequence": 9})})]


@case("B9 a signature whose commitment is the identity", SIGNATURE)
def _zero_nonce(polling: OpenElection) -> list[bytes]:
    entry = _outer(polling.ballot())
    return [cbor.encode({**entry, "signature": bytes(64)})]


@case("B10 a signature whose response is not reduced", SIGNATURE)
def _unreduced_response(polling: OpenElection) -> list[bytes]:
    entry = _outer(polling.ballot())
    value = int.from_bytes(entry["signature"][32:], "little") + ORDER
    return [cbor.encode({**entry, "signature": entry["signature"][:32] + value.to_bytes(32, "little")})]


@case("a challenge whose opening is not the signed one", SIGNATURE)
def _other_opening(polling: OpenElection) -> list[bytes]:
    entry = _outer(polling.challenged())
    return [encode_challenge_entry(entry["body"], entry["signature"], polling.body()[1])]


@case("a ballot's signature on a challenge", SIGNATURE)
def _ballot_as_challenge(polling: OpenElection) -> list[bytes]:
    body, opening = polling.body()
    return [encode_challenge_entry(body, _outer(polling.sign_ballot("east", 0, body))["signature"], opening)]


# Proofs.

PROOF = "rejected: proof"
for _attack, _row in (
    ("B6 an encryption of 2", [2, 0, 0]),
    ("B6 an encryption of -1, the sum within bounds", [1, -1, 1]),
    ("B6 a million", [1_000_000, 0, 0]),
    ("B7 an overvote", [1, 1, 0]),
):
    case(_attack, PROOF)(
        lambda p, row=_row: [  # type: ignore[misc]
            with_weak_challenge(p, "east", 0, 0, {}, selections=np.array([row], dtype=np.int64))
        ]
    )
for _field in ("fingerprint", "style", "position", "contest", "pseudonym", "key", "ciphertexts", "commitments"):
    for _contest in (0, 1):
        _attack = {"ciphertexts": "B3", "commitments": "B3"}.get(_field, "B4")
        case(f"{_attack} a challenge without the {_field}, contest {_contest}", PROOF)(
            lambda p, field=_field, contest=_contest: [  # type: ignore[misc]
                with_weak_challenge(p, "east", 0, contest, {field: None})
            ]
        )
case("B5 a challenge over the plain concatenation", PROOF)(
    lambda p: [with_weak_challenge(p, "east", 0, 0, {}, joined=True)]
)


@case("B1 another voter's contests, copied", "counted", PROOF)
def _copied(polling: OpenElection) -> list[bytes]:
    body = polling.body("east", 1)[0]
    value = cbor.decode(body)
    assert isinstance(value, dict)
    return [
        polling.sign_ballot("east", 1, body),
        polling.edited(lambda mine: mine.update(contests=value["contests"])),
    ]


@case("B2 a re-randomised ciphertext", PROOF)
def _rerandomised(polling: OpenElection) -> list[bytes]:
    def shift(body: Body) -> None:
        group, key = polling.group, polling.key
        pairs = decode_ciphertexts(group, body["contests"][1]["ciphertexts"])
        fresh = group.scalars([7])
        first(body, "ciphertexts", 0, (pairs.pads + key.generator_table.mul(fresh)).encode(), 1)
        first(body, "ciphertexts", 32, (pairs.data + key.key_table.mul(fresh)).encode(), 1)

    return [polling.edited(shift)]


@case("B2 ciphertexts of a contest permuted", PROOF)
def _permuted(polling: OpenElection) -> list[bytes]:
    def permute(body: Body) -> None:
        data = body["contests"][0]["ciphertexts"]
        body["contests"][0]["ciphertexts"] = data[64:128] + data[:64] + data[128:]

    return [polling.edited(permute)]


@case("B7 the sum proof of another ballot", PROOF)
def _foreign_sum(polling: OpenElection) -> list[bytes]:
    other = cbor.decode(polling.body()[0])
    assert isinstance(other, dict)

    def substitute(body: Body) -> None:
        mine, theirs = body["contests"][0], other["contests"][0]
        mine["commitments"] = mine["commitments"][:-128] + theirs["commitments"][-128:]
        mine["scalars"] = mine["scalars"][:-96] + theirs["scalars"][-96:]

    return [polling.edited(substitute)]


@case("B8 options swapped with their proofs", PROOF)
def _swapped(polling: OpenElection) -> list[bytes]:
    def swap(body: Body) -> None:
        for name, size in (("ciphertexts", 64), ("commitments", 128), ("scalars", 96)):
            data = body["contests"][0][name]
            body["contests"][0][name] = data[size : 2 * size] + data[:size] + data[2 * size :]

    return [polling.edited(swap)]


@case("B8 ranks swapped with their proofs", PROOF)
def _swapped_ranks(polling: OpenElection) -> list[bytes]:
    def swap(body: Body) -> None:
        for name, data in body["contests"][2].items():
            half = len(data) // 2
            body["contests"][2][name] = data[half:] + data[:half]

    return [polling.edited(swap)]


@case("B11 errors of two ballots that cancel without weights", PROOF, PROOF)
def _cancelling(polling: OpenElection) -> list[bytes]:
    def shift(amount: int) -> Callable[[Body], None]:
        def add(body: Body) -> None:
            body["contests"][1]["scalars"] = add_to_scalar(body["contests"][1]["scalars"], 0, amount)

        return add

    return [polling.edited(shift(1), "east", 0), polling.edited(shift(-1), "east", 1)]


# What depends on other entries.

DUPLICATE = "rejected: duplicate"


@case("B14 two voters' ballots with the same randomness", "counted", DUPLICATE)
def _shared_randomness(polling: OpenElection) -> list[bytes]:
    from tests.support.arithmetics import deterministic_entropy

    choices = [column[[0]] for column in polling.choices("east", 8)]
    return [
        polling.sign_ballot("east", row, polling.body("east", row, 0, choices, deterministic_entropy("one device"))[0])
        for row in (0, 1)
    ]


@case("B15 a ballot sent twice", "counted", DUPLICATE)
def _twice(polling: OpenElection) -> list[bytes]:
    return [polling.ballot()] * 2


@case("B15 the same contests under a higher sequence number", "counted", DUPLICATE)
def _resent(polling: OpenElection) -> list[bytes]:
    value = cbor.decode(polling.body()[0])
    assert isinstance(value, dict)
    return [polling.sign_ballot("east", 0, cbor.encode({**value, "sequence": number})) for number in (0, 1)]


@case("a ballot that was challenged is cast as well", "challenged", DUPLICATE)
def _challenged_and_cast(polling: OpenElection) -> list[bytes]:
    body, opening = polling.body()
    return [polling.sign_challenge("east", 0, body, opening), polling.sign_ballot("east", 0, body)]


@case("a ballot that was cast is challenged as well", "counted", DUPLICATE)
def _cast_and_challenged(polling: OpenElection) -> list[bytes]:
    body, opening = polling.body()
    return [polling.sign_ballot("east", 0, body), polling.sign_challenge("east", 0, body, opening)]


@case("a copy of a rejected ballot is no duplicate", SIGNATURE, "counted")
def _copy_of_rejected(polling: OpenElection) -> list[bytes]:
    body = polling.body()[0]
    return [polling.sign_ballot("east", 1, body), polling.sign_ballot("east", 0, body)]


@case("B15 who takes another voter's second component into an own ballot voids nothing", "counted", "counted")
def _stolen_data(polling: OpenElection) -> list[bytes]:
    """The proof of a mixed contest is about the pad only: the attacker need not know what the rest encrypts."""
    victim = polling.ballot("east", 1)
    stolen = cbor.decode(_outer(victim)["body"])["contests"][1]["ciphertexts"][32:]  # type: ignore[index]
    group, fixed = polling.group, b"r" * 64
    draws = [fixed]
    data = group.elements_decode(stolen, allow_identity=False)
    message = data - polling.key.element.mul(group.scalars_wide(fixed))
    choices = [column[[0]] for column in polling.choices("east", 8)]
    choices[1] = np.array([[0]], dtype=np.uint32)
    built = build_ballots(
        polling.key, polling.fingerprint, polling.shapes["east"], polling.wallet("east", 0), [0], choices,
        {**polling.books, "list": message}, lambda count: draws.pop() if count == 64 and draws else os.urandom(count),
    )  # fmt: skip
    assert stolen in built.bodies[0]
    return [polling.sign_ballot("east", 0, built.bodies[0]), victim]


@case("B15 a ballot that was opened once too often is not counted", *["challenged"] * 3, "rejected: excess", DUPLICATE)
def _opened_too_often(polling: OpenElection) -> list[bytes]:
    body, opening = polling.body()
    opened = [polling.challenged() for _ in range(3)]
    return [*opened, polling.sign_challenge("east", 0, body, opening), polling.sign_ballot("east", 0, body)]


@case("two equal ciphertexts within one ballot", "rejected: duplicate")
def _within(polling: OpenElection) -> list[bytes]:
    """Both ranks of the third contest with one randomizer and one code: their proofs hold, each by itself."""
    from hashlib import shake_256

    def repeating(count: int) -> bytes:
        # The ranking is the last to draw: 128 bytes of randomizers, then 128 of nonces.
        data = shake_256(b"seed" + count.to_bytes(8, "big")).digest(count)
        return data[:64] * 2 if count == 128 else data

    choices = [column[[0]] for column in polling.choices("east", 8)]
    choices[2] = np.array([[1, 1]], dtype=np.uint32)
    return [polling.sign_ballot("east", 0, polling.body("east", 0, 0, choices, repeating)[0])]


SEQUENCE = "rejected: sequence"
case("a re-vote", "superseded", "counted")(lambda p: [p.ballot("east", 0, 0), p.ballot("east", 0, 1)])
case("re-votes may skip numbers", "superseded", "superseded", "counted")(
    lambda p: [p.ballot("east", 0, number) for number in (3, 10, 10 + 2**16)]
)
case("a re-vote too far above, and one that is not", "superseded", SEQUENCE, "counted")(
    lambda p: [p.ballot("east", 0, number) for number in (3, 4 + 2**16, 4)]
)
case("B15 a re-vote with the number used", "counted", SEQUENCE)(lambda p: [p.ballot("east", 0, 1) for _ in range(2)])
case("B15 a re-vote with a lower number", "counted", SEQUENCE)(
    lambda p: [p.ballot("east", 0, 5), p.ballot("east", 0, 4)]
)
case("B15 an order that replays an old ballot last", "superseded", "counted", SEQUENCE)(
    lambda p: [p.ballot("east", 0, 1), p.ballot("east", 0, 2), p.ballot("east", 0, 1)]
)
case("an invalid re-vote supersedes nothing", "counted", SIGNATURE)(
    lambda p: [p.ballot("east", 0, 0), p.sign_ballot("east", 1, p.body("east", 0, 1)[0])]
)
case("a challenge uses up no number", "challenged", "counted", "challenged")(
    lambda p: [p.challenged(), p.ballot("east", 0, 0), p.challenged()]
)

# Openings.

OPENING = "rejected: opening"


def _opened(name: str, change: Callable[[Body], object], fate: str = OPENING) -> None:
    """A challenge whose opening is changed before it is signed."""

    def make(polling: OpenElection) -> list[bytes]:
        body, opening = polling.body()
        value = cbor.decode(opening)
        assert isinstance(value, dict)
        change(value)
        return [polling.sign_challenge("east", 0, body, cbor.encode(value))]

    case(name, fate)(make)


_opened("W4 an opening to another option", lambda o: o["contests"][0].update(selections=[0, 1, 0]))
_opened("W4 an opening to another code", lambda o: o["contests"][1].update(selections=[3]))
_opened("an opening to no code", lambda o: o["contests"][1].update(selections=[2**31]))
_opened(
    "an opening without a code, where only the pad can be checked",
    lambda o: o["contests"][1].update(selections=[2**32 - 1]),
    "challenged",
)
_opened("an opening to a value of 2", lambda o: o["contests"][0].update(selections=[2, 0, 0]))
_opened("an opening to a negative value", lambda o: o["contests"][0].update(selections=[1, -1, 0]))
_opened("an opening with true for 1", lambda o: o["contests"][0].update(selections=[True, 0, 0]))
_opened("an opening with a selection too few", lambda o: o["contests"][0]["selections"].pop())
_opened("an opening whose selections are text", lambda o: o["contests"][0].update(selections="100"))
_opened("an opening with other randomizers", lambda o: o["contests"][2].update(randomizers=bytes(63) + b"\1"))
_opened(
    "an opening with a randomizer too few",
    lambda o: o["contests"][2].update(randomizers=o["contests"][2]["randomizers"][:32]),
)
_opened("an opening with a contest too few", lambda o: o["contests"].pop())
_opened("an opening whose contests are a map", lambda o: o.update(contests={}))
_opened("an opening whose contests are a number", lambda o: o.update(contests=3))
_opened("an opening whose contest is a number", lambda o: o["contests"].__setitem__(0, 3))
_opened("an opening with another member", lambda o: o.update(note="x"))
_opened("an opening with another member inside", lambda o: o["contests"][0].update(note="x"))


def _randomizer_plus_order(opening: Body) -> None:
    value = int.from_bytes(opening["contests"][1]["randomizers"], "little") + ORDER
    opening["contests"][1]["randomizers"] = value.to_bytes(32, "little")


_opened("an opening with a randomizer plus the order", _randomizer_plus_order)


@case("an opening that is no CBOR", OPENING)
def _no_cbor(polling: OpenElection) -> list[bytes]:
    return [polling.sign_challenge("east", 0, polling.body()[0], b"\xff")]


@case("an opening that is empty", OPENING)
def _empty_opening(polling: OpenElection) -> list[bytes]:
    return [polling.sign_challenge("east", 0, polling.body()[0], b"")]


@case("a challenge too many", "challenged", "challenged", "challenged", "rejected: excess", "challenged")
def _excess(polling: OpenElection) -> list[bytes]:
    return [*(polling.challenged() for _ in range(4)), polling.challenged("east", 1)]


@case("challenges that are rejected do not count towards the limit", OPENING, *["challenged"] * 3)
def _not_counting(polling: OpenElection) -> list[bytes]:
    body, _ = polling.body()
    return [polling.sign_challenge("east", 0, body, b""), *(polling.challenged() for _ in range(3))]


# The order of reasons: each has all defects of the later ones too.


def _everything_wrong(polling: OpenElection, *, malformed: bool, credential: bool, signature: bool) -> list[bytes]:
    def spoil(body: Body) -> None:
        body["contests"][1]["scalars"] = add_to_scalar(body["contests"][1]["scalars"], 0, 1)
        if credential:
            body["credential"] = polling.wallets["east"].credentials[1]
        if malformed:
            first(body, "ciphertexts", 0, bytes(32))

    entry = _outer(polling.edited(spoil))
    return [polling.sign_ballot("east", 1 if signature else 0, entry["body"])]


case("malformed comes before credential, signature and proof", MALFORMED)(
    lambda p: _everything_wrong(p, malformed=True, credential=True, signature=True)
)
case("credential comes before signature and proof", CREDENTIAL)(
    lambda p: _everything_wrong(p, malformed=False, credential=True, signature=True)
)
case("signature comes before proof", SIGNATURE)(
    lambda p: _everything_wrong(p, malformed=False, credential=False, signature=True)
)
case("duplicate comes before opening", "counted", DUPLICATE)(
    lambda p: (lambda body: [p.sign_ballot("east", 0, body), p.sign_challenge("east", 0, body, b"")])(p.body()[0])
)
case("opening comes before excess", "challenged", "challenged", "challenged", OPENING)(
    lambda p: [*(p.challenged() for _ in range(3)), p.sign_challenge("east", 0, p.body()[0], b"")]
)
case("proof comes before duplicate", "counted", PROOF)(
    lambda p: (lambda body: [p.sign_ballot("east", 0, body), _with_spoilt_proof(p, body)])(p.body()[0])
)


def _with_spoilt_proof(polling: OpenElection, body: bytes) -> bytes:
    value = cbor.decode(body)
    assert isinstance(value, dict)
    value["contests"][1]["scalars"] = add_to_scalar(value["contests"][1]["scalars"], 0, 1)
    return polling.sign_ballot("east", 0, cbor.encode(value))


@case("one pseudonym with credentials of two styles has one vote", "superseded", "counted")
def _two_styles(polling: OpenElection) -> list[bytes]:
    """Two voters who share a key: the ballot of the later one supersedes the other, in whichever style."""
    wallet = polling.wallets["east"]
    east = polling.ballot("east", 0, 0)
    saved = polling.wallets["west"]
    credential = polling.credentials("west", [wallet.pseudonyms[0]])
    from evoting.ballots.build import Wallets

    polling.wallets["west"] = Wallets(wallet.secrets[:1], wallet.pseudonyms[:1], credential)
    try:
        choices = [column[[0]] for column in polling.choices("west", 8)]
        west = polling.sign_ballot("west", 0, polling.body("west", 0, 1, choices)[0])
    finally:
        polling.wallets["west"] = saved
    return [east, west]
