"""``evoting-trustee`` on files: the ceremony on a stick, files that are not what they should be, and destruction."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import nacl.signing
import pytest

from crypto.dkg.audit import audit_ceremony
from crypto.hashing import frames
from evoting.trustees.ceremony import ceremony_parameters
from evoting.trustees.cli import main
from tests.evoting.trustees.trustee_support import Desk, read_tree
from tests.support.small_election import SmallElection

STEPS = ("commit", "reveal", "share", "confirm", "finish")


class Room:
    """Three trustees at their desks, with one stick."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.election = SmallElection(root / "election")
        self.election.board.close()
        self.desks = {i: Desk.of(root / f"desk-{i}", self.election, i, with_share=False) for i in (1, 2, 3)}
        self.manifest = root / "manifest.cbor"
        self.manifest.write_bytes(self.election.manifest_bytes)
        self.stick = root / "stick"

    def step(self, index: int, step: str, *more: str) -> int:
        return main(
            [
                "ceremony",
                step,
                "--manifest",
                str(self.manifest),
                "--shared",
                str(self.stick),
                *self.desks[index].own_files(),
                *more,
            ]
        )

    def run(self, steps: tuple[str, ...] = STEPS, without: tuple[int, ...] = ()) -> None:
        for step in steps:
            for index in self.desks:
                if index not in without:
                    assert self.step(index, step) == 0

    def assemble(self) -> int:
        output = str(self.root / "transcript")
        return main(["assemble", "--manifest", str(self.manifest), "--shared", str(self.stick), "--output", output])


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a failed command has written."""
    output = capsys.readouterr()
    assert output.err.startswith("evoting-trustee: error: ")
    assert output.err.count("\n") == 1
    assert "Traceback" not in output.err
    return output.err


def test_a_ceremony_on_a_stick(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.run()
    output = capsys.readouterr()
    assert output.err.count("the ceremony has succeeded") == 3
    assert room.assemble() == 0
    key = capsys.readouterr().out.strip()
    transcript = (room.root / "transcript").read_bytes()
    assert transcript == (room.stick / "transcript.cbor").read_bytes()
    outcome = audit_ceremony(ceremony_parameters(room.manifest.read_bytes()), transcript)
    assert outcome.keys[0].joint_key.hex() == key
    for index, desk in room.desks.items():
        share = desk.store.require_share().shares[0]
        assert share.verification_key == outcome.keys[0].verification_keys[index - 1]


def test_secrets_are_private_and_stay_in_their_directory(room: Room) -> None:
    room.run()
    for desk in room.desks.values():
        assert stat.S_IMODE(desk.store.root.stat().st_mode) == 0o700
        for path in desk.store.root.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        secret = desk.store.require_share().shares[0].secret
        assert not any(secret in data for data in read_tree(room.stick).values())


def test_every_step_may_be_repeated_and_changes_nothing(room: Room) -> None:
    for step in STEPS:
        room.run((step,))
        files = read_tree(room.stick)
        private = {index: read_tree(desk.store.root) for index, desk in room.desks.items()}
        room.run((step,))
        assert read_tree(room.stick) == files
        assert {index: read_tree(desk.store.root) for index, desk in room.desks.items()} == private


def test_a_step_interrupted_before_its_file_was_written_gives_the_same_file(room: Room) -> None:
    room.run(("commit", "reveal", "share"))
    files = read_tree(room.stick)
    lost = room.stick / "attempt-1" / "3-shares.trustee-2.cbor"
    lost.unlink()
    assert room.step(2, "share") == 0
    assert read_tree(room.stick) == files


def test_the_step_that_makes_the_share_may_be_interrupted(room: Room) -> None:
    room.run(("commit", "reveal", "share", "confirm"))
    state = room.desks[1].store.root / "ceremony-state.cbor"
    before = state.read_bytes()
    assert room.step(1, "finish") == 0
    share = (room.desks[1].store.root / "key-share.cbor").read_bytes()
    # The crash came after the share was written and before the state forgot the seeds.
    state.write_bytes(before)
    (room.stick / "transcript.cbor").unlink()
    assert room.step(1, "finish") == 0
    assert (room.desks[1].store.root / "key-share.cbor").read_bytes() == share
    assert state.read_bytes() != before


def test_somebody_who_does_not_come_is_excluded(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.run(("commit",), without=(3,))
    assert room.step(1, "reveal") == 2
    assert "no commit yet from trustee-3" in complaint(capsys)
    assert room.step(1, "reveal", "--exclude-missing") == 0
    assert "trustee-3 is excluded: missing" in capsys.readouterr().err
    room.run(without=(3,))
    capsys.readouterr()
    assert room.assemble() == 0
    assert room.step(3, "commit") == 2
    assert "was excluded" in complaint(capsys)


@pytest.mark.parametrize("content", [b"", b"\xa4", b"not a message", b"\0" * 100], ids=str)
def test_a_bad_message_file_is_named_and_everything_stays(
    room: Room, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    room.run(("commit",))
    bad = room.stick / "attempt-1" / "1-commit.trustee-2.cbor"
    bad.write_bytes(content)
    before = read_tree(room.root)
    capsys.readouterr()
    assert room.step(1, "reveal") == 2
    assert "attempt-1/1-commit.trustee-2.cbor" in complaint(capsys)
    assert read_tree(room.root) == before


@pytest.mark.parametrize("name", ["ceremony-state.cbor", "key-share.cbor"])
@pytest.mark.parametrize("cut", [0, 1, 20, -1])
def test_a_damaged_secret_file_is_named_and_left_as_it_is(
    room: Room, capsys: pytest.CaptureFixture[str], name: str, cut: int
) -> None:
    room.run()
    path = room.desks[1].store.root / name
    path.write_bytes(path.read_bytes()[:cut])
    before = read_tree(room.root)
    capsys.readouterr()
    assert room.step(1, "finish") == 2
    assert name in complaint(capsys)
    assert read_tree(room.root) == before


def test_secrets_that_others_can_read_are_refused(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.run(("commit",))
    capsys.readouterr()
    state = room.desks[1].store.root / "ceremony-state.cbor"
    state.chmod(0o644)
    assert room.step(1, "commit") == 2
    assert "chmod 600" in complaint(capsys)
    state.chmod(0o600)
    room.desks[1].store.root.chmod(0o755)
    assert room.step(1, "commit") == 2
    assert "chmod 700" in complaint(capsys)


def test_a_key_that_the_manifest_does_not_name(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keygen", str(room.root / "other.key"), "--name", "trustee-1"]) == 0
    assert len(bytes.fromhex(capsys.readouterr().out.strip())) == 32
    room.desks[1].key.unlink()
    (room.root / "other.key").rename(room.desks[1].key)
    assert room.step(1, "commit") == 2
    assert "names no trustee with the key" in complaint(capsys)
    assert not room.stick.exists()


def test_a_private_directory_of_another_trustee(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.run(("commit",))
    capsys.readouterr()
    arguments = ["--key", str(room.desks[2].key), "--private", str(room.desks[1].store.root)]
    shared = ["--manifest", str(room.manifest), "--shared", str(room.stick)]
    assert main(["ceremony", "commit", *shared, *arguments]) == 2
    assert "belongs to trustee 1" in complaint(capsys)


@pytest.mark.parametrize("content", [b"", b"\0", b"{}"])
def test_a_manifest_that_is_none(room: Room, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    room.manifest.write_bytes(content)
    assert room.step(1, "commit") == 2
    complaint(capsys)
    assert not room.stick.exists()


def test_missing_files_and_arguments(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.manifest.unlink()
    assert room.step(1, "commit") == 2
    assert "manifest.cbor: No such file" in complaint(capsys)
    assert room.assemble() == 2
    complaint(capsys)
    with pytest.raises(SystemExit) as caught:
        main(["ceremony", "steal"])
    assert caught.value.code == 2
    complaint(capsys)


def test_assembling_before_the_end(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.run(("commit", "reveal"))
    capsys.readouterr()
    assert room.assemble() == 2
    assert "no shares yet from trustee-1, trustee-2, trustee-3" in complaint(capsys)
    assert not (room.root / "transcript").exists()


def test_another_file_on_the_stick_is_never_overwritten(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    """Two trustees named alike would overwrite each other; here a stale file of an earlier rehearsal lies there."""
    path = room.stick / "attempt-1" / "1-commit.trustee-1.cbor"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"stale")
    assert room.step(1, "commit") == 2
    assert "is not overwritten" in complaint(capsys)
    assert path.read_bytes() == b"stale"
    path.unlink()
    assert room.step(1, "commit") == 0


def destroy(room: Room, index: int) -> int:
    protocol = str(room.root / "protocol.json")
    return main(["destroy", "--reason", "the result is final", "--protocol", protocol, *room.desks[index].own_files()])


def test_destruction_erases_the_share_and_signs_a_protocol(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.run()
    desk = room.desks[2]
    share = desk.store.require_share()
    assert destroy(room, 2) == 0
    assert not any(share.shares[0].secret in data for data in read_tree(desk.root).values())
    document = json.loads((room.root / "protocol.json").read_text())
    statement = json.loads(document["statement"])
    assert statement["index"] == 2
    assert statement["reason"] == "the result is final"
    assert statement["keys"] == [{"label": "election-key", "verification-key": share.shares[0].verification_key.hex()}]
    key = nacl.signing.VerifyKey(bytes.fromhex(document["key"]))
    assert bytes(key) == bytes(room.election.keys["trustee-2"].verify_key)
    message = frames("evoting/v1/destruction", (document["statement"].encode(),))
    key.verify(message, bytes.fromhex(document["signature"]))

    before = read_tree(room.root)
    assert destroy(room, 2) == 0
    assert read_tree(room.root) == before
    capsys.readouterr()
    assert room.step(2, "finish") == 2
    complaint(capsys)


def test_there_is_nothing_to_destroy_before_the_ceremony(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    assert destroy(room, 1) == 2
    assert "there is no key share" in complaint(capsys)
