"""What an issuer publishes about its ledger, and what it refuses: C2, C12, auditors, hosts and bodies (A1, A7)."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from biometric_idp.files import FramedReader
from biometric_idp.issuer.ledger import PositionProof, ledger_origin, verify_position
from biometric_idp.issuer.office import LEDGER_LINE
from biometric_idp.issuer.position_tree import TreeStatement
from biometric_idp.logs.witnesses import Witness
from biometric_idp.shared.inquiry import Inquiry, sign_inquiry
from biometric_idp.signatures import note_verifier
from crypto import cbor
from crypto.errors import CryptoError
from crypto.log.checkpoint import Checkpoint, verify_log_signature
from crypto.log.cosignature import verify_cosignature
from crypto.log.merkle import hash_leaves, root_of_hashes
from crypto.log.note import decode_note
from tests.biometric_idp.issuer_service.places import (
    AUDITOR_TOKEN,
    TOOL,
    IssuerPlace,
    answer_of,
    ask,
    code_of,
    make_place,
    write_config,
)
from tests.biometric_idp.world import ORIGIN, PARTY, World, key
from tests.support.running import Service, run_tool
from tests.support.witnesses import WitnessPlace, start_witnesses

pytestmark = pytest.mark.slow

DAY = 86_400
#: After a graceful end uvicorn lets the signal have its way, which a supervisor takes for a clean end.
ENDED = (0, -signal.SIGTERM)


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def checkpoint_of(world: World, service: Service) -> Checkpoint:
    response = httpx.get(f"{service.url}/v1/ledger/checkpoint")
    if response.status_code == 503:
        return Checkpoint(ledger_origin(ORIGIN, 1), 0, sha256().digest())
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    verifier = note_verifier(bytes(world.signing[0].verify_key), ledger_origin(ORIGIN, 1))
    return verify_log_signature(decode_note(response.content), verifier)


def issue(world: World, service: Service, *positions: int) -> list[bytes]:
    requests = []
    for position in positions:
        terminal = position >= world.voters - 2
        stored = world.wallet(position)
        request = (world.terminal_request(stored) if terminal else world.request(stored)).encode()
        assert code_of(answer_of(ask(service, request))) is None
        requests.append(request)
    return requests


def statement_of(world: World, service: Service) -> TreeStatement:
    value = httpx.get(f"{service.url}/v1/ledger/tree").json()
    return TreeStatement(
        value["issuer"],
        bytes.fromhex(value["fingerprint"]),
        value["size"],
        bytes.fromhex(value["root"]),
        value["tree-size"],
        value["time"],
        bytes.fromhex(value["signature"]),
    )


def inquire(service: Service, inquiry: Inquiry | bytes) -> httpx.Response:
    data = inquiry if isinstance(inquiry, bytes) else inquiry.encode()
    text = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    return httpx.post(f"{service.url}/v1/positions", json={"inquiry": text})


def test_C2_checkpoint_and_counts_are_those_of_what_was_issued(place_on_both: IssuerPlace) -> None:
    world, service = place_on_both.world, place_on_both.start()
    issue(world, service, 0, 1, 2, 5)
    wait_for(lambda: checkpoint_of(world, service).size == 4)
    counts = httpx.get(f"{service.url}/v1/ledger/counts").json()
    assert counts == {
        "issuer": 1,
        "size": 4,
        "date": int(time.time()) // DAY,
        "issued": [
            {"style": "abroad", "count": 2, "terminal": 0},
            {"style": "bishkek", "count": 2, "terminal": 1},
        ],
    }
    issue(world, service, 3)
    wait_for(lambda: httpx.get(f"{service.url}/v1/ledger/counts").json()["size"] == 5)
    issued = httpx.get(f"{service.url}/v1/ledger/counts").json()["issued"]
    assert [item["count"] for item in issued] == [2, 3]


def test_C12_a_citizen_gets_the_one_answer_about_their_own_position(place_on_both: IssuerPlace) -> None:
    world, service = place_on_both.world, place_on_both.start()
    issue(world, service, 1, 4)
    wait_for(lambda: statement_of(world, service).ledger_size == 2)
    statement = statement_of(world, service)
    assert statement.holds(bytes(world.signing[0].verify_key))
    assert (statement.issuer, statement.fingerprint, statement.tree_size) == (1, world.fingerprint, world.voters)
    for position in range(world.voters):
        inquiry = sign_inquiry(world.idp, world.fingerprint, 1, position, world.now // DAY)
        proof = inquire(service, inquiry).json()
        assert (proof["format"], proof["issuer"]) == ("evoting-position-proof/v1", 1)
        assert proof["statement"] == statement.members()
        assert (proof["issued"] is not None) == (position in (1, 4))
        value = None if proof["issued"] is None else bytes.fromhex(proof["issued"])
        path = tuple(bytes.fromhex(node) for node in proof["path"])
        checked = PositionProof(position, bytes.fromhex(proof["salt"]), value, path)
        verify_position(checked, world.fingerprint, statement.root, statement.tree_size)
        lie = replace(checked, value=sha256(b"other").digest() if value is None else None)
        with pytest.raises(CryptoError):
            verify_position(lie, world.fingerprint, statement.root, statement.tree_size)


def test_inquiries_that_are_not_the_identity_providers_for_today_are_refused(place: IssuerPlace) -> None:
    world, service = place.world, place.start()
    wait_for(lambda: httpx.get(f"{service.url}/v1/ledger/tree").status_code == 200)
    today = world.now // DAY
    good = sign_inquiry(world.idp, world.fingerprint, 1, 0, today)
    assert inquire(service, good).status_code == 200
    bad: list[Inquiry | bytes] = [
        replace(good, position=1),
        sign_inquiry(key("somebody"), world.fingerprint, 1, 0, today),
        sign_inquiry(world.registrar, world.fingerprint, 1, 0, today),
        sign_inquiry(world.idp, world.fingerprint, 2, 0, today),
        sign_inquiry(world.idp, bytes(32), 1, 0, today),
        sign_inquiry(world.idp, world.fingerprint, 1, 0, today - 2),
        sign_inquiry(world.idp, world.fingerprint, 1, world.voters, today),
        good.encode() + b"\0",
        b"",
        cbor.encode({"a": 1}),
    ]
    for inquiry in bad:
        response = inquire(service, inquiry)
        assert (response.status_code, response.json()["code"]) == (403, "inquiry-refused")
    for body in (b"{}", b"[]", b'{"inquiry": 1}', b'{"inquiry": "=="}', b'{"inquiry": "\xc3\xa9"}', b"\xff"):
        response = httpx.post(f"{service.url}/v1/positions", content=body, headers={"content-type": "application/json"})
        assert response.status_code in (403, 422)


def test_an_auditor_gets_the_ledger_up_to_the_checkpoint_and_nobody_else_does(
    place_on_both: IssuerPlace, tmp_path: Path
) -> None:
    world, service = place_on_both.world, place_on_both.start()
    requests = issue(world, service, 3, 0)
    wait_for(lambda: checkpoint_of(world, service).size == 2)
    url = f"{service.url}/v1/ledger/export"
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": AUDITOR_TOKEN}):
        assert httpx.get(url, headers=headers).json()["code"] == "auditor-only"
    response = httpx.get(url, headers={"authorization": f"Bearer {AUDITOR_TOKEN}"})
    path = tmp_path / "ledger.bin"
    path.write_bytes(response.content)
    with FramedReader(path, LEDGER_LINE, 36) as reader:
        assert reader.header == world.fingerprint + (1).to_bytes(4, "big")
        note, *entries = list(reader)
    assert note == httpx.get(f"{service.url}/v1/ledger/checkpoint").content
    assert root_of_hashes(hash_leaves(entries)) == checkpoint_of(world, service).root
    assert [cbor.decode(entry)["request"] for entry in entries] == requests  # type: ignore[index]
    # The same by files.
    place_on_both.stop()
    database = (
        [] if isinstance(place_on_both.directory.database, Path) else ["--database", place_on_both.directory.database]
    )
    exported = tmp_path / "exported.bin"
    made = run_tool(TOOL, "export-ledger", "--dir", place_on_both.directory.path, "--out", exported, *database)
    assert (made.returncode, made.stderr) == (0, "")
    assert exported.read_bytes() == response.content
    assert exported.stat().st_mode & 0o077 == 0


@pytest.fixture(name="witnessed")
def fixture_witnessed(election: World, tmp_path: Path) -> Iterator[tuple[IssuerPlace, list[WitnessPlace]]]:
    """Issuer 1 with four witnesses, of which three must cosign."""
    log = note_verifier(bytes(election.signing[0].verify_key), ledger_origin(ORIGIN, 1))
    with ExitStack() as stack:
        witnesses = start_witnesses(tmp_path, stack, [log], 4)
        listed: list[Witness] = [item.witness for item in witnesses]
        place = make_place(election, 1, quorum=3, witnesses=listed)
        stack.callback(place.stop)
        yield place, witnesses


def test_ledger_checkpoints_bear_a_quorum_of_cosignatures_also_at_the_close(
    witnessed: tuple[IssuerPlace, list[WitnessPlace]], tmp_path: Path
) -> None:
    place, witnesses = witnessed
    world, service = place.world, place.start()
    issue(world, service, 0, 1)
    wait_for(lambda: checkpoint_of(world, service).size == 2)
    witnesses[0].stop()
    issue(world, service, 2)
    # What was issued just before the end is in the last checkpoint.
    assert service.stop() in ENDED
    closed = run_tool(TOOL, "close", "--dir", place.directory.path, "--entry", tmp_path / "entry")
    assert closed.returncode == 0, closed.stderr
    entry = cbor.decode((tmp_path / "entry").read_bytes())
    assert isinstance(entry, dict)
    body = cbor.decode(entry["body"])
    assert isinstance(body, dict)
    note = decode_note(body["checkpoint"].encode())
    assert note.text.split("\n")[1] == "3"
    lines = [(item, note.signature_by(item.key)) for item in witnesses]
    assert [line is not None for _, line in lines] == [False, True, True, True]
    for item, line in lines[1:]:
        assert line is not None
        verify_cosignature(note.text, line, item.key)
    # By the configuration the witnesses are asked at the close itself; without a quorum of them there is no statement.
    for item in witnesses[1:3]:
        item.stop()
    place.directory.head.unlink()
    arguments = ["--dir", place.directory.path, "--config", place.config]
    refused = run_tool(TOOL, "close", *arguments, "--entry", tmp_path / "refused")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "witnesses" in refused.stderr
    assert not (tmp_path / "refused").exists()
    for item in witnesses[1:3]:
        item.start()
    assert run_tool(TOOL, "close", *arguments, "--entry", tmp_path / "again").returncode == 0


def test_without_a_quorum_issuance_goes_on_and_the_earlier_checkpoint_stays(
    witnessed: tuple[IssuerPlace, list[WitnessPlace]],
) -> None:
    place, witnesses = witnessed
    world, service = place.world, place.start()
    issue(world, service, 0)
    wait_for(lambda: checkpoint_of(world, service).size == 1)
    for item in witnesses[:2]:
        item.stop()
    issue(world, service, 1)
    wait_for(lambda: any(line["event"] == "checkpoint-not-published" for line in service.log()))
    assert checkpoint_of(world, service).size == 1
    witnesses[1].start()
    wait_for(lambda: checkpoint_of(world, service).size == 2)


def keep_database(place: IssuerPlace, copies: Path) -> None:
    for path in place.directory.path.glob("ledger.sqlite*"):
        shutil.copy(path, copies / path.name)


def put_back_database(place: IssuerPlace, copies: Path) -> None:
    for path in place.directory.path.glob("ledger.sqlite*"):
        path.unlink()
    for path in copies.glob("ledger.sqlite*"):
        shutil.copy(path, place.directory.path / path.name)


def test_O2_an_old_copy_of_the_database_answers_nothing(
    witnessed: tuple[IssuerPlace, list[WitnessPlace]], tmp_path: Path
) -> None:
    """From a back-up an issuer would serve a voter twice; head file and witnesses each remember more than it holds."""
    place, _ = witnessed
    world, service = place.world, place.start()
    issue(world, service, 0)
    assert service.stop() in ENDED
    keep_database(place, tmp_path)
    service = place.start()
    issue(world, service, 1)
    wait_for(lambda: checkpoint_of(world, service).size == 2)
    service.kill()
    put_back_database(place, tmp_path)
    with pytest.raises(RuntimeError, match="old copy"):
        place.start()
    place.directory.head.unlink()
    with pytest.raises(RuntimeError, match="old copy"):
        place.start()
    place.directory.head.with_name(place.directory.head.name + "-size").unlink()
    service = place.start()
    response = ask(service, world.request(world.wallet(1)).encode())
    assert (response.status_code, response.json()["code"]) == (503, "out-of-service")
    assert httpx.get(f"{service.url}/readyz").status_code == 503
    # Nor does it tell anybody what it no longer knows: position 1 has a credential.
    inquiry = sign_inquiry(world.idp, world.fingerprint, 1, 1, world.now // DAY)
    told = [
        inquire(service, inquiry),
        httpx.get(f"{service.url}/v1/ledger/counts"),
        httpx.get(f"{service.url}/v1/ledger/tree"),
        httpx.get(f"{service.url}/v1/ledger/export", headers={"authorization": f"Bearer {AUDITOR_TOKEN}"}),
    ]
    assert [(item.status_code, item.json().get("code")) for item in told] == [(503, "out-of-service")] * 4
    wait_for(lambda: any(line["event"] == "tree-not-signed" for line in service.log()))


def test_O2_a_copy_that_lacks_only_what_no_checkpoint_covered_is_an_old_one_too(
    election: World, tmp_path: Path
) -> None:
    place = make_place(election, 1, checkpoint_seconds=3600, tree_seconds=3600)
    try:
        world, service = place.world, place.start()
        keep_database(place, tmp_path)
        issue(world, service, 1)
        service.kill()
        put_back_database(place, tmp_path)
        with pytest.raises(RuntimeError, match="old copy"):
            place.start()
    finally:
        place.stop()


def test_O2_an_answer_given_again_after_a_crash_is_remembered_like_the_first(election: World, tmp_path: Path) -> None:
    """The crash is after the commit and before anything outside the database knows of it."""
    place = make_place(election, 1, checkpoint_seconds=3600, tree_seconds=3600)
    try:
        world, service = place.world, place.start()
        keep_database(place, tmp_path)
        (request,) = issue(world, service, 1)
        service.kill()
        place.directory.head.with_name(place.directory.head.name + "-size").unlink()
        service = place.start()
        assert code_of(answer_of(ask(service, request))) is None
        service.kill()
        put_back_database(place, tmp_path)
        with pytest.raises(RuntimeError, match="1 credentials were answered for, but the ledger has 0 entries"):
            place.start()
    finally:
        place.stop()


def test_shutdown_finishes_what_has_arrived(place: IssuerPlace) -> None:
    world, service = place.world, place.start()
    requests = [world.request(world.wallet(position)).encode() for position in range(4)]
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", service.port))) for _ in requests]
        for connection, request in zip(sockets, requests, strict=True):
            head = f"POST /v1/issuances HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n"
            head += f"Content-Type: application/cbor\r\nContent-Length: {len(request)}\r\n\r\n"
            connection.sendall(head.encode() + request)
        time.sleep(0.05)
        assert service.stop() in ENDED
        answers = [connection.recv(65_536) for connection in sockets]
    with world.store(1).snapshot() as ledger:
        assert ledger.size == sum(answer.startswith(b"HTTP/1.1 200") for answer in answers) == 4


def _no_election(place: IssuerPlace) -> None:
    place.directory.policy.unlink()


def _no_store(place: IssuerPlace) -> None:
    assert isinstance(place.world.databases[1], str)
    Path(place.world.databases[1]).unlink()


def _wrong_share(place: IssuerPlace) -> None:
    other = make_place(place.world, 2)
    place.directory.share.write_bytes(other.directory.share.read_bytes())


def _wrong_key(place: IssuerPlace) -> None:
    value = json.loads(place.directory.key.read_text())
    place.directory.key.write_text(json.dumps({**value, "seed": "00" * 32}))


def _bad_quorum(place: IssuerPlace) -> None:
    write_config(place.config, None, quorum=1)


def _unknown_setting(place: IssuerPlace) -> None:
    place.config.write_text('nonsense = "1"\n' + place.config.read_text())


@pytest.mark.parametrize(
    ("defect", "reason"),
    [
        (_no_election, "no election was opened here"),
        (_no_store, "open the election first"),
        (_wrong_share, "not the one of issuer 1"),
        (_wrong_key, "names no issuer with this role key"),
        (_bad_quorum, "quorum"),
        (_unknown_setting, "nonsense"),
    ],
)
def test_a_service_that_could_not_answer_does_not_start(
    place: IssuerPlace, defect: Callable[[IssuerPlace], None], reason: str
) -> None:
    defect(place)
    with pytest.raises(RuntimeError, match=reason) as caught:
        place.start()
    assert str(caught.value).startswith("evoting-issuer: error: ")
    assert "\n" not in str(caught.value)


def test_a_read_only_database_is_refused_at_the_start(election: World, request: pytest.FixtureRequest) -> None:
    election.databases[1] = request.getfixturevalue("postgres").database()
    place = make_place(election, 1)
    url = f"{election.databases[1]}&options=-c%20default_transaction_read_only%3Don"
    place.config.write_text(place.config.read_text().replace(election.databases[1], url))
    with pytest.raises(RuntimeError, match="read-only|cannot be used|cannot be written") as caught:
        place.start()
    assert "\n" not in str(caught.value)


def test_A7_other_hosts_and_foreign_pages_are_refused(place: IssuerPlace) -> None:
    world, service = place.world, place.start()
    request = world.request(world.wallet(0)).encode()
    assert ask(service, request, host="evil.example").status_code == 421
    assert ask(service, request, host="issuer.localhost.evil.example").status_code == 421
    assert ask(service, request, origin="https://evil.example").status_code == 403
    assert ask(service, request, origin="null").status_code == 403
    with world.store(1).snapshot() as ledger:
        assert ledger.size == 0
    preflight = {"origin": PARTY.origin, "access-control-request-method": "POST"}
    allowed = httpx.options(f"{service.url}/v1/issuances", headers=preflight)
    assert allowed.headers["access-control-allow-origin"] == PARTY.origin
    assert "access-control-allow-credentials" not in allowed.headers
    foreign = httpx.options(f"{service.url}/v1/issuances", headers={**preflight, "origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers
    answer = ask(service, request, origin=PARTY.origin, host=f"issuer.localhost:{service.port}")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PARTY.origin
    assert "set-cookie" not in answer.headers


def _raw(service: Service, head: str, chunks: Iterator[bytes] | list[bytes]) -> bytes:
    """Send what no client library would; returns what came back."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(head.encode().replace(b"\n", b"\r\n"))
        try:
            for chunk in chunks:
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            return connection.recv(4096)
        except ConnectionResetError:
            return b""


