"""The log witness with its files, and its command."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from crypto.log.checkpoint import Checkpoint, decode_checkpoint_text
from crypto.log.cosignature import cosign, verify_cosignature
from crypto.log.errors import WitnessRefusal
from crypto.log.merkle import hash_leaves, prove_consistency, root_of_hashes
from crypto.log.note import (
    COSIGNATURE_KEY,
    NoteSignature,
    NoteSigningKey,
    decode_note,
    decode_signature_lines,
    decode_vkey,
)
from crypto.log.witness import CosignRequest, decode_witnessed_head
from evoting.board import witness_cli
from evoting.board.errors import KeyFileError, RecordCorrupt, WitnessStateError
from evoting.board.store import Board
from evoting.board.witness import LogWitness
from tests.crypto.log.log_parties import LOG, NOW, key
from tests.evoting.board.board_faults import DISKS, FaultyStorage, PowerFailure

NAME = "court.example/witness"
ENTRIES = [b"entry %d" % i for i in range(700)]


def head(size: int, entries: list[bytes] = ENTRIES) -> Checkpoint:
    return Checkpoint(LOG.name, size, root_of_hashes(hash_leaves(entries[:size])))


def request(old: int, new: int, entries: list[bytes] = ENTRIES) -> CosignRequest:
    def node(level: int, index: int) -> bytes:
        return root_of_hashes(hash_leaves(entries[index << level : (index + 1) << level]))

    return CosignRequest(old, prove_consistency(old, new, node), head(new, entries).sign(LOG))


@pytest.fixture
def witness(tmp_path: Path) -> LogWitness:
    return LogWitness.create(tmp_path / "witness", NAME, [LOG.verifier], seed=bytes(32))


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board.create(tmp_path / "record", tmp_path / "state", LOG, storage=FaultyStorage())


def test_witness_cosigns_a_growing_log_and_remembers(witness: LogWitness, tmp_path: Path) -> None:
    old = 0
    for new in (3, 256, 300):
        line = witness.cosign(request(old, new), NOW + new)
        assert verify_cosignature(head(new).encode_text(), line, witness.verifier) == NOW + new
        reopened = LogWitness(tmp_path / "witness").head(LOG.name)
        assert reopened is not None
        assert (reopened.checkpoint, reopened.timestamp) == (head(new), NOW + new)
        old = new


def test_witness_follows_a_record_directory(witness: LogWitness, board: Board, tmp_path: Path) -> None:
    for size in (1, 255, 257, 700):
        board.append(ENTRIES[board.size : size])
        text = board.publish().text
        line = witness.cosign_record(tmp_path / "record", NOW + size)
        assert verify_cosignature(text, line, witness.verifier) == NOW + size
        note = board.add_cosignatures([line], [witness.verifier], NOW + size)
        assert note.signature_by(witness.verifier) == line
    again = witness.cosign_record(tmp_path / "record", NOW + 1000)
    assert verify_cosignature(text, again, witness.verifier) == NOW + 1000


def test_L2_second_root_of_one_size_is_refused_and_nothing_changes(witness: LogWitness, tmp_path: Path) -> None:
    witness.cosign(request(0, 300), NOW)
    before = {path.name: path.read_bytes() for path in (tmp_path / "witness").iterdir()}
    other = [*ENTRIES[:299], b"another ballot"]
    with pytest.raises(WitnessRefusal, match="another root of size 300") as caught:
        witness.cosign(CosignRequest(300, (), head(300, other).sign(LOG)), NOW + 1)
    assert (caught.value.status, caught.value.size) == (409, 300)
    assert {path.name: path.read_bytes() for path in (tmp_path / "witness").iterdir()} == before


def test_L2_split_view_cannot_get_two_quorums(tmp_path: Path) -> None:
    """Four witnesses, two histories of one size, every order of asking: at most one side reaches three."""
    other = [*ENTRIES[:299], b"another ballot"]
    views = [request(0, 300), CosignRequest(0, (), head(300, other).sign(LOG))]
    for split in range(16):
        signatures = [0, 0]
        for number in range(4):
            directory = tmp_path / f"{split}.{number}"
            one = LogWitness.create(directory, NAME, [LOG.verifier], storage=FaultyStorage())
            first = split >> number & 1
            for side in (first, 1 - first):
                made = CosignRequest(300, (), views[side].checkpoint) if side != first else views[side]
                try:
                    one.cosign(made, NOW)
                    signatures[side] += 1
                except WitnessRefusal:
                    assert side != first
        assert sum(signatures) == 4
        assert min(signatures) < 3


def test_rollback_is_refused(witness: LogWitness, board: Board, tmp_path: Path) -> None:
    witness.cosign(request(0, 300), NOW)
    board.append(ENTRIES[:200])
    board.publish()
    with pytest.raises(WitnessRefusal, match="the record has size 200, but 300 was cosigned") as caught:
        witness.cosign_record(tmp_path / "record", NOW)
    assert (caught.value.status, caught.value.size) == (409, 300)


def test_L6_record_with_edited_history_is_refused(witness: LogWitness, board: Board, tmp_path: Path) -> None:
    witness.cosign(request(0, 300), NOW)
    board.append([b"edited", *ENTRIES[1:700]])
    board.publish()
    with pytest.raises(WitnessRefusal) as caught:
        witness.cosign_record(tmp_path / "record", NOW)
    assert caught.value.status == 422


def test_L4_concurrent_updates_never_take_the_witness_back(tmp_path: Path) -> None:
    """The race of C2SP tlog-witness: many threads ask for different sizes from one old size; one of each wins."""
    directory = tmp_path / "witness"
    LogWitness.create(directory, NAME, [LOG.verifier], storage=FaultyStorage())
    cosigned: list[tuple[int, NoteSignature]] = []
    refusals: list[int] = []
    start = threading.Barrier(8)

    def ask(size: int) -> None:
        one = LogWitness(directory, storage=FaultyStorage())
        start.wait()
        for _ in range(40):
            last = one.head(LOG.name)
            old = last.checkpoint.size if last else 0
            if old >= size:
                return
            try:
                cosigned.append((size, one.cosign(request(old, size), NOW)))
            except WitnessRefusal as error:
                refusals.append(error.status)
            size += 8

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(10, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    final = LogWitness(directory).head(LOG.name)
    assert final is not None
    assert final.checkpoint.size == max(size for size, _ in cosigned)
    assert len({size for size, _ in cosigned}) == len(cosigned)
    assert set(refusals) <= {400, 409}


def test_L4_check_and_update_are_one_step(tmp_path: Path, witness: LogWitness) -> None:
    """Request B for a larger tree arrives while request A is being stored: B waits, A is not cosigned afterwards."""
    entered, release = threading.Event(), threading.Event()

    class SlowStorage(FaultyStorage):
        def rename(self, source: Path, target: Path) -> None:
            entered.set()
            assert release.wait(10)
            super().rename(source, target)

    slow = LogWitness(tmp_path / "witness", storage=SlowStorage())
    results: dict[str, object] = {}

    def run(name: str, one: LogWitness, size: int) -> None:
        try:
            results[name] = one.cosign(request(0, size), NOW)
        except WitnessRefusal as error:
            results[name] = error.status

    first = threading.Thread(target=run, args=("larger", slow, 500))
    second = threading.Thread(target=run, args=("smaller", witness, 300))
    first.start()
    assert entered.wait(10)
    second.start()
    second.join(0.2)
    assert "smaller" not in results
    release.set()
    first.join()
    second.join()
    assert isinstance(results["larger"], NoteSignature)
    assert results["smaller"] == 409


@pytest.mark.parametrize("disk", DISKS)
def test_crash_never_makes_the_witness_forget_what_it_cosigned(disk: str, tmp_path: Path) -> None:
    other = [*ENTRIES[:299], b"another ballot"]
    for point in range(4):
        directory = tmp_path / f"{disk} {point}"
        LogWitness.create(directory, NAME, [LOG.verifier]).cosign(request(0, 3), NOW)
        storage = FaultyStorage(fail_at=point)
        with pytest.raises(PowerFailure):
            LogWitness(directory, storage=storage).cosign(request(3, 300), NOW)
        storage.fail_disk(disk)
        after = LogWitness(directory)
        last = after.head(LOG.name)
        assert last is not None
        assert last.checkpoint in (head(3), head(300))
        after.cosign(request(last.checkpoint.size, 300), NOW)
        with pytest.raises(WitnessRefusal):
            after.cosign(CosignRequest(300, (), head(300, other).sign(LOG)), NOW)


def test_damaged_memory_is_never_taken_for_an_empty_one(witness: LogWitness, tmp_path: Path) -> None:
    witness.cosign(request(0, 3), NOW)
    [path] = (tmp_path / "witness").glob("head-*")
    data = path.read_bytes()
    assert decode_witnessed_head(data).checkpoint == head(3)
    for damaged in (b"", data[:-1], data.replace(LOG.name.encode(), b"other.example/log")):
        path.write_bytes(damaged)
        with pytest.raises(WitnessStateError):
            witness.cosign(request(0, 3), NOW)


def test_two_logs_are_remembered_apart(tmp_path: Path) -> None:
    other = key("registrar.example/log")
    witness = LogWitness.create(tmp_path / "witness", NAME, [LOG.verifier, other.verifier])
    witness.cosign(request(0, 300), NOW)
    first = Checkpoint(other.name, 5, head(5).root).sign(other)
    witness.cosign(CosignRequest(0, (), first), NOW)
    sizes = [last.checkpoint.size for last in map(witness.head, (LOG.name, other.name)) if last]
    assert sizes == [300, 5]


def test_creating_twice_changes_nothing(witness: LogWitness, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in (tmp_path / "witness").iterdir()}
    with pytest.raises(KeyFileError, match="is not overwritten"):
        LogWitness.create(tmp_path / "witness", NAME, [key("other.example/log").verifier])
    assert {path.name: path.read_bytes() for path in (tmp_path / "witness").iterdir()} == before
    with pytest.raises(ValueError, match="at least one log"):
        LogWitness.create(tmp_path / "another", NAME, [])


# The command.


def command(*arguments: str | Path) -> int:
    return witness_cli.main([str(argument) for argument in arguments])


def test_command_from_init_to_published_cosignature(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "court"
    assert command("init", directory, "--name", NAME, "--log", LOG.verifier.encode()) == 0
    vkey = decode_vkey(capsys.readouterr().out.removesuffix("\n"))
    assert (vkey.name, vkey.key_type) == (NAME, 4)
    board.append(ENTRIES[:300])
    text = board.publish().text
    assert command("cosign", directory, "--record", tmp_path / "record", "--now", str(NOW)) == 0
    [line] = decode_signature_lines(capsys.readouterr().out)
    assert verify_cosignature(text, line, vkey) == NOW
    board.add_cosignatures([line], [vkey], NOW)

    (tmp_path / "request").write_bytes(request(300, 310).encode())
    assert command("cosign", directory, "--request", tmp_path / "request", "--now", str(NOW + 1)) == 0
    [line] = decode_signature_lines(capsys.readouterr().out)
    assert verify_cosignature(head(310).encode_text(), line, vkey) == NOW + 1

    data = io.TextIOWrapper(io.BytesIO(request(310, 311).encode()))
    monkeypatch.setattr(sys, "stdin", data)
    assert command("cosign", directory, "--request", "-", "--now", str(NOW + 2)) == 0
    assert decode_signature_lines(capsys.readouterr().out)

    assert command("show", directory) == 0
    assert f"log {LOG.name}: size 311 at " in capsys.readouterr().out


def test_command_makes_the_vkey_of_a_log_from_its_origin_and_its_roles_key(capsys: pytest.CaptureFixture[str]) -> None:
    public = LOG.verifier.public_key.hex()
    assert command("vkey", "--origin", LOG.name, "--key", public) == 0
    assert capsys.readouterr().out == LOG.verifier.encode() + "\n"
    for wrong in (public[2:], public.upper(), public[:-1] + "g"):
        with pytest.raises(SystemExit):
            command("vkey", "--origin", LOG.name, "--key", wrong)
        assert_one_line(capsys, "is no key of 64 hexadecimal digits")
    assert command("vkey", "--origin", "no name", "--key", public) == 2
    assert_one_line(capsys, "no key name")


def assert_one_line(capsys: pytest.CaptureFixture[str], message: str) -> None:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("evoting-witness: error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_command_refuses_in_one_line_and_says_so_in_its_exit_code(
    board: Board, witness: LogWitness, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    witness.cosign(request(0, 300), NOW)
    board.append(ENTRIES[:200])
    board.publish()
    assert command("cosign", tmp_path / "witness", "--record", tmp_path / "record") == 1
    assert_one_line(capsys, "the record has size 200, but 300 was cosigned here")


def test_command_with_bad_files(witness: LogWitness, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "checkpoint").write_bytes(b"\xff\x00\n")
    (tmp_path / "no checkpoint").mkdir()
    (tmp_path / "no checkpoint" / "checkpoint").write_text("text\n\n\u2014 a.example QUJDREVG\n")
    (tmp_path / "request").write_bytes(b"old x\n\n")
    (tmp_path / "bad\n\u202ename").mkdir()
    home = tmp_path / "witness"
    huge = Checkpoint(LOG.name, 2**48, bytes(32)).sign(LOG).encode()
    (tmp_path / "huge").mkdir()
    (tmp_path / "huge" / "checkpoint").write_bytes(huge)
    witness.cosign(request(0, 300), NOW)
    cases: list[tuple[int, str, tuple[str | Path, ...]]] = [
        (2, "checkpoint cannot be read", ("cosign", home, "--record", tmp_path / "empty")),
        (2, "checkpoint: note is not valid UTF-8", ("cosign", home, "--record", tmp_path / "garbage")),
        (1, "checkpoint text has", ("cosign", home, "--record", tmp_path / "no checkpoint")),
        (2, "cannot be read", ("cosign", home, "--record", tmp_path / "huge")),
        (2, "No such file", ("cosign", home, "--request", tmp_path / "missing")),
        (2, "Is a directory", ("cosign", home, "--request", tmp_path)),
        (1, "old size is not a decimal", ("cosign", home, "--request", tmp_path / "request")),
        (2, "cannot be read", ("cosign", tmp_path / "empty", "--record", tmp_path / "empty")),
        (2, "cannot be read", ("cosign", tmp_path / "bad\n\u202ename", "--record", tmp_path / "empty")),
        (2, "no vkey", ("init", tmp_path / "new", "--name", NAME, "--log", "garbage")),
        (2, "is no log key", ("init", tmp_path / "new", "--name", NAME, "--log", witness.verifier.encode())),
        (2, "is no key name", ("init", tmp_path / "new", "--name", "no name", "--log", LOG.verifier.encode())),
        (2, "is not overwritten", ("init", home, "--name", NAME, "--log", LOG.verifier.encode())),
    ]
    for code, message, arguments in cases:
        assert command(*arguments) == code, arguments
        assert_one_line(capsys, message)


@pytest.mark.parametrize(
    "arguments", [[], ["cosign"], ["unknown"], ["cosign", "x"], ["cosign", "x", "--record", "y", "--now", "-1"]]
)
def test_usage_errors_are_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        witness_cli.main(arguments)
    assert caught.value.code == 2
    assert_one_line(capsys, "--help")


def test_help_explains_itself() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "evoting.board.witness_cli", "--help"], capture_output=True, text=True, check=True
    )
    for part in ("remembers the largest", "init", "cosign", "show", "examples:", "exit codes:"):
        assert part in result.stdout


def test_record_of_a_foreign_log(witness: LogWitness, tmp_path: Path) -> None:
    other = key("other.example/log")
    with Board.create(tmp_path / "foreign", tmp_path / "foreign state", other, storage=FaultyStorage()) as foreign:
        foreign.publish()
    with pytest.raises(WitnessRefusal) as caught:
        witness.cosign_record(tmp_path / "foreign", NOW)
    assert caught.value.status == 404


def test_record_whose_tiles_are_damaged(witness: LogWitness, board: Board, tmp_path: Path) -> None:
    board.append(ENTRIES[:300])
    board.publish()
    witness.cosign_record(tmp_path / "record", NOW)
    board.append(ENTRIES[300:700])
    board.publish()
    tile = tmp_path / "record" / "tile/0/001"
    data = tile.read_bytes()
    tile.write_bytes(data[:-1])
    with pytest.raises(RecordCorrupt, match="8191 bytes"):
        witness.cosign_record(tmp_path / "record", NOW)
    tile.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(WitnessRefusal) as caught:
        witness.cosign_record(tmp_path / "record", NOW)
    assert caught.value.status == 422
    tile.write_bytes(data)
    witness.cosign_record(tmp_path / "record", NOW)


def test_cosignature_line_appended_to_the_checkpoint_is_a_note(witness: LogWitness) -> None:
    line = witness.cosign(request(0, 5), NOW)
    assert line == cosign(head(5).encode_text(), NoteSigningKey(NAME, COSIGNATURE_KEY, bytes(32)), NOW)
    note = decode_note(head(5).sign(LOG).encode() + line.encode().encode())
    assert decode_checkpoint_text(note.text) == head(5)
    assert note.signature_by(witness.verifier) == line
