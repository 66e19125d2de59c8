"""Entries and role signatures: bound to the election, the type and every byte, by exactly the signers asked for."""

from __future__ import annotations

import pytest
from nacl.signing import SigningKey

from crypto import cbor
from crypto.entry import (
    MAX_ENTRY_BYTES,
    SETUP_TYPES,
    Binding,
    EntryError,
    RoleEntry,
    ballot_order,
    decode_role_entry,
    election_fingerprint,
    entry_hash,
    entry_type,
    require_signatures,
    sign_entry,
    signed_message,
)
from crypto.errors import DecodeError
from crypto.hashing import frame, sha

KEYS = {name: SigningKey(bytes([number]) * 32) for number, name in enumerate(("officer-1", "officer-2", "mixer-1"))}
PUBLIC = {name: bytes(key.verify_key) for name, key in KEYS.items()}
BINDING = Binding(b"m" * 32, b"f" * 32)
TWO = {name: KEYS[name] for name in ("officer-1", "officer-2")}


def signed(kind: str = "close", signers: dict[str, SigningKey] | None = None) -> RoleEntry:
    return decode_role_entry(sign_entry(kind, {"time": 7}, BINDING, TWO if signers is None else signers))


def test_a_signed_entry_decodes_and_verifies() -> None:
    entry = signed(signers={"officer-2": KEYS["officer-2"], "officer-1": KEYS["officer-1"]})
    assert (entry.type, entry.body) == ("close", {"time": 7})
    assert [role for role, _ in entry.signatures] == ["officer-1", "officer-2"]
    require_signatures(entry, BINDING, PUBLIC, ["officer-2", "officer-1"])
    assert entry_type(entry.raw) == "close"


def test_the_signed_bytes_are_those_of_section_2_2() -> None:
    body = cbor.encode({"time": 7})
    framed = frame(b"evoting/v1/entry") + frame(b"f" * 32) + frame(b"close") + frame(body)
    assert signed_message(BINDING, "close", body) == framed


def test_bindings_are_those_of_section_2_2() -> None:
    assert BINDING.for_type("manifest") == bytes(32)
    assert {BINDING.for_type(kind) for kind in SETUP_TYPES} == {b"m" * 32}
    assert "opening" in SETUP_TYPES
    for kind in ("epoch", "close", "ledger", "mix", "result", "withdrawal"):
        assert BINDING.for_type(kind) == b"f" * 32


def test_names_of_entries_have_domains_of_their_own() -> None:
    raw = signed().raw
    assert election_fingerprint(raw) == sha("evoting/v1/fingerprint", raw)
    assert entry_hash(raw) == sha("evoting/v1/entry-hash", raw)
    assert ballot_order(raw) == sha("evoting/v1/ballot-order", raw)


def test_an_entry_of_another_election_type_or_body_does_not_verify() -> None:
    entry = signed()
    with pytest.raises(EntryError, match="does not hold"):
        require_signatures(entry, Binding(b"m" * 32, b"g" * 32), PUBLIC, ["officer-1", "officer-2"])
    for other in (
        RoleEntry("result", entry.body, entry.signatures, entry.encoded_body, entry.raw),
        RoleEntry("close", entry.body, entry.signatures, cbor.encode({"time": 8}), entry.raw),
    ):
        with pytest.raises(EntryError, match="does not hold"):
            require_signatures(other, BINDING, PUBLIC, ["officer-1", "officer-2"])


def test_exactly_the_signers_asked_for() -> None:
    names = ["officer-1", "officer-2"]
    for signers in (["officer-1"], ["officer-1", "mixer-1"], [*names, "mixer-1"], []):
        with pytest.raises(EntryError, match="must be signed by officer-1, officer-2"):
            require_signatures(signed(signers={name: KEYS[name] for name in signers}), BINDING, PUBLIC, names)
    swapped = RoleEntry("close", {"time": 7}, signed().signatures[::-1], signed().encoded_body, b"")
    with pytest.raises(EntryError, match="must be signed"):
        require_signatures(swapped, BINDING, PUBLIC, names)
    one = signed().signatures[0]
    with pytest.raises(EntryError, match="must be signed"):
        require_signatures(RoleEntry("close", {}, (one, one), signed().encoded_body, b""), BINDING, PUBLIC, names)


def test_a_signer_without_a_role_and_a_signature_by_another_key() -> None:
    with pytest.raises(EntryError, match="no role of this election"):
        require_signatures(signed(), BINDING, {"officer-1": PUBLIC["officer-1"]}, ["officer-1", "officer-2"])
    other = signed(signers={"officer-1": KEYS["mixer-1"], "officer-2": KEYS["officer-2"]})
    with pytest.raises(EntryError, match="signature of officer-1 on the close entry does not hold"):
        require_signatures(other, BINDING, PUBLIC, ["officer-1", "officer-2"])


def test_an_entry_that_is_too_long_is_not_made() -> None:
    with pytest.raises(EntryError, match="at most 65535"):
        sign_entry("complaint", {"subject": "x" * MAX_ENTRY_BYTES}, BINDING, TWO)


SIGNATURE = {"role": "officer-1", "signature": bytes(64)}
MALFORMED = {
    "no map": [],
    "a member missing": {"type": "close", "body": b"\xa0"},
    "a member too many": {"type": "close", "body": b"\xa0", "signatures": [], "more": 1},
    "a type that is no text": {"type": 1, "body": b"\xa0", "signatures": []},
    "a body that is no byte string": {"type": "close", "body": {}, "signatures": []},
    "a body that is no map": {"type": "close", "body": b"\x80", "signatures": []},
    "a body that is no CBOR": {"type": "close", "body": b"\xff", "signatures": []},
    "a body with bytes after it": {"type": "close", "body": b"\xa0\x00", "signatures": []},
    "signatures that are no list": {"type": "close", "body": b"\xa0", "signatures": {}},
    "a signature that is no map": {"type": "close", "body": b"\xa0", "signatures": [1]},
    "a signature without role": {"type": "close", "body": b"\xa0", "signatures": [{"signature": bytes(64)}]},
    "a role that is no text": {"type": "close", "body": b"\xa0", "signatures": [{**SIGNATURE, "role": 1}]},
    "a signature of 63 bytes": {
        "type": "close",
        "body": b"\xa0",
        "signatures": [{**SIGNATURE, "signature": bytes(63)}],
    },
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_entries_are_refused(name: str) -> None:
    with pytest.raises(DecodeError):
        decode_role_entry(cbor.encode(MALFORMED[name]))


def test_an_entry_beyond_the_limit_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(DecodeError, match="exceeds the limit"):
        decode_role_entry(b"\xff" * (MAX_ENTRY_BYTES + 1))
    with pytest.raises(DecodeError, match="not an entry"):
        entry_type(b"\x80")