def test_A1_hostile_bodies_are_refused_and_memory_stays_bounded(place: IssuerPlace) -> None:
    world, service = place.world, place.start()
    issue(world, service, 0)
    before = service.memory()
    mega = b"\x9f" * 1_000_000
    head = f"POST /v1/issuances HTTP/1.1\nHost: 127.0.0.1:{service.port}\nContent-Type: application/cbor\n"
    for _ in range(3):
        # 100 MB with a true length, in pieces without a length, and with a forged one.
        assert b" 413 " in _raw(service, f"{head}Content-Length: 100000000\n\n", [mega] * 100)
        pieces = [b"%x\r\n" % len(mega) + mega + b"\r\n"] * 100
        answer = _raw(service, f"{head}Transfer-Encoding: chunked\n\n", pieces)
        assert answer == b"" or b" 413 " in answer
    for forged, status in (("999999999999", 413), ("9" * 20, 400), ("-1", 400), ("1e3", 400), ("0x10", 400)):
        assert f" {status} ".encode() in _raw(service, f"{head}Content-Length: {forged}\n\n", [b"x"])[:14]
    bomb = zlib.compress(bytes(50_000_000))
    for encoding in ("gzip", "deflate", "br", "zstd"):
        assert ask(service, bomb[:8000], **{"content-encoding": encoding}).status_code == 415
    for nested in (b"\x81" * 16_384, b"\xa1\x01" * 8_192, b"\xd8\x20" * 8_192, b"\xbf" * 16_384, b"\xc1" * 16_384):
        assert code_of(answer_of(ask(service, nested))) == "malformed"
    deep = b'{"inquiry":' * 300 + b"1" + b"}" * 300
    nested_json = httpx.post(f"{service.url}/v1/positions", content=deep, headers={"content-type": "application/json"})
    assert nested_json.status_code in (413, 422)
    assert code_of(answer_of(ask(service, bytes(16_384)))) == "malformed"
    assert ask(service, bytes(16_385)).status_code == 413
    # Six times 100 MB arrived, a bomb of 50 MB among them.
    assert service.memory() - before < 30_000_000
    issue(world, service, 1)
    assert not any(line["event"] == "unexpected-error" for line in service.log())


def test_probes_and_documents_are_there(place: IssuerPlace) -> None:
    service = place.start()
    assert httpx.get(f"{service.url}/healthz").status_code == 204
    assert httpx.get(f"{service.url}/readyz").status_code == 204
    assert "request_seconds" in httpx.get(f"{service.url}/metrics").text
    paths = httpx.get(f"{service.url}/openapi.json").json()["paths"]
    assert {"/v1/issuances", "/v1/positions", "/v1/ledger/export"} <= set(paths)
