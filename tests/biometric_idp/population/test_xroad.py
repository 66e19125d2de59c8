"""The X-Road client against a strict security server, over TLS with certificates on both sides."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from biometric_idp.errors import FormatError
from biometric_idp.population.pin import Sex
from biometric_idp.population.register import DocumentKind, RegisterError, RegisterUnavailable
from biometric_idp.population.xroad.config import open_xroad_register
from biometric_idp.population.xroad.evidence import EvidenceStore, Exchange
from biometric_idp.population.xroad.register import XRoadRegister
from biometric_idp.population.xroad.request_hash import request_hash
from biometric_idp.population.xroad.signature import AnswerVerifier
from biometric_idp.population.xroad.transport import Exchanger, tls_context
from tests.biometric_idp.population.security_server import (
    CLIENT,
    CLIENT_USAGE,
    PERSON,
    PIN,
    SERVER_USAGE,
    SERVICE,
    Defect,
    Headers,
    SecurityServer,
    TestAuthority,
)

MAPPING: dict[str, Any] = {
    "root": "/result",
    "fields": {
        "pin": "/pin", "surname": "/lastName", "given_names": "/firstName", "birth_date": "/born", "sex": "/gender",
        "deceased": "/dead",
    },
    "date_form": "DD.MM.YYYY",
    "sexes": {"1": "F", "2": "M"},
    "kinds": {"ID": "id-card"},
    "documents": ["/docs", "/type", "/number", "/validTo"],
    "portrait": "/photo",
    "fingerprints": ["/prints", "/finger", "/format", "/data"],
}  # fmt: skip


@pytest.fixture(name="authority", scope="module")
def fixture_authority(tmp_path_factory: pytest.TempPathFactory) -> TestAuthority:
    return TestAuthority(tmp_path_factory.mktemp("tls"), "authority")


@pytest.fixture(name="server")
def fixture_server(authority: TestAuthority) -> Iterator[SecurityServer]:
    with SecurityServer(authority) as server:
        yield server
        assert server.complaints == []


class Setting:
    """A configuration file and what it opens."""

    def __init__(self, root: Path, authority: TestAuthority, port: int) -> None:
        self.root = root
        certificate, key = authority.issue("idp", CLIENT_USAGE)
        self.value: dict[str, Any] = {
            "format": "evoting-xroad-register/v1",
            "server": f"https://127.0.0.1:{port}",
            "server_name": "security-server",
            "ca": str(authority.ca),
            "certificate": str(certificate),
            "key": str(key),
            "client": CLIENT,
            "service": SERVICE,
            "user_id": "KG-IDP",
            "issue": "model-2030",
            "evidence": "evidence",
            "attempt_seconds": 5,
            "attempts": 1,
            "person": {"path": "/v1/persons/{pin}"},
            "mapping": MAPPING,
        }

    def open(self, **changes: Any) -> XRoadRegister:
        path = self.root / "register.json"
        value = {name: item for name, item in {**self.value, **changes}.items() if item is not ...}
        path.write_text(json.dumps(value))
        return open_xroad_register(path)

    @property
    def evidence(self) -> EvidenceStore:
        return EvidenceStore(self.root / "evidence")

    def kept(self) -> list[Exchange]:
        journal = self.root / "evidence/journal.jsonl"
        lines = journal.read_text().splitlines() if journal.exists() else []
        return [self.evidence.read(json.loads(line)["kept"]) for line in lines]


@pytest.fixture(name="setting")
def fixture_setting(tmp_path: Path, authority: TestAuthority, server: SecurityServer) -> Setting:
    return Setting(tmp_path, authority, server.port)


def failure(work: Callable[[], object]) -> RegisterError:
    with pytest.raises(RegisterError) as caught:
        work()
    text = str(caught.value)
    assert "\n" not in text
    assert PIN not in text
    assert "Асанова" not in text
    return caught.value


def test_a_person_comes_over_x_road(setting: Setting, server: SecurityServer) -> None:
    person = setting.open().person(PIN)
    assert person is not None
    assert (person.surname, person.given_names, person.birth_date, person.sex) == (
        "Асанова", "Айгүл", date(1990, 5, 15), Sex.FEMALE,
    )  # fmt: skip
    # Of documents only the kinds that are configured.
    (document,) = person.documents
    assert (document.kind, document.number, document.expires) == (DocumentKind.ID_CARD, "ID1234567", date(2031, 1, 31))
    assert (person.portrait, person.deceased) == (b"\xff\xd8 face", False)
    assert person.fingerprints is not None
    assert person.fingerprints[0].data == b"FMR"
    ((method, target, headers, body),) = server.seen
    assert (method, target, body) == ("GET", f"/r1/{SERVICE}/v1/persons/{PIN}", b"")
    assert dict(headers)["X-Road-Client"] == CLIENT


def test_nobody_is_told_from_a_failure(setting: Setting, server: SecurityServer) -> None:
    register = setting.open()
    assert register.person("20101198000001") is None
    server.persons["20101198000001"] = None
    assert register.portrait("20101198000001") is None
    assert register.fingerprints("20101198000001") == ()
    # What is no PIN is asked of nobody.
    asked = len(server.seen)
    assert register.person("../admin") is None
    assert register.person("11505199012345?x=1") is None
    assert len(server.seen) == asked
    register.close()


def test_a_pin_may_travel_in_the_body(setting: Setting, server: SecurityServer) -> None:
    register = setting.open(person={"path": "/v1/find", "body": {"pin": "{pin}", "fields": "all"}})
    assert register.person(PIN)
    ((method, target, _, body),) = server.seen
    assert (method, json.loads(body)) == ("POST", {"pin": PIN, "fields": "all"})
    assert PIN not in target


def test_portrait_and_fingerprints_by_operations_of_their_own(setting: Setting, server: SecurityServer) -> None:
    register = setting.open(portrait={"path": "/v1/persons/{pin}/portrait"}, fingerprints={"path": "/v1/persons/{pin}"})
    assert register.portrait(PIN) == b"\xff\xd8 portrait"
    assert register.fingerprints(PIN)[0].format == "iso-19794-2"
    assert register.portrait("20101198000001") is None
    in_json = setting.open(portrait={"path": "/v1/persons/{pin}", "pointer": "/photo"})
    assert in_json.portrait(PIN) == b"\xff\xd8 face"
    # Where they have none, they come with the person.
    assert setting.open().portrait(PIN) == b"\xff\xd8 face"
    assert setting.open().fingerprints(PIN)[0].finger == 2
    server.defects = [_headers(**{"Content-Type": "text/html"})]
    assert failure(lambda: register.portrait(PIN)).code == "register-answer"
    server.persons[PIN] = {**PERSON, "pin": "20101198000001"}
    assert failure(lambda: in_json.portrait(PIN)).code == "register-wrong-person"
    assert failure(lambda: register.fingerprints(PIN)).code == "register-wrong-person"


def _headers(**changes: str) -> Defect:
    def defect(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
        return status, {name: value for name, value in {**headers, **changes}.items() if value}, body

    return defect


def _status(status: int, **changes: str) -> Defect:
    return lambda _, headers, body: (status, {**headers, **changes}, body)


def _body(content: bytes) -> Defect:
    return lambda status, headers, _: (status, headers, content)


def _person(**changes: Any) -> Defect:
    person = {name: value for name, value in {**PERSON, **changes}.items() if value is not ...}
    return _body(json.dumps({"result": person}).encode())


DEFECTS: dict[str, tuple[Defect, str]] = {
    "hash of another request": (
        _headers(**{"x-road-request-hash": base64.b64encode(bytes(64)).decode()}), "register-hash",
    ),
    "no hash": (_headers(**{"x-road-request-hash": ""}), "register-hash"),
    "another request id": (_headers(**{"x-road-request-id": "f92591a3-6bf0-49b1-987b-0dd78c034cc3"}), "register-hash"),
    "no request id": (_headers(**{"x-road-request-id": ""}), "register-answer"),
    "a request id with blanks": (_headers(**{"x-road-request-id": "a b"}), "register-answer"),
    "another message id": (_headers(**{"x-road-id": "f92591a3-6bf0-49b1-987b-0dd78c034cc3"}), "register-answer"),
    "no message id": (_headers(**{"x-road-id": ""}), "register-answer"),
    "a message id twice": (_headers(**{"x-road-id": "a\0b"}), "register-answer"),
    "another client": (_headers(**{"x-road-client": "KG/GOV/10000009/idp"}), "register-answer"),
    "another service": (_headers(**{"x-road-service": SERVICE + "2"}), "register-answer"),
    "no service": (_headers(**{"x-road-service": ""}), "register-answer"),
    "X-Road blames the client": (_status(400, **{"X-Road-Error": "Client.BadRequest"}), "register-client-fault"),
    "X-Road fails": (_status(500, **{"X-Road-Error": "Server.ServerProxy.NetworkError"}), "register-server-fault"),
    "X-Road fails with status 200": (_status(200, **{"X-Road-Error": "Server.x"}), "register-server-fault"),
    "X-Road fails with status 404": (_status(404, **{"X-Road-Error": "Server.x"}), "register-server-fault"),
    "404 that is nobody's": (_status(404, **{"x-road-id": "x"}), "register-answer"),
    "the service fails": (_status(503), "register-server-fault"),
    "the service blames us": (_status(403), "register-client-fault"),
    "a redirect": (_status(302, Location="https://127.0.0.1:1/"), "register-answer"),
    "no content": (_status(204), "register-answer"),
    "no JSON by its type": (_headers(**{"Content-Type": "text/plain"}), "register-answer"),
    "no JSON": (_body(b"{"), "register-answer"),
    "not UTF-8": (_body(b'"\xff"'), "register-answer"),
    "nested too deep": (_body(b'{"result":' + b"[" * 100_000), "register-answer"),
    "a name twice": (_body(b'{"result": {"pin": "1", "pin": "2"}}'), "register-answer"),
    "a huge number": (_body(b'{"result": ' + b"9" * 5000 + b"}"), "register-answer"),
    "too long": (_body(b" " * 2_000_000), "register-too-large"),
    "another person": (_person(pin="20101198000001"), "register-wrong-person"),
    "no PIN": (_person(pin=...), "register-wrong-person"),
    "a person that is a list": (_body(b'{"result": [1]}'), "register-answer"),
    "another day of birth": (_person(born="16.05.1990"), "register-answer"),
    "a day that is none": (_person(born="31.02.1990"), "register-answer"),
    "a day in another form": (_person(born="1990-05-15"), "register-answer"),
    "an unknown sex": (_person(gender=3), "register-answer"),
    "a direction mark": (_person(lastName="А\u202eб"), "register-answer"),
    "a text that is none": (_person(lastName={"a": 1}), "register-answer"),
    "a maybe": (_person(dead="maybe"), "register-answer"),
    "documents that are none": (_person(docs="ID1"), "register-answer"),
    "a document's number that is none": (_person(docs=[{"type": "ID", "number": "Й1"}]), "register-answer"),
    "a photo that is none": (_person(photo="!"), "register-answer"),
    "an empty photo": (_person(photo=""), "register-answer"),
    "a print of no finger": (_person(prints=[{"finger": 11, "format": "x", "data": "AA=="}]), "register-answer"),
    "a print without data": (_person(prints=[{"finger": 1, "format": "x"}]), "register-answer"),
    "too many prints": (_person(prints=[{}] * 21), "register-answer"),
    "too long a print": (
        _person(prints=[{"finger": 1, "format": "x", "data": base64.b64encode(bytes(70_000)).decode()}]),
        "register-answer",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("defect", "code"), DEFECTS.values(), ids=DEFECTS)
def test_a_planted_defect_is_told_by_its_code_and_kept(
    setting: Setting, server: SecurityServer, defect: Defect, code: str
) -> None:
    register = setting.open(max_bytes=1_000_000)
    server.defects = [defect]
    assert failure(lambda: register.person(PIN)).code == code
    # The answer is kept whatever it was, except one that was too long to be taken.
    assert len(setting.kept()) == (0 if code == "register-too-large" else 1)
    assert register.person(PIN)


def test_a_hash_may_be_recorded_only(setting: Setting, server: SecurityServer) -> None:
    # For a security server that puts headers of its own into a request.
    register = setting.open(request_hash="record")
    server.defects = [_headers(**{"x-road-request-hash": "AAAA"}), _headers(**{"x-road-request-hash": ""})]
    assert register.person(PIN)
    assert failure(lambda: register.person(PIN)).code == "register-answer"


def test_the_request_hash_has_the_form_of_the_reference_implementation() -> None:
    # Worked out by hand from RestRequest.toByteArray: SHA512 of the lines; with a body, SHA512 over both digests.
    lines = b"GET\r\n/r1/A/B/C/D/E/x?y=1\r\nAccept:application/json\r\nX-Road-Client:A/B/C\r\nx-road-request-id:77\r\n"
    headers = [("Host", "h"), ("Accept", "application/json"), ("X-Road-Client", "A/B/C"), ("Content-Length", "2")]
    without = sha512(lines).digest()
    assert request_hash("GET", "/r1/A/B/C/D/E/x?y=1", headers, None, "77") == base64.b64encode(without).decode()
    with_body = sha512(without + sha512(b"{}").digest()).digest()
    assert request_hash("GET", "/r1/A/B/C/D/E/x?y=1", headers, b"{}", "77") == base64.b64encode(with_body).decode()


def test_a_safe_request_is_sent_again_under_the_same_id(setting: Setting, server: SecurityServer) -> None:
    register = setting.open(attempts=3)
    server.defects = [_status(500, **{"X-Road-Error": "Server.ServerProxy.ServiceFailed"}), _status(503)]
    assert register.person(PIN)
    ids = [dict(headers)["X-Road-Id"] for _, _, headers, _ in server.seen]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert [item.name for item in setting.kept()] == [f"{ids[0]}.{attempt}" for attempt in (1, 2, 3)]
    assert setting.evidence.check() == []


def test_attempts_are_bounded(setting: Setting, server: SecurityServer) -> None:
    register = setting.open(attempts=2)
    server.defects = [_status(503)] * 3
    error = failure(lambda: register.person(PIN))
    assert isinstance(error, RegisterUnavailable)
    assert len(server.seen) == 2


def test_a_request_with_a_body_is_not_sent_again(setting: Setting, server: SecurityServer) -> None:
    register = setting.open(attempts=3, person={"path": "/v1/find", "body": {"pin": "{pin}"}})
    server.defects = [_status(503)]
    assert failure(lambda: register.person(PIN)).code == "register-server-fault"
    assert len(server.seen) == 1


def test_a_client_fault_is_not_tried_again(setting: Setting, server: SecurityServer) -> None:
    register = setting.open(attempts=3)
    server.defects = [_status(403)]
    assert failure(lambda: register.person(PIN)).code == "register-client-fault"
    assert len(server.seen) == 1


def test_a_server_that_is_not_there_is_unreachable(setting: Setting) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = time.monotonic()
    for person in ({"path": "/v1/persons/{pin}"}, {"path": "/v1/find", "body": {"pin": "{pin}"}}):
        register = setting.open(server=f"https://127.0.0.1:{port}", attempts=2, person=person)
        error = failure(lambda register=register: register.person(PIN))  # type: ignore[misc]
        assert (error.code, isinstance(error, RegisterUnavailable)) == ("register-unavailable", True)
    # Nothing arrived, so that even a request with a body was tried twice.
    assert time.monotonic() - start > 0.4


def test_a_slow_server_meets_a_deadline(setting: Setting, server: SecurityServer) -> None:
    server.delay = 1.5
    error = failure(lambda: setting.open(attempt_seconds=0.4).person(PIN))
    assert (error.code, isinstance(error, RegisterUnavailable)) == ("register-timeout", True)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
def test_a_server_that_drips_meets_the_same_deadline(setting: Setting, server: SecurityServer, start: bytes) -> None:
    def drip(file: Any) -> None:
        file.write(start)
        for _ in range(100):
            file.write(b"H")
            file.flush()
            time.sleep(0.05)

    server.raw = drip
    begin = time.monotonic()
    assert failure(lambda: setting.open(attempt_seconds=0.5).person(PIN)).code == "register-timeout"
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "register-unavailable"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{", "register-unavailable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "register-unavailable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", "register-unavailable"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "register-answer"),
        (b"hello\r\n\r\n", "register-answer"),
        (b"HTTP/1.1 two OK\r\n\r\n", "register-answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "register-answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "register-answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b" " * 200_000, "register-too-large"),
    ],
)
def test_what_is_no_answer_is_refused_in_bounded_memory(
    setting: Setting, server: SecurityServer, raw: bytes, code: str
) -> None:
    server.raw = lambda file: (file.write(raw), file.flush())[1]
    assert failure(lambda: setting.open(max_bytes=100_000).person(PIN)).code == code


def test_tls_needs_the_pinned_authority_the_name_and_a_client_certificate(
    setting: Setting, server: SecurityServer, authority: TestAuthority, tmp_path: Path
) -> None:
    other = TestAuthority(tmp_path, "other")
    assert failure(lambda: setting.open(ca=str(other.ca)).person(PIN)).code == "register-tls"
    assert failure(lambda: setting.open(server_name="another-server").person(PIN)).code == "register-tls"
    # The address is no name in the certificate.
    assert failure(lambda: setting.open(server_name=...).person(PIN)).code == "register-tls"
    foreign, key = other.issue("idp", CLIENT_USAGE)
    error = failure(lambda: setting.open(certificate=str(foreign), key=str(key), attempts=3).person(PIN))
    assert error.code in ("register-tls", "register-unavailable")
    wrong_use, key = authority.issue("elsewhere", SERVER_USAGE)
    error = failure(lambda: setting.open(certificate=str(wrong_use), key=str(key)).person(PIN))
    assert error.code in ("register-tls", "register-unavailable")
    assert server.seen == []


def test_the_server_refuses_a_repeated_id_with_another_request(
    setting: Setting, server: SecurityServer, authority: TestAuthority
) -> None:
    certificate, key = authority.issue("idp", CLIENT_USAGE)
    exchanger = Exchanger(
        "127.0.0.1", server.port, "security-server", tls_context(authority.ca, certificate, key), 5, 100_000
    )
    headers = [
        ("Host", "x"), ("Accept", "application/json"), ("X-Road-Client", CLIENT), ("X-Road-UserId", "KG-IDP"),
        ("X-Road-Issue", "model-2030"), ("X-Road-Id", "f92591a3-6bf0-49b1-987b-0dd78c034cc3"),
    ]  # fmt: skip

    def send(path: str, items: list[tuple[str, str]] = headers) -> int:
        return exchanger.exchange("GET", path, items, None, 5).status

    assert send(f"/r1/{SERVICE}/v1/persons/{PIN}") == 200
    assert send(f"/r1/{SERVICE}/v1/persons/{PIN}") == 200
    assert send(f"/r1/{SERVICE}/v1/persons/20101198000001") == 400
    assert send("/r1/KG/GOV/1/x/y/v1") == 400
    for index in range(2, 6):
        assert send(f"/r1/{SERVICE}/v1/persons/{PIN}", headers[:index] + headers[index + 1 :]) == 400
    assert len(server.complaints) == 6
    server.complaints.clear()


def signer(key: Any) -> Callable[[bytes], str]:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    jwk: Any = ECKey.import_key(pem) if isinstance(key, ec.EllipticCurvePrivateKey) else RSAKey.import_key(pem)
    algorithm = "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "PS256"

    def sign(body: bytes) -> str:
        head, _, tail = jws.serialize_compact({"alg": algorithm}, body, jwk, algorithms=[algorithm]).split(".")
        return f"{head}..{tail}"

    return sign


@pytest.mark.parametrize("kind", ["P-256", "RSA"])
def test_signed_answers(setting: Setting, server: SecurityServer, authority: TestAuthority, kind: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "P-256" else rsa.generate_private_key(65537, 2048)
    certificate, _ = authority.issue("register", SERVER_USAGE, key)
    register = setting.open(signature={"header": "X-Signature", "certificate": str(certificate)})
    assert failure(lambda: register.person(PIN)).code == "register-signature"
    sign = signer(key)
    server.sign = sign
    assert register.person(PIN)
    assert dict(setting.kept()[-1].headers)["X-Signature"].count("..") == 1
    head, _, tail = sign(b"{}").split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    unencoded = base64.urlsafe_b64encode(b'{"alg":"ES256","b64":false,"crit":["b64"]}').decode().rstrip("=")
    hmac_alg = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")
    for wrong in (
        f"{head}..{tail}", f"{none}..", f"{unencoded}..{tail}", f"{hmac_alg}..{tail}", "x", "a.b.c", "..", "." * 9,
        "é..é", f"{head}..{tail}" * 100, sign(json.dumps({"result": PERSON}).encode()).replace("..", ".e30."),
    ):  # fmt: skip
        server.sign = lambda _, wrong=wrong: wrong
        assert failure(lambda: register.person(PIN)).code == "register-signature"
    # The signature of another key, over the right body.
    server.sign = signer(ec.generate_private_key(ec.SECP256R1()))
    assert failure(lambda: register.person(PIN)).code == "register-signature"
    server.sign = sign
    server.defects = [_person(lastName="Башка")]
    assert failure(lambda: register.person(PIN)).code == "register-signature"


def test_evidence_holds_the_whole_exchange_and_shows_every_change(setting: Setting, server: SecurityServer) -> None:
    register = setting.open()
    for _ in range(3):
        register.person(PIN)
    store = setting.evidence
    first, second, third = setting.kept()
    assert json.loads(first.body)["result"]["pin"] == PIN
    assert dict(first.headers)["x-road-id"] == first.message_id
    assert dict(first.request_headers)["X-Road-Client"] == CLIENT
    assert abs(first.time - time.time()) < 60
    assert PIN not in repr(first)
    assert store.check() == []
    path = setting.root / "evidence" / first.name[:2] / f"{first.name}.json"
    assert path.stat().st_mode & 0o777 == 0o400
    os.chmod(path, 0o600)
    path.write_bytes(path.read_bytes().replace(b'"status": 200', b'"status": 201'))
    assert store.check() == [f"{first.name} was changed"]
    path.unlink()
    assert store.check() == [f"{first.name} is lost"]
    assert failure(lambda: store.read(first.name)).code == "register-evidence"
    journal = setting.root / "evidence/journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text(lines[0] + lines[2])
    assert "journal line 2 does not follow the line before" in store.check()
    assert f"{second.name} is not in the journal" in store.check()
    journal.write_text("".join(lines) + "{}\n")
    assert "journal line 4 is malformed" in store.check()
    assert third.name in lines[2]


def exchange(number: int, moment: int = 1_800_000_000) -> Exchange:
    name = f"{number:08x}-0000-4000-8000-000000000000"
    return Exchange(name, 1, moment, "GET", "/r1", (("A", "b"),), None, 200, (("C", "d"),), b"\x00 body")


def test_evidence_is_written_once(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "store")
    store.keep(exchange(1))
    assert store.read(exchange(1).name) == exchange(1)
    assert failure(lambda: store.keep(exchange(1))).code == "register-evidence"
    assert failure(lambda: store.read("../../secret")).code == "register-evidence"
    assert store.check() == []
    assert len(store.head()) == 64


def test_a_torn_journal_line_is_put_right(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "store")
    store.keep(exchange(1))
    head = store.head()
    journal = tmp_path / "store/journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"kept":"torn')
    assert store.head() == head
    store.keep(exchange(2))
    assert store.check() == []
    assert len(journal.read_text().splitlines()) == 2


def test_purged_evidence_leaves_its_trace(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "store")
    store.keep(exchange(1, 100))
    store.keep(exchange(2, 200))
    assert store.purge(200, 10) == [exchange(1).name]
    assert store.purge(200, 10) == []
    assert store.check() == []
    assert failure(lambda: store.read(exchange(1).name)).code == "register-evidence"
    assert store.read(exchange(2, 200).name).time == 200
    assert (tmp_path / "store/journal.jsonl").read_text().count("00000001-") == 2


def test_evidence_of_many_threads_is_one_chain(tmp_path: Path) -> None:
    stores = [EvidenceStore(tmp_path / "store") for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: stores[number % 4].keep(exchange(number)), range(60)))
    assert stores[0].check() == []
    assert len((tmp_path / "store/journal.jsonl").read_text().splitlines()) == 60


def test_an_answer_that_cannot_be_kept_is_not_used(setting: Setting) -> None:
    register = setting.open()
    journal = setting.root / "evidence/journal.jsonl"
    journal.mkdir()
    assert failure(lambda: register.person(PIN)).code == "register-evidence"


def test_many_threads_share_a_register(setting: Setting, server: SecurityServer) -> None:
    register = setting.open()
    barrier = threading.Barrier(8)

    def ask(_: int) -> bool:
        barrier.wait()
        return register.person(PIN) is not None

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))
    assert len({dict(headers)["X-Road-Id"] for _, _, headers, _ in server.seen}) == 8
    assert setting.evidence.check() == []


@pytest.mark.parametrize(
    "change",
    [
        {"server": "http://127.0.0.1"}, {"server": "https://a@b"}, {"server": "https://b/path"}, {"server": "https://b:x"},
        {"server": 7}, {"client": "KG/GOV"}, {"client": "KG/GOV/../x"}, {"client": "KG/GOV/a%2Fb/x"},
        {"client": "KG/GOV/a\r\nX: y/x"}, {"service": CLIENT}, {"user_id": "a\r\nX: y"}, {"issue": "б"},
        {"attempts": 0},
        {"attempts": True}, {"attempt_seconds": 0}, {"total_seconds": "1"}, {"max_bytes": 10**9},
        {"request_hash": "ignore"}, {"signature": {"header": "X"}},
        {"signature": {"header": "X y", "certificate": "c"}},
        {"person": {"path": "/v1"}}, {"person": {"path": "/../{pin}"}}, {"person": {"path": "/{pin}#"}},
        {"person": {"path": "/x", "body": {}}}, {"person": {"path": "/{pin}", "pointer": "x"}}, {"person": 1},
        {"mapping": {"root": "", "fields": {}}}, {"mapping": {**MAPPING, "date_form": "D"}},
        {"mapping": {**MAPPING, "root": "x"}}, {"mapping": {**MAPPING, "sexes": []}},
        {"mapping": {**MAPPING, "deceased": {"a": "b"}}}, {"mapping": {**MAPPING, "documents": ["/a"]}},
        {"mapping": {**MAPPING, "more": 1}}, {"more": 1}, {"client": ...}, {"evidence": ""}, {"ca": "missing.pem"},
        {"key": "missing.pem"},
    ],
)  # fmt: skip
def test_a_configuration_that_does_not_fit_is_one_line_of_error(setting: Setting, change: dict[str, Any]) -> None:
    with pytest.raises((FormatError, OSError)) as caught:
        setting.open(**change)
    assert "\n" not in str(caught.value)


def test_what_signs_answers_has_to_be_a_certificate_of_today(
    setting: Setting, authority: TestAuthority, server: SecurityServer
) -> None:
    (setting.root / "bad.pem").write_text("x")
    with pytest.raises(FormatError, match="no PEM certificate"):
        setting.open(signature={"header": "X-Signature", "certificate": "bad.pem"})
    weak, _ = authority.issue("weak", SERVER_USAGE, rsa.generate_private_key(65537, 1024))
    with pytest.raises(FormatError, match="neither P-256"):
        setting.open(signature={"header": "X-Signature", "certificate": str(weak)})
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, _ = authority.issue("register", SERVER_USAGE, key)
    verifier = AnswerVerifier(certificate.read_bytes())
    verifier.verify(signer(key)(b"{}"), b"{}", datetime.now(UTC))
    error = failure(lambda: verifier.verify(signer(key)(b"{}"), b"{}", datetime(2040, 1, 1, tzinfo=UTC)))
    assert error.code == "register-signature"
    assert re.search("not valid today", str(error))
