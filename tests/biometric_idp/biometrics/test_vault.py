"""Attack C10: whoever steals the database, a back-up or decrypted templates gains nothing; templates can be revoked."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, MetaData, update

from biometric_idp.biometrics.errors import TemplateMismatch, VaultError
from biometric_idp.biometrics.face_dlib import (
    DlibFaceMatcher,
    compare_faces,
    decode_embedding,
    encode_embedding,
)
from biometric_idp.biometrics.interface import Score, Template
from biometric_idp.biometrics.isometry import Isometry
from biometric_idp.biometrics.master_key import FileMasterKey
from biometric_idp.biometrics.models import BiometricTables, biometric_tables
from biometric_idp.biometrics.replay import SessionMarks
from biometric_idp.biometrics.sql_store import SqlMarks, SqlTemplateStore
from biometric_idp.biometrics.vault import Vault
from services.database import open_engine
from tests.support.postgres import postgres_server

METADATA = MetaData()
TABLES: BiometricTables = biometric_tables(METADATA)


def face(seed: int) -> Template:
    """A template as long as real ones are."""
    vector = np.random.default_rng(seed).normal(0, 0.12, 128)
    return Template("face", DlibFaceMatcher.algorithm, DlibFaceMatcher.version, encode_embedding(vector))


def near(template: Template, distance: float) -> Template:
    """Another template at a distance."""
    step = np.random.default_rng(9).normal(size=128)
    moved = decode_embedding(template.data) + distance * step / np.linalg.norm(step)
    return replace(template, data=encode_embedding(moved))


@pytest.fixture(name="engine", scope="module", params=["sqlite", "postgresql"])
def fixture_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = open_engine(str(tmp_path_factory.mktemp("vault") / "idp.sqlite"))
        METADATA.create_all(engine)
        yield engine
        engine.dispose()
        return
    with postgres_server() as server:
        engine = open_engine(server.database())
        METADATA.create_all(engine)
        yield engine
        engine.dispose()


@pytest.fixture(name="store")
def fixture_store(engine: Engine) -> SqlTemplateStore:
    with engine.begin() as connection:
        connection.execute(TABLES.templates.delete())
        connection.execute(TABLES.marks.delete())
    return SqlTemplateStore(engine, TABLES)


def master() -> FileMasterKey:
    return FileMasterKey(os.urandom(32))


def code_of(error: pytest.ExceptionInfo[VaultError]) -> str:
    return error.value.code


def test_a_probe_keeps_its_exact_distance_to_what_was_enrolled(store: SqlTemplateStore) -> None:
    vault, enrolled = Vault(store, "kg-2026", master()), face(1)
    assert vault.enrol("v1", enrolled) == 1
    for distance in (0.0, 0.3, 0.499, 0.501, 0.9):
        score = vault.compare(near(enrolled, distance), "v1", compare_faces)
        assert score.value == pytest.approx(distance, abs=1e-4)
        assert score.matches == (distance < 0.5)


def test_C10_what_is_stored_holds_nothing_of_the_template(store: SqlTemplateStore) -> None:
    vault, enrolled, key = Vault(store, "kg-2026", master()), face(1), os.urandom(32)
    vault.enrol("v1", enrolled)
    row = store.get("v1", "face")
    assert row is not None
    assert row.sealed is not None
    assert row.wrapped is not None
    stored = row.sealed + row.wrapped
    assert not any(enrolled.data[at : at + 8] in stored for at in range(0, 504, 4))
    with pytest.raises(VaultError) as wrong:
        Vault(store, "kg-2026", FileMasterKey(key)).compare(enrolled, "v1", compare_faces)
    assert code_of(wrong) == "master-key-unusable"
    # Even under the right name, another master key opens nothing.
    forged = FileMasterKey(key)
    forged.id = row.master or ""
    with pytest.raises(VaultError) as wrong:
        Vault(store, "kg-2026", forged).compare(enrolled, "v1", compare_faces)
    assert code_of(wrong) == "template-damaged"


@pytest.mark.parametrize("change", ["voter", "modality", "algorithm", "version", "generation", "deployment", "bit"])
def test_C10_a_row_that_was_moved_renamed_or_rolled_back_does_not_open(
    store: SqlTemplateStore, engine: Engine, change: str
) -> None:
    key, enrolled = master(), face(1)
    vault = Vault(store, "kg-2026", key)
    vault.enrol("v1", enrolled)
    row = store.get("v1", "face")
    assert row is not None
    assert row.sealed is not None
    values: dict[str, object] = {
        "voter": {"voter": "v2"},
        "modality": {"modality": "finger"},
        "algorithm": {"algorithm": "another"},
        "version": {"version": 2},
        "generation": {"generation": 2},
        "deployment": {},
        "bit": {"sealed": row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])},
    }[change]  # type: ignore[assignment]
    if values:
        with engine.begin() as connection:
            connection.execute(update(TABLES.templates).values(values))
    other = Vault(store, "another" if change == "deployment" else "kg-2026", key)
    probe = replace(enrolled, modality="finger") if change == "modality" else enrolled
    with pytest.raises(VaultError) as wrong:
        other.compare(probe, "v2" if change == "voter" else "v1", compare_faces)
    assert code_of(wrong) == "template-damaged"


def test_C10_a_revoked_template_is_gone_and_the_voter_enrols_anew(store: SqlTemplateStore) -> None:
    vault, enrolled = Vault(store, "kg-2026", master()), face(1)
    with pytest.raises(VaultError) as missing:
        vault.compare(enrolled, "v1", compare_faces)
    assert code_of(missing) == "template-missing"
    vault.enrol("v1", enrolled)
    before = store.get("v1", "face")
    vault.revoke("v1", "face")
    row = store.get("v1", "face")
    assert row is not None
    assert (row.state, row.wrapped, row.sealed, row.master) == ("revoked", None, None, None)
    with pytest.raises(VaultError) as revoked:
        vault.compare(enrolled, "v1", compare_faces)
    assert code_of(revoked) == "template-revoked"
    assert vault.enrol("v1", face(2)) == 2
    assert vault.compare(face(2), "v1", compare_faces).value == pytest.approx(0, abs=1e-4)
    assert not vault.compare(enrolled, "v1", compare_faces).matches
    after = store.get("v1", "face")
    assert before is not None
    assert after is not None
    assert before.wrapped != after.wrapped
    assert vault.forget("v1") == 1
    assert vault.state("v1", "face") is None


def test_C10_a_revoked_template_leaves_the_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "idp.sqlite"
    engine = open_engine(str(path))
    METADATA.create_all(engine)
    store = SqlTemplateStore(engine, TABLES)
    vault = Vault(store, "kg-2026", master())
    vault.enrol("v1", face(1))
    row = store.get("v1", "face")
    assert row is not None
    assert row.sealed is not None

    def bytes_on_disk() -> bytes:
        with engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return b"".join(item.read_bytes() for item in tmp_path.iterdir())

    assert row.sealed[:64] in bytes_on_disk()
    vault.revoke("v1", "face")
    assert row.sealed[:64] not in bytes_on_disk()
    engine.dispose()


def test_C10_two_deployments_cannot_link_even_decrypted_templates() -> None:
    """The same faces enrolled in two places: matching them across does no better than chance."""
    people = [decode_embedding(face(seed).data) for seed in range(40)]
    here = [Isometry(b"here" + bytes([index]), 128).apply(vector) for index, vector in enumerate(people)]
    there = [Isometry(b"there" + bytes([index]), 128).apply(vector) for index, vector in enumerate(people)]
    same = [float(np.linalg.norm(a - b)) for a, b in zip(here, there, strict=True)]
    different = [float(np.linalg.norm(a - b)) for i, a in enumerate(here) for j, b in enumerate(there) if i != j]
    assert abs(np.mean(same) - np.mean(different)) < 3 * np.std(different) / np.sqrt(len(same))
    lengths = np.corrcoef([np.linalg.norm(a) for a in here], [np.linalg.norm(b) for b in there])[0, 1]
    assert abs(lengths) < 0.6
    nearest = [int(np.argmin([np.linalg.norm(a - b) for b in there])) for a in here]
    assert sum(found == index for index, found in enumerate(nearest)) <= 6
    # Without the map, everybody is recognised at once.
    plain = [int(np.argmin([np.linalg.norm(a - b) for b in people])) for a in people]
    assert plain == list(range(40))


def test_the_map_of_a_secret_keeps_distances_and_never_changes() -> None:
    isometry = Isometry(bytes(range(32)), 128)
    a, b = decode_embedding(face(1).data), decode_embedding(face(2).data)
    assert np.linalg.norm(isometry.apply(a) - isometry.apply(b)) == pytest.approx(np.linalg.norm(a - b), abs=1e-12)
    assert isometry.apply(a) == pytest.approx(Isometry(bytes(range(32)), 128).apply(a), abs=1e-12)
    # Kept templates depend on it for years: this value must not change with a library's version.
    assert isometry.apply(np.zeros(128))[:3] == pytest.approx(FIRST_OF_SHIFT, abs=1e-9)
    assert not np.allclose(isometry.apply(a), a)


FIRST_OF_SHIFT = (-3.4220772704901354, -3.622269498426238, 4.611567835491017)


def test_rotation_moves_every_key_to_the_new_master_key_also_after_an_interruption(store: SqlTemplateStore) -> None:
    old, new, people = master(), master(), {f"v{index}": face(index) for index in range(7)}
    vault = Vault(store, "kg-2026", old)
    for voter, template in people.items():
        vault.enrol(voter, template)
    vault.revoke("v6", "face")
    rotating = Vault(store, "kg-2026", new, retired=[old])

    class PowerFailure(Exception):
        pass

    wrap, calls = new.wrap, iter(range(100))

    def failing(key: bytes, context: bytes) -> bytes:
        if next(calls) == 3:
            raise PowerFailure
        return wrap(key, context)

    new.wrap = failing  # type: ignore[method-assign]
    with pytest.raises(PowerFailure):
        rotating.rotate(batch=2)
    assert rotating.compare(people["v0"], "v0", compare_faces).matches
    assert rotating.compare(people["v5"], "v5", compare_faces).matches
    assert rotating.rotate(batch=2) == 3
    assert rotating.rotate() == 0
    alone = Vault(store, "kg-2026", new)
    for voter in ("v0", "v1", "v2", "v3", "v4", "v5"):
        assert alone.compare(people[voter], voter, compare_faces).value == pytest.approx(0, abs=1e-4)
    with pytest.raises(VaultError) as wrong:
        vault.compare(people["v0"], "v0", compare_faces)
    assert code_of(wrong) == "master-key-unusable"


def test_two_enrolments_at_once_leave_one(store: SqlTemplateStore) -> None:
    vault, row = Vault(store, "kg-2026", master()), None
    vault.enrol("v1", face(1))
    row = store.get("v1", "face")
    assert row is not None
    vault.enrol("v1", face(2))
    assert not store.put(replace(row, generation=2), row)
    assert not store.put(row, None)
    assert vault.compare(face(2), "v1", compare_faces).matches


def test_a_template_of_another_algorithm_is_not_compared(store: SqlTemplateStore) -> None:
    vault = Vault(store, "kg-2026", master())
    vault.enrol("v1", face(1))
    with pytest.raises(TemplateMismatch):
        vault.compare(replace(face(1), version=2), "v1", compare_faces)


def remember(seen: list[Template], a: Template, b: Template) -> Score:
    seen += [a, b]
    return Score(0.0, 0.0, higher_is_closer=True)


def test_fingers_are_kept_as_they_are_and_padded(store: SqlTemplateStore) -> None:
    vault = Vault(store, "kg-2026", master())
    sizes = set()
    for length in (20, 90, 240):
        finger = Template("finger", "nbis-mindtct-bozorth3", 1, os.urandom(length))
        vault.enrol("v1", finger)
        seen: list[Template] = []
        vault.compare(finger, "v1", partial(remember, seen))
        assert seen == [finger, finger]
        row = store.get("v1", "finger")
        assert row is not None
        assert row.sealed is not None
        sizes.add(len(row.sealed))
    assert len(sizes) == 1


def test_marks_of_sessions_are_kept_by_voter_until_they_expire(store: SqlTemplateStore, engine: Engine) -> None:
    kept = SqlMarks(engine, TABLES)
    chance = random.Random(1)
    tiles = [tuple((number, chance.randrange(1, 65536)) for number in range(20, 40)) for _ in range(80)]
    marks = SessionMarks.collect([f"{index:016x}" for index in range(80)], tiles)
    kept.remember("s1", "v1", marks, expires=100.0)
    kept.remember("s2", "v1", marks, expires=200.0)
    assert len(kept.earlier("v1", now=50.0)) == 2
    (found,) = kept.earlier("v1", now=150.0)
    assert found.exact == marks.exact
    assert (found.tiles == marks.tiles).all()
    assert kept.earlier("v2", now=50.0) == []
    assert kept.purge(150.0) == 1
    assert kept.purge(150.0) == 0
