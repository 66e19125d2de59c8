"""Attacks on the token endpoint and userinfo: codes, verifiers, clients, assertions."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import func, select

from biometric_idp.idp.oidc.levels import PASSKEY_FACE
from biometric_idp.idp.oidc.tables import TOKEN
from tests.biometric_idp.oidc.relying_party import ASSERTION_TYPE, FORM, RelyingParty, encode, public_jwk, sign_jwt
from tests.biometric_idp.oidc.world import CABINET_PAGE, World, running_world
from tests.support.postgres import postgres_server


def _code(world: World, party: RelyingParty | None = None, **changes: str | None) -> tuple[str, str]:
    """A fresh code and its verifier."""
    mine = party or world.cabinet
    parameters, verifier = mine.start(**changes)
    return mine.code(parameters, world.sign_in(acr=PASSKEY_FACE)), verifier


def _refused(answer: httpx.Response, error: str, *statuses: int) -> None:
    assert answer.status_code in (statuses or (400,)), answer.text
    body = answer.json()
    assert body["error"] == error
    assert "access_token" not in body
    assert answer.headers["cache-control"] == "no-store"


def test_a_code_works_once_and_a_second_use_ends_what_it_made(world: World) -> None:
    code, verifier = _code(world)
    tokens = world.cabinet.exchange(code, verifier).json()
    assert world.cabinet.userinfo(tokens["access_token"]).status_code == 200
    _refused(world.cabinet.exchange(code, verifier), "invalid_grant")
    assert world.cabinet.userinfo(tokens["access_token"]).status_code == 401
    _refused(world.cabinet.exchange(code, verifier), "invalid_grant")


def test_a_stolen_code_that_comes_late_ends_the_tokens_too(world: World) -> None:
    """The thief has neither verifier nor the right client, but the code was seen by two."""
    code, verifier = _code(world)
    tokens = world.cabinet.exchange(code, verifier).json()
    _refused(world.archive.exchange(code, None), "invalid_grant")
    assert world.cabinet.userinfo(tokens["access_token"]).status_code == 401


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory: Path = tmp_path_factory.mktemp("crowd")
    if request.param == "sqlite":
        with running_world(directory) as running:
            yield running
        return
    with postgres_server() as server, running_world(directory, server.database()) as running:
        yield running


@pytest.mark.slow
def test_of_many_that_present_a_code_at_once_one_is_served_and_its_token_ends(crowded: World) -> None:
    for _ in range(3):
        code, verifier = _code(crowded)
        with crowded.engine.connect() as db:
            before = db.scalar(select(func.count()).select_from(TOKEN)) or 0
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(crowded.cabinet.exchange, [code] * 64, [verifier] * 64))
        served = [answer for answer in answers if answer.status_code == 200]
        assert len(served) == 1
        assert {answer.json()["error"] for answer in answers if answer not in served} == {"invalid_grant"}
        with crowded.engine.connect() as db:
            assert db.scalar(select(func.count()).select_from(TOKEN)) == before + 1
        assert crowded.cabinet.userinfo(served[0].json()["access_token"]).status_code == 401


@pytest.mark.slow
def test_of_many_that_present_an_assertion_at_once_one_is_served(crowded: World) -> None:
    assertion = crowded.office.assertion()
    codes = [_code(crowded, crowded.office) for _ in range(24)]
    with ThreadPoolExecutor(24) as pool:
        answers = list(
            pool.map(lambda pair: crowded.office.exchange(*pair, client_assertion=assertion).status_code, codes)
        )
    assert sorted(answers) == [200] + [400] * 23 or sorted(answers) == [200] + [401] * 23


def test_mixed_up_a_code_for_one_client_is_nothing_to_another(world: World) -> None:
    code, verifier = _code(world)
    for party in (world.archive, world.help_desk, world.office):
        _refused(party.exchange(code, verifier, redirect_uri=world.cabinet.redirect_uri), "invalid_grant")
    # The right client is not harmed by the others' attempts.
    assert world.cabinet.exchange(code, verifier).status_code == 200


@pytest.mark.parametrize(
    "verifier",
    ["right+", "x" * 43, "x" * 128, "x" * 42, "x" * 129, "ы" * 43, "", None, "challenge"],
)
def test_a_wrong_or_missing_verifier_gets_nothing(world: World, verifier: str | None) -> None:
    parameters, right = world.cabinet.start()
    code = world.cabinet.code(parameters, world.sign_in())
    # "challenge": what `plain` would have accepted.
    tried = {"right+": f"{right}A", "challenge": parameters["code_challenge"]}.get(verifier or "", verifier)
    answer = world.cabinet.exchange(code, tried)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_grant", "invalid_request")
    assert world.cabinet.exchange(code, right).status_code == 200


def test_PKCE_is_demanded_from_confidential_clients_too(world: World) -> None:
    for party in (world.office, world.help_desk):
        code, _ = _code(world, party)
        _refused(party.exchange(code, None), "invalid_request")


def test_a_verifier_of_another_flow_is_refused(world: World) -> None:
    """Code injection: the victim's code into the attacker's own flow."""
    (victims, _), (_, attackers) = _code(world), _code(world)
    _refused(world.cabinet.exchange(victims, attackers), "invalid_grant")


@pytest.mark.parametrize(
    "address",
    ["https://cabinet.example/second", "https://cabinet.example/callback/", "https://CABINET.example/callback", None],
)
def test_the_address_must_be_that_of_the_code(world: World, address: str | None) -> None:
    code, verifier = _code(world)
    _refused(world.cabinet.exchange(code, verifier, redirect_uri=address), "invalid_grant")


@pytest.mark.parametrize("code", ["", None, "x", "x" * 43, "' OR 1=1 --", "\x00", "%00"])
def test_a_made_up_code_is_refused(world: World, code: str | None) -> None:
    answer = world.cabinet.exchange(code, "v" * 43)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_grant", "invalid_request")


@pytest.mark.parametrize("grant", ["password", "client_credentials", "refresh_token", "implicit", "", None,
                                   "urn:ietf:params:oauth:grant-type:jwt-bearer"])  # fmt: skip
def test_there_is_one_grant(world: World, grant: str | None) -> None:
    code, verifier = _code(world)
    answer = world.cabinet.exchange(code, verifier, grant_type=grant, username="x", password="x", refresh_token="x")
    _refused(answer, "unsupported_grant_type")


@pytest.mark.parametrize("name", ["grant_type", "code", "redirect_uri", "code_verifier", "client_id"])
def test_a_repeated_parameter_is_refused(world: World, name: str) -> None:
    code, verifier = _code(world)
    form = [
        ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", world.cabinet.redirect_uri),
        ("code_verifier", verifier), ("client_id", "cabinet"),
    ]  # fmt: skip
    for twice in ([*form, (name, dict(form)[name])], [(name, ""), *form]):
        content = urlencode(twice)
        _refused(world.http.post("/oidc/token", content=content, headers=FORM), "invalid_request")
    assert world.http.post("/oidc/token", content=urlencode(form), headers=FORM).status_code == 200


def test_parameters_of_the_query_do_not_count(world: World) -> None:
    code, verifier = _code(world)
    query = httpx.QueryParams(
        grant_type="authorization_code", code=code, redirect_uri=world.cabinet.redirect_uri, code_verifier=verifier,
        client_id="cabinet",
    )  # fmt: skip
    assert world.http.get(f"/oidc/token?{query}").status_code == 405
    _refused(world.http.post(f"/oidc/token?{query}", content="", headers=FORM), "unsupported_grant_type")
    _refused(world.http.post("/oidc/token", json=dict(query)), "invalid_request")


# Client authentication


@pytest.mark.parametrize("secret", ["wrong", "", "x" * 43])
def test_a_wrong_secret_is_refused(world: World, secret: str) -> None:
    code, verifier = _code(world, world.help_desk)
    thief = RelyingParty(world.http, "help-desk", world.help_desk.redirect_uri, secret=secret)
    answer = thief.exchange(code, verifier)
    _refused(answer, "invalid_client", 401)
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert world.help_desk.exchange(code, verifier).status_code == 200


def test_the_hash_in_the_configuration_is_no_secret(world: World) -> None:
    line = next(line for line in (world.directory / "provider.toml").read_text().splitlines() if "sha256" in line)
    thief = RelyingParty(world.http, "help-desk", world.help_desk.redirect_uri, secret=line.split('"')[1])
    code, verifier = _code(world, world.help_desk)
    _refused(thief.exchange(code, verifier), "invalid_client", 401)


def test_a_confidential_client_cannot_pass_as_a_public_one(world: World) -> None:
    for party in (world.help_desk, world.office):
        code, verifier = _code(world, party)
        bare = RelyingParty(world.http, party.id, party.redirect_uri)
        _refused(bare.exchange(code, verifier), "invalid_client", 401)


def test_a_secret_in_the_body_is_refused(world: World) -> None:
    code, verifier = _code(world, world.help_desk)
    bare = RelyingParty(world.http, "help-desk", world.help_desk.redirect_uri)
    _refused(bare.exchange(code, verifier, client_secret=world.help_desk.secret), "invalid_request")


def test_two_ways_at_once_are_refused(world: World) -> None:
    code, verifier = _code(world, world.help_desk)
    both = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": world.office.assertion()}
    _refused(world.help_desk.exchange(code, verifier, **both), "invalid_request")


def test_a_client_that_names_another_is_refused(world: World) -> None:
    code, verifier = _code(world)
    for party in (world.help_desk, world.office):
        answer = party.exchange(code, verifier, client_id="cabinet", redirect_uri=world.cabinet.redirect_uri)
        _refused(answer, "invalid_client", 401)


def test_credentials_for_a_public_client_are_refused(world: World) -> None:
    code, verifier = _code(world)
    pretender = RelyingParty(world.http, "cabinet", world.cabinet.redirect_uri, secret="anything")
    _refused(pretender.exchange(code, verifier, client_id="cabinet"), "invalid_client", 401)


@pytest.mark.parametrize(
    "header",
    [
        "Basic", "Basic !!!", "Basic aGVscC1kZXNr", "Bearer x", "Negotiate x",
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode(b"help-desk:%ff").decode(),
        "Basic " + "A" * 5000,
    ],
)  # fmt: skip
def test_a_damaged_authorization_header_is_a_refusal_and_no_crash(world: World, header: str) -> None:
    code, verifier = _code(world, world.help_desk)
    bare = RelyingParty(world.http, "help-desk", world.help_desk.redirect_uri)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": bare.redirect_uri,
    }
    answer = world.http.post("/oidc/token", data=form, headers={"authorization": header})
    _refused(answer, "invalid_client", 401)


def test_two_authorization_headers_are_refused(world: World) -> None:
    headers = [("authorization", "Basic eDp5"), ("authorization", "Basic eDp5"), *FORM.items()]
    _refused(
        world.http.post("/oidc/token", content="grant_type=authorization_code", headers=headers), "invalid_request"
    )
    answer = world.http.get("/oidc/userinfo", headers=[("authorization", "Bearer x"), ("authorization", "Bearer y")])
    _refused(answer, "invalid_request")


# Assertions


def _try_assertion(world: World, assertion: str, **changes: str | None) -> httpx.Response:
    code, verifier = _code(world, world.office)
    return world.office.exchange(code, verifier, client_assertion=assertion, **changes)


def test_an_assertion_works_once(world: World) -> None:
    assertion = world.office.assertion()
    assert _try_assertion(world, assertion).status_code == 200
    _refused(_try_assertion(world, assertion), "invalid_client", 400, 401)
    again = world.office.assertion(jti="the-same-id")
    assert _try_assertion(world, again).status_code == 200
    _refused(_try_assertion(world, world.office.assertion(jti="the-same-id")), "invalid_client", 400, 401)


def test_an_assertion_is_spent_even_if_the_code_was_wrong(world: World) -> None:
    assertion = world.office.assertion()
    _refused(world.office.exchange("x" * 43, "v" * 43, client_assertion=assertion), "invalid_grant")
    _refused(_try_assertion(world, assertion), "invalid_client", 400, 401)


NOW = int(time.time())


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 3600},
        {"exp": NOW - 3600, "iat": NOW - 7200},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": NOW + 365 * 86_400},
        {"exp": float("inf")},
        {"exp": True},
        {"nbf": NOW + 7200},
        {"iat": NOW + 7200},
        {"aud": "https://evil.example"},
        {"aud": None},
        {"aud": []},
        {"aud": ["https://evil.example"]},
        {"iss": "cabinet"},
        {"iss": None},
        {"sub": None},
        {"sub": "cabinet", "iss": "cabinet"},
        {"sub": "help-desk", "iss": "help-desk"},
        {"sub": ["office"]},
        {"sub": "nobody", "iss": "nobody"},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "j" * 200},
    ],
)
def test_an_assertion_that_claims_something_else_is_refused(world: World, changes: dict[str, Any]) -> None:
    _refused(_try_assertion(world, world.office.assertion(**changes)), "invalid_client", 400, 401)


def test_an_assertion_for_others_too_is_refused(world: World) -> None:
    """Audience injection: another server that the client talks to could pass it on."""
    for audience in (
        [world.process.url, "https://evil.example"],
        f"{world.process.url}/oidc/token",
        f"{world.process.url}/",
    ):
        _refused(_try_assertion(world, world.office.assertion(aud=audience)), "invalid_client", 400, 401)
    assert _try_assertion(world, world.office.assertion(aud=[world.process.url])).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", ""])
def test_an_unsigned_assertion_is_refused(world: World, algorithm: str) -> None:
    signed = world.office.assertion()
    header = encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    for assertion in (f"{header}.{signed.split('.')[1]}.", f"{header}.{signed.split('.')[1]}.{signed.split('.')[2]}"):
        _refused(_try_assertion(world, assertion), "invalid_client", 400, 401)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_public_key_is_no_shared_secret(world: World, algorithm: str) -> None:
    """Algorithm confusion: HMAC under each encoding of the public key that a library may take for a secret."""
    assert world.office.key is not None
    public = world.office.key.public_key()
    file = (world.directory / "office.jwks.json").read_bytes()
    jwk = json.loads(file)["keys"][0]
    candidates = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        json.dumps(jwk).encode(),
        file,
        b"",
    ]
    name = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[algorithm]
    for secret in candidates:
        body = world.office.assertion().split(".")[1]
        signed = f"{encode(json.dumps({'alg': algorithm, 'typ': 'JWT'}).encode())}.{body}"
        assertion = f"{signed}.{encode(hmac.digest(secret, signed.encode(), name))}"
        _refused(_try_assertion(world, assertion), "invalid_client", 400, 401)


def test_an_assertion_that_brings_its_own_key_is_refused(world: World) -> None:
    thief = ec.generate_private_key(ec.SECP256R1())
    claims = json.loads(base64.urlsafe_b64decode(world.office.assertion().split(".")[1] + "=="))
    for header in (
        {"alg": "ES256"},
        {"alg": "ES256", "jwk": public_jwk(thief)},
        {"alg": "ES256", "jku": "https://evil.example/jwks"},
        {"alg": "ES256", "kid": "../../../../dev/null"},
        {"alg": "ES256", "crit": ["exp"], "exp": 1},
    ):
        _refused(_try_assertion(world, sign_jwt(header, claims, thief)), "invalid_client", 400, 401)


def test_a_changed_assertion_is_refused(world: World) -> None:
    head, body, signature = world.office.assertion().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = encode(json.dumps({**claims, "jti": "another"}).encode())
    zero = encode(bytes(64))
    for assertion in (
        f"{head}.{other}.{signature}",
        f"{head}.{body}.{zero}",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}",
    ):
        _refused(_try_assertion(world, assertion), "invalid_client", 400, 401)


def _three(header: bytes, claims: bytes) -> str:
    return f"{encode(header)}.{encode(claims)}.x"


@pytest.mark.parametrize(
    "assertion",
    [
        "", "x", "..", "...", "a.b.c", "e30.e30.e30", "W10.W10.W10", "bnVsbA.bnVsbA.x",
        _three(b"[]", b"[]"),
        _three(b'{"alg":7}', b'{"sub":"office"}'),
        _three(b'{"alg":"ES256"}', b"[" * 2500),
        _three(b"[" * 2500, b"{}"),
        "x" * 4000, "x" * 60_000,
    ],
)  # fmt: skip
def test_a_malformed_assertion_is_a_refusal_and_no_crash(world: World, assertion: str) -> None:
    answer = _try_assertion(world, assertion)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("invalid_client", "invalid_request")
    assert "unexpected-error" not in world.process.text()


def test_an_assertion_of_another_type_is_refused(world: World) -> None:
    saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    for kind in (saml, None, "x"):
        answer = _try_assertion(world, world.office.assertion(), client_assertion_type=kind)
        _refused(answer, "invalid_client", 400, 401)


# Userinfo, and pages


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic eDp5", "bearer " + "x" * 43, "Bearer x y"])
def test_userinfo_needs_a_token(world: World, header: str | None) -> None:
    for method in ("GET", "POST"):
        answer = world.http.request(
            method, "/oidc/userinfo", headers={} if header is None else {"authorization": header}
        )
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].lower().startswith("bearer")


def test_neither_session_nor_id_token_nor_query_opens_userinfo(world: World) -> None:
    session = world.sign_in()
    tokens = world.cabinet.tokens(session)
    assert world.cabinet.userinfo(session).status_code == 401
    assert world.cabinet.userinfo(tokens["id_token"]).status_code == 401
    assert world.http.get("/oidc/userinfo", params={"access_token": tokens["access_token"]}).status_code == 401
    assert world.http.post("/oidc/userinfo", data={"access_token": tokens["access_token"]}).status_code == 401


def test_A7_only_pages_of_clients_may_call_from_a_browser(world: World) -> None:
    code, verifier = _code(world)
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": world.cabinet.redirect_uri,
        "code_verifier": verifier, "client_id": "cabinet",
    }  # fmt: skip
    for origin in ("https://evil.example", "null", "https://office.example", "http://cabinet.example"):
        answer = world.http.post("/oidc/token", data=form, headers={"origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin")
        shown = world.http.get("/oidc/userinfo", headers={"origin": origin})
        assert "access-control-allow-origin" not in shown.headers
    answer = world.http.post("/oidc/token", data=form, headers={"origin": CABINET_PAGE})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == CABINET_PAGE
    assert "access-control-allow-credentials" not in answer.headers


def test_A1_a_body_that_is_too_long_is_refused(world: World) -> None:
    answer = world.http.post("/oidc/token", content=b"code=" + b"x" * 100_000, headers=FORM)
    assert answer.status_code == 413


def test_the_log_names_no_person_and_no_secret(world: World) -> None:
    code, verifier = _code(world)
    tokens = world.cabinet.exchange(code, verifier).json()
    world.cabinet.userinfo(tokens["access_token"])
    world.cabinet.exchange(code, secrets.token_urlsafe(48))
    log = world.process.text()
    assert "oidc-code-used-again" in log
    for secret in (code, verifier, tokens["access_token"], tokens["id_token"], "account-1", "20101199000123"):
        assert secret not in log
