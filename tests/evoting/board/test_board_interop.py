"""Off-the-shelf log tools read our records, and we read what they make (interop/main.go).

The tools are golang.org/x/mod/sumdb and the libraries of transparency-dev (merkle, formats). Needs Go and its module
proxy, therefore `full`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from crypto.log.errors import InvalidLogProof
from crypto.log.note import decode_vkey
from crypto.log.policy import decode_policy
from crypto.log.proof import decode_receipt, verify_receipt
from tests.crypto.log.log_parties import LOG, POLICY_TEXT, WITNESSES
from tests.evoting.board.board_places import ENTRIES, Place, finished_record

pytestmark = [pytest.mark.full, pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")]


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    binary = tmp_path_factory.mktemp("go") / "interop"
    built = subprocess.run(
        ["go", "build", "-o", str(binary), "."],
        cwd=Path(__file__).parent / "interop",
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        pytest.skip(f"Go modules cannot be had: {built.stderr.strip().splitlines()[-1]}")
    return binary


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return finished_record(Place(tmp_path_factory.mktemp("board") / "board"))


def run(tool: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(tool), *map(str, arguments)], capture_output=True, text=True, check=False)


def check(tool: Path, place: Place, policy: Path) -> subprocess.CompletedProcess[str]:
    vkeys = [witness.verifier.encode() for witness in WITNESSES]
    # That policy parser wants the URLs that tlog-policy leaves optional, and plain comments.
    lines = POLICY_TEXT.splitlines()
    policy.write_text("\n".join(f"{x} https://w.example/" if x.startswith("witness") else x for x in lines) + "\n")
    return run(tool, "check", place.record, policy, LOG.verifier.encode(), *vkeys)


def test_go_tools_read_and_check_the_whole_record(tool: Path, finished: Place, tmp_path: Path) -> None:
    result = check(tool, finished, tmp_path / "policy")
    assert result.stderr == ""
    assert result.stdout == "size 1100 signatures 4\n"


def test_go_tools_notice_a_flipped_bit(tool: Path, finished: Place, tmp_path: Path) -> None:
    damaged = finished.copy(tmp_path / "damaged")
    path = damaged.record / "tile/entries/003"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert "does not hash to its leaf" in check(tool, damaged, tmp_path / "policy").stderr


@pytest.mark.parametrize("index", [0, 300, 1099])
def test_go_tools_verify_our_receipts(tool: Path, finished: Place, tmp_path: Path, index: int) -> None:
    with finished.open() as board:
        (tmp_path / "receipt").write_bytes(board.receipt(index, b"hint").encode())
    (tmp_path / "entry").write_bytes(ENTRIES[index])
    result = run(tool, "receipt", tmp_path / "receipt", tmp_path / "entry", LOG.verifier.encode())
    assert (result.stdout, result.stderr) == (f"index {index} extra hint\n", "")
    (tmp_path / "entry").write_bytes(ENTRIES[index] + b"x")
    assert run(tool, "receipt", tmp_path / "receipt", tmp_path / "entry", LOG.verifier.encode()).returncode == 1


def test_we_verify_what_go_tools_make(tool: Path) -> None:
    made = run(tool, "make", "go.example").stdout.encode()
    log_vkey, witness_vkey, receipt_data = made.split(b"\n", 2)
    policy = decode_policy(b"log %s\nwitness w %s\nquorum w\n" % (log_vkey, witness_vkey))
    assert policy.logs == (decode_vkey(log_vkey.decode()),)
    receipt = decode_receipt(receipt_data)
    assert receipt.encode() == receipt_data
    assert receipt.extra == b"extra"
    trusted = verify_receipt(receipt, b"entry 5", policy, 2**40)
    assert trusted.checkpoint.size == 7
    assert trusted.times["w"] > 1_700_000_000
    with pytest.raises(InvalidLogProof):
        verify_receipt(receipt, b"entry 6", policy, 2**40)
