"""Attacks on the authorization endpoint: redirects, parameters, hosts, origins."""

from __future__ import annotations

import json
import secrets
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import func, select

from biometric_idp.idp.oidc.tables import CODE
from tests.biometric_idp.oidc.relying_party import FORM, redirect_parameters
from tests.biometric_idp.oidc.world import CABINET_PAGE, World


def _codes(world: World) -> int:
    with world.engine.connect() as db:
        return db.scalar(select(func.count()).select_from(CODE)) or 0


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/callback",
        "https://cabinet.example",
        "https://cabinet.example/",
        "https://cabinet.example/callback/",
        "https://cabinet.example/callback/../evil",
        "https://cabinet.example/callback2",
        "https://cabinet.example/callbac",
        "https://cabinet.example/CALLBACK",
        "HTTPS://cabinet.example/callback",
        "https://CABINET.example/callback",
        "http://cabinet.example/callback",
        "https://cabinet.example:443/callback",
        "https://cabinet.example/callback#",
        "https://cabinet.example/callback#x",
        "https://cabinet.example/callback?",
        "https://cabinet.example/callback?x=1",
        "https://cabinet.example/callback%2f",
        "https://cabinet.example/callback%00",
        "https://cabinet.example/callback ",
        "https://cabinet.example/callback\r\nSet-Cookie: a=b",
        "https://cabinet.example@evil.example/callback",
        "https://cabinet.example.evil.example/callback",
        "//cabinet.example/callback",
        "/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://office.example/callback",
        "https://cabinet.example/callb\u0430ck",
    ],
)
def test_an_address_that_is_not_exactly_registered_is_never_gone_to(world: World, address: str) -> None:
    parameters, _ = world.cabinet.start(redirect_uri=address)
    shown, posted = world.cabinet.open(parameters), world.cabinet.post(parameters, world.sign_in())
    for answer in (shown, posted, world.http.post("/oidc/authorize/cancel", data=parameters)):
        assert answer.status_code == 400
        assert answer.json()["code"] in ("oidc-unknown-redirect", "oidc-malformed-request")
        assert "location" not in answer.headers
        assert "evil" not in answer.text


def test_a_request_without_address_is_not_answered_by_a_guess(world: World) -> None:
    for party in (world.cabinet, world.office):
        answer = party.open(party.start(redirect_uri=None)[0])
        assert (answer.status_code, answer.json()["code"]) == (400, "oidc-unknown-redirect")


@pytest.mark.parametrize("client", ["nobody", "Cabinet", "cabinet ", "", "office"])
def test_another_client_cannot_use_the_cabinets_address(world: World, client: str) -> None:
    answer = world.cabinet.open(world.cabinet.start(client_id=client)[0])
    assert answer.status_code == 400
    assert answer.json()["code"] in ("oidc-unknown-client", "oidc-unknown-redirect")


def test_problems_have_a_sentence_and_a_next_step_in_each_language(world: World) -> None:
    problem = world.cabinet.open(world.cabinet.start(client_id="nobody")[0]).json()
    for member in ("message", "next"):
        assert problem[member].keys() == {"ky", "ru", "en"}
        assert all(problem[member].values())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": 'x"\\'}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid offline_access"}, "invalid_scope"),
        ({"scope": "openid roll-position"}, "invalid_scope"),
        ({"state": None}, "invalid_request"),
        ({"state": "short"}, "invalid_request"),
        ({"state": "s" * 513}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"nonce": "n" * 513}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
        ({"code_challenge": "+" * 43}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e9"}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_a_request_that_is_not_ours_goes_back_with_an_error_and_makes_no_code(
    world: World, changes: dict[str, str | None], error: str
) -> None:
    before = _codes(world)
    parameters, _ = world.cabinet.start(**changes)
    shown, posted = world.cabinet.open(parameters), world.cabinet.post(parameters, world.sign_in())
    assert shown.status_code == 302
    for location in (shown.headers["location"], posted.json()["redirect"]):
        back = redirect_parameters(location, world.cabinet.redirect_uri)
        assert (back["error"], back["iss"]) == (error, world.process.url)
        assert back.get("state", "") == parameters.get("state", "")
        assert "code" not in back
    assert _codes(world) == before


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_a_repeated_client_or_address_is_not_followed(world: World, name: str) -> None:
    parameters, _ = world.cabinet.start()
    for extra in (parameters[name], "https://evil.example/callback", ""):
        for query in (
            f"{urlencode(parameters)}&{name}={quote(extra)}",
            f"{name}={quote(extra)}&{urlencode(parameters)}",
        ):
            answer = world.cabinet.open(query)
            assert (answer.status_code, answer.json()["code"]) == (400, "oidc-malformed-request")


