"""Attack A7: other hosts, foreign pages, and what a browser is told."""

from __future__ import annotations

import httpx
import pytest

NOTE = {"text": "x"}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", ""])
def test_A7_another_host_is_not_answered(client: httpx.Client, host: str) -> None:
    answer = client.post("/notes", json=NOTE, headers={"host": host})
    assert answer.status_code in (400, 421)
    assert "text" not in answer.text or answer.json().get("code") == "wrong-host"


def test_A7_a_forged_request_of_a_foreign_page_is_refused(client: httpx.Client) -> None:
    for origin in ("https://evil.example", "null", "https://vote.example.evil.example"):
        answer = client.post("/notes", json=NOTE, headers={"origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin")
        assert "access-control-allow-origin" not in answer.headers


def test_A7_the_voting_origin_may_call_what_is_open_to_it_and_nothing_else(client: httpx.Client) -> None:
    headers = {"origin": "https://vote.example"}
    answer = client.post("/open/notes", json=NOTE, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://vote.example"
    assert "access-control-allow-credentials" not in answer.headers
    assert client.post("/notes", json=NOTE, headers=headers).status_code == 403


def test_A7_preflight(client: httpx.Client) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    allowed = client.options("/open/notes", headers={"origin": "https://vote.example", **asked})
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "https://vote.example"
    refused = client.options("/open/notes", headers={"origin": "https://evil.example", **asked})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_every_answer_tells_the_browser_to_be_careful(client: httpx.Client) -> None:
    for answer in (client.post("/notes", json=NOTE), client.get("/nowhere"), client.post("/broken")):
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert "server" not in answer.headers
