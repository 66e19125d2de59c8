"""An issuer compares the office's policy with the record: the office alone cannot name whom issuers trust."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from biometric_idp.errors import FormatError
from biometric_idp.issuer.record_check import read_trusted_fingerprint, require_policy_of_record
from biometric_idp.policy import IssuancePolicy, read_policy, sign_officer_passkey, write_policy
from biometric_idp.webauthn import RelyingParty
from crypto import cbor
from crypto.entry import Binding, election_fingerprint, entry_hash, sign_entry
from crypto.log.tiles import encode_bundle
from tests.biometric_idp.world import NOW, ORIGIN, World, key, passkey

AGE = 48 * 3600


class Record:
    """The setup of a record as far as issuers read it, and the policy that agrees with it."""

    def __init__(self, world: World, **manifest_changes: object) -> None:
        self.root = world.directory / "record"
        self.keys_blob = world.keys.encode()
        kinds = {"issuer": len(world.signing), "officer": 2, "identity-provider": 1, "registrar": 1}
        keys = {
            "issuer": [bytes(own.verify_key) for own in world.signing],
            "officer": [bytes(key(f"officer {i}").verify_key) for i in (1, 2)],
            "identity-provider": [bytes(world.idp.verify_key)],
            "registrar": [bytes(world.registrar.verify_key)],
        }
        manifest = {
            "model": False,
            "opens": world.policy.opens,
            "closes": world.policy.closes,
            "enrolment-age": AGE,
            "origins": {"voting": "https://vote.example", "identity": None},
            "issuers": {"m": 4, "k": 3},
            "roles": [
                {"id": f"{kind}-{i}", "kind": kind, "index": i, "key": keys[kind][i - 1]}
                for kind, number in kinds.items()
                for i in reversed(range(1, number + 1))
            ],
            "styles": [{"id": style, "roll": size} for style, size in world.policy.styles],
            **manifest_changes,
        }
        binding = Binding(bytes(32))
        source = world.policy.enrolment
        body = {"checkpoint": source.checkpoint, "time": source.time}
        enrolment = sign_entry("enrolment", body, binding, {})
        opening = sign_entry(
            "opening",
            {
                "manifest": self.blob(cbor.encode(manifest)),
                "enrolment": entry_hash(enrolment),
                "issuers": {"keys": self.blob(self.keys_blob)},
                "origin": ORIGIN,
                "time": source.time + AGE,
            },
            binding,
            {},
        )
        bundle = self.root / "tile" / "entries" / "000.p" / "3"
        bundle.parent.mkdir(parents=True)
        bundle.write_bytes(encode_bundle([b"\xa0", enrolment, opening]))
        self.bundle = bundle
        self.fingerprint = election_fingerprint(opening)
        officers = tuple(
            sign_officer_passkey(key(f"officer {i}"), self.fingerprint, f"officer-{i}", own.public)
            for i, own in enumerate(world.officers, start=1)
        )
        self.policy = replace(world.policy, fingerprint=self.fingerprint, officers=officers)

    def blob(self, data: bytes) -> dict[str, object]:
        digest = sha256(data).hexdigest()
        path = self.root / "blob" / "sha256" / digest[:2] / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"hash": bytes.fromhex(digest), "length": len(data)}

    def check(self, policy: IssuancePolicy | None = None, keys_blob: bytes | None = None) -> None:
        require_policy_of_record(policy or self.policy, keys_blob or self.keys_blob, self.root, self.fingerprint)


def test_a_policy_that_agrees_with_the_record_is_taken(world: World) -> None:
    record = Record(world)
    record.check()
    record.check(replace(record.policy, opens=record.policy.opens - 86_400))


ATTACKER = bytes(key("attacker").verify_key)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda p: replace(p, enrolment=replace(p.enrolment, identity_provider=ATTACKER)), "identity provider"),
        (lambda p: replace(p, enrolment=replace(p.enrolment, registrar=ATTACKER)), "key of the registrar"),
        (lambda p: replace(p, enrolment=replace(p.enrolment, time=NOW)), "time of the enrolment checkpoint"),
        (lambda p: replace(p, enrolment=replace(p.enrolment, checkpoint="x")), "enrolment checkpoint"),
        (lambda p: replace(p, party=RelyingParty("vote.example", "https://evil.example")), "voting origin"),
        (lambda p: replace(p, party=RelyingParty("example", "https://vote.example")), "RP ID"),
        (lambda p: replace(p, issuers=(*p.issuers[:3], ("issuer-4", ATTACKER))), "issuers"),
        (lambda p: replace(p, threshold=4), "threshold"),
        (lambda p: replace(p, styles=(("abroad", 4), ("bishkek", 2))), "ballot styles"),
        (lambda p: replace(p, origin="elections.example/other"), "log origin"),
        (lambda p: replace(p, fingerprint=bytes(32)), "another election"),
        (lambda p: replace(p, closes=p.closes - 1), "closing of issuance"),
        (lambda p: replace(p, closes=p.closes + 1), "closing of issuance"),
        (lambda p: replace(p, opens=p.opens + 1), "opens issuance after"),
    ],
)
def test_C14_a_policy_that_differs_is_refused_by_name(
    world: World, change: Callable[[IssuancePolicy], IssuancePolicy], named: str
) -> None:
    record = Record(world)
    with pytest.raises(FormatError, match=named):
        record.check(change(record.policy))


def test_C16_the_office_cannot_name_passkeys_for_officers(world: World) -> None:
    record = Record(world)
    own = passkey("attacker").public
    for officer in (
        sign_officer_passkey(key("attacker"), record.fingerprint, "officer-2", own),
        sign_officer_passkey(key("attacker"), record.fingerprint, "officer-3", own),
        sign_officer_passkey(key("officer 2"), bytes(32), "officer-2", own),
        replace(record.policy.officers[1], passkey=own),
        replace(record.policy.officers[1], role="officer-1"),
    ):
        with pytest.raises(FormatError, match="not signed by this officer|same role"):
            record.check(replace(record.policy, officers=(record.policy.officers[0], officer)))


def test_keys_other_than_the_openings_are_refused(world: World) -> None:
    with pytest.raises(FormatError, match="not the ones that the opening entry names"):
        Record(world).check(keys_blob=b"other keys")


def test_a_young_enrolment_checkpoint_needs_a_model_election(world: World) -> None:
    with pytest.raises(FormatError, match="seconds old"):
        Record(world, **{"enrolment-age": AGE + 1}).check()


def test_a_model_election_may_enrol_until_the_opening(world: World) -> None:
    Record(world, **{"enrolment-age": AGE + 1, "model": True}).check()


def test_damaged_records_are_refused(world: World) -> None:
    record = Record(world)
    data = record.bundle.read_bytes()
    for damaged in (data[:-1], data + b"\0", b"", encode_bundle([b"\xa0"] * 3)):
        record.bundle.write_bytes(damaged)
        with pytest.raises(FormatError):
            record.check()
    record.bundle.unlink()
    with pytest.raises(FormatError, match="no election record"):
        record.check()
    record.bundle.write_bytes(data)
    for blob in record.root.glob("blob/sha256/*/*"):
        kept = blob.read_bytes()
        blob.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        with pytest.raises(FormatError, match="not the blob"):
            record.check()
        blob.write_bytes(kept)
    record.check()


def test_a_manifest_without_what_issuers_need_is_malformed_not_a_crash(world: World) -> None:
    defects: list[dict[str, object]] = [{"origins": None}, {"styles": [1]}, {"roles": [{}]}, {"issuers": []}]
    for number, changes in enumerate(defects):
        world.directory = world.directory / str(number)
        world.directory.mkdir()
        with pytest.raises(FormatError):
            Record(world, **changes).check()


def test_trust_root_and_policy_files(world: World, tmp_path: Path) -> None:
    record = Record(world)
    trust = tmp_path / "trust-root.json"
    trust.write_text(
        json.dumps({"format": "evoting-trust-root/v1", "fingerprint": record.fingerprint.hex(), "policy": ""})
    )
    assert read_trusted_fingerprint(trust) == record.fingerprint
    path = tmp_path / "policy.json"
    write_policy(path, record.policy)
    assert read_policy(path) == record.policy
