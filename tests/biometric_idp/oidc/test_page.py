"""The sign-in page: when it is shown, and what it may send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from biometric_idp.idp.oidc.authorization import Checked
from biometric_idp.idp.oidc.levels import PASSKEY, PASSKEY_FACE
from biometric_idp.idp.oidc.ports import SignedIn
from services.problems import Problem
from tests.biometric_idp.oidc.relying_party import redirect_parameters
from tests.biometric_idp.oidc.world import World, running_world


def _post(world: World, body: bytes | str) -> Any:
    headers = {"content-type": "application/json", "authorization": f"Bearer {world.sign_in()}"}
    return world.http.post("/oidc/authorize", content=body, headers=headers)


def test_the_page_may_send_json(world: World) -> None:
    parameters, verifier = world.cabinet.start(state="state + & = %41 u")
    back = redirect_parameters(_post(world, json.dumps(parameters)).json()["redirect"], world.cabinet.redirect_uri)
    assert back["state"] == parameters["state"]
    assert world.cabinet.exchange(back["code"], verifier).status_code == 200


@pytest.mark.parametrize(
    "body",
    ["", "[]", "null", "7", '{"client_id":7}', '{"client_id":["cabinet"]}', '{"client_id":null}', "{", "[" * 9999],
)
def test_json_that_is_no_object_of_texts_is_refused(world: World, body: str) -> None:
    answer = _post(world, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed-request")


def test_a_name_twice_in_json_is_refused(world: World) -> None:
    text = json.dumps(world.cabinet.start()[0])
    answer = _post(world, text[:-1] + ',"client_id":"cabinet"}')
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed-request")


@pytest.mark.parametrize("state", ["aaaaaaaa\\ud800", "aaaaaaaa\\u202e", "aaaaaaaa\\r\\nx: y", "aaaaaaaa\\u0000"])
def test_A6_escapes_of_json_hide_no_character(world: World, state: str) -> None:
    text = json.dumps(world.cabinet.start(state="STATE")[0]).replace("STATE", state)
    back = redirect_parameters(_post(world, text).json()["redirect"], world.cabinet.redirect_uri)
    assert back["error"] == "invalid_request"
    assert "state" not in back


def test_a_browser_gets_the_page_only_for_a_valid_request(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<!doctype html><title>sign in</title>")
    with running_world(tmp_path) as world:
        parameters, _ = world.cabinet.start()
        shown = world.http.get("/oidc/authorize", params=parameters, headers={"accept": "text/html,*/*"})
        assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "accept" in shown.headers["vary"]
        described = world.http.get("/oidc/authorize", params=parameters, headers={"accept": "application/json"})
        assert described.json()["client"] == "cabinet"
        bad = world.http.get("/oidc/authorize", params={**parameters, "client_id": "nobody"})
        assert bad.status_code == 400
        assert "<title>" not in bad.text


def test_a_step_that_policy_demands_is_demanded_whatever_the_client_asks() -> None:
    checked = Checked(None, None, None, PASSKEY, None, ())  # type: ignore[arg-type]
    checked.check_session(SignedIn("a", PASSKEY, [], 0), 100)
    with pytest.raises(Problem) as caught:
        checked.check_session(SignedIn("a", PASSKEY, [], 0, "liveness"), 100)
    assert caught.value.detail["missing"] == "face"
    with pytest.raises(Problem):
        checked.check_session(SignedIn("a", PASSKEY_FACE, [], 0, "liveness"), 100)
