"""Every error has a code, a sentence in three languages and a next step; none shows what it should not."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from services.errors import ConfigError
from services.problems import LANGUAGES, read_catalogue
from tests.support.running import Service


def test_a_refusal_has_a_code_sentences_and_a_next_step(client: httpx.Client) -> None:
    answer = client.post("/refused")
    body = answer.json()
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "7")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (body["code"], body["detail"]) == ("sample-refused", {"left": 2})
    assert set(body["message"]) == set(body["next"]) == set(LANGUAGES)


def test_a_mistake_of_the_program_shows_nothing_of_itself(client: httpx.Client, service: Service) -> None:
    answer = client.post("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "secret" not in answer.text
    assert "unexpected-error" in service.text()


def test_a_malformed_body_names_the_field_and_never_its_value(client: httpx.Client) -> None:
    answer = client.post("/notes", json={"text": ["<script>alert(1)</script>"]})
    assert answer.json()["detail"] == {"fields": "body.text"}
    assert "script" not in answer.text


@pytest.mark.parametrize(("path", "code"), [("/nowhere", "not-found"), ("/../../etc/passwd", "not-found")])
def test_A8_what_is_not_there_is_not_found(client: httpx.Client, path: str, code: str) -> None:
    assert client.get(path).json()["code"] == code
    assert client.get("/notes").json()["code"] == "method-not-allowed"


def test_A6_control_and_direction_characters_reach_the_log_escaped(client: httpx.Client, service: Service) -> None:
    text = "a\u202e\u0007\x1b[31m\r\nforged: line\u2066"
    assert client.post("/notes", json={"text": text}).json()["text"] == text
    (line,) = [line for line in service.text().split("\n") if '"event": "note"' in line]
    assert line.isascii()
    assert line.isprintable()
    assert "\\u202e" in line


def test_no_address_of_a_client_reaches_the_log(client: httpx.Client, service: Service) -> None:
    client.get("/nowhere?token=abc")
    assert "127.0.0.1" not in service.text()
    assert "abc" not in service.text()


@pytest.mark.parametrize(
    "text",
    [
        "[x]\nstatus = 409\nky = 'a'\nru = 'b'\nen = 'c'\n",
        "[x]\nstatus = 200\nky='a'\nru='b'\nen='c'\nnext.ky='a'\nnext.ru='b'\nnext.en='c'\n",
        "[x]\nstatus = 409\nru='b'\nen='c'\nnext.ky='a'\nnext.ru='b'\nnext.en='c'\n",
        "[x]\nstatus = 409\nky='a'\nru='b'\nen='c'\nnext.ky='a'\nnext.ru=''\nnext.en='c'\n",
        "[busy]\nstatus = 409\nky='a'\nru='b'\nen='c'\nnext.ky='a'\nnext.ru='b'\nnext.en='c'\n",
    ],
)
def test_a_catalogue_with_a_gap_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "problems.toml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        read_catalogue(path)
