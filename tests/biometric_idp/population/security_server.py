"""A security server that speaks X-Road Message Protocol for REST 1.0 strictly, with the register behind it.

It refuses whatever deviates: no client certificate of its authority, another path, missing or repeated headers, an id
that was used for another request. ``faults`` plants one defect in its answers.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha512
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT = "KG/GOV/10000001/idp"
SERVICE = "KG/GOV/10000002/register/persons"
PIN = "11505199012345"
PERSON: dict[str, Any] = {
    "pin": PIN,
    "lastName": "Асанова",
    "firstName": "Айгүл",
    "born": "15.05.1990",
    "gender": 1,
    "dead": False,
    "docs": [
        {"type": "ID", "number": "ID 1234567", "validTo": "31.01.2031"},
        {"type": "DRIVING", "number": "x", "validTo": "y"},
    ],
    "photo": base64.b64encode(b"\xff\xd8 face").decode(),
    "prints": [{"finger": 2, "format": "iso-19794-2", "data": base64.b64encode(b"FMR").decode()}],
}


class TestAuthority:
    """A certificate authority for one test run."""

    __test__ = False

    def __init__(self, root: Path, name: str) -> None:
        self.root = root / name
        self.root.mkdir(parents=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._write("ca", self._sign(self._name, self._key, True, None), self._key)

    @property
    def ca(self) -> Path:
        return self.root / "ca.pem"

    def issue(self, name: str, usage: x509.ObjectIdentifier, key: Any = None) -> tuple[Path, Path]:
        """Certificate and key files for a host or client."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._write(name, self._sign(subject, key, False, (name, usage)), key)
        return self.root / f"{name}.pem", self.root / f"{name}.key"

    def _sign(self, subject: x509.Name, key: Any, ca: bool, leaf: tuple[str, Any] | None) -> x509.Certificate:
        now = datetime.now(UTC)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2)).add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(own, critical=False)
        )  # fmt: skip
        if leaf is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(leaf[0])]), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([leaf[1]]), critical=False)
        return builder.sign(self._key, SHA256())

    def _write(self, name: str, certificate: x509.Certificate, key: Any) -> None:
        (self.root / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.root / f"{name}.key").write_bytes(private)


SERVER_USAGE, CLIENT_USAGE = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH

Headers = dict[str, str]
#: (status, headers, body) after the defect; headers are those the server would send.
Defect = Callable[[int, Headers, bytes], tuple[int, Headers, bytes]]