@pytest.mark.parametrize(
    "name", ["state", "nonce", "scope", "response_type", "code_challenge", "code_challenge_method", "acr_values"]
)
def test_a_repeated_parameter_goes_back_as_an_error(world: World, name: str) -> None:
    parameters, _ = world.cabinet.start(acr_values="urn:evoting:acr:passkey")
    query = f"{urlencode(parameters)}&{name}={quote(parameters[name])}"
    for location in (
        world.cabinet.open(query).headers["location"],
        world.cabinet.post(query, world.sign_in()).json()["redirect"],
    ):
        assert redirect_parameters(location, world.cabinet.redirect_uri)["error"] == "invalid_request"


@pytest.mark.parametrize("query", ["%63lient_id=office&", "redirect%5Furi=https://evil.example&"])
def test_a_parameter_in_disguise_is_not_overlooked(world: World, query: str) -> None:
    """A server in front that decodes names would see another request than we do."""
    answer = world.cabinet.open(query + urlencode(world.cabinet.start()[0]))
    assert (answer.status_code, answer.json()["code"]) == (400, "oidc-malformed-request")


@pytest.mark.parametrize("name", ["state", "nonce", "ui_locales", "prompt", "scope"])
@pytest.mark.parametrize(
    "hostile",
    [
        "aaaaaaaa\r\nSet-Cookie: x=1",
        "aaaaaaaa\x00",
        "aaaaaaaa\x1b[31m",
        "aaaaaaaa\u202etxt",
        "aaaaaaaa\u2066",
        "ааааааааа",
    ],
)
def test_A6_control_and_direction_characters_reach_neither_client_nor_header_nor_log(
    world: World, name: str, hostile: str
) -> None:
    parameters, _ = world.cabinet.start(**{name: hostile})
    shown, posted = world.cabinet.open(parameters), world.cabinet.post(parameters, world.sign_in())
    for location in (shown.headers["location"], posted.json()["redirect"]):
        back = redirect_parameters(location, world.cabinet.redirect_uri)
        assert back["error"] == "invalid_request"
        assert location.isascii()
        assert location.isprintable()
        assert "Set-Cookie" not in location
    assert "set-cookie" not in shown.headers
    log = world.process.text()
    assert hostile not in log
    assert log.replace("\n", "").isascii()
    assert all(json.loads(line) for line in log.splitlines())


@pytest.mark.parametrize(
    "state", ['"><script>alert(1)</script>', "a&code=stolen&iss=https://evil.example", "#fragment?x=1"]
)
def test_A6_a_state_goes_back_as_it_came_and_changes_nothing_else(world: World, state: str) -> None:
    parameters, _ = world.cabinet.start(state=state)
    location = world.cabinet.post(parameters, world.sign_in()).json()["redirect"]
    back = redirect_parameters(location, world.cabinet.redirect_uri)
    assert (back["state"], back["iss"]) == (state, world.process.url)
    assert back.keys() == {"code", "state", "iss"}


@pytest.mark.parametrize(
    "raw", [b"state=%ff%fe%ff%fe%ff", b"state=%zzaaaaaaaa", b"state=aaaaaaaa%", b"state=" + b"a" * 9000]
)
def test_damaged_encodings_are_errors_of_the_request(world: World, raw: bytes) -> None:
    parameters, _ = world.cabinet.start(state=None)
    body = urlencode(parameters).encode() + b"&" + raw
    headers = {**FORM, "authorization": f"Bearer {world.sign_in()}"}
    answer = world.http.post("/oidc/authorize", content=body, headers=headers)
    back = redirect_parameters(answer.json()["redirect"], world.cabinet.redirect_uri)
    assert back["error"] == "invalid_request"
    assert "state" not in back


