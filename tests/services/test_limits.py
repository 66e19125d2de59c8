"""Attack A1 on the plumbing that every service has: large, deep, compressed and forged bodies."""

from __future__ import annotations

import gzip
import json
import socket
import time

import httpx

from tests.support.running import Service


def raw(service: Service, data: bytes, *, wait: float = 10) -> bytes:
    """Send bytes as they are; what comes back until the connection closes."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=wait) as connection:
        connection.sendall(data)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
        return received


def test_A1_a_body_of_100_megabytes_is_refused_and_costs_no_memory(client: httpx.Client, service: Service) -> None:
    client.post("/notes", json={"text": "x"})
    before = service.memory()
    sent = 0

    def endless() -> object:
        nonlocal sent
        for _ in range(1600):
            sent += 65_536
            yield b"x" * 65_536

    try:
        answer = client.post("/notes", content=endless())  # type: ignore[arg-type]
        assert answer.status_code == 413
        assert answer.json()["code"] == "too-large"
    except httpx.WriteError:
        assert sent < 100_000_000  # the connection was closed before it could all be sent
    assert service.memory() - before < 20_000_000


def test_A1_a_declared_length_beyond_the_limit_is_refused_before_the_body(service: Service) -> None:
    head = f"POST /notes HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Length: 100000000\r\n\r\n"
    started = time.monotonic()
    assert b" 413 " in raw(service, head.encode()).split(b"\r\n")[0]
    assert time.monotonic() - started < 1


def test_A1_a_body_shorter_than_its_length_is_given_up_in_time(service: Service) -> None:
    head = f"POST /notes HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Length: 100\r\n\r\n{{"
    started = time.monotonic()
    assert b" 408 " in raw(service, head.encode()).split(b"\r\n")[0]
    assert time.monotonic() - started < 5


def test_A1_deep_nesting_is_a_malformed_request(client: httpx.Client) -> None:
    for body in (b"[" * 30_000, b'{"text":' * 7_000, b'{"text":' + b"[" * 20_000 + b"]" * 20_000 + b"}"):
        answer = client.post("/notes", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed-request")


def test_A1_a_compression_bomb_is_not_opened(client: httpx.Client) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 65_536
    answer = client.post("/notes", content=bomb, headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-encoding")


def test_limits_of_a_path_are_its_own(client: httpx.Client) -> None:
    assert client.post("/large", content=bytes(1_000_000)).json() == 1_000_000
    assert client.post("/large", content=bytes(1_000_001)).status_code == 413
    json_type = {"content-type": "application/json"}
    exact = json.dumps({"text": ""}).encode()
    assert client.post("/notes", content=exact + b" " * (65_536 - len(exact)), headers=json_type).status_code == 200
    assert client.post("/notes", content=exact + b" " * (65_537 - len(exact)), headers=json_type).status_code == 413