class SecurityServer:
    """The server; use as a context manager."""

    def __init__(self, authority: TestAuthority) -> None:
        self.persons: dict[str, Any] = {PIN: PERSON}
        self.defects: list[Defect | None] = []
        self.delay = 0.0
        self.raw: Callable[[Any], None] | None = None
        self.seen: list[tuple[str, str, tuple[tuple[str, str], ...], bytes]] = []
        self.complaints: list[str] = []
        self.sign: Callable[[bytes], str] | None = None
        self._ids: dict[str, tuple[str, str, bytes]] = {}
        self._lock = threading.Lock()
        certificate, key = authority.issue("security-server", SERVER_USAGE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority.ca)
        context.verify_mode = ssl.CERT_REQUIRED
        self._http = _Server(("127.0.0.1", 0), _handler(self), context)
        self.port = self._http.server_address[1]

    def __enter__(self) -> SecurityServer:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def complaint(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> str | None:
        """What is wrong with a request, in the protocol's eyes."""
        names = [name.lower() for name, _ in headers]
        values = {name.lower(): value for name, value in headers}
        if len(set(names)) != len(names):
            return "a header twice"
        allowed = {
            "host", "connection", "accept", "x-road-client", "x-road-id", "x-road-userid", "x-road-issue",
            "content-type", "content-length",
        }  # fmt: skip
        if not set(names) <= allowed:
            return f"unexpected headers {set(names) - allowed}"
        if not target.startswith(f"/r1/{SERVICE}/"):
            return "another path"
        if values.get("x-road-client") != CLIENT:
            return "no X-Road-Client"
        if values.get("x-road-userid") != "KG-IDP" or values.get("x-road-issue") != "model-2030":
            return "no user or issue"
        try:
            if str(uuid.UUID(values["x-road-id"])) != values["x-road-id"]:
                return "X-Road-Id is no canonical UUID"
        except (KeyError, ValueError):
            return "no X-Road-Id"
        if (method == "POST") != bool(body) or (body and "application/json" not in values.get("content-type", "")):
            return "a body that does not belong there"
        with self._lock:
            before = self._ids.setdefault(values["x-road-id"], (method, target, body))
        return None if before == (method, target, body) else "an id that was used for another request"

    def answer(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, Headers, bytes]:
        """What the protocol asks for, before any planted defect."""
        complaint = self.complaint(method, target, headers, body)
        if complaint is not None:
            self.complaints.append(complaint)
            fault = json.dumps({"type": "Client.BadRequest", "message": complaint, "detail": str(uuid.uuid4())})
            return (
                400,
                {"Content-Type": "application/json;charset=utf-8", "X-Road-Error": "Client.BadRequest"},
                fault.encode(),
            )
        request_id = str(uuid.uuid4())
        # PR-REST 4.3: SHA512(SHA512(headers) + SHA512(body)); the form of headers is the reference implementation's.
        text = f"{method}\r\n{target}\r\n"
        for name, value in headers:
            if name.lower() not in ("host", "connection", "content-length"):
                text += f"{name}:{value}\r\n"
        digest = sha512((text + f"x-road-request-id:{request_id}\r\n").encode()).digest()
        if body:
            digest = sha512(digest + sha512(body).digest()).digest()
        status, kind, content = self.service(method, target.removeprefix(f"/r1/{SERVICE}"), body)
        values = {name.lower(): value for name, value in headers}
        answer = {
            "Content-Type": kind,
            "x-road-id": values["x-road-id"],
            "x-road-client": CLIENT,
            "x-road-service": SERVICE,
            "x-road-request-id": request_id,
            "x-road-request-hash": base64.b64encode(digest).decode(),
        }
        if self.sign is not None:
            answer["X-Signature"] = self.sign(content)
        return status, answer, content

    def service(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        """The register itself."""
        kind = "application/json;charset=utf-8"
        if method == "POST" and path == "/v1/find":
            pin = json.loads(body)["pin"]
        elif method == "GET" and path.startswith("/v1/persons/"):
            pin = path.removeprefix("/v1/persons/").removesuffix("/portrait")
        else:
            return 405, kind, b'{"error": "no such operation"}'
        person = self.persons.get(pin)
        if person is None:
            return 404, kind, b'{"error": "nobody"}'
        if path.endswith("/portrait"):
            return 200, "image/jpeg", b"\xff\xd8 portrait"
        return 200, kind, json.dumps({"result": person}, ensure_ascii=False).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: Any, context: ssl.SSLContext) -> None:
        super().__init__(address, handler)
        self._context = context

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake belongs into the connection's own thread.
        try:
            wrapped = self._context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        with wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what is tested."""


def _handler(server: SecurityServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            headers = list(self.headers.items())
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            server.seen.append((self.command, self.path, tuple(headers), body))
            if server.raw is not None:
                server.raw(self.wfile)
                self.close_connection = True
                return
            status, answer, content = server.answer(self.command, self.path, headers, body)
            defect = server.defects.pop(0) if server.defects else None
            if defect is not None:
                status, answer, content = defect(status, dict(answer), content)
            if server.delay:
                time.sleep(server.delay)
            self.send_response_only(status)
            for name, value in answer.items():
                for item in value.split("\0"):
                    self.send_header(name, item)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = True

        do_GET = do_POST = do_PUT = _handle

        def log_message(self, *_: Any) -> None:
            """Not into the test's output."""

    return Handler