def test_too_many_parameters_are_refused(world: World) -> None:
    query = urlencode(world.cabinet.start()[0]) + "".join(f"&{'a' * n}=1" for n in range(1, 60))
    assert world.cabinet.open(query).status_code == 400


def test_A7_without_the_sessions_token_there_is_no_code(world: World) -> None:
    before = _codes(world)
    parameters, _ = world.cabinet.start()
    for session in (None, secrets.token_urlsafe(32), "x y", "ключ".encode().hex()):
        answer = world.cabinet.post(parameters, session)
        assert (answer.status_code, answer.json()["code"]) == (401, "oidc-sign-in")
    cookie = {**FORM, "cookie": f"session={world.sign_in()}"}
    assert world.http.post("/oidc/authorize", data=parameters, headers=cookie).status_code == 401
    assert world.http.get(f"/oidc/authorize?{urlencode(parameters)}", headers=cookie).status_code == 200
    assert _codes(world) == before


def test_A7_an_access_token_is_no_session(world: World) -> None:
    tokens = world.cabinet.tokens(world.sign_in())
    answer = world.cabinet.post(world.cabinet.start()[0], tokens["access_token"])
    assert (answer.status_code, answer.json()["code"]) == (401, "oidc-sign-in")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", CABINET_PAGE, "https://cabinet.example.evil.example"]
)
def test_A7_no_other_page_may_ask_for_a_code(world: World, origin: str) -> None:
    """Not even the client's own: the person decides on our page."""
    before = _codes(world)
    headers = {**FORM, "authorization": f"Bearer {world.sign_in()}", "origin": origin}
    body = urlencode(world.cabinet.start()[0])
    for path in ("/oidc/authorize", "/oidc/authorize/cancel"):
        answer = world.http.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin")
        assert "access-control-allow-origin" not in answer.headers
        asked = {"origin": origin, "access-control-request-method": "POST"}
        assert world.http.options(path, headers=asked).status_code == 403
    assert _codes(world) == before


def test_A7_our_own_page_may(world: World) -> None:
    headers = {**FORM, "authorization": f"Bearer {world.sign_in()}", "origin": world.process.url}
    body = urlencode(world.cabinet.start()[0])
    assert world.http.post("/oidc/authorize", content=body, headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "id.example:443", "127.0.0.1:1"])
def test_A7_a_forged_host_reaches_nothing(world: World, host: str) -> None:
    for path in ("/.well-known/openid-configuration", "/oidc/jwks", "/oidc/userinfo"):
        answer = world.http.get(path, headers={"host": host})
        assert (answer.status_code, answer.json()["code"]) == (421, "wrong-host")
        assert "evil" not in answer.text
    answer = world.http.post("/oidc/token", data={"grant_type": "authorization_code"}, headers={"host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "header", ["x-forwarded-host", "x-forwarded-server", "forwarded", "x-original-host", "x-forwarded-proto"]
)
def test_A7_headers_of_a_forged_host_change_no_address(world: World, header: str) -> None:
    value = "host=evil.example;proto=http" if header == "forwarded" else "evil.example"
    answer = world.http.get("/.well-known/openid-configuration", headers={header: value})
    assert answer.json() == world.http.get("/.well-known/openid-configuration").json()
    shown = world.http.get(
        f"/oidc/authorize?{urlencode(world.cabinet.start(prompt='none')[0])}", headers={header: value}
    )
    assert "evil" not in shown.headers["location"]


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_the_page_sends_a_form_and_nothing_else(world: World, kind: str) -> None:
    headers = {"content-type": kind, "authorization": f"Bearer {world.sign_in()}"}
    answer = world.http.post("/oidc/authorize", content=urlencode(world.cabinet.start()[0]), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed-request")
