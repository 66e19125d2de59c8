"""What identity provider and registrar sign for the election record, each with its own command."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from biometric_idp.role_key import read_role_key
from biometric_idp.signatures import sign_checkpoint
from crypto.entry import Binding, decode_role_entry, require_signatures, sign_entry
from tests.biometric_idp.online.parties import ELECTION, ORIGIN, Parties, run, running
from tests.biometric_idp.online.test_handing_over import enrol, refused

pytestmark = pytest.mark.slow

MANIFEST = "ab" * 32
BINDING = Binding(bytes.fromhex(MANIFEST))


class Handing:
    """Two voters are enrolled; checkpoints from before and after the second one."""

    def __init__(self, parties: Parties, directory: Path) -> None:
        self.parties, self.directory = parties, directory
        for number, name in enumerate(("first", "second")):
            enrol(parties, number)
            run("idp", "sign-checkpoint", *self.idp, "--out", directory / name, prints=False)
            export = ("--checkpoint", directory / name, "--out", self.log(name))
            assert run("idp", "export-enrolments", *self.idp, *export)["entries"] == number + 1

    @property
    def idp(self) -> tuple[object, ...]:
        return ("--config", self.parties.idp_config, "--election", ELECTION)

    @property
    def registrar(self) -> tuple[object, ...]:
        return ("--config", self.parties.registrar_config, "--election", ELECTION)

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.bin"

    def idp_words(self, checkpoint: Path, manifest: str = MANIFEST) -> tuple[object, ...]:
        out = self.directory / "enrolment.idp"
        return ("sign-enrolment", *self.idp, "--manifest", manifest, "--checkpoint", checkpoint, "--out", out)

    def registrar_words(self, log: str, *more: object) -> tuple[object, ...]:
        files = ("--entry", self.directory / "enrolment.idp", "--enrolment-log", self.log(log))
        joint = ("--out", self.directory / "enrolment.entry")
        return ("sign-enrolment", *self.registrar, "--manifest", MANIFEST, *files, *joint, *more)


@pytest.fixture(scope="module", name="handing")
def fixture_handing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handing]:
    with running(tmp_path_factory.mktemp("parties")) as parties:
        yield Handing(parties, tmp_path_factory.mktemp("handing"))


def test_the_registrar_signs_the_roll_that_it_drew(handing: Handing, tmp_path: Path) -> None:
    out = tmp_path / "roll.entry"
    said = run("registrar", "sign-roll", *handing.registrar, "--manifest", MANIFEST, "--out", out)
    entry = decode_role_entry(out.read_bytes())
    require_signatures(entry, BINDING, {"registrar": handing.parties.keys["registrar"]}, ["registrar"])
    assert (entry.body["commitment"], entry.body["size"]) == (bytes.fromhex(said["commitment"]), said["size"])
    assert entry.body["styles"] == [{"style": "north", "size": 40}, {"style": "south", "size": 24}]
    words = ("sign-roll", *handing.registrar, "--manifest", MANIFEST[2:], "--out", out)
    assert "64 hexadecimal digits" in refused("registrar", *words)


def test_both_sign_the_enrolment_entry_and_the_registrar_reads_the_log_before(handing: Handing) -> None:
    assert run("idp", *handing.idp_words(handing.directory / "second")) == {"enrolled": 2}
    assert run("registrar", *handing.registrar_words("second")) == {"enrolments": 2, "missing": 0}
    entry = decode_role_entry((handing.directory / "enrolment.entry").read_bytes())
    keys = {"identity-provider": handing.parties.keys["idp"], "registrar": handing.parties.keys["registrar"]}
    require_signatures(entry, BINDING, keys, list(keys))
    assert entry.body["checkpoint"] == (handing.directory / "second").read_text()


def test_a_log_without_a_confirmed_enrolment_is_signed_only_knowingly(handing: Handing) -> None:
    """C12 as the registrar meets it: who leaves a voter's passkey out of the log takes the vote away."""
    run("idp", *handing.idp_words(handing.directory / "second"))
    line = refused("registrar", *handing.registrar_words("second", "--missing", "1"))
    assert "lacks 0 of the enrolments that this registrar confirmed, where 1 were expected" in line
    run("idp", *handing.idp_words(handing.directory / "first"))
    line = refused("registrar", *handing.registrar_words("first"))
    assert "the log lacks 1 of the enrolments that this registrar confirmed, where 0 were expected" in line
    assert run("registrar", *handing.registrar_words("first", "--missing", "1")) == {"enrolments": 1, "missing": 1}
    assert "not the one of the checkpoint" in refused("registrar", *handing.registrar_words("second"))


def test_a_registrar_whose_database_is_an_old_copy_signs_nothing(handing: Handing) -> None:
    run("idp", *handing.idp_words(handing.directory / "second"))
    database = handing.parties.registrar_config.parent / "registrar.sqlite"
    change = "UPDATE enrolment SET state = ? WHERE state = ?"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(change, ("expired", "confirmed"))
    try:
        assert "is an old copy, or the key is in other hands" in refused(
            "registrar", *handing.registrar_words("second")
        )
    finally:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(change, ("confirmed", "expired"))


def test_what_is_no_entry_of_the_identity_provider_is_not_countersigned(handing: Handing) -> None:
    idp = read_role_key(handing.parties.idp_config.parent / "role.key")
    registrar = read_role_key(handing.parties.registrar_config.parent / "role.key")
    body = {"checkpoint": (handing.directory / "second").read_text(), "time": 1}
    for raw, words in (
        (b"", "enrolment.idp"),
        (sign_entry("roll", body, BINDING, {"identity-provider": idp}), "an enrolment entry is expected"),
        (sign_entry("enrolment", {**body, "more": 1}, BINDING, {"identity-provider": idp}), "not of its schema"),
        (sign_entry("enrolment", body, BINDING, {"identity-provider": registrar}), "signature does not hold"),
        (sign_entry("enrolment", body, Binding(bytes(32)), {"identity-provider": idp}), "signature does not hold"),
        (sign_entry("enrolment", body, BINDING, {"identity-provider": idp, "registrar": registrar}), "alone"),
    ):
        (handing.directory / "enrolment.idp").write_bytes(raw)
        assert words in refused("registrar", *handing.registrar_words("second"))


def test_the_identity_provider_signs_only_a_checkpoint_of_its_log(handing: Handing, tmp_path: Path) -> None:
    idp = read_role_key(handing.parties.idp_config.parent / "role.key")
    foreign = tmp_path / "checkpoint"
    for text, words in (
        (sign_checkpoint(idp, f"{ORIGIN}/enrolment", 1, b"r" * 32), "do not lead to the checkpoint's root"),
        (sign_checkpoint(idp, f"{ORIGIN}/ledger/1", 1, b"r" * 32), "no checkpoint of"),
    ):
        foreign.write_text(text)
        assert words in refused("idp", *handing.idp_words(foreign))
    assert "64 hexadecimal digits" in refused("idp", *handing.idp_words(handing.directory / "first", "xx"))
