"""``evoting-witness serve`` as a real process: C2SP tlog-witness byte by byte, and attacks L2 and L4 against it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from crypto.log.cosignature import verify_cosignature
from crypto.log.note import (
    NOTE_KEY,
    Note,
    NoteSignature,
    NoteSigningKey,
    VerifierKey,
    decode_signature_lines,
    decode_vkey,
)
from crypto.log.witness import CosignRequest
from tests.crypto.log.log_parties import LOG, key
from tests.evoting.board.test_board_witness import ENTRIES, NAME, head, request
from tests.support.running import Service, run_tool, start_service

pytestmark = pytest.mark.slow

TOOL = "evoting.board.witness_cli"
OTHER = [b"other " + entry for entry in ENTRIES]


@pytest.fixture(name="directory")
def fixture_directory(tmp_path: Path) -> Path:
    directory = tmp_path / "witness"
    assert run_tool(TOOL, "init", directory, "--name", NAME, "--log", LOG.verifier.encode()).returncode == 0
    return directory


@pytest.fixture(name="witness")
def fixture_witness(directory: Path) -> Iterator[Service]:
    with start_service(TOOL, "serve", directory) as service:
        yield service


def verifier(directory: Path) -> VerifierKey:
    shown = run_tool(TOOL, "show", directory).stdout
    return decode_vkey(shown.splitlines()[0].removeprefix("witness "))


def ask(witness: Service, body: bytes | CosignRequest, **headers: str) -> httpx.Response:
    content = body.encode() if isinstance(body, CosignRequest) else body
    return httpx.post(f"{witness.url}/add-checkpoint", content=content, headers=headers, timeout=30)


def test_a_growing_log_is_cosigned(witness: Service, directory: Path) -> None:
    key_ = verifier(directory)
    old = 0
    for new in (0, 3, 256, 256, 300):
        answer = ask(witness, request(old, new))
        assert answer.status_code == 200
        (line,) = decode_signature_lines(answer.text)
        verify_cosignature(head(new).encode_text(), line, key_)
        old = new
    assert "size 300" in run_tool(TOOL, "show", directory).stdout


def test_a_conflict_names_the_size_and_nothing_else(witness: Service) -> None:
    assert ask(witness, request(0, 300)).status_code == 200
    for stale in (request(0, 400), request(299, 400), request(301, 400), request(0, 300)):
        answer = ask(witness, stale)
        assert (answer.status_code, answer.content) == (409, b"300\n")
        assert answer.headers["content-type"] == "text/x.tlog.size"


def test_every_refusal_has_the_status_of_the_standard(witness: Service) -> None:
    assert ask(witness, request(0, 5)).status_code == 200
    cases = [
        (b"", 400),
        (b"old 5\n\nnot a note\n", 400),
        (request(5, 9).encode().replace(b"old 5", b"old 05"), 400),
        (request(5, 9).encode().replace(b"old 5", b"old 10"), 400),
        (b"old 5\n" + b"AAAA\n" * 64 + b"\n" + request(5, 9).encode().partition(b"\n\n")[2], 400),
        (CosignRequest(5, (), request(0, 9).checkpoint).encode(), 422),
        (request(5, 9, OTHER).encode(), 422),
    ]
    for body, status in cases:
        assert ask(witness, body).status_code == status, body
    unknown = request(5, 9).encode().replace(LOG.name.encode(), b"elections.example/other")
    assert ask(witness, unknown).status_code == 404
    signed = request(5, 9)
    stranger = NoteSigningKey(LOG.name, NOTE_KEY, bytes(32))
    assert ask(witness, CosignRequest(5, signed.proof, head(9).sign(stranger))).status_code == 403
    line = signed.checkpoint.signatures[0]
    broken = NoteSignature(line.name, line.key_id, line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
    assert ask(witness, CosignRequest(5, signed.proof, Note(signed.checkpoint.text, (broken,)))).status_code == 403
    # After all that it still is where it was.
    assert ask(witness, request(5, 9)).status_code == 200


def test_L2_two_roots_of_one_size(witness: Service) -> None:
    assert ask(witness, request(0, 300)).status_code == 200
    answer = ask(witness, CosignRequest(300, (), head(300, OTHER).sign(LOG)))
    assert (answer.status_code, answer.content) == (409, b"300\n")
    assert ask(witness, request(300, 301)).status_code == 200


def test_L2_a_second_history_is_refused_after_a_restart_too(directory: Path) -> None:
    with start_service(TOOL, "serve", directory) as witness:
        assert ask(witness, request(0, 300)).status_code == 200
        witness.kill()
    with start_service(TOOL, "serve", directory) as witness:
        assert ask(witness, request(0, 300, OTHER)).content == b"300\n"
        assert ask(witness, request(300, 400, OTHER)).status_code == 422
        assert ask(witness, request(300, 400)).status_code == 200


def test_L4_concurrent_updates_leave_one_history(directory: Path) -> None:
    """Two processes of one witness, two histories of the log, 64 requests at once: what is cosigned is one chain."""
    with start_service(TOOL, "serve", directory) as first, start_service(TOOL, "serve", directory) as second:

        def one(number: int) -> tuple[int, bool] | None:
            entries = ENTRIES if number % 2 else OTHER
            size = 1 + number * 3
            answer = ask((first, second)[number // 2 % 2], request(0, size, entries))
            while answer.status_code == 409 and int(answer.text) < size:
                answer = ask((first, second)[number // 2 % 2], request(int(answer.text), size, entries))
            return (size, number % 2 == 1) if answer.status_code == 200 else None

        with ThreadPoolExecutor(16) as pool:
            cosigned = [result for result in pool.map(one, range(64)) if result is not None]
        assert cosigned
        # Whichever history was first is the only one.
        assert len({is_first for _, is_first in cosigned}) == 1
        sizes = [size for size, _ in cosigned]
        assert len(sizes) == len(set(sizes))
        state = run_tool(TOOL, "show", directory).stdout
        assert f"size {max(sizes)} " in state
        assert len(list(directory.glob("head-*"))) == 1


def test_a_log_can_be_added_while_the_witness_runs(witness: Service, directory: Path) -> None:
    ledger = key("elections.example/2030/log/ledger/1")
    body = CosignRequest(0, (), type(head(0))(ledger.name, 7, head(7).root).sign(ledger))
    assert ask(witness, body).status_code == 404
    assert run_tool(TOOL, "add-log", directory, "--log", ledger.verifier.encode()).returncode == 0
    assert run_tool(TOOL, "add-log", directory, "--log", ledger.verifier.encode()).returncode == 0
    assert ask(witness, body).status_code == 200
    assert ask(witness, request(0, 3)).status_code == 200
    other_key = VerifierKey(ledger.name, 1, bytes(32))
    again = run_tool(TOOL, "add-log", directory, "--log", other_key.encode())
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith("evoting-witness: error: ")
    witness_key = verifier(directory).encode()
    assert run_tool(TOOL, "add-log", directory, "--log", witness_key).returncode == 2


def test_A1_A7_large_bodies_and_foreign_hosts_are_refused(witness: Service) -> None:
    assert ask(witness, b"x" * 100_000).status_code == 413
    assert ask(witness, request(0, 3), host="other.example").status_code == 421
    assert ask(witness, request(0, 3), **{"content-encoding": "gzip"}).status_code == 415
    assert ask(witness, request(0, 3), origin="https://evil.example").status_code == 403
    assert ask(witness, request(0, 3), host=f"localhost:{witness.port}").status_code == 200


def test_a_damaged_memory_is_not_taken_for_an_empty_one(witness: Service, directory: Path) -> None:
    assert ask(witness, request(0, 300)).status_code == 200
    (path,) = directory.glob("head-*")
    path.write_bytes(path.read_bytes()[:-4])
    assert ask(witness, request(0, 300, OTHER)).status_code == 503
    assert httpx.get(f"{witness.url}/readyz").status_code == 503


def test_bad_input_gives_one_line(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="evoting-witness: error: ") as caught:
        start_service(TOOL, "serve", tmp_path / "nowhere")
    assert "Traceback" not in str(caught.value)
