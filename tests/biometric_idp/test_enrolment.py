"""The enrolment log: both signatures, the right log, and which enrolment counts (with attack C14 on the log)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from biometric_idp.enrolment.log import EnrolmentRules, enrolment_origin, read_enrolment_log
from biometric_idp.errors import FormatError
from biometric_idp.issuer.store import IssuerStore, create_store
from biometric_idp.signatures import sign_checkpoint
from biometric_idp.webauthn import PublicPasskey
from crypto.log.merkle import hash_leaf, hash_leaves, root_of_hashes
from tests.biometric_idp.world import NOW, ORIGIN, World, key, passkey


def effective(world: World, entries: list[bytes]) -> tuple[dict[int, PublicPasskey], list[str]]:
    """What a store takes from a log, and what it objects to."""
    path = world.directory / f"store-{len(list(world.directory.iterdir()))}.sqlite"
    objections = create_store(path, world.fingerprint, 1, world.roll, world.source(entries), entries)
    with IssuerStore(path, world.fingerprint, 1) as store:
        return store.passkeys(range(len(world.roll))), objections


def test_the_log_gives_every_voter_the_enrolled_passkey(world: World) -> None:
    found, objections = effective(world, world.entries)
    assert found == {position: own.public for position, own in enumerate(world.passkeys)}
    assert objections == []


def test_several_entries_and_an_empty_log_are_read(world: World) -> None:
    entries = [world.enrolment_entry([world.enrolment(position)]) for position in range(3)]
    assert set(effective(world, entries)[0]) == {0, 1, 2}
    assert effective(world, []) == ({}, [])


def test_C14_a_key_with_the_identity_providers_signature_alone_refuses_the_log(world: World) -> None:
    own = world.enrolment(2, passkey("of the identity provider"))
    for forged in (
        world.enrolment_entry([own], registrar=world.idp),
        world.enrolment_entry([own], registrar=key("somebody else")),
    ):
        with pytest.raises(FormatError, match="entry 1: the signature of registrar does not verify"):
            effective(world, [*world.entries, forged])


def test_the_registrar_alone_cannot_enrol_either(world: World) -> None:
    forged = world.enrolment_entry([world.enrolment(2, passkey("other"))], idp=world.registrar)
    with pytest.raises(FormatError, match="signature of identity-provider"):
        effective(world, [forged])


def test_signatures_of_another_log_do_not_count(world: World) -> None:
    source = replace(world.source(world.entries), origin="elections.example/2035/log")
    source = replace(
        source,
        checkpoint=sign_checkpoint(
            world.idp, enrolment_origin(source.origin), 1, root_of_hashes(hash_leaves(world.entries))
        ),
    )
    with pytest.raises(FormatError, match="does not verify"):
        list(read_enrolment_log(source, world.entries))


@pytest.mark.parametrize("defect", ["one more", "one fewer", "order", "replaced"])
def test_a_log_other_than_the_checkpoints_is_refused_and_leaves_no_store(world: World, defect: str) -> None:
    entries = [world.enrolment_entry([world.enrolment(position)]) for position in range(3)]
    source = world.source(entries)
    changed = {
        "one more": [*entries, world.enrolment_entry([world.enrolment(3)])],
        "one fewer": entries[:2],
        "order": [entries[1], entries[0], entries[2]],
        "replaced": [world.enrolment_entry([world.enrolment(0, passkey("later"))]), *entries[1:]],
    }[defect]
    path = world.directory / "store.sqlite"
    before = sorted(world.directory.iterdir())
    with pytest.raises(FormatError, match="not the one of the checkpoint"):
        create_store(path, world.fingerprint, 1, world.roll, source, changed)
    assert sorted(world.directory.iterdir()) == before


def test_a_checkpoint_that_the_identity_provider_did_not_sign_is_refused(world: World) -> None:
    root = root_of_hashes(hash_leaf(world.entries[0]))
    for checkpoint in (
        sign_checkpoint(world.registrar, enrolment_origin(ORIGIN), 1, root),
        sign_checkpoint(world.idp, ORIGIN, 1, root),
        "not a note",
    ):
        with pytest.raises(FormatError, match="enrolment checkpoint"):
            list(read_enrolment_log(replace(world.source([]), checkpoint=checkpoint), world.entries))


def test_a_later_passkey_counts_only_when_confirmed_in_person(world: World) -> None:
    later = passkey("later")
    by_code = world.enrolment_entry([world.enrolment(1, later)])
    in_person = world.enrolment_entry([world.enrolment(1, later, "in-person")])
    found, objections = effective(world, [*world.entries, by_code])
    assert (found[1], len(objections)) == (world.passkeys[1].public, 1)
    assert "in person" in objections[0]
    found, objections = effective(world, [*world.entries, in_person])
    assert (found[1], objections) == (later.public, [])


@pytest.mark.parametrize(
    ("change", "objection"),
    [
        ({"position": 6}, "not on the roll"),
        ({"style": "bishkek"}, "another ballot style"),
        ({"time": NOW}, "after the checkpoint's time"),
        ({"passkey": PublicPasskey(b"id", -8, b"key")}, "canonical encoding"),
        ({"passkey": PublicPasskey(b"id", -257, b"key")}, "not accepted"),
    ],
)
def test_an_enrolment_without_effect_is_reported(world: World, change: dict[str, object], objection: str) -> None:
    bad = replace(world.enrolment(0), **change)  # type: ignore[arg-type]
    found, objections = effective(world, [world.enrolment_entry([bad, world.enrolment(1)])])
    assert set(found) == {1}
    assert objection in objections[0]


def test_rules_do_not_let_an_ineffective_first_enrolment_block_the_voter(world: World) -> None:
    rules = EnrolmentRules(world.roll.style_of, NOW)
    assert rules.objection(world.enrolment(0), is_first=True) is None
    bad = replace(world.enrolment(0), style="bishkek")
    found, _ = effective(world, [world.enrolment_entry([bad]), world.enrolment_entry([world.enrolment(0)])])
    assert set(found) == {0}


@pytest.mark.parametrize("entry", [b"", b"\xa0", b"\x00" * 70_000], ids=["empty", "another map", "too long"])
def test_hostile_entries_are_refused_by_number(world: World, entry: bytes) -> None:
    with pytest.raises(FormatError, match="enrolment log entry 1"):
        list(read_enrolment_log(world.source(world.entries), [world.entries[0], entry]))
