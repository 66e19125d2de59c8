"""Key files."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from crypto.log.note import COSIGNATURE_KEY, NOTE_KEY
from evoting.board.errors import KeyFileError
from evoting.board.keys import generate_key, load_key
from tests.evoting.board.board_faults import DISKS, FaultyStorage, PowerFailure

NAME = "elections.example/2030/log"


def test_key_file_round_trips_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    verifier = generate_key(path, NAME, NOTE_KEY)
    assert path.stat().st_mode & 0o777 == 0o600
    key = load_key(path, NOTE_KEY)
    assert key.verifier == verifier
    assert key.name == NAME
    assert [item.name for item in tmp_path.iterdir()] == ["log.key"]
    assert path.read_text().split("\n")[:2] == ["evoting-key@v1", f"vkey {verifier.encode()}"]


def test_keys_are_fresh_unless_a_seed_is_given(tmp_path: Path) -> None:
    made = [generate_key(tmp_path / f"{i}", NAME, NOTE_KEY) for i in range(2)]
    assert made[0] != made[1]
    seeded = generate_key(tmp_path / "seeded", NAME, COSIGNATURE_KEY, seed=bytes(range(32)))
    assert load_key(tmp_path / "seeded").seed == bytes(range(32))
    assert load_key(tmp_path / "seeded").verifier == seeded


def test_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    generate_key(path, NAME, NOTE_KEY)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="is not overwritten"):
        generate_key(path, NAME, NOTE_KEY)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "with space", "Upper.example", "plus+.example", "elections.example/"])
def test_name_that_is_none(name: str, tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="is no key name"):
        generate_key(tmp_path / "key", name, NOTE_KEY)
    assert not list(tmp_path.iterdir())


def test_directory_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be written: No such file"):
        generate_key(tmp_path / "missing" / "key", NAME, NOTE_KEY)


def test_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    generate_key(path, NAME, NOTE_KEY)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match=r"can be read by others \(mode 0640\): chmod 600"):
        load_key(path)


def test_key_of_another_type_is_refused(tmp_path: Path) -> None:
    generate_key(tmp_path / "key", NAME, NOTE_KEY)
    with pytest.raises(KeyFileError, match="has type 0x01, not 0x04"):
        load_key(tmp_path / "key", COSIGNATURE_KEY)


def test_truncated_file_is_refused_at_every_length(tmp_path: Path) -> None:
    path = tmp_path / "key"
    generate_key(path, NAME, NOTE_KEY)
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        with pytest.raises(KeyFileError):
            load_key(path)


def test_foreign_damaged_and_mismatched_files_say_what_is_wrong(tmp_path: Path) -> None:
    path, other = tmp_path / "key", tmp_path / "other"
    generate_key(path, NAME, NOTE_KEY, seed=bytes(32))
    generate_key(other, NAME, NOTE_KEY, seed=bytes(range(32)))
    text = path.read_text()
    other_seed = other.read_text().split("seed ")[1]
    seed, short = (base64.b64encode(bytes(length)).decode() for length in (32, 31))
    cases = {
        "begin with evoting-key@v1": b"-----BEGIN PRIVATE KEY-----\n",
        "has other lines": text.replace("seed", "sead").encode(),
        "do not belong together": (text.split("seed ")[0] + "seed " + other_seed).encode(),
        "has 31 bytes, not 32": text.replace(seed, short).encode(),
        "is not text": text.encode()[:-5] + b"\xff\xff\xff\xff\n",
        "is not base64": text.replace("AAAA=", "AA!A=").encode(),
        "truncated or has other lines": text.encode() + b"more\n",
    }
    for message, data in cases.items():
        path.write_bytes(data)
        with pytest.raises(KeyFileError, match=message):
            load_key(path)
    with pytest.raises(KeyFileError, match="cannot be read: No such file"):
        load_key(tmp_path / "missing")
    with pytest.raises(KeyFileError, match="cannot be read: Is a directory"):
        load_key(tmp_path)


@pytest.mark.parametrize("disk", DISKS)
def test_crash_while_a_key_is_stored_leaves_a_whole_one_or_none(disk: str, tmp_path: Path) -> None:
    for point in range(4):
        path = tmp_path / f"{disk} {point}"
        storage = FaultyStorage(fail_at=point)
        with pytest.raises(PowerFailure):
            generate_key(path, NAME, NOTE_KEY, storage=storage)
        storage.fail_disk(disk)
        if path.exists():
            load_key(path)
        else:
            generate_key(path, NAME, NOTE_KEY)
