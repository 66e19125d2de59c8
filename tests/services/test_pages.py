"""Static pages: exact paths, strict policy, nothing else in reach."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.errors import ConfigError
from services.pages import page_policy, read_pages
from tests.support.running import Service, start_service

SCRIPT = b"export {};\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("site") / "pages"
    (root / "assets").mkdir(parents=True)
    (root / "part").mkdir()
    (root / "index.html").write_text("<!doctype html>")
    (root / "part/index.html").write_text("<!doctype html><p>part")
    (root / "assets/page.js").write_bytes(SCRIPT)
    (root.parent / "secret.txt").write_text("secret")
    return root


@pytest.fixture(scope="module")
def site(root: Path) -> Iterator[Service]:
    arguments = (root, "--host-name", "127.0.0.1", "--host-name", "vote.localhost", "--connect", "https://id.example")
    with start_service("services.pages", *arguments) as process:
        yield process


def raw(site: Service, path: str, method: str = "GET", host: str | None = None) -> tuple[int, bytes]:
    """Status and body of a request whose path no client library has tidied up."""
    with socket.create_connection(("127.0.0.1", site.port), 10) as connection:
        name = f"127.0.0.1:{site.port}" if host is None else host
        connection.sendall(f"{method} {path} HTTP/1.1\r\nhost: {name}\r\nconnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_files_are_served_under_exactly_their_paths(site: Service) -> None:
    with httpx.Client(base_url=site.url) as client:
        script = client.get("/assets/page.js")
        assert (script.status_code, script.content) == (200, SCRIPT)
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"
        assert client.get("/part/").text.endswith("part")
        assert client.head("/").status_code == 200
        again = client.get("/assets/page.js", headers={"if-none-match": script.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/assets",
        "/assets/",
        "/assets/../assets/page.js",
        "/assets/%2e%2e/assets/page.js",
        "/..%2fsecret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "//assets/page.js",
        "/assets//page.js",
        "/assets/page.js/",
        "/assets/page.js%00",
        "/ASSETS/page.js",
        "/index.html",
        "/part",
        "/assets\\page.js",
    ],
)
def test_no_other_path_leads_to_a_file_and_nothing_is_listed(site: Service, path: str) -> None:
    status, body = raw(site, path)
    assert status in (400, 404), body
    assert SCRIPT not in body
    assert b"secret" not in body


def test_a_file_that_came_after_the_start_is_not_served(site: Service, root: Path) -> None:
    (root / "late.html").write_text("late")
    try:
        assert raw(site, "/late.html")[0] == 404
    finally:
        (root / "late.html").unlink()


def test_pages_take_no_body_and_no_other_method(site: Service) -> None:
    assert raw(site, "/", "POST")[0] == 405
    assert raw(site, "/", "DELETE")[0] == 405
    assert httpx.post(site.url, content=b"x").status_code == 413


def test_A7_only_named_hosts_are_answered(site: Service) -> None:
    assert raw(site, "/", host=f"vote.localhost:{site.port}")[0] == 200
    for host in ("vote.localhost", f"evil.example:{site.port}"):
        assert raw(site, "/", host=host)[0] == 421


def test_A7_every_page_has_the_strict_policy(site: Service) -> None:
    for path in ("/", "/part/", "/assets/page.js"):
        headers = httpx.get(site.url + path).headers
        policy = headers["content-security-policy"]
        assert policy == page_policy(["https://id.example"])
        assert "unsafe" not in policy
        assert "*" not in policy
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "connect-src 'self' https://id.example;" in policy
        assert "camera=()" in headers["permissions-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-cache"
        assert "set-cookie" not in headers


def test_links_unknown_types_and_paths_twice_are_refused_at_start(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for directory in (one, two):
        directory.mkdir()
        (directory / "a.js").write_text("")
    assert set(read_pages([one])) == {"/a.js"}
    with pytest.raises(ConfigError, match="there already"):
        read_pages([one, two])
    (two / "a.js").rename(two / "a.exe")
    with pytest.raises(ConfigError, match="of this type"):
        read_pages([two])
    (two / "a.exe").unlink()
    (two / "b.js").symlink_to(one / "a.js")
    with pytest.raises(ConfigError, match="links"):
        read_pages([two])
    with pytest.raises(ConfigError, match="no such directory"):
        read_pages([tmp_path / "three"])


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "services.pages", str(tmp_path / "none"), "--host-name", "vote.localhost"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pages: error: ")
    assert done.stderr.count("\n") == 1
